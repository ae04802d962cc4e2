"""Sessions: a browser holds a random id, the book its hash; what it opens is looked up anew."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from api.people.accounts import live_grants
from api.people.book import PeopleBook, PeopleDesk
from api.people.looks import note_companion
from api.people.tables import AccountRow, CompanionRow, SessionRow, StayRow
from api.people.visitor import ANYBODY, PRIVILEGED, Role, Stay, Visitor
from api.relational import BUSY_S
from kwartier.errors import StoreBusyError
from kwartier.interval import day_of
from kwartier.units import EpochS

TOUCH_S = 300
"""How often a session in use is written down again, at most [s]."""
LIMIT_S = 90 * 86_400
"""How long a session lasts, however much it is used [s]."""
IDLE_S = 30 * 86_400
"""How long it lasts without being used [s]."""
STRONG_IDLE_S = 1_800
"""How long its second factor counts without being used [s]."""
STRONG_LIMIT_S = 12 * 3_600
"""How long its second factor counts, however much it is used [s]."""
HALF_S = 600
"""How long somebody has to show a second factor after the first [s]."""
BRIEFLY_S = 0.5
"""How long a page waits to write down that a session is used [s]."""
_HALF = "half:"


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its owner sees it.

    Attributes:
        hash: What is kept of its id.
        account: Whose it is.
        way: How they came in, such as ``card``.
        half: Whether it opens nothing before a second factor is shown.
        made_at_s: When it began [s].
        seen_at_s: When it was used last, to a few minutes [s].
        strong_at_s: When a second factor was shown last [s]; None for never.
    """

    hash: str
    account: str
    way: str
    half: bool
    made_at_s: EpochS
    seen_at_s: EpochS
    strong_at_s: EpochS | None


def open_session(
    desk: PeopleDesk,
    account: str,
    way: str,
    *,
    card: str | None = None,
    companion: int | None = None,
    strong: bool = False,
    half: bool = False,
) -> str:
    """Return a new session's id, which is not kept.

    Args:
        desk: The open book.
        account: Whose session.
        way: How they came in, such as ``card``.
        card: The card's number, so that the session ends with the card.
        companion: The helper link, so that the session ends with the link.
        strong: Whether a second factor was shown.
        half: Whether it opens nothing before one is shown.
    """
    session = secrets.token_urlsafe(32)
    desk.session.add(
        SessionRow(
            hash=hash_of(session),
            account=account,
            way=f"{_HALF}{way}" if half else way,
            card=card,
            companion=companion,
            made_at_s=desk.at_s,
            seen_at_s=desk.at_s,
            strong_at_s=desk.at_s if strong else None,
        )
    )
    desk.session.flush()
    return session


def visitor_of(book: PeopleBook, session: str | None) -> Visitor:
    """Return who a session's id stands for; anybody, when it stands for nobody."""
    if not session or len(session) > 128:
        return ANYBODY
    wanted = hash_of(session)
    with book.reading() as desk:
        row = desk.session.get(SessionRow, wanted)
        account = None if row is None else desk.session.get(AccountRow, row.account)
        over = (
            row is None
            or account is None
            or account.ended_at_s is not None
            or desk.at_s - row.seen_at_s > IDLE_S
            or desk.at_s - row.made_at_s > (HALF_S if _is_half(row) else LIMIT_S)
        )
        shut = over or row is None or _is_half(row)
        found = ANYBODY if shut else _visitor(book, desk, row, account)
    if row is None:
        return ANYBODY
    if over:
        with suppress(StoreBusyError):  # it opens nothing, also while it is still written down
            end_session(book, wanted, BRIEFLY_S)
    elif book.clock.now_s() - row.seen_at_s > TOUCH_S or _is_new_day(row, book.clock.now_s()):
        _touch(book, row)
    return found


def end_session(book: PeopleBook, session_hash: str, wait_s: float = BUSY_S) -> None:
    """Forget a session by its hash; wait so long for another writer [s]."""
    with book.writing(wait_s) as desk:
        desk.session.execute(delete(SessionRow).where(SessionRow.hash == session_hash))


def session_of(book: PeopleBook, session: str | None) -> OpenSession | None:
    """Return what a browser's session is, also when it is half; None without one in force."""
    if not session or len(session) > 128:
        return None
    with book.reading() as desk:
        row = desk.session.get(SessionRow, hash_of(session))
        account = None if row is None else desk.session.get(AccountRow, row.account)
        if row is None or account is None or account.ended_at_s is not None:
            return None
        limit_s = HALF_S if _is_half(row) else LIMIT_S
        idle = desk.at_s - row.seen_at_s > IDLE_S
        if idle or row.companion is not None or desk.at_s - row.made_at_s > limit_s:
            return None
    return _opened(row)


def sessions_of(desk: PeopleDesk, account: str) -> list[OpenSession]:
    """Return an account's own sessions, the newest first; those of helpers are not among them."""
    wanted = select(SessionRow).where(
        SessionRow.account == account,
        SessionRow.companion.is_(None),
        SessionRow.seen_at_s >= desk.at_s - IDLE_S,
        SessionRow.made_at_s >= desk.at_s - LIMIT_S,
    )
    rows = desk.session.scalars(wanted.order_by(SessionRow.made_at_s.desc(), SessionRow.hash))
    return [_opened(row) for row in rows if not _is_half(row)]


