"""Every route, everybody, own and foreign: who asks, with what, and what may come back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fastapi.routing import APIRoute
from sqlalchemy import update

from api.auth import Need, Require
from api.people.accounts import SYSTEM, account_of_party, add_account
from api.people.cards import card_for_home
from api.people.companions import come_along, companions, invite
from api.people.sessions import hash_of, open_session
from api.people.tables import CardRow, GrantRow, SessionRow
from tests.api.cooperative.street import HOMES, ean_of
from tests.api.town import Town


class Who(StrEnum):
    """Everybody who may ask."""

    PUBLIC = "public"
    HELPER = "helper of home-1"
    RESIDENT = "resident of home-1"
    FORMER = "former resident of home-3"
    WEAK_BOARD = "board without a second factor"
    STALE_BOARD = "board with a second factor of an hour ago"
    BOARD = "board"
    TREASURER = "treasurer"
    OPERATOR = "operator"
    INSTALLER = "installer at home-1"
    EXPIRED = "installer whose grant ended"


MEETS: Mapping[Need, frozenset[Who]] = {
    Need.ANYONE: frozenset(Who),
    Need.ACCOUNT: frozenset(Who) - {Who.PUBLIC, Who.HELPER},
    Need.HOME: frozenset({Who.HELPER, Who.RESIDENT, Who.FORMER}),
    Need.OWNER: frozenset({Who.RESIDENT, Who.FORMER}),
    Need.BOARD: frozenset({Who.BOARD, Who.TREASURER, Who.STALE_BOARD}),
    Need.MONEY: frozenset({Who.BOARD, Who.TREASURER}),
    Need.OPERATOR: frozenset({Who.OPERATOR}),
    Need.KEEPER: frozenset({Who.BOARD, Who.TREASURER, Who.STALE_BOARD, Who.OPERATOR}),
    Need.INSTALLER: frozenset({Who.INSTALLER}),
}
"""Who meets each need."""


class Whose(StrEnum):
    """What a path's values name."""

    OWN = "own"
    FOREIGN = "foreign"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Values:
    """What stands in a path: something of home-1 or of everybody, of others, and of nobody.

    Where the thing belongs to nobody in particular there is no foreign one.
    """

    own: str
    foreign: str | None
    none: str


def need_of(route: APIRoute) -> Need:
    """Return what a route asks; the start of the app has made sure that it asks."""
    (policy,) = [one.call for one in route.dependant.dependencies if isinstance(one.call, Require)]
    return policy.need


def paths_of(route: APIRoute, values: Mapping[str, Values]) -> Iterator[tuple[Whose, str]]:
    """Yield a route's paths with own, foreign and no values.

    Raises:
        KeyError: The route has a parameter that nobody gave values for.
    """
    parts = {
        each.name: values.get(f"{each.name}@{route.path}") or values[each.name]
        for each in route.dependant.path_params
    }
    for whose in Whose if parts else [Whose.OWN]:
        foreign = [name for name, value in parts.items() if value.foreign is not None]
        if whose is Whose.FOREIGN and not foreign:
            continue
        filled = route.path
        for name, value in parts.items():
            chosen = {Whose.OWN: value.own, Whose.FOREIGN: value.foreign or value.own}
            filled = filled.replace(f"{{{name}}}", chosen.get(whose, value.none))
        yield whose, filled


def marks_of_others(home: str | None) -> list[str]:
    """Return what stands for the other homes and their people, and must never be shown."""
    others = [name for name in HOMES if name != home]
    numbers = [name.removeprefix("home-") for name in others]
    return list(
        itertools.chain(
            others,
            (f"lid-{number}" for number in numbers),
            (f"Bewoner {number}" for number in numbers),
            (ean_of(int(number)) for number in numbers),
        )
    )


def session_of(town: Town, who: Who) -> str | None:
    """Return a new session of somebody, or None for the public."""
    match who:
        case Who.PUBLIC:
            return None
        case Who.HELPER:
            return _helper(town)
        case Who.RESIDENT:
            return town.resident("home-1")
        case Who.FORMER:
            return _of_party(town, "lid-3")
        case Who.WEAK_BOARD:
            return town.officer("board", strong=False)
        case Who.STALE_BOARD:
            return _stale(town)
        case Who.BOARD | Who.TREASURER:
            return town.officer(who.value)
        case Who.OPERATOR:
            return town.operator()
        case Who.INSTALLER:
            return town.installer("home-1")
        case Who.EXPIRED:
            return _expired(town)


def _of_party(town: Town, party: str) -> str:
    people = town.house.people
    with people.writing() as desk:
        account = account_of_party(desk, party) or add_account(desk, SYSTEM, party=party)
        return open_session(desk, account, "card")


def _helper(town: Town) -> str:
    """Return a session of somebody who looks along with home-1."""
    people = town.house.people
    number = card_for_home(people, "home-1", SYSTEM)[:4]
    with people.writing() as desk:
        card = desk.session.get_one(CardRow, number)
        live = [each for each in companions(desk, card.account) if each.holds]
        if not live:
            invite(desk, card.account, card.account, "home-1", "de buurvrouw")
            live = companions(desk, card.account)
        return come_along(desk, live[0])


def _stale(town: Town) -> str:
    """Return a session of the board in which the second factor was shown an hour ago."""
    session = town.officer("board")
    with town.house.people.writing() as desk:
        desk.session.execute(
            update(SessionRow)
            .where(SessionRow.hash == hash_of(session))
            .values(strong_at_s=desk.at_s - 3_600)
        )
    return session


def _expired(town: Town) -> str:
    """Return a session of an installer whose grant for home-1 has ended."""
    session = town.installer("home-1")
    with town.house.people.writing() as desk:
        account = desk.session.get_one(SessionRow, hash_of(session)).account
        desk.session.execute(
            update(GrantRow)
            .where(GrantRow.account == account)
            .values(from_s=desk.at_s - 20, until_s=desk.at_s - 10)
        )
    return session
