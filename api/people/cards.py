"""Login cards: a code on paper for the people of one home, and whose account it opens.

A card reads ``7K2M-9QXF-3HTW``: four letters that find the card, eight that prove it (40 bits,
and few tries). Only a slow hash of the eight is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from sqlalchemy import delete, select

from api.people.accounts import account_of_party, add_account, add_stay
from api.people.acts import record
from api.people.book import PeopleBook, PeopleDesk
from api.people.slow import SLOW
from api.people.tables import AccountRow, CardRow, SessionRow, StayRow

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""What a code is made of: nothing that can be read as something else."""


def card_for_home(book: PeopleBook, home: str, by: str) -> str:
    """Return the code of a new card for who lives in a home; their older cards end.

    The books tell who lives there; without books the home has one account of its own.
    """
    with book.writing() as desk:
        account = _account_of_home(book, desk, home, by)
    return give_card(book, account, by)


def give_card(book: PeopleBook, account: str, by: str) -> str:
    """Return the code of a new card for an account; its older cards and their sessions end."""
    number, proof, salt = _letters(4), _letters(8), secrets.token_bytes(16)
    slow = _slow_hash(proof, salt)
    with book.writing() as desk:
        old = select(CardRow.number).where(CardRow.account == account)
        desk.session.execute(delete(SessionRow).where(SessionRow.card.in_(old)))
        desk.session.execute(delete(CardRow).where(CardRow.account == account))
        desk.session.add(
            CardRow(number=number, account=account, salt=salt, hash=slow, made_at_s=desk.at_s)
        )
        desk.session.flush()
        record(desk, by, "card.give", account)
    return f"{number}-{proof[:4]}-{proof[4:]}"


def card_of(book: PeopleBook, code: str) -> CardRow | None:
    """Return the card whose code this is, or None; both take as long.

    Raises:
        TooOftenError: Too many hashes are waiting.
    """
    letters = "".join(letter for letter in code[:64].upper() if letter in ALPHABET)[:16]
    number, proof = letters[:4], letters[4:]
    with book.reading() as desk:
        row = desk.session.get(CardRow, number)
    salt, known = (bytes(16), bytes(32)) if row is None else (row.salt, row.hash)
    right = hmac.compare_digest(_slow_hash(proof, salt), known)
    return row if right else None


def _account_of_home(book: PeopleBook, desk: PeopleDesk, home: str, by: str) -> str:
    party = "" if book.registry is None else book.registry.owner(home, desk.at_s)
    if party:
        return account_of_party(desk, party) or add_account(desk, by, party=party)
    found = desk.session.scalars(
        select(StayRow.account)
        .join(AccountRow, AccountRow.id == StayRow.account)
        .where(StayRow.home == home, StayRow.until_s.is_(None), AccountRow.ended_at_s.is_(None))
    ).first()
    if found is not None:
        return found
    account = add_account(desk, by)
    add_stay(desk, by, account, home, 0, None)
    return account


def _letters(count: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(count))


def _slow_hash(proof: str, salt: bytes) -> bytes:
    """Return scrypt of a proof: 16 MiB and some 50 ms each."""
    with SLOW.turn():
        return hashlib.scrypt(proof.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
