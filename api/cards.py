"""Login cards and sessions: one random code per home, kept hashed; the browser keeps one id.

A card reads ``7K2M-9QXF-3HTW``: four letters that find the card, eight that prove it (40 bits,
and few tries). Only a slow hash of the eight is kept, and only a hash of a session's id.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kwartier.clock import Clock
from kwartier.units import EpochS

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""What a code is made of: nothing that can be read as something else."""
TOUCH_S = 300
"""How often a session in use is written down again, at most [s]."""
SESSION_LIMIT_S = 90 * 86_400
"""How long a session lasts, however much it is used [s]."""

_TABLES = """
create table if not exists card (
    number text primary key, role text not null, home text, salt blob not null,
    hash blob not null, made_s integer not null
) without rowid;
create table if not exists session (
    hash blob primary key, card text not null references card (number) on delete cascade,
    made_s integer not null, seen_s integer not null
) without rowid;
"""


class Role(StrEnum):
    """Who somebody is here."""

    PUBLIC = "public"
    """Anyone: sums of the neighbourhood."""
    RESIDENT = "resident"
    """The people of one home: that home too."""
    BOARD = "board"
    """The board: sums, settlements and the state of the system, no home."""


IDLE_S = {Role.RESIDENT: 30 * 86_400, Role.BOARD: 1_800}
"""How long a session lasts without being used [s]."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks.

    Attributes:
        role: What they may do.
        home: Their home's id in the community; None for anyone but residents.
    """

    role: Role = Role.PUBLIC
    home: str | None = None


class CardBook:
    """Knows every card and session, in one small SQLite file; safe to share between threads."""

    def __init__(self, path: Path | str, clock: Clock) -> None:
        """Open the book, or start one; ``:memory:`` keeps it in this process only."""
        self._clock = clock
        self._lock = threading.Lock()
        self._hashing = threading.BoundedSemaphore(2)
        self._book = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._book.execute("pragma journal_mode = wal")
        self._book.execute("pragma busy_timeout = 5000")
        self._book.execute("pragma foreign_keys = on")
        self._book.executescript(_TABLES)

    def issue(self, role: Role, home: str | None = None) -> str:
        """Make a card and return its code, which is not kept; older cards of a home end."""
        assert (role is Role.RESIDENT) == (home is not None), (role, home)
        number, proof = _letters(4), _letters(8)
        salt = secrets.token_bytes(16)
        row = (number, role.value, home, salt, self._slow_hash(proof, salt), self._now_s())
        with self._lock:
            if home is not None:
                self._book.execute("delete from card where home = ?", (home,))
            self._book.execute("insert into card values (?, ?, ?, ?, ?, ?)", row)
        return f"{number}-{proof[:4]}-{proof[4:]}"

    def open_session(self, code: str) -> str | None:
        """Return a new session's id for a right code, or None; both take as long."""
        letters = "".join(letter for letter in code.upper() if letter in ALPHABET)[:16]
        number, proof = letters[:4], letters[4:]
        with self._lock:
            row = self._book.execute(
                "select salt, hash from card where number = ?", (number,)
            ).fetchone()
        salt, known = (bytes(16), bytes(32)) if row is None else row
        right = hmac.compare_digest(self._slow_hash(proof, salt), known)
        if row is None or not right:
            return None
        session, now_s = secrets.token_urlsafe(32), self._now_s()
        with self._lock:
            self._book.execute(
                "insert into session values (?, ?, ?, ?)", (_hash(session), number, now_s, now_s)
            )
        return session

    def visitor(self, session: str | None) -> Visitor:
        """Return who a session's id stands for; anyone, when it stands for nobody."""
        if not session:
            return Visitor()
        with self._lock:
            row = self._book.execute(
                "select role, home, session.made_s, seen_s from session"
                " join card on card = number where session.hash = ?",
                (_hash(session),),
            ).fetchone()
            if row is None:
                return Visitor()
            role, now_s = Role(row[0]), self._now_s()
            if now_s - row[3] > IDLE_S[role] or now_s - row[2] > SESSION_LIMIT_S:
                self._book.execute("delete from session where hash = ?", (_hash(session),))
                return Visitor()
            if now_s - row[3] > TOUCH_S:
                self._book.execute(
                    "update session set seen_s = ? where hash = ?", (now_s, _hash(session))
                )
        return Visitor(role, row[1])

    def end_session(self, session: str) -> None:
        """Forget a session."""
        with self._lock:
            self._book.execute("delete from session where hash = ?", (_hash(session),))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._book.close()

    def _now_s(self) -> EpochS:
        return int(self._clock.now_s())

    def _slow_hash(self, proof: str, salt: bytes) -> bytes:
        """Return scrypt of a proof: 16 MiB and some 50 ms each, at most two at once."""
        with self._hashing:
            return hashlib.scrypt(proof.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)


def _letters(count: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(count))


def _hash(session: str) -> bytes:
    return hashlib.sha256(session.encode()).digest()
