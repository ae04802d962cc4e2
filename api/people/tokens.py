"""Things that open once, until an instant: what somebody holds is kept only as a hash.

A token reads ``7K2M-9QXF-…``: twenty letters of 31, which is 99 bits, so that its hash needs no
salt. It can be typed from paper or a letter.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, update

from api.cooperative.canonical import canonical
from api.people.book import PeopleDesk
from api.people.errors import DeniedError
from api.people.sessions import hash_of
from api.people.tables import TokenRow
from kwartier.units import EpochS
from optimizer.as_json.strict_json import parsed

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""What a token is made of: nothing that can be read as something else."""
LETTERS = 20
KEPT_S = 86_400
"""How long a token that ran out stays in the book [s]."""


class Purpose(StrEnum):
    """What a token is for; it opens nothing else."""

    MAIL = "mail"
    """Logs in, from a letter by mail."""
    INVITE = "invite"
    """Lets somebody in for the first time."""
    EMAIL = "email"
    """Shows that a mail address is one's own."""
    BEGIN = "begin"
    """Makes the first operator."""
    PASSKEY_NEW = "passkey.new"
    """What a device signs when a passkey is made."""
    PASSKEY_SHOW = "passkey.show"
    """What a device signs when a passkey is shown."""
    OIDC = "oidc"
    """A login that is under way at another house."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a token stands for.

    Attributes:
        purpose: What it is for.
        account: Whose; empty for nobody's yet.
        facts: What was kept with it, opened.
        until_s: Until when it opens [s].
    """

    purpose: Purpose
    account: str
    facts: Mapping[str, str]
    until_s: EpochS


def drawn_token() -> str:
    """Return a new token in groups of four."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
    return "-".join(letters[at : at + 4] for at in range(0, LETTERS, 4))


def keep_token(
    desk: PeopleDesk,
    token: str,
    purpose: Purpose,
    life_s: int,
    *,
    account: str = "",
    facts: Mapping[str, str] | None = None,
) -> None:
    """Keep a token's hash and, sealed, what goes with it; those long over are forgotten."""
    old = TokenRow.until_s < desk.at_s - KEPT_S
    desk.session.execute(delete(TokenRow).where(old))
    desk.session.add(
        TokenRow(
            hash=_kept(token),
            purpose=purpose.value,
            account=account or None,
            facts=desk.keys.seal(canonical(dict(facts or {}))),
            until_s=desk.at_s + life_s,
            used_at_s=None,
        )
    )
    desk.session.flush()


def token_of(desk: PeopleDesk, token: str, *purposes: Purpose) -> Token:
    """Return what a token stands for, without using it.

    Raises:
        DeniedError: There is none, it was used, it has run out, or it is for something else.
    """
    row = desk.session.get(TokenRow, _kept(token)) if len(token) <= 200 else None
    fine = row is not None and row.used_at_s is None and row.until_s > desk.at_s
    if row is None or not fine or row.purpose not in {each.value for each in purposes}:
        raise DeniedError("this code opens nothing: it was used, or it has run out")
    facts = parsed(desk.keys.open(row.facts)).names()
    return Token(
        Purpose(row.purpose),
        row.account or "",
        {name: str(part.value) for name, part in facts.items()},
        row.until_s,
    )


def use_token(desk: PeopleDesk, token: str, *purposes: Purpose) -> Token:
    """Return what a token stands for; it opens nothing any more.

    Raises:
        DeniedError: There is none, it was used, it has run out, or it is for something else.
    """
    found = token_of(desk, token, *purposes)
    row = update(TokenRow).where(TokenRow.hash == _kept(token))
    desk.session.execute(row.values(used_at_s=desk.at_s))
    return found


def drop_tokens(desk: PeopleDesk, purpose: Purpose, account: str = "") -> None:
    """Have every token of a kind open nothing any more; an account's own, or nobody's."""
    desk.session.execute(
        delete(TokenRow).where(
            TokenRow.purpose == purpose.value,
            TokenRow.account == account if account else TokenRow.account.is_(None),
        )
    )


def _kept(token: str) -> str:
    """Return the hash of a token; a typed one may have small letters, spaces and no dashes."""
    letters = "".join(letter for letter in token.upper() if letter in ALPHABET)
    typed = len(letters) == LETTERS and len(token) <= 2 * LETTERS
    return hash_of(letters if typed else token)
