"""The book of people in a folder: its file and its keys, made the first time."""

from __future__ import annotations

from pathlib import Path

from api.cooperative.keys import CHAIN_FILE, make_keys, read_keys
from api.people.book import PeopleBook, Registry
from kwartier.clock import Clock

FILE = "people.db"
KEYS = "people-keys"


def open_people(folder: Path, clock: Clock, registry: Registry | None = None) -> PeopleBook:
    """Return the book of people in a folder; a new one is begun with new keys.

    Raises:
        SettingsError: The keys are away though the book is there, or others can read them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keys, file = folder / KEYS, folder / FILE
    new = not file.exists() and not (keys / CHAIN_FILE).exists()
    known = make_keys(keys) if new else read_keys(keys)
    return PeopleBook(f"sqlite:///{file}", known, clock, registry)
