"""The book of people of a folder, in its file or in PostgreSQL: book and keys, made at first."""

from __future__ import annotations

from pathlib import Path

from api.cooperative.keys import CHAIN_FILE, make_keys, read_keys
from api.people.acts import begins_with_these_keys
from api.people.book import PeopleBook, Registry
from api.people.place import address_of
from api.people.standing import is_begun
from api.state import make_state
from kwartier.clock import Clock
from kwartier.errors import SettingsError

KEYS = "people-keys"


def open_people(folder: Path, clock: Clock, registry: Registry | None = None) -> PeopleBook:
    """Return the book of people of a folder; a new one is begun with new keys.

    Raises:
        SettingsError: The folder cannot be made, the keys are away though the book is there,
            others can read them, or the database that is named is not for this book.
        StoreBusyError: The database cannot be reached.
    """
    make_state(folder)
    url, keys = address_of(folder), folder / KEYS
    begun = is_begun(url)
    known = read_keys(keys) if begun or (keys / CHAIN_FILE).exists() else make_keys(keys)
    book = PeopleBook(url, known, clock, registry, folder)
    try:
        if begun and book.engine.dialect.name == "postgresql":
            _refuse_another(book, keys)
    except BaseException:
        book.close()
        raise
    return book


def _refuse_another(book: PeopleBook, keys: Path) -> None:
    """Raise where a database holds the book of other keys; a file lies beside its own."""
    with book.reading() as desk:
        if not begins_with_these_keys(desk):
            raise SettingsError(
                f"{keys}: these are not the keys of the book of people in the database that is "
                "named: name an empty one, or put the right keys back"
            )
