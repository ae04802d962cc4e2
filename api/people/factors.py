"""Second factors: an app or a passkey, and who may change what proves somebody."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete

from api.people.book import PeopleBook, PeopleDesk
from api.people.passkeys import Passkey, passkeys
from api.people.recovery import codes_left
from api.people.sessions import OpenSession
from api.people.tables import PasswordRow, RecoveryRow
from api.people.totp import has_totp
from api.people.visitor import PRIVILEGED, STRONG_S, Visitor

CARD = "card"
"""The way in that a whole household shares."""


@dataclass(frozen=True, slots=True)
class Proofs:
    """What proves an account.

    Attributes:
        password: Whether it has a password.
        app: Whether it has an app that counts.
        passkeys: Its passkeys.
        codes: How many recovery codes are left.
    """

    password: bool
    app: bool
    passkeys: tuple[Passkey, ...]
    codes: int

    @property
    def second(self) -> bool:
        """Whether there is a second factor."""
        return self.app or bool(self.passkeys)


def proofs_of(desk: PeopleDesk, account: str) -> Proofs:
    """Return what proves an account."""
    return Proofs(
        desk.session.get(PasswordRow, account) is not None,
        has_totp(desk, account),
        tuple(passkeys(desk, account)),
        codes_left(desk, account),
    )


def read_proofs(book: PeopleBook, account: str) -> Proofs:
    """Return what proves an account, in a reading of its own."""
    with book.reading() as desk:
        return proofs_of(desk, account)


def drop_codes_without_factor(desk: PeopleDesk, account: str) -> None:
    """Forget the recovery codes when nothing is left for them to stand in for."""
    if not proofs_of(desk, account).second:
        desk.session.execute(delete(RecoveryRow).where(RecoveryRow.account == account))


def refusal_to_change(
    proofs: Proofs, visitor: Visitor, session: OpenSession, now_s: float
) -> str | None:
    """Return why a session may not change what proves its account; None when it may.

    With a second factor it must have been shown just now. Without one, a login card is not enough
    for who has more rights than a resident: the whole household holds it.

    Returns:
        ``confirm``: show the second factor; ``card``: come in another way first.
    """
    if proofs.second:
        shown_s = session.strong_at_s
        return None if shown_s is not None and now_s - shown_s <= STRONG_S else "confirm"
    if session.way == CARD and (visitor.possible & PRIVILEGED or proofs.password):
        return "card"
    return None
