"""The book of people in a sealed file: only the key on paper opens it, and it is whole."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from api.cooperative.backup import make_recovery_key, newest, public_key, remark_of, secret_key
from api.cooperative.errors import BooksError, TamperedError
from api.fleet.book import FleetBook
from api.people.accounts import SYSTEM, accounts, add_account
from api.people.acts import first_broken
from api.people.backup import back_up_people, drill_people, restore_people
from api.people.opening import open_people
from api.planning.calls import CallBook, PutCall
from kwartier.cli import main
from kwartier.clock import SystemClock, VirtualClock
from kwartier.configuration import Wish
from kwartier.errors import SettingsError, StoreBusyError
from kwartier.interval import Quarter
from kwartier.wire import Json
from tests.api.people_copies import backed_up, each_is_of_one_moment

NAME = "Fatma van der Meer"
NOON_S = 1_793_000_000
KWARTIER = [Path(sys.executable).with_name("kwartier")]


@pytest.fixture
def clock() -> VirtualClock:
    """A day in October 2026."""
    return VirtualClock(NOON_S)


@pytest.fixture
def state(tmp_path: Path, clock: VirtualClock) -> Path:
    """The server's folder with one account, and a key on paper beside it."""
    folder = tmp_path / "state"
    book = open_people(folder, clock)
    with book.writing() as desk:
        add_account(desk, SYSTEM, name=NAME)
    book.close()
    (tmp_path / "paper").write_text(make_recovery_key(folder / "people-keys"))
    return folder


def add(state: Path, clock: VirtualClock, count: int) -> None:
    """Add some accounts."""
    book = open_people(state, clock)
    with book.writing() as desk:
        for number in range(count):
            add_account(desk, SYSTEM, name=f"bewoner {number}")
    book.close()


def test_people_come_back_with_their_names_and_their_chain(
    state: Path, clock: VirtualClock, tmp_path: Path
) -> None:
    made = backed_up(state, clock)

    restore_people(made.file, tmp_path / "back", secret_key(tmp_path / "paper"), clock)

    book = open_people(tmp_path / "back", clock)
    with book.reading() as desk:
        assert [each.name for each in accounts(desk)] == [NAME]
        assert first_broken(desk) is None
    book.close()
    assert (made.head.acts, made.head.rows["account"]) == (1, 1)
    assert sorted(each.name for each in (tmp_path / "back" / "people-keys").iterdir()) == [
        "chain.key",
        "recovery.pub",
        "seal.keys",
    ]


def test_the_book_of_the_fleet_comes_along_and_says_which_updates_to_add_again(
    state: Path, clock: VirtualClock, tmp_path: Path
) -> None:
    wish, steps = Wish("straat", "gw-01", 7, NOON_S, "live_every_s = 5\n"), ("added", "advanced")
    fleet = FleetBook(state, "straat", clock)
    fleet.keep(wish, b"signed")
    for kind in steps:
        fleet.note("0.2.0", "ab" * 32, kind, "")
    (state / "releases").mkdir()
    (state / "releases" / f"{'ab' * 32}.update").write_bytes(b"a large file")
    made, recovery = backed_up(state, clock), secret_key(tmp_path / "paper")

    restore_people(made.file, tmp_path / "back", recovery, clock)

    back = FleetBook(tmp_path / "back", "straat", clock)
    assert back.next_version("gw-01") == 8
    assert back.wishes("gw-01") == [(wish, b"signed")]
    assert [(one.version, one.sha256, one.kind) for one in back.steps()] == [
        ("0.2.0", "ab" * 32, kind) for kind in steps
    ]
    assert not (tmp_path / "back" / "releases").exists()
    assert drill_people(made.file, recovery, state, clock).files == made.files


def test_calls_of_the_grid_come_along(state: Path, clock: VirtualClock, tmp_path: Path) -> None:
    at_s = Quarter.containing(NOON_S).start_s
    call = PutCall("cbc-7", at_s, at_s + 3600, 40_000, None, None, 0.25, NOON_S)
    CallBook(state / "calls.db").add(call)
    made, recovery = backed_up(state, clock), secret_key(tmp_path / "paper")

    restore_people(made.file, tmp_path / "back", recovery, clock)

    assert CallBook(tmp_path / "back" / "calls.db").every() == (call,)


def test_a_damaged_book_of_calls_is_not_restored(
    state: Path, clock: VirtualClock, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(state / "calls.db")) as other, other:
        other.execute("create table call (id)")
    made = backed_up(state, clock)

    with pytest.raises(TamperedError, match=r"calls\.db"):
        restore_people(made.file, tmp_path / "back", secret_key(tmp_path / "paper"), clock)
    assert not (tmp_path / "back").exists()


def test_a_damaged_book_of_the_fleet_is_not_restored(
    state: Path, clock: VirtualClock, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(state / "fleet.db")) as other, other:
        other.execute("create table step (id)")
    made = backed_up(state, clock)

    with pytest.raises(TamperedError, match="no such table"):
        restore_people(made.file, tmp_path / "back", secret_key(tmp_path / "paper"), clock)
    assert not (tmp_path / "back").exists()


def test_a_plain_search_of_a_backup_finds_nobody(state: Path, clock: VirtualClock) -> None:
    file = backed_up(state, clock).file

    content = file.read_bytes()
    chain_key = (state / "people-keys" / "chain.key").read_bytes().strip()
    for told in (NAME.encode(), b"account", b"SQLite", b"people.db", chain_key):
        assert told not in content
    assert file.stat().st_mode & 0o077 == 0
    assert [each.name for each in file.parent.iterdir()] == ["people-20261026T073320Z.sealed"]
    assert list(state.glob(".backup-*")) == []


