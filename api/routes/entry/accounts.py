"""Accounts and grants: for the board and operators; and one's own account."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.pages.sheets import Sheets, language_of
from api.people.accounts import Account, account_of, accounts
from api.people.book import PeopleDesk
from api.people.errors import UnknownError
from api.people.factors import Proofs, proofs_of
from api.people.grants import MOST_DAYS, Grant, grants_now, roles_to_give
from api.people.sessions import sessions_of
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.entry.accounts_acts import add_acts
from api.routes.entry.entrance import Entrance
from api.routes.entry.own import add_own
from api.schemas import moment_time

PAGE = 50
"""How many accounts one page lists."""


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """An account, without what only its owner sees."""

    id: str
    name: str
    officer: str
    roles: list[str]
    password: bool
    second_factor: bool


@dataclass(frozen=True, slots=True)
class ListedGrant:
    """A role that holds now; times are ISO 8601 with their offset."""

    id: int
    account: str
    name: str
    role: str
    home: str
    since: str
    until: str | None


def add_accounts(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add ``/accounts`` for keepers, ``/mijn`` for everybody with an account."""
    entrance = Entrance(house, door, sheets)
    _add_lists(app, entrance)
    _add_one(app, entrance)
    add_acts(app, entrance)
    add_own(app, entrance)


def _add_lists(app: FastAPI, entrance: Entrance) -> None:
    house, door = entrance.house, entrance.door
    keeper = Depends(Require(door, Need.KEEPER))

    @app.get("/accounts", include_in_schema=False)
    def listed(
        request: Request,
        visitor: Annotated[Visitor, keeper],
        page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    ) -> Response:
        with house.people.reading() as desk:
            found = accounts(desk, skip=(page - 1) * PAGE, limit=PAGE + 1)
            rows = [_listed(desk, each) for each in found[:PAGE]]
            grants = grants_now(desk)
        values = {
            "rows": rows,
            "grants": grants,
            "page": page,
            "more": len(found) > PAGE,
            "roles": [
                role.value for role in roles_to_give(visitor, books=house.office is not None)
            ],
            "homes": list(house.community.connections),
            "days": MOST_DAYS,
            "mails": entrance.courier.sends,
        }
        return entrance.page(
            request, visitor, "accounts.html", values, title="title.accounts", tab="accounts"
        )

    @app.get("/api/v1/accounts")
    def told(
        _: Annotated[Visitor, keeper],
        skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
    ) -> list[ListedAccount]:
        """Return the accounts in force, the oldest first."""
        with house.people.reading() as desk:
            return [_listed(desk, each) for each in accounts(desk, skip=skip, limit=limit)]

    @app.get("/api/v1/grants")
    def granted(
        _: Annotated[Visitor, keeper],
        limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
    ) -> list[ListedGrant]:
        """Return every role that holds now, and until when."""
        with house.people.reading() as desk:
            return [_grant(each) for each in grants_now(desk)[:limit]]


def _add_one(app: FastAPI, entrance: Entrance) -> None:
    house, door = entrance.house, entrance.door
    keeper = Depends(Require(door, Need.KEEPER))

    @app.get("/accounts/{account}", include_in_schema=False)
    def one(request: Request, visitor: Annotated[Visitor, keeper], account: str) -> Response:
        try:
            with house.people.reading() as desk:
                known = account_of(desk, account)
                proofs, sessions = proofs_of(desk, account), sessions_of(desk, account)
                grants = grants_now(desk, account)
        except UnknownError as error:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such account") from error
        if known.ended_at_s is not None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "this account has ended")
        own = account == visitor.account
        given = roles_to_give(visitor, books=house.office is not None)
        lang = language_of(request, visitor)
        values = {
            "account": known,
            "called": known.name or lang.say("accounts.nameless"),
            "ways": _ways(proofs),
            "sessions": len(sessions),
            "grants": grants,
            "roles": [] if own else [role.value for role in given],
            "homes": list(house.community.connections),
            "days": MOST_DAYS,
            "own": own,
            "mails": entrance.courier.sends,
        }
        return entrance.page(
            request, visitor, "accounts_one.html", values, title="title.account", tab="accounts"
        )


def _ways(proofs: Proofs) -> list[str]:
    """Return what proves an account, as keys of words."""
    has = {"password": proofs.password, "app": proofs.app, "passkey": bool(proofs.passkeys)}
    return [name for name, there in has.items() if there]


def _listed(desk: PeopleDesk, account: Account) -> ListedAccount:
    proofs = proofs_of(desk, account.id)
    return ListedAccount(
        account.id,
        account.name,
        account.officer,
        sorted({each.role.value for each in grants_now(desk, account.id)}),
        proofs.password,
        proofs.second,
    )


def _grant(grant: Grant) -> ListedGrant:
    return ListedGrant(
        grant.id,
        grant.account,
        grant.name,
        grant.role.value,
        grant.home,
        moment_time(grant.from_s).isoformat(),
        None if grant.until_s is None else moment_time(grant.until_s).isoformat(),
    )
