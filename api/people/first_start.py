"""The first start: a house without an operator tells a code to whoever reads its terminal."""

from __future__ import annotations

from sqlalchemy import select

from api.people.accounts import SYSTEM, add_account, grant
from api.people.acts import record
from api.people.book import PeopleBook, PeopleDesk
from api.people.errors import DeniedError
from api.people.passwords import (
    WeakPasswordError,
    checked_login,
    hashed,
    keep_hash,
    weakness_of,
)
from api.people.tables import AccountRow, GrantRow
from api.people.tokens import Purpose, drawn_token, drop_tokens, keep_token, token_of, use_token
from api.people.visitor import Role

LIFE_S = 86_400
"""How long the code opens [s]."""


def has_operator(desk: PeopleDesk) -> bool:
    """Return whether somebody is an operator."""
    wanted = (
        select(GrantRow.id)
        .join(AccountRow, AccountRow.id == GrantRow.account)
        .where(
            GrantRow.role == Role.OPERATOR.value,
            GrantRow.ended_at_s.is_(None),
            AccountRow.ended_at_s.is_(None),
        )
    )
    return desk.session.scalars(wanted.limit(1)).first() is not None


def first_code(book: PeopleBook) -> str | None:
    """Return a new code to begin with, or None when there is an operator; older ones are void."""
    with book.writing() as desk:
        drop_tokens(desk, Purpose.BEGIN)
        if has_operator(desk):
            return None
        code = drawn_token()
        keep_token(desk, code, Purpose.BEGIN, LIFE_S)
        record(desk, SYSTEM, "begin.code", SYSTEM)
    return code


def make_first_operator(book: PeopleBook, code: str, name: str, login: str, password: str) -> str:
    """Make the first operator with a password, and return the account.

    Raises:
        DeniedError: The code is not the one that was told, or there is an operator already.
        WeakPasswordError: The password is too easy to guess.
        LoginTakenError: The login name is no name, or somebody else's.
        TooOftenError: Too many hashes are waiting.
    """
    with book.reading() as desk:
        _check(desk, code)
    named = checked_login(login)
    weakness = weakness_of(password, (named, name))
    if weakness is not None:
        raise WeakPasswordError(weakness)
    slow = hashed(password)
    with book.writing() as desk:
        _check(desk, code)
        use_token(desk, code, Purpose.BEGIN)
        account = add_account(desk, SYSTEM, name=name.strip()[:80])
        grant(desk, SYSTEM, account, Role.OPERATOR)
        keep_hash(desk, account, account, named, slow)
    return account


def _check(desk: PeopleDesk, code: str) -> None:
    if has_operator(desk):
        raise DeniedError("there is an operator already: ask them to let you in")
    token_of(desk, code, Purpose.BEGIN)
