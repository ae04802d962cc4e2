"""Backups: nobody reads them without the key on paper, and what comes back is whole."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from api.cooperative.backup import (
    back_up,
    drill,
    make_recovery_key,
    newest,
    public_key,
    restore,
    secret_key,
)
from api.cooperative.books import entries, post
from api.cooperative.chain import record
from api.cooperative.database import Books
from api.cooperative.documents import Series, issue
from api.cooperative.errors import BooksError, TamperedError
from api.cooperative.keys import Keys, read_keys
from api.cooperative.officers import Officer
from api.cooperative.settings import CoopSettings, read_settings
from api.cooperative.verify import verify
from api.people.opening import open_people
from kwartier.cli import main
from kwartier.clock import VirtualClock
from kwartier.errors import SettingsError
from kwartier.wire import Json
from tests.api.cooperative.journals import JULY_31, bill
from tests.api.cooperative.postgresql import BOOKS, OWNER, Cluster

EAN, IBAN, NAME = "871685900012345673", "NL91ABNA0417164300", "Anna de Vries"
TOML = """[cooperative]
id = "zonnewijk"
name = "De Zonnewijk"
[address]
street = "Zonlaan"
number = "1"
postcode = "2611 AA"
town = "Delft"
[database]
url = "{}"
owner_url = "{}"
"""


@pytest.fixture
def settings(books: Books, treasurer: Officer, keys: Keys, tmp_path: Path) -> CoopSettings:
    """A folder of books with a bill, a paper that names a member, and keys."""
    url = books.engine.url.render_as_string(hide_password=False)
    if url.startswith("sqlite"):
        url = f"sqlite:///{Path(url.removeprefix('sqlite:///')).name}"
    (tmp_path / "books.toml").write_text(TOML.format(url, url.replace(BOOKS, OWNER)))
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "F2026-00001.txt").write_text(f"{NAME} {IBAN} {EAN}\n" * 100)
    (tmp_path / "key-from-paper").write_text(make_recovery_key(tmp_path / "keys"))
    with books.desk(treasurer) as desk:
        posted = post(desk, bill("anna", "1"))
        issue(desk, Series.INVOICE, "anna", JULY_31, {"amount_cents": 1210}, posted.id)
        record(desk, "party.add", "anna", {"sealed": keys.seal(NAME)})
    return read_settings(tmp_path)


@pytest.fixture
def empty_database(request: pytest.FixtureRequest, books: Books) -> Iterator[str]:
    """Where books of PostgreSQL are restored to; nothing for SQLite."""
    if books.engine.dialect.name == "sqlite":
        yield ""
        return
    cluster: Cluster = request.getfixturevalue("postgresql")
    name = f"{books.engine.url.database}_back"
    cluster.create(name)
    yield cluster.url(OWNER, name)
    cluster.drop(name)


@pytest.fixture
def both(settings: CoopSettings, clock: VirtualClock, tmp_path: Path) -> list[str]:
    """Words of a command that name books, and a server's folder with a book of people."""
    open_people(tmp_path / "state", clock).close()
    return ["--books", str(settings.folder), "--state", str(tmp_path / "state")]


def test_books_come_back_with_every_posting(
    settings: CoopSettings,
    treasurer: Officer,
    clock: VirtualClock,
    empty_database: str,
    tmp_path: Path,
) -> None:
    made = back_up(settings, tmp_path / "away", clock)

    recovery = secret_key(tmp_path / "key-from-paper")
    back = restore(made.file, tmp_path / "back", recovery, clock, empty_database)

    assert back.manifest.head.entries == 1
    found = tmp_path / "back"
    url = empty_database or read_settings(found).database
    books = Books(url, read_keys(found / "keys"), clock)
    with books.reading(treasurer) as desk:
        assert [each.journal for each in entries(desk)] == [bill("anna", "1")]
        assert verify(desk) == []
    books.close()
    paper = (found / "papers" / "F2026-00001.txt").read_text()
    assert paper == (tmp_path / "papers" / "F2026-00001.txt").read_text()


def test_a_plain_search_of_a_backup_finds_nobody(
    settings: CoopSettings, clock: VirtualClock, tmp_path: Path
) -> None:
    file = back_up(settings, tmp_path / "away", clock).file

    content = file.read_bytes()
    chain_key = (tmp_path / "keys" / "chain.key").read_bytes().strip()
    for told in (EAN, IBAN, NAME, "anna", "Zonnewijk", "receivable", "SQLite"):
        assert told.encode() not in content
    assert chain_key not in content
    assert file.stat().st_mode & 0o077 == 0
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    assert list(tmp_path.glob(".backup-*")) == []


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_only_the_key_on_paper_opens_a_backup(
    settings: CoopSettings, clock: VirtualClock, tmp_path: Path
) -> None:
    made = back_up(settings, tmp_path / "away", clock)
    (tmp_path / "other").mkdir()
    (tmp_path / "wrong").write_text(make_recovery_key(tmp_path / "other"))

    with pytest.raises(TamperedError, match="another recovery key"):
        restore(made.file, tmp_path / "back", secret_key(tmp_path / "wrong"), clock)
    assert not (tmp_path / "back").exists()
    for nothing in ("books.toml", "keys/recovery.pub", "keys/chain.key", "away"):
        with pytest.raises(SettingsError):
            secret_key(tmp_path / nothing)


