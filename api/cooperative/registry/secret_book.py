"""Officers' secrets: drawn by the house, shown once, kept as slow hashes, tried seldom."""

from __future__ import annotations

import secrets
import threading

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import delete, func, select

from api.cooperative.database import Books, Desk
from api.cooperative.errors import NotAllowedError
from api.cooperative.officers import SYSTEM
from api.cooperative.stamp import stamp
from api.cooperative.tables.registry import OfficerSecretRow, OfficerTryRow

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""What a secret is made of: nothing that can be read as something else."""
GROUPS = 5
GROUP_LETTERS = 5
"""Five groups of five: 25 letters of 31, which is 123 bits."""
MAX_SECRET = 128
"""A longer text is no secret of ours and is not hashed [characters]."""
MOST_TRIES = 5
WINDOW_S = 15 * 60
"""How many tries an account has, and in what time [s]."""

_HASHING = threading.BoundedSemaphore(2)
"""Each hash takes 19 MiB and a core: two at once are enough for a board."""
_HASHER = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))
"""Argon2id. Source: OWASP Password Storage Cheat Sheet, m=19456 (19 MiB), t=2, p=1; the secrets
are drawn with 123 bits, and a small computer keeps its memory."""


def drawn_secret() -> str:
    """Return a new secret, such as ``k7m2p-…``."""
    groups = (
        "".join(secrets.choice(ALPHABET) for _ in range(GROUP_LETTERS)) for _ in range(GROUPS)
    )
    return "-".join(groups)


def keep_secret(desk: Desk, officer: str, secret: str, *, one_time: bool) -> None:
    """Keep the hash of an officer's new secret; the ones before it no longer open anything."""
    row = OfficerSecretRow(officer=officer, hash=_hash_of(secret), one_time=one_time, **stamp(desk))
    desk.session.add(row)
    desk.session.execute(delete(OfficerTryRow).where(OfficerTryRow.officer == officer))
    desk.session.flush()


def check_secret(books: Books, officer: str, secret: str) -> bool:
    """Check an officer's secret, and return whether it is a one-time secret.

    A try is counted before it is made, so that a process that is stopped in between gains none;
    a right one wipes the count. Whether there is such an account is not told.

    Raises:
        NotAllowedError: The secret is wrong, or there were too many tries.
    """
    with books.desk(SYSTEM) as desk:
        known = desk.session.scalars(
            select(OfficerSecretRow)
            .where(OfficerSecretRow.officer == officer)
            .order_by(OfficerSecretRow.id.desc())
        ).first()
        kept, one_time = (known.hash, known.one_time) if known is not None else (None, False)
        if kept is not None:
            _count_try(desk, officer)
    right = _is_right(secret, kept)
    if not right:
        raise NotAllowedError(
            f"officer {officer[:40]!r} and this secret do not belong together: check both"
        )
    with books.desk(SYSTEM) as desk:
        desk.session.execute(delete(OfficerTryRow).where(OfficerTryRow.officer == officer))
    return one_time


def _count_try(desk: Desk, officer: str) -> None:
    old = desk.at_s - WINDOW_S
    desk.session.execute(
        delete(OfficerTryRow).where(OfficerTryRow.officer == officer, OfficerTryRow.at_s <= old)
    )
    tries, first_s = desk.session.execute(
        select(func.count(), func.min(OfficerTryRow.at_s)).where(OfficerTryRow.officer == officer)
    ).one()
    if tries >= MOST_TRIES:
        wait_s = max(1, first_s + WINDOW_S - desk.at_s)
        raise NotAllowedError(
            f"officer {officer}: {MOST_TRIES} tries in {WINDOW_S // 60} minutes: "
            f"try again in {wait_s} seconds"
        )
    desk.session.add(OfficerTryRow(officer=officer, at_s=desk.at_s))


def _hash_of(secret: str) -> str:
    with _HASHING:
        return _HASHER.hash(secret)


def _is_right(secret: str, kept: str | None) -> bool:
    """Return whether a secret belongs to a hash; without one it takes as long to say no."""
    if len(secret) > MAX_SECRET:
        return False
    if kept is None:
        _hash_of(secret)
        return False
    with _HASHING:
        return _HASHER.verify(secret, kept)
