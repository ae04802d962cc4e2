"""Who gives which role to whom, and takes it back: nobody to themselves."""

from __future__ import annotations

from dataclasses import dataclass

from api.people.accounts import account_of, grant, live_grants
from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.errors import PeopleError, UnknownError
from api.people.tables import GrantRow
from api.people.visitor import Role, Visitor
from kwartier.units import EpochS

DAY_S = 86_400
MOST_DAYS = 14
"""How long an installer may work at a home, at most [days]."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that holds now.

    Attributes:
        id: Its number.
        account: Who has it.
        name: What they are called. Personal.
        role: Which role.
        home: For which home; empty for none.
        from_s: Since when [s].
        until_s: Until when [s]; None without an end.
    """

    id: int
    account: str
    name: str
    role: Role
    home: str
    from_s: EpochS
    until_s: EpochS | None


def roles_to_give(visitor: Visitor, *, books: bool) -> tuple[Role, ...]:
    """Return which roles somebody may give; with books the board is made there, never here."""
    if Role.OPERATOR in visitor.roles:
        board = () if books else (Role.BOARD, Role.TREASURER)
        return (Role.INSTALLER, Role.OPERATOR, *board)
    return (Role.INSTALLER,) if visitor.on_board else ()


def give_role(
    desk: PeopleDesk,
    visitor: Visitor,
    account: str,
    role: Role,
    *,
    home: str = "",
    days: int = 0,
    books: bool,
) -> None:
    """Give a role from now on; an installer's is for one home and some days.

    Raises:
        PeopleError: It is not theirs to give, is for themselves, or lasts too long.
    """
    if role not in roles_to_give(visitor, books=books):
        raise PeopleError(f"the role {role} is not yours to give: ask an operator")
    if account == visitor.account:
        raise PeopleError("nobody gives a role to themselves: ask somebody else")
    if account_of(desk, account).ended_at_s is not None:
        raise UnknownError("this account has ended")
    if role is not Role.INSTALLER:
        if all(each.role != role for each in live_grants(desk, account)):
            grant(desk, visitor.account, account, role)
        return
    if not 1 <= days <= MOST_DAYS or not home:
        raise PeopleError(f"an installer works at one home for 1 to {MOST_DAYS} days")
    until_s = desk.at_s + days * DAY_S
    grant(desk, visitor.account, account, role, home=home, until_s=until_s)


def end_grant(desk: PeopleDesk, by: str, number: int) -> None:
    """Take a role back at once.

    Raises:
        UnknownError: There is no such grant, or it has ended.
    """
    row = desk.session.get(GrantRow, number)
    if row is None or row.ended_at_s is not None:
        raise UnknownError("this grant has ended already")
    row.ended_at_s = desk.at_s
    desk.session.flush()
    record(desk, by, "grant.end", row.account, {"grant": number, "role": row.role})


def grants_now(desk: PeopleDesk, account: str | None = None) -> list[Grant]:
    """Return every role that holds now, of one account or of all."""
    return [
        Grant(
            row.id,
            row.account,
            account_of(desk, row.account).name,
            Role(row.role),
            row.home,
            row.from_s,
            row.until_s,
        )
        for row in live_grants(desk, account)
    ]