def test_a_recovery_key_is_typed_over_from_paper(tmp_path: Path) -> None:
    told = make_recovery_key(tmp_path)
    typed = tmp_path / "typed"

    typed.write_text(f"  {told.upper().replace('-', ' ')} \n")
    public = secret_key(typed).public_key().public_bytes_raw()
    assert public == public_key(tmp_path).public_bytes_raw()

    for place, letter in ((0, "a"), (20, "b"), (len(told) - 1, "c")):
        other = letter if told[place] != letter else "d"
        typed.write_text(told[:place] + other + told[place + 1 :])
        with pytest.raises(SettingsError, match="14 groups"):
            secret_key(typed)


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_a_backup_that_was_changed_or_cut_off_is_refused_and_leaves_nothing(
    settings: CoopSettings, clock: VirtualClock, tmp_path: Path
) -> None:
    made = back_up(settings, tmp_path / "away", clock)
    whole = made.file.read_bytes()
    recovery = secret_key(tmp_path / "key-from-paper")
    middle = len(whole) // 2
    damaged = (
        whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        whole[:-1],
        whole[:middle],
        whole + b"x",
        b"x" + whole,
        b"",
    )

    for content in damaged:
        made.file.write_bytes(content)
        with pytest.raises(TamperedError):
            restore(made.file, tmp_path / "back", recovery, clock)
        assert not (tmp_path / "back").exists()


def test_a_drill_right_after_a_posting_has_lost_nothing(
    settings: CoopSettings,
    books: Books,
    treasurer: Officer,
    clock: VirtualClock,
    tmp_path: Path,
) -> None:
    with books.desk(treasurer) as desk:
        post(desk, bill("anna", "2"))
    made = back_up(settings, tmp_path / "away", clock)
    recovery = secret_key(tmp_path / "key-from-paper")

    done = drill(made.file, recovery, settings, clock)

    assert (done.lost_entries, done.lost_records) == (0, 0)
    assert done.manifest.head.entries == 2


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_a_drill_tells_how_many_postings_an_old_backup_lacks(
    settings: CoopSettings, books: Books, treasurer: Officer, clock: VirtualClock, tmp_path: Path
) -> None:
    back_up(settings, tmp_path / "away", clock)
    clock.advance(1)
    with books.desk(treasurer) as desk:
        for number in ("2", "3"):
            post(desk, bill("anna", number))
    recovery = secret_key(tmp_path / "key-from-paper")

    done = drill(newest(tmp_path / "away"), recovery, settings, clock)

    assert (done.lost_entries, done.lost_records) == (2, 2)


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_broken_books_are_backed_up_and_not_restored(
    settings: CoopSettings, books: Books, clock: VirtualClock, tmp_path: Path
) -> None:
    file = settings.database.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as forger, forger:
        forger.execute("DROP TRIGGER posting_no_update")
        forger.execute("UPDATE posting SET amount = amount * 2")
    made = back_up(settings, tmp_path / "away", clock)
    recovery = secret_key(tmp_path / "key-from-paper")

    with pytest.raises(TamperedError, match="ledger 1: was changed"):
        restore(made.file, tmp_path / "back", recovery, clock)
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("books_url", ["postgresql"], indirect=True)
def test_a_database_is_empty_again_where_the_books_in_it_are_not_right(
    settings: CoopSettings,
    books: Books,
    clock: VirtualClock,
    tmp_path: Path,
    empty_database: str,
) -> None:
    sound = back_up(settings, tmp_path / "sound", clock)
    with psycopg.connect(settings.owner.replace("+psycopg", "")) as forger:
        forger.execute("ALTER TABLE posting DISABLE TRIGGER USER")
        forger.execute("UPDATE posting SET amount = amount * 2")
    broken = back_up(settings, tmp_path / "away", clock)
    recovery = secret_key(tmp_path / "key-from-paper")

    with pytest.raises(TamperedError, match="ledger 1: was changed"):
        restore(broken.file, tmp_path / "back", recovery, clock, empty_database)
    restored = restore(sound.file, tmp_path / "back", recovery, clock, empty_database)

    assert restored.manifest.head.entries == 1


