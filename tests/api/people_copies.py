"""Backups of the book of people as tests make them, whichever database it is kept in."""

from __future__ import annotations

import threading
from pathlib import Path

from api.cooperative.backup import public_key, secret_key
from api.people.accounts import SYSTEM, add_account
from api.people.backup import PeopleBackup, back_up_people, drill_people
from api.people.opening import open_people
from kwartier.clock import VirtualClock


def backed_up(state: Path, clock: VirtualClock) -> PeopleBackup:
    """Return a backup in the folder ``away``."""
    sealing = public_key(state / "people-keys")
    return back_up_people(state, sealing, state.parent / "away", clock)


def each_is_of_one_moment(state: Path, clock: VirtualClock) -> None:
    """Make backups while others write, and see that none is of two moments."""
    book, stop, written = open_people(state, clock), threading.Event(), list[str]()

    def write() -> None:
        while not stop.is_set():
            with book.writing() as desk:
                written.append(add_account(desk, SYSTEM, name="bewoner"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        heads = []
        for _ in range(5):
            clock.advance(1)
            heads.append(backed_up(state, clock).head)
    finally:
        stop.set()
        writer.join()
    book.close()

    recovery = secret_key(state.parent / "paper")
    assert len(written) > 5
    for head, file in zip(heads, sorted((state.parent / "away").iterdir()), strict=True):
        # One act for each account: a copy of two moments would have more of one than of the other.
        assert head.acts == head.rows["account"]
        assert drill_people(file, recovery, state, clock).head == head
