"""Passwords, kept as slow hashes: Argon2id, made anew when its measure has grown.

Source:
    RFC 9106, second recommended option: Argon2id, m = 64 MiB, t = 3, p = 4.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import select

from api.people.acts import record
from api.people.book import PeopleBook, PeopleDesk
from api.people.common_passwords import is_common
from api.people.errors import PeopleError
from api.people.slow import SLOW
from api.people.tables import AccountRow, PasswordRow

SHORTEST, LONGEST = 12, 128
"""How many characters a password has."""
LONGEST_LOGIN = 64
"""How many characters the name that is typed with it has, at most."""
_HASHER = PasswordHash((Argon2Hasher(time_cost=3, memory_cost=65_536, parallelism=4),))


class Weakness(StrEnum):
    """Why a password is not taken."""

    SHORT = "short"
    LONG = "long"
    COMMON = "common"
    OWN_NAME = "own_name"


class WeakPasswordError(PeopleError):
    """A password is too easy to guess."""

    def __init__(self, weakness: Weakness) -> None:
        """Say why, without the password."""
        super().__init__(
            f"this password is {weakness.value}: use {SHORTEST} to {LONGEST} characters, "
            "not your name, and no common one"
        )
        self.weakness = weakness


class LoginTakenError(PeopleError):
    """Somebody else has this login name, or it is no name."""


@dataclass(frozen=True, slots=True)
class Whose:
    """The account behind what somebody typed, and the hash of its password.

    Attributes:
        account: Its id; empty when nobody has this name.
        hash: The slow hash; empty without one.
    """

    account: str
    hash: str


def set_password(book: PeopleBook, by: str, account: str, login: str, password: str) -> None:
    """Keep the hash of a new password, and the name that is typed with it.

    Raises:
        WeakPasswordError: It is too short, too long, a common one, or one's own name.
        LoginTakenError: Somebody else has this login name.
        TooOftenError: Too many hashes are waiting.
    """
    named = checked_login(login)
    with book.reading() as desk:
        row = desk.session.get_one(AccountRow, account)
        own = (named, desk.keys.open(row.name), desk.keys.open(row.email))
        if _owner(desk, named) not in {"", account}:
            raise LoginTakenError("this login name is taken: choose another one")
    weakness = weakness_of(password, own)
    if weakness is not None:
        raise WeakPasswordError(weakness)
    slow = hashed(password)
    with book.writing() as desk:
        keep_hash(desk, by, account, named, slow)


def hashed(password: str) -> str:
    """Return the slow hash of a new password.

    Raises:
        TooOftenError: Too many hashes are waiting.
    """
    with SLOW.turn():
        return _HASHER.hash(_plain(password))


def keep_hash(desk: PeopleDesk, by: str, account: str, login: str, slow: str) -> None:
    """Keep the hash of an account's new password.

    Raises:
        LoginTakenError: Somebody else has this login name.
    """
    if _owner(desk, login) not in {"", account}:
        raise LoginTakenError("this login name is taken: choose another one")
    desk.session.merge(
        PasswordRow(
            account=account,
            login=desk.keys.seal(login),
            login_fingerprint=_fingerprint(desk, login),
            hash=slow,
            set_at_s=desk.at_s,
        )
    )
    desk.session.flush()
    record(desk, by, "password.set", account)


def checked_login(login: str) -> str:
    """Return a login name without spaces around it.

    Raises:
        LoginTakenError: It is no name.
    """
    named = login.strip()
    if not 3 <= len(named) <= LONGEST_LOGIN or not named.isprintable():
        raise LoginTakenError(f"a login name has 3 to {LONGEST_LOGIN} characters")
    return named


def whose(desk: PeopleDesk, typed: str) -> Whose:
    """Return the account that a login name or a mail address belongs to."""
    account = _owner(desk, typed.strip()) or _owner_of_email(desk, typed)
    row = desk.session.get(PasswordRow, account) if account else None
    return Whose(account, "" if row is None else row.hash)


def is_right(book: PeopleBook, one: Whose, password: str) -> bool:
    """Return whether a password belongs to an account; for nobody's it takes as long to say no.

    Raises:
        TooOftenError: Too many hashes are waiting.
    """
    plain = _plain(password)
    if not plain:
        return False
    with SLOW.turn():
        if not one.hash or len(plain) > LONGEST:
            _HASHER.hash(plain[:LONGEST])
            return False
        right, better = _HASHER.verify_and_update(plain, one.hash)
    if right and better is not None:
        with book.writing() as desk:
            row = desk.session.get_one(PasswordRow, one.account)
            row.hash = better
            desk.session.flush()
            record(desk, one.account, "password.renew", one.account)
    return right


def login_of(desk: PeopleDesk, account: str) -> str:
    """Return an account's login name; empty without a password."""
    row = desk.session.get(PasswordRow, account)
    return "" if row is None else desk.keys.open(row.login)


def weakness_of(password: str, own: tuple[str, ...] = ()) -> Weakness | None:
    """Return why a password is too easy to guess; None when it is fine.

    Args:
        password: As it was typed.
        own: Names of the person, none of which may be most of it.
    """
    plain = _plain(password)
    if len(plain) < SHORTEST:
        return Weakness.SHORT
    if len(plain) > LONGEST:
        return Weakness.LONG
    small = _letters(plain)
    for name in own:
        for part in (_letters(name), *map(_letters, name.replace("@", " ").split())):
            if len(part) >= 3 and part in small and len(small.replace(part, "")) < 8:
                return Weakness.OWN_NAME
    return Weakness.COMMON if is_common(small) else None


def _owner(desk: PeopleDesk, login: str) -> str:
    wanted = select(PasswordRow.account).where(
        PasswordRow.login_fingerprint == _fingerprint(desk, login)
    )
    return desk.session.scalars(wanted).first() or ""


def _owner_of_email(desk: PeopleDesk, typed: str) -> str:
    wanted = select(AccountRow.id).where(
        AccountRow.email_fingerprint == email_fingerprint(desk, typed),
        AccountRow.ended_at_s.is_(None),
    )
    return desk.session.scalars(wanted).first() or ""


def email_fingerprint(desk: PeopleDesk, email: str) -> str:
    """Return what stands for a mail address in the index."""
    return desk.keys.fingerprint(f"email {email.strip().casefold()}")


def _fingerprint(desk: PeopleDesk, login: str) -> str:
    return desk.keys.fingerprint(f"login {login.casefold()}")


def _plain(password: str) -> str:
    """Return a password in one spelling: the same letter may come as one sign or as two."""
    return unicodedata.normalize("NFKC", password)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
