"""Accounts: who may come in, where they live, and which roles they were given."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import delete, or_, select, update

from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.errors import PeopleError, UnknownError
from api.people.tables import (
    AccountRow,
    CardRow,
    GrantRow,
    PasskeyRow,
    PasswordRow,
    RecoveryRow,
    SessionRow,
    StayRow,
    TokenRow,
    TotpRow,
)
from api.people.visitor import Role
from kwartier.units import EpochS

_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
SYSTEM = "system"
"""Who acts where no person does."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may come in.

    Attributes:
        id: Its id, which says nothing about the person.
        name: What they are called. Personal.
        email: Where mail goes; empty without. Personal.
        party: Their id in the books; empty without one.
        officer: Their officer's name in the books; empty without one.
        language: The language they chose; empty for none.
        pictures: Whether they chose pages with pictures and numbers only.
        ended_at_s: When it ended [s]; None while it is open.
    """

    id: str
    name: str
    email: str
    party: str
    officer: str
    language: str
    pictures: bool
    ended_at_s: EpochS | None


def add_account(
    desk: PeopleDesk, by: str, *, name: str = "", party: str = "", officer: str = ""
) -> str:
    """Add an account and return its id."""
    made = "a-" + "".join(secrets.choice(_LETTERS) for _ in range(10))
    desk.session.add(
        AccountRow(
            id=made,
            party=party or None,
            officer=officer or None,
            name=desk.keys.seal(name),
            email=desk.keys.seal(""),
            email_fingerprint=None,
            language="",
            pictures=False,
            made_at_s=desk.at_s,
            ended_at_s=None,
        )
    )
    desk.session.flush()
    record(desk, by, "account.add", made, {"party": party, "officer": officer})
    return made


def account_of(desk: PeopleDesk, account: str) -> Account:
    """Return an account.

    Raises:
        UnknownError: There is none.
    """
    row = desk.session.get(AccountRow, account)
    if row is None:
        raise UnknownError(f"account {account[:40]!r}: there is none")
    return opened(desk, row)


def accounts(desk: PeopleDesk, *, skip: int = 0, limit: int | None = None) -> list[Account]:
    """Return every account that has not ended, the oldest first; or one page of them."""
    rows = desk.session.scalars(
        select(AccountRow)
        .where(AccountRow.ended_at_s.is_(None))
        .order_by(AccountRow.made_at_s, AccountRow.id)
        .offset(skip)
        .limit(limit)
    )
    return [opened(desk, row) for row in rows]


def rename(desk: PeopleDesk, by: str, account: str, name: str) -> None:
    """Change what somebody is called."""
    known = account_of(desk, account)
    row = desk.session.get_one(AccountRow, known.id)
    row.name = desk.keys.seal(name.strip()[:80])
    desk.session.flush()
    record(desk, by, "account.rename", account)


def end_account(desk: PeopleDesk, by: str, account: str) -> None:
    """End an account at once: nothing opens it any more, and its party may have another one.

    Raises:
        UnknownError: There is none, or it has ended.
        PeopleError: It is one's own.
    """
    if account_of(desk, account).ended_at_s is not None:
        raise UnknownError("this account has ended already")
    if account == by:
        raise PeopleError("this is your own account: ask somebody else to end it")
    row = desk.session.get_one(AccountRow, account)
    party, officer = row.party or "", row.officer or ""
    row.ended_at_s = desk.at_s
    row.party = row.officer = row.email_fingerprint = None
    row.email = desk.keys.seal("")
    desk.session.flush()
    for proof in (SessionRow, CardRow, PasswordRow, TotpRow, PasskeyRow, RecoveryRow, TokenRow):
        desk.session.execute(delete(proof).where(proof.account == account))
    desk.session.execute(
        update(GrantRow)
        .where(GrantRow.account == account, GrantRow.ended_at_s.is_(None))
        .values(ended_at_s=desk.at_s)
    )
    record(desk, by, "account.end", account, {"party": party, "officer": officer})


def set_officer(desk: PeopleDesk, account: str, officer: str, person: str) -> None:
    """Have an account be an officer of the books, who showed the officer's own secret.

    Raises:
        PeopleError: The officer or the person is another account's, or this is another person's.
    """
    row = desk.session.get_one(AccountRow, account)
    taken = select(AccountRow.id).where(
        or_(AccountRow.officer == officer, AccountRow.party == person), AccountRow.id != account
    )
    if desk.session.scalars(taken).first() is not None:
        raise PeopleError("this officer has another account: log in with that one, or have it end")
    if row.party not in {None, person}:
        raise PeopleError("this account is another person's: use your own")
    row.officer, row.party = officer, person
    desk.session.flush()
    record(desk, account, "officer.set", account, {"officer": officer, "party": person})


def drop_officer(desk: PeopleDesk, by: str, account: str) -> None:
    """Have an account be no officer any more."""
    row = desk.session.get_one(AccountRow, account)
    officer, row.officer = row.officer or "", None
    desk.session.flush()
    record(desk, by, "officer.end", account, {"officer": officer})


def account_of_party(desk: PeopleDesk, party: str) -> str | None:
    """Return the account of a party of the books, or None."""
    return desk.session.scalars(select(AccountRow.id).where(AccountRow.party == party)).first()


def add_stay(
    desk: PeopleDesk, by: str, account: str, home: str, from_s: EpochS, until_s: EpochS | None
) -> None:
    """Write down where an account lives, for a neighbourhood that keeps no books."""
    desk.session.add(StayRow(account=account, home=home, from_s=from_s, until_s=until_s))
    desk.session.flush()
    record(desk, by, "stay.add", account, {"home": home, "from_s": from_s, "until_s": until_s})


def grant(
    desk: PeopleDesk,
    by: str,
    account: str,
    role: Role,
    *,
    home: str = "",
    until_s: EpochS | None = None,
) -> None:
    """Give a role from now on; an installer's is for one home and has an end."""
    assert (role is Role.INSTALLER) == (home != "") == (until_s is not None), (role, home, until_s)
    desk.session.add(
        GrantRow(
            account=account,
            role=role.value,
            home=home,
            from_s=desk.at_s,
            until_s=until_s,
            given_by=by,
            ended_at_s=None,
        )
    )
    desk.session.flush()
    record(desk, by, "grant.add", account, {"role": role, "home": home, "until_s": until_s})


def live_grants(desk: PeopleDesk, account: str | None = None) -> list[GrantRow]:
    """Return the grants that hold now, of one account or of all."""
    wanted = select(GrantRow).where(
        GrantRow.ended_at_s.is_(None),
        GrantRow.from_s <= desk.at_s,
        or_(GrantRow.until_s.is_(None), GrantRow.until_s > desk.at_s),
    )
    if account is not None:
        wanted = wanted.where(GrantRow.account == account)
    return list(desk.session.scalars(wanted.order_by(GrantRow.id)))


def opened(desk: PeopleDesk, row: AccountRow) -> Account:
    """Return an account with its personal fields opened."""
    return Account(
        row.id,
        desk.keys.open(row.name),
        desk.keys.open(row.email),
        row.party or "",
        row.officer or "",
        row.language,
        row.pictures,
        row.ended_at_s,
    )
