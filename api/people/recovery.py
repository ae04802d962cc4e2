"""Recovery codes: ten on paper, each stands in once for a lost app or passkey."""

from __future__ import annotations

import secrets

from sqlalchemy import delete, func, select, update

from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.tables import RecoveryRow
from api.people.tokens import ALPHABET

CODES = 10
LETTERS = 10
"""Ten letters of 31 are 49 bits; their hash is keyed, so the book alone tells nothing."""


def new_codes(desk: PeopleDesk, account: str) -> list[str]:
    """Return ten new codes; the older ones open nothing any more."""
    desk.session.execute(delete(RecoveryRow).where(RecoveryRow.account == account))
    drawn = ["".join(secrets.choice(ALPHABET) for _ in range(LETTERS)) for _ in range(CODES)]
    for code in drawn:
        kept = _kept(desk, account, code)
        desk.session.add(RecoveryRow(hash=kept, account=account, used_at_s=None))
    desk.session.flush()
    record(desk, account, "recovery.new", account)
    return [f"{code[:5]}-{code[5:]}" for code in drawn]


def use_code(desk: PeopleDesk, account: str, code: str) -> bool:
    """Return whether a code is one of an account's that was not used yet; it is now."""
    letters = "".join(letter for letter in code[:40].upper() if letter in ALPHABET)
    wanted = update(RecoveryRow).where(
        RecoveryRow.hash == _kept(desk, account, letters),
        RecoveryRow.account == account,
        RecoveryRow.used_at_s.is_(None),
    )
    left = codes_left(desk, account)
    desk.session.execute(wanted.values(used_at_s=desk.at_s))
    desk.session.flush()
    if codes_left(desk, account) == left:
        return False
    record(desk, account, "recovery.use", account, {"left": left - 1})
    return True


def codes_left(desk: PeopleDesk, account: str) -> int:
    """Return how many codes an account has left."""
    wanted = select(func.count()).where(
        RecoveryRow.account == account, RecoveryRow.used_at_s.is_(None)
    )
    return desk.session.scalars(wanted).one()


def _kept(desk: PeopleDesk, account: str, letters: str) -> str:
    return desk.keys.fingerprint(f"recovery {account} {letters}")
