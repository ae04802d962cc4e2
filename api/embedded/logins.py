"""Who may come into the demo: new cards, passwords and codes each time, printed once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from api.people.accounts import SYSTEM, add_account, grant
from api.people.book import PeopleBook
from api.people.cards import ALPHABET, card_for_home
from api.people.passwords import set_password
from api.people.recovery import new_codes
from api.people.totp import code_now, confirm_totp, draw_totp
from api.people.visitor import Role
from kwartier.model import Community

HOMES = 3
"""Residents who get a card."""
CODES = 4
"""How many codes on paper are shown of each who needs a second proof."""


@dataclass(frozen=True, slots=True)
class Login:
    """How somebody comes in.

    Attributes:
        who: Whom it is for.
        card: The code of a login card; empty for who has a password.
        password: The password; empty for who has a card.
        secret: What an app for one-time codes is given; empty for who has a card.
        codes: Codes that stand in for the app, each of them once.
    """

    who: str
    card: str = ""
    password: str = ""
    secret: str = ""
    codes: tuple[str, ...] = ()


def make_logins(people: PeopleBook, community: Community, officers: dict[str, str]) -> list[Login]:
    """Return new logins: some residents, the officers, and who keeps the machines.

    Args:
        people: The book of people.
        community: The neighbourhood.
        officers: Officers of the books, and the parties they are.
    """
    residents = [
        Login(home, card=card_for_home(people, home, SYSTEM))
        for home in list(community.connections)[:HOMES]
    ]
    with people.writing() as desk:
        accounts = {
            name: add_account(desk, SYSTEM, name=name, party=party, officer=name)
            for name, party in officers.items()
        }
        accounts["beheer"] = add_account(desk, SYSTEM, name="beheer")
        grant(desk, SYSTEM, accounts["beheer"], Role.OPERATOR)
    return [*residents, *(_with_factor(people, name, at) for name, at in accounts.items())]


def _with_factor(people: PeopleBook, name: str, account: str) -> Login:
    """Give an account a password and a second proof."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))
    password = "-".join(groups).lower()
    set_password(people, SYSTEM, account, name, password)
    with people.writing() as desk:
        secret, drawn = draw_totp(desk, account)
        assert confirm_totp(desk, account, drawn, code_now(desk, secret)), name
        codes = new_codes(desk, account)
    return Login(name, password=password, secret=secret, codes=tuple(codes[:CODES]))
