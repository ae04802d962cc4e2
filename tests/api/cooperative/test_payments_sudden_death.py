"""A process that is killed while it drafts, releases, writes out or books leaves all or nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from api.cooperative.books import entries
from api.cooperative.database import Books
from api.cooperative.keys import Keys, make_keys
from api.cooperative.officers import Officer, Role
from api.cooperative.payments import (
    FileState,
    check_items,
    draft,
    export,
    import_statement,
    open_items,
    payment_files,
    release,
)
from api.cooperative.payments.camt import BankLine
from api.cooperative.payments.file_out import write_whole
from api.cooperative.verify import verify
from kwartier.clock import VirtualClock
from tests.api.cooperative.conftest import AUGUST_S
from tests.api.cooperative.killing import killed
from tests.api.cooperative.paying import (
    BANK_DAY,
    EARNS,
    OWES,
    PAY_DAY,
    RUN,
    Company,
    camt,
    settings,
)

TREASURER = Officer("treasurer", "anna", frozenset({Role.TREASURER}))
BOARD = Officer("board", "bram", frozenset({Role.BOARD}))
STATEMENT = camt([BankLine(BANK_DAY, 1600, "F2026-00001", reference="A1")])


def send_and_clear(books: Books) -> None:
    """Draft, release, write out and book the statement; again it goes on where it was."""
    folder = Path(str(books.engine.url.database)).parent
    company = settings(folder)
    if not _files(books):
        with books.desk(TREASURER) as desk:
            draft(desk, company, RUN, PAY_DAY)
    with books.desk(BOARD) as desk:
        release(desk, 1)
    with books.desk(TREASURER) as desk:
        write_whole(folder / "collect.xml", export(desk, 1))
    with books.desk(TREASURER) as desk:
        import_statement(desk, company, STATEMENT)


@pytest.mark.parametrize(
    "step",
    [pytest.param(23, id="some points"), pytest.param(1, id="every", marks=pytest.mark.nightly)],
)
def test_wherever_it_is_killed_there_is_one_file_and_one_posting_in_the_end(
    sqlite_template: Path, tmp_path: Path, step: int
) -> None:
    keys = make_keys(tmp_path / "keys")
    prepared = _prepared(sqlite_template, tmp_path, keys)
    points, at = 0, 1
    while True:
        folder = tmp_path / str(at)
        folder.mkdir()
        shutil.copy(prepared, folder / "books.db")
        url = f"sqlite:///{folder / 'books.db'}"
        if not killed(send_and_clear, url, keys, at, AUGUST_S):
            break
        points, at = points + 1, at + step
        books = Books(url, keys, VirtualClock(AUGUST_S))
        with books.reading(TREASURER) as desk:
            assert verify(desk) == []
            assert check_items(desk) == []

        send_and_clear(books)

        with books.reading(TREASURER) as desk:
            (file,) = payment_files(desk)
            assert file.state is FileState.SENT
            assert len(entries(desk, "payment")) == len(entries(desk, "bank")) == 1
            assert open_items(desk) == []
            assert verify(desk) == []
        with books.desk(TREASURER) as desk:
            assert (folder / "collect.xml").read_bytes() == export(desk, 1)
        books.close()
    assert points * step >= 50, points


def _prepared(template: Path, folder: Path, keys: Keys) -> Path:
    """Return books with one member who owes 24.12 and earned 8.12."""
    file = folder / "prepared.db"
    shutil.copy(template, file)
    books = Books(f"sqlite:///{file}", keys, VirtualClock(AUGUST_S))
    company = Company(books, settings(folder), TREASURER, BOARD)
    company.members(1)
    company.papers((OWES, 1, 2412), (EARNS, 1, 812))
    with books.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    books.close()
    return file


def _files(books: Books) -> int:
    with books.reading(TREASURER) as desk:
        return len(payment_files(desk))
