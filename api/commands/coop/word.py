"""One word of ``kwartier coop``, and how it opens the books."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from api.cooperative.database import Books
from api.cooperative.keys import read_keys
from api.cooperative.settings import KEYS, CoopSettings, read_settings
from kwartier.clock import SystemClock
from kwartier.errors import SettingsError, UsageError


@dataclass(frozen=True, slots=True)
class Word:
    """One command, such as ``kwartier coop run approve``.

    Attributes:
        group: What it is about, such as ``run``.
        name: What it does, such as ``approve``.
        summary: What it does, in one line.
        example: A command line that works.
        configure: Adds its own arguments; ``--books``, ``--as`` and ``--secret-file`` are there.
        run: Does it and returns the exit code.
    """

    group: str
    name: str
    summary: str
    example: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def books_folder(chosen: argparse.Namespace) -> Path:
    """Return the books' folder: ``--books``, or KWARTIER_BOOKS."""
    named = chosen.books or os.environ.get("KWARTIER_BOOKS", "")
    if not named:
        raise SettingsError("which books? name their folder with --books or KWARTIER_BOOKS")
    return Path(named)


@contextmanager
def open_books(chosen: argparse.Namespace) -> Iterator[tuple[Books, CoopSettings]]:
    """Give the books a command line names, and close them after."""
    folder = books_folder(chosen)
    settings = read_settings(folder)
    books = Books(settings.database, read_keys(folder / KEYS), SystemClock())
    try:
        yield books, settings
    finally:
        books.close()


def secret_of(chosen: argparse.Namespace) -> str:
    """Return the officer's secret: from a file, or typed unseen on a terminal.

    Raises:
        UsageError: There is neither a file nor a terminal; a secret on the command line would
            stand in the shell's history.
    """
    named = chosen.secret_file or os.environ.get("KWARTIER_SECRET_FILE", "")
    if named:
        try:
            return Path(named).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"--secret-file {named}: cannot be read") from error
    if not sys.stdin.isatty():
        raise UsageError("whose secret? name a file with --secret-file, or run on a terminal")
    return getpass.getpass(f"secret of {chosen.officer}: ")


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every word understands."""
    parser.add_argument("--books", metavar="FOLDER", help="the books' folder (or KWARTIER_BOOKS)")
    parser.add_argument("--as", dest="officer", metavar="OFFICER", help="who acts")
    parser.add_argument(
        "--secret-file", metavar="FILE", help="a file with the officer's secret, else it is asked"
    )
