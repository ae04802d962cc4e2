"""How long each thing in the book of people is kept, why, and what lets go of it in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import ColumnElement, and_, delete, exists, func, inspect, or_, select, update

from api.people import tables as t
from api.people.accounts import SYSTEM
from api.people.acts import record
from api.people.book import PeopleBook, PeopleDesk
from api.people.forgetting import FORGOTTEN_DAYS
from api.people.guards import HANDOVER_DAYS, LOOK_DAYS
from api.people.sessions import LIMIT_S
from api.people.tokens import KEPT_S
from collectors.told import REMEMBERED_S
from kwartier.interval import day_of
from kwartier.units import EpochS
from kwartier.wire import Json

MOST_ROWS = 2_000
"""How many rows of a kind go at once, so that no writer waits long."""
_DAY_S = 86_400

_Old = Callable[[EpochS], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Keep:
    """How long rows of a table are kept.

    Attributes:
        table: The table.
        days: How long after their end [days]; None as long as the account, or for good.
        why: Why so long.
        old: Which rows have reached their end, by an instant that lies so many days back [s].
        quiet: Whether it goes without an act: it tells nothing of what anybody did.
    """

    table: type[t.PeopleBase]
    days: int | None
    why: str
    old: _Old | None = None
    quiet: bool = False


KEPT = (
    Keep(
        t.AccountRow,
        400,
        "an ended account keeps its name for a year, for questions; then only its id stays",
        lambda then_s: t.AccountRow.ended_at_s < then_s,
    ),
    Keep(
        t.StayRow,
        2_557,
        "who moved out may look back as long as statements are kept by law",
        lambda then_s: t.StayRow.until_s < then_s,
    ),
    Keep(
        t.GrantRow,
        LOOK_DAYS,
        "a role explains the looks that were made by it",
        lambda then_s: func.coalesce(t.GrantRow.ended_at_s, t.GrantRow.until_s) < then_s,
    ),
    Keep(t.CardRow, None, "it lets somebody in; a new card takes its place"),
    Keep(t.PasswordRow, None, "it lets somebody in, as long as there is an account"),
    Keep(t.TotpRow, None, "it lets somebody in, as long as there is an account"),
    Keep(t.RecoveryRow, None, "it stands in for a lost second factor; new ones take its place"),
    Keep(t.PasskeyRow, None, "it lets somebody in, as long as there is an account"),
    Keep(
        t.TokenRow,
        KEPT_S // _DAY_S,
        "what ran out can be told from what never was for a day",
        lambda then_s: t.TokenRow.until_s < then_s,
        quiet=True,
    ),
    Keep(
        t.SessionRow,
        LIMIT_S // _DAY_S,
        "a session opens nothing after that",
        lambda then_s: t.SessionRow.made_at_s < then_s,
        quiet=True,
    ),
    Keep(
        t.CompanionRow,
        LOOK_DAYS,
        "a helper's name explains the looks, and goes with them",
        lambda then_s: t.CompanionRow.until_s < then_s,
    ),
    Keep(
        t.LookRow,
        LOOK_DAYS,
        "residents see two years back who looked",
        lambda then_s: t.LookRow.at_s < then_s,
    ),
    Keep(
        t.ConsentChoiceRow,
        LOOK_DAYS,
        "it shows that what was done was done with a yes",
        lambda then_s: t.ConsentChoiceRow.until_s < then_s,
    ),
    Keep(
        t.SteeringRefusalRow,
        LOOK_DAYS,
        "it shows when a battery was not to be steered; a no that holds stays",
        lambda then_s: t.SteeringRefusalRow.until_s < then_s,
    ),
    Keep(t.WishRow, None, "what somebody wants told holds until they say otherwise"),
    Keep(
        t.MessageRow,
        400,
        "last year's message explains itself beside this year's",
        lambda then_s: func.coalesce(t.MessageRow.done_at_s, t.MessageRow.made_at_s) < then_s,
    ),
    Keep(
        t.QuestionRow,
        LOOK_DAYS,
        "an answer is looked up until the next year is settled; an open question stays",
        lambda then_s: t.QuestionRow.answered_at_s < then_s,
    ),
    Keep(t.ActRow, None, "the chain is kept whole; it names ids and no persons"),
    Keep(
        t.ToldRow,
        REMEMBERED_S // _DAY_S,
        "sums of the same quarter must not differ by a home; older ones are told by the day",
        lambda then_s: t.ToldRow.start_s < then_s,
        quiet=True,
    ),
    Keep(
        t.ToldLiveRow,
        REMEMBERED_S // _DAY_S,
        "the same for power",
        lambda then_s: t.ToldLiveRow.start_s < then_s,
        quiet=True,
    ),
    Keep(
        t.ToldHomesRow,
        0,
        "a set of homes' ids goes with the last sum that was told over it",
        lambda _: (
            ~or_(
                exists().where(t.ToldRow.homes == t.ToldHomesRow.key),
                exists().where(t.ToldLiveRow.homes == t.ToldHomesRow.key),
            )
        ),
        quiet=True,
    ),
    Keep(
        t.ReplayRow,
        LOOK_DAYS,
        "who decided on a rule may look back at what was shown",
        lambda then_s: t.ReplayRow.kept_at_s < then_s,
    ),
    Keep(
        t.ErasureRow,
        1_826,
        "it shows that a request was carried out; it names ids only",
        lambda then_s: t.ErasureRow.done_at_s < then_s,
    ),
    Keep(
        t.ForgottenRow,
        FORGOTTEN_DAYS,
        "so long a day that is forgotten could be summed anew",
        lambda then_s: t.ForgottenRow.last_day < day_of(then_s),
    ),
    Keep(
        t.ClaimRow,
        30,
        "a box that showed its code waits so long for somebody to let it in",
        lambda then_s: func.coalesce(t.ClaimRow.shown_at_s, t.ClaimRow.until_s) < then_s,
        quiet=True,
    ),
    Keep(
        t.NonceRow,
        0,
        "a message is too old to be taken again by itself then",
        lambda then_s: t.NonceRow.until_s < then_s,
        quiet=True,
    ),
    Keep(
        t.CertificateRow,
        HANDOVER_DAYS,
        "it shows whose readings were taken in, as long as books are kept",
        lambda then_s: t.CertificateRow.until_s < then_s,
    ),
    Keep(
        t.HandoverRow,
        HANDOVER_DAYS,
        "it shows how a home was measured, as long as books are kept",
        lambda then_s: t.HandoverRow.at_s < then_s,
    ),
    Keep(
        t.JobRow,
        HANDOVER_DAYS,
        "which box stood where explains the certificates, and goes after the last of them",
        lambda then_s: and_(
            or_(
                t.JobRow.ended_at_s < then_s,
                and_(t.JobRow.state == "refused", t.JobRow.judged_at_s < then_s),
            ),
            ~exists().where(t.CertificateRow.job == t.JobRow.id),
            ~exists().where(t.ClaimRow.job == t.JobRow.id),
        ),
    ),
)
"""Every table of the book of people, and when its rows go."""


def let_go(book: PeopleBook) -> dict[str, int]:
    """Let go of what has reached its end, some of each kind; return how many rows by table.

    Raises:
        StoreBusyError: The book cannot be written now; nothing went.
    """
    with book.reading() as desk:
        if not any(_keys(desk, keep) for keep in KEPT):
            return {}
    with book.writing() as desk:
        gone = {keep.table.__tablename__: count for keep in KEPT if (count := _go(desk, keep))}
        told: dict[str, Json] = {
            keep.table.__tablename__: gone[keep.table.__tablename__]
            for keep in KEPT
            if not keep.quiet and keep.table.__tablename__ in gone
        }
        if told:
            record(desk, SYSTEM, "retention", SYSTEM, told)
    book.clear_log()
    return gone


def _go(desk: PeopleDesk, keep: Keep) -> int:
    """Take out the rows that have reached their end; an account only loses what is personal."""
    keys = _keys(desk, keep)
    if not keys:
        return 0
    place = inspect(keep.table).primary_key[0]
    if keep.table is t.AccountRow:
        nothing = desk.keys.seal("")
        emptied = update(t.AccountRow).where(place.in_(keys))
        desk.session.execute(
            emptied.values(name=nothing, email=nothing, language="", pictures=False)
        )
    else:
        desk.session.execute(delete(keep.table).where(place.in_(keys)))
    return len(keys)


def _keys(desk: PeopleDesk, keep: Keep) -> list[object]:
    """Return the keys of some rows that have reached their end."""
    if keep.old is None or keep.days is None:
        return []
    old = keep.old(desk.at_s - keep.days * _DAY_S)
    if keep.table is t.AccountRow:
        return _still_named(desk, old)
    place = inspect(keep.table).primary_key[0]
    return list(desk.session.scalars(select(place).where(old).limit(MOST_ROWS)))


def _still_named(desk: PeopleDesk, old: ColumnElement[bool]) -> list[object]:
    """Return the accounts that still hold something personal: what is sealed must be opened."""
    rows = desk.session.scalars(select(t.AccountRow).where(old).order_by(t.AccountRow.ended_at_s))
    named = (row.id for row in rows if desk.keys.open(row.name) or desk.keys.open(row.email))
    return list(islice(named, MOST_ROWS))