def renew_session(desk: PeopleDesk, session_hash: str, *, strong: bool) -> str:
    """Return a new id for a session, whole from now on; the old one opens nothing.

    Args:
        desk: The open book.
        session_hash: The session as it was.
        strong: Whether a second factor was shown now.
    """
    row = desk.session.get_one(SessionRow, session_hash)
    way, was_half = row.way.removeprefix(_HALF), _is_half(row)
    made_at_s, strong_at_s = row.made_at_s, row.strong_at_s
    session = open_session(desk, row.account, way, card=row.card, strong=strong)
    desk.session.delete(row)
    fresh = desk.session.get_one(SessionRow, hash_of(session))
    fresh.made_at_s = desk.at_s if was_half else made_at_s
    fresh.strong_at_s = desk.at_s if strong else strong_at_s
    desk.session.flush()
    return session


def end_sessions(desk: PeopleDesk, account: str, *, but: str = "") -> int:
    """Forget every session of an account but one, and return how many there were."""
    gone = delete(SessionRow).where(SessionRow.account == account, SessionRow.hash != but)
    hashes = desk.session.scalars(gone.returning(SessionRow.hash)).all()
    return len(hashes)


def hash_of(secret: str) -> str:
    """Return what is kept of something that opens."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _is_half(row: SessionRow) -> bool:
    return row.way.startswith(_HALF)


def _opened(row: SessionRow) -> OpenSession:
    return OpenSession(
        row.hash,
        row.account,
        row.way.removeprefix(_HALF),
        _is_half(row),
        row.made_at_s,
        row.seen_at_s,
        row.strong_at_s,
    )


def _is_new_day(row: SessionRow, now_s: float) -> bool:
    """Return whether a helper is here for the first time today: that is noted at once."""
    return row.companion is not None and day_of(row.seen_at_s) != day_of(now_s)


def _touch(book: PeopleBook, row: SessionRow) -> None:
    """Write down that a session is used; pages do not wait for that, but a helper's look is due."""
    try:
        _write_touch(book, row, BUSY_S if row.companion is not None else BRIEFLY_S)
    except StoreBusyError:
        if row.companion is not None:
            raise


def _write_touch(book: PeopleBook, row: SessionRow, wait_s: float) -> None:
    with book.writing(wait_s) as desk:
        if row.companion is not None:
            note_companion(desk, row.companion)
        rested = desk.at_s - row.seen_at_s > STRONG_IDLE_S
        values = {"seen_at_s": desk.at_s}
        wanted = update(SessionRow).where(SessionRow.hash == row.hash).values(values)
        desk.session.execute(wanted.values(strong_at_s=None) if rested else wanted)


def _visitor(
    book: PeopleBook, desk: PeopleDesk, row: SessionRow | None, account: AccountRow | None
) -> Visitor:
    assert row is not None
    assert account is not None
    stays = _stays(book, desk, account)
    if row.companion is not None:
        return _companion(desk, row, account, stays)
    strong_at_s = row.strong_at_s
    rested = desk.at_s - row.seen_at_s > STRONG_IDLE_S
    if rested or (strong_at_s is not None and desk.at_s - strong_at_s > STRONG_LIMIT_S):
        strong_at_s = None
    grants = live_grants(desk, account.id)
    possible = {Role(each.role) for each in grants}
    if account.officer and book.registry is not None:
        possible |= book.registry.roles(account.officer)
    if stays:
        possible.add(Role.RESIDENT)
    roles = possible if strong_at_s is not None else possible - PRIVILEGED
    works_at = {each.home for each in grants if each.role == Role.INSTALLER}
    return Visitor(
        account.id,
        frozenset(roles),
        frozenset(possible),
        stays,
        stays[0].home if stays else None,
        account.party or "",
        account.officer or "",
        frozenset(works_at if Role.INSTALLER in roles else ()),
        strong_at_s,
        None,
        account.language,
        account.pictures,
        row.hash,
    )


def _companion(
    desk: PeopleDesk, row: SessionRow, account: AccountRow, stays: tuple[Stay, ...]
) -> Visitor:
    """Return a helper: the resident's home of the link, while the link holds, and reads only."""
    link = desk.session.get(CompanionRow, row.companion)
    if link is None or link.ended_at_s is not None or link.until_s <= desk.at_s:
        return ANYBODY
    own = tuple(stay for stay in stays if stay.home == link.home)
    if not own:
        return ANYBODY
    resident = frozenset({Role.RESIDENT})
    return Visitor(
        account.id,
        resident,
        resident,
        own,
        link.home,
        account.party or "",
        companion=link.id,
        language=account.language,
        pictures=account.pictures,
        session=row.hash,
    )


def _stays(book: PeopleBook, desk: PeopleDesk, account: AccountRow) -> tuple[Stay, ...]:
    """Return where an account lives or lived, the present home first, then the newest."""
    if account.party and book.registry is not None:
        found = list(book.registry.stays(account.party))
    else:
        rows = desk.session.scalars(select(StayRow).where(StayRow.account == account.id))
        found = [Stay(row.home, row.from_s, row.until_s) for row in rows]
    begun = [stay for stay in found if stay.from_s <= desk.at_s]
    return tuple(
        sorted(begun, key=lambda stay: (not stay.holds(desk.at_s), -stay.from_s, stay.home))
    )