@pytest.mark.parametrize("books_url", ["postgresql"], indirect=True)
def test_a_database_is_empty_again_where_the_folder_cannot_stand(
    settings: CoopSettings, clock: VirtualClock, tmp_path: Path, empty_database: str
) -> None:
    made = back_up(settings, tmp_path / "away", clock)
    recovery = secret_key(tmp_path / "key-from-paper")
    here = sorted(each.name for each in tmp_path.iterdir())
    # A link to a disk that is not there: no folder, and none can be put in its place.
    link = tmp_path / "back"
    link.symlink_to(tmp_path / "disk" / "books")

    with pytest.raises(SettingsError, match="nothing was restored"):
        restore(made.file, link, recovery, clock, empty_database)
    link.unlink()

    assert sorted(each.name for each in tmp_path.iterdir()) == here
    again = restore(made.file, link, recovery, clock, empty_database)
    assert again.manifest.head.entries == 1


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_running_books_that_are_not_the_backups_are_found_by_the_drill(
    settings: CoopSettings, books: Books, treasurer: Officer, clock: VirtualClock, tmp_path: Path
) -> None:
    made = back_up(settings, tmp_path / "away", clock)
    file = settings.database.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as forger, forger:
        for table in ("audit", "entry", "posting"):
            forger.execute(f"DROP TRIGGER {table}_no_delete")
            forger.execute(f"DELETE FROM {table}")  # noqa: S608
    with books.desk(treasurer) as desk:
        post(desk, bill("bram", "1"))
    recovery = secret_key(tmp_path / "key-from-paper")

    with pytest.raises(TamperedError, match="do not go on"):
        drill(made.file, recovery, settings, clock)


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_nothing_that_is_there_is_written_over(
    settings: CoopSettings, clock: VirtualClock, tmp_path: Path
) -> None:
    made = back_up(settings, tmp_path / "away", clock)
    recovery = secret_key(tmp_path / "key-from-paper")

    with pytest.raises(SettingsError, match="new folder"):
        restore(made.file, tmp_path / "away", recovery, clock)
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="name another folder"):
        restore(made.file, tmp_path / "file" / "back", recovery, clock)
    with pytest.raises(BooksError, match="no backup"):
        newest(tmp_path / "papers")
    with pytest.raises(SettingsError, match="made once"):
        make_recovery_key(tmp_path / "keys")


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_a_backup_while_somebody_writes_is_of_one_moment(
    settings: CoopSettings, books: Books, treasurer: Officer, clock: VirtualClock, tmp_path: Path
) -> None:
    with books.desk(treasurer) as desk:
        post(desk, bill("anna", "2"))
        desk.session.execute(text("SELECT 1"))
        made = back_up(settings, tmp_path / "away", clock)

    assert made.manifest.head.entries == 1


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_the_commands_back_up_practise_and_restore(
    settings: CoopSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def kwartier(*words: str) -> tuple[int, Json]:
        code = main(words)
        told = capsys.readouterr().out
        return code, json.loads(told) if told else None

    key, books = str(tmp_path / "key-from-paper"), str(settings.folder)
    words = ["--from", str(tmp_path / "away"), "--recovery-key", key]

    made = kwartier("backup", "--books", books, "--to", str(tmp_path / "away"))
    practised = kwartier("restore", "--drill", "--books", books, *words)
    restored = kwartier("restore", *words, "--to", str(tmp_path / "back"))
    refused = kwartier("restore", *words, "--to", str(tmp_path / "back"))
    nowhere = kwartier("restore", *words)

    assert (made[0], practised[0], restored[0]) == (0, 0, 0)
    assert isinstance(practised[1], dict)
    assert practised[1]["lost_entries"] == 0
    assert practised[1]["entries"] == 1
    assert (refused[0], nowhere[0]) == (78, 2)


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_the_commands_take_books_and_people_along_under_one_key(
    both: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, away = str(tmp_path / "key-from-paper"), str(tmp_path / "away")
    there = ["--to", str(tmp_path / "back"), "--state-to", str(tmp_path / "back-state")]
    words = ["restore", "--from", away, "--recovery-key", key]

    codes = [
        main(["backup", *both, "--to", away]),
        main([*words, "--drill", *both]),
        main([*words, *there]),
    ]
    (one, other) = sorted((tmp_path / "away").iterdir())
    alone = main(["restore", "--from", str(other), "--recovery-key", key, *there])
    swapped = main(["restore", "--from", str(other), "--recovery-key", key, "--to", away + "2"])
    capsys.readouterr()

    assert codes == [0, 0, 0]
    assert (one.name[:6], other.name[:7]) == ("books-", "people-")
    assert sorted(each.name for each in (tmp_path / "back-state").iterdir()) == [
        "people-keys",
        "people.db",
    ]
    assert (alone, swapped) == (2, 1)
    assert not (tmp_path / "away2").exists()


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_where_people_came_back_and_books_did_not_the_command_says_what_stands(
    both: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away, state = str(tmp_path / "away"), str(tmp_path / "state-back")
    words = ["restore", "--from", away, "--recovery-key", str(tmp_path / "key-from-paper")]
    main(["backup", *both, "--to", away])
    capsys.readouterr()

    code = main([*words, "--to", away, "--state-to", state])
    (stands, wrong) = capsys.readouterr().err.splitlines()
    again = main([*words, "--to", str(tmp_path / "back")])

    assert (code, again) == (78, 0)
    assert f"the book of people is back in {state}" in stands
    assert "without --state-to" in stands
    assert f"{away} is there already" in wrong
    assert (tmp_path / "state-back" / "people.db").is_file()