def test_a_backup_that_was_changed_or_cut_off_is_refused_and_leaves_nothing(
    state: Path, clock: VirtualClock, tmp_path: Path
) -> None:
    file = backed_up(state, clock).file
    recovery, whole = secret_key(tmp_path / "paper"), file.read_bytes()
    middle = len(whole) // 2
    changed = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]

    for content in (changed, whole[:-1], whole[:middle], whole + b"x", b""):
        file.write_bytes(content)
        with pytest.raises(TamperedError):
            restore_people(file, tmp_path / "back", recovery, clock)
        assert not (tmp_path / "back").exists()


@pytest.mark.parametrize(
    ("forgery", "told"),
    [
        ("update act set subject = 'x' where id = 2", "act 2 was changed"),
        ("delete from act where id = 1", "act 1 was changed or is away"),
        ("update account set name = 'gAAAA'", "does not open"),
    ],
)
def test_a_forged_book_is_backed_up_and_not_restored(
    state: Path, clock: VirtualClock, tmp_path: Path, forgery: str, told: str
) -> None:
    add(state, clock, 2)
    with closing(sqlite3.connect(state / "people.db")) as forger, forger:
        for act in ("update", "delete"):
            forger.execute(f"drop trigger act_no_{act}")
        forger.execute(forgery)
    made = backed_up(state, clock)

    with pytest.raises(TamperedError, match=told):
        restore_people(made.file, tmp_path / "back", secret_key(tmp_path / "paper"), clock)
    assert not (tmp_path / "back").exists()


def test_the_drill_tells_what_an_old_backup_lacks_and_knows_another_book(
    state: Path, clock: VirtualClock, tmp_path: Path
) -> None:
    made, recovery = backed_up(state, clock), secret_key(tmp_path / "paper")
    fresh = drill_people(made.file, recovery, state, clock)
    add(state, clock, 3)
    clock.advance(60)

    old = drill_people(newest(tmp_path / "away", "people"), recovery, state, clock)
    add(tmp_path / "other", VirtualClock(NOON_S), 1)

    assert (fresh.lost_acts, old.lost_acts) == (0, 3)
    assert remark_of(state).made_s == NOON_S
    assert remark_of(state).drilled_s == NOON_S + 60
    with pytest.raises(TamperedError, match="does not go on"):
        drill_people(made.file, recovery, tmp_path / "other", clock)


def test_nothing_that_is_there_is_written_over(
    state: Path, clock: VirtualClock, tmp_path: Path
) -> None:
    made, recovery = backed_up(state, clock), secret_key(tmp_path / "paper")

    with pytest.raises(SettingsError, match="new folder"):
        restore_people(made.file, state, recovery, clock)
    with pytest.raises(BooksError, match="no backup of books"):
        newest(tmp_path / "away")
    with pytest.raises(SettingsError, match="no book of people"):
        back_up_people(tmp_path, public_key(state / "people-keys"), tmp_path / "away", clock)


def test_a_backup_while_others_write_is_of_one_moment(state: Path, clock: VirtualClock) -> None:
    each_is_of_one_moment(state, clock)


def test_a_killed_backup_leaves_no_backup_and_the_next_one_clears_up(
    state: Path, clock: VirtualClock, tmp_path: Path
) -> None:
    away, endless = tmp_path / "away", state / "people-keys" / "zz"
    os.mkfifo(endless)  # a file that never ends, so that the backup is killed half-way
    with subprocess.Popen([*KWARTIER, "backup", "--state", state, "--to", away]) as process:
        until_s = time.monotonic() + 60
        while not list(away.glob("*.part")) and time.monotonic() < until_s:
            time.sleep(0.01)
        with pytest.raises(StoreBusyError, match="another backup"):
            backed_up(state, clock)
        process.kill()
    endless.unlink()
    left = [len(list(state.glob(".backup-*"))), len(list(away.glob("*.part")))]
    with pytest.raises(BooksError):
        newest(away, "people")

    made = backed_up(state, VirtualClock(time.time() + 100_000))

    assert left == [1, 1]
    assert list(state.glob(".backup-*")) == []
    assert list(away.iterdir()) == [made.file]


def test_the_commands_back_up_practise_and_restore_people_without_books(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def kwartier(*words: str) -> tuple[int, dict[str, Json]]:
        code = main(words)
        told = capsys.readouterr().out
        return code, json.loads(told) if told else {}

    add(tmp_path / "state", VirtualClock(NOON_S), 1)
    state, away, paper = (str(tmp_path / name) for name in ("state", "away", "paper"))
    words = ["--from", away, "--recovery-key", paper]

    keyless = kwartier("backup", "--state", state, "--to", away)
    _, made = kwartier("backup", "--state", state, "--make-recovery-key")
    Path(paper).write_text(str(made["recovery_key"]))
    backed = kwartier("backup", "--state", state, "--to", away)
    practised = kwartier("restore", "--drill", "--state", state, *words)
    restored = kwartier("restore", *words, "--state-to", str(tmp_path / "back"))
    refused = kwartier("restore", *words, "--state-to", str(tmp_path / "back"))

    assert [keyless[0], backed[0], practised[0], restored[0], refused[0]] == [78, 0, 0, 0, 78]
    people = practised[1]["people"]
    assert isinstance(people, dict)
    assert (people["accounts"], people["lost_acts"], people["chains"]) == (1, 0, "whole")
    assert kwartier("backup", "--to", away)[0] == 78
    assert kwartier("restore", *words)[0] == 2
    again = open_people(tmp_path / "back", SystemClock())
    with again.reading() as desk:
        assert [each.name for each in accounts(desk)] == ["bewoner 0"]
    again.close()
