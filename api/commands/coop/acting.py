"""How a command acts in the books: who it is, what its arguments are, what it answers."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from api.commands.coop.word import open_books, secret_of
from api.cooperative.database import Books, Desk
from api.cooperative.errors import BooksError
from api.cooperative.officers import Officer
from api.cooperative.registry import recognise
from kwartier.errors import ContractError, UsageError
from kwartier.interval import local_day
from kwartier.units import EpochS
from kwartier.wire import Json
from optimizer.as_json.strict_json import parsed

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MAX_FILE = 4 * 1024 * 1024
"""A longer text is no decision and no key [bytes]."""


@contextmanager
def recognised(chosen: argparse.Namespace) -> Iterator[tuple[Books, Officer]]:
    """Give the books, and the officer who was named with ``--as`` and showed the secret."""
    if not chosen.officer:
        raise UsageError("who acts? name yourself with --as OFFICER")
    with open_books(chosen) as (books, _):
        yield books, recognise(books, chosen.officer, secret_of(chosen))


@contextmanager
def writing_desk(chosen: argparse.Namespace) -> Iterator[Desk]:
    """Give one transaction of the officer who was recognised; an error keeps nothing of it."""
    with recognised(chosen) as (books, officer), books.desk(officer) as desk:
        yield desk


@contextmanager
def reading_desk(chosen: argparse.Namespace) -> Iterator[Desk]:
    """Give a still picture to the officer who was recognised."""
    with recognised(chosen) as (books, officer), books.reading(officer) as desk:
        yield desk


def day(text: str) -> date:
    """Return a local day of the command line, such as ``2026-07-01``, of a year people live in."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 1900 <= found.year < 3000:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no day: write it as 2026-07-01")
    return found


def midnight(text: str) -> EpochS:
    """Return the first instant of a local day of the command line [s]."""
    return local_day(day(text))[0]


def read_bytes(name: str) -> bytes:
    """Return what is in a file of a bounded size.

    Raises:
        BooksError: It cannot be read, or is too long.
    """
    try:
        with Path(name).open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise BooksError(f"{name}: cannot be read: {error.strerror}") from error
    if len(content) > MAX_FILE:
        raise BooksError(f"{name} has more than {MAX_FILE} bytes: is it the right file?")
    return content


def read_json(name: str) -> Json:
    """Return the JSON of a file, read strictly.

    Raises:
        BooksError: It cannot be read, is no text or no JSON; file and place are named.
    """
    try:
        text = read_bytes(name).decode()
    except UnicodeDecodeError:
        raise BooksError(f"{name}: is no UTF-8 text: save it as UTF-8") from None
    try:
        return parsed(text).value
    except ContractError as error:
        raise BooksError(f"{name}: {error}") from error


def plain(value: object) -> Json:
    """Return a record as JSON: days, choices, fractions and sets as text and lists."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, frozenset):
        return [plain(inner) for inner in sorted(value)]
    return str(value)


def fields_of(record: DataclassInstance) -> dict[str, Json]:
    """Return a record's fields as JSON."""
    return {name: plain(value) for name, value in asdict(record).items()}


def shown(value: Json) -> str:
    """Return JSON on one line, for a question on a terminal."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
