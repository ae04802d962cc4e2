"""The book of people in PostgreSQL: begun, opened, copied, practised and brought back."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from api.cooperative.backup import make_recovery_key, newest, public_key, remark_of, secret_key
from api.cooperative.errors import BooksError, TamperedError
from api.people.accounts import SYSTEM, accounts, add_account
from api.people.acts import first_broken
from api.people.backup import back_up_people, drill_people, restore_people
from api.people.errors import PeopleError
from api.people.first_start import first_code, make_first_operator
from api.people.opening import open_people
from api.people.passwords import is_right, whose
from api.people.place import address_of, write_place
from api.people.sessions import end_session, hash_of, open_session, visitor_of
from api.people.steering import allow_steering, homes_refusing, refusals, refuse_steering
from api.people.visitor import Role, Stay
from api.relational import engine_of, writing
from kwartier.cli import main
from kwartier.clock import SystemClock, VirtualClock
from kwartier.errors import SettingsError, StoreBusyError
from kwartier.wire import Json
from tests.api.cooperative.postgresql import BOOKS, OWNER, Cluster
from tests.api.people_copies import backed_up, each_is_of_one_moment

NAME = "Fatma van der Meer"
PASSWORD = "regen-op-het-zinken-dak"
NewDatabase = Callable[[], str]


@pytest.fixture
def new_database(postgresql: Cluster, tmp_path: Path) -> Iterator[NewDatabase]:
    """A maker of addresses of empty databases."""
    numbers, made = itertools.count(1), list[str]()

    def new() -> str:
        made.append(f"people_{abs(hash(tmp_path))}_{next(numbers)}")
        postgresql.create(made[-1])
        return postgresql.url(OWNER, made[-1])

    yield new
    for name in made:
        postgresql.drop(name)


@pytest.fixture
def state(tmp_path: Path, new_database: NewDatabase, clock: VirtualClock) -> Path:
    """A server's folder that names a database with one account, and a key on paper beside it."""
    folder = tmp_path / "state"
    folder.mkdir()
    write_place(folder, new_database())
    add(folder, clock, NAME)
    (tmp_path / "paper").write_text(make_recovery_key(folder / "people-keys"))
    return folder


def add(state: Path, clock: VirtualClock, *names: str) -> None:
    """Add accounts."""
    book = open_people(state, clock)
    with book.writing() as desk:
        for name in names:
            add_account(desk, SYSTEM, name=name)
    book.close()


def asked(url: str, *acts: str) -> list[object]:
    """Do acts in a database and return the first value of each that tells one."""
    engine = engine_of(url)
    try:
        with writing(engine).begin() as connection:
            told = [connection.execute(text(act)) for act in acts]
            return [each.scalar() for each in told if each.returns_rows]
    finally:
        engine.dispose()


def test_a_first_operator_begins_and_is_known_at_the_next_start(
    tmp_path: Path, new_database: NewDatabase, clock: VirtualClock
) -> None:
    (tmp_path / "state").mkdir()
    write_place(tmp_path / "state", new_database())
    book = open_people(tmp_path / "state", clock)
    code = first_code(book)
    assert code is not None
    account = make_first_operator(book, code, NAME, "fatma", PASSWORD)
    with book.writing() as desk:
        opened = open_session(desk, account, "password", strong=True)
    book.close()

    again = open_people(tmp_path / "state", clock)

    assert first_code(again) is None
    with again.reading() as desk:
        one = whose(desk, "fatma")
        assert [each.name for each in accounts(desk)] == [NAME]
        assert first_broken(desk) is None
    assert is_right(again, one, PASSWORD)
    assert not is_right(again, one, "iets anders dan dat")
    assert Role.OPERATOR in visitor_of(again, opened).roles
    end_session(again, hash_of(opened))
    assert visitor_of(again, opened).account == ""
    again.close()
    assert sorted(each.name for each in (tmp_path / "state").iterdir()) == [
        "people-keys",
        "people.toml",
    ]


@pytest.mark.nightly
def test_a_book_of_before_takes_a_no_that_two_say_at_once_as_one(
    state: Path, clock: VirtualClock
) -> None:
    asked(
        address_of(state),
        "DROP TABLE steering_refusal",
        "UPDATE people_version SET version_num = '0002_gateways'",
    )
    book = open_people(state, clock)
    with book.reading() as desk:
        (account,) = (each.id for each in accounts(desk))
    together = threading.Barrier(4)

    def say_no() -> None:
        together.wait(timeout=60)
        with book.writing() as desk:
            refuse_steering(desk, account, "home-1")

    for _ in range(2):
        with ThreadPoolExecutor(4) as hands:
            for done in [hands.submit(say_no) for _ in range(4)]:
                done.result()
        refusing = homes_refusing(book)
        with book.writing() as desk:
            allow_steering(desk, account, "home-1")

    assert refusing == {"home-1"}
    assert homes_refusing(book) == frozenset()
    with book.reading() as desk:
        assert len(refusals(desk, account, (Stay("home-1"),))) == 2
        assert first_broken(desk) is None
    book.close()


def test_people_come_back_into_an_empty_database(
    state: Path, clock: VirtualClock, new_database: NewDatabase
) -> None:
    made, recovery = backed_up(state, clock), secret_key(state.parent / "paper")
    back, database = state.parent / "back", new_database()

    restore_people(made.file, back, recovery, clock, database)

    book = open_people(back, clock)
    assert book.engine.url.database == database.partition("?")[0].rpartition("/")[2]
    with book.reading() as desk:
        assert [each.name for each in accounts(desk)] == [NAME]
        assert first_broken(desk) is None
    with pytest.raises(PeopleError, match="never changed"), book.writing() as desk:
        desk.session.execute(text("delete from act"))
    book.close()
    assert (made.head.acts, made.head.rows["account"]) == (1, 1)
    assert sorted(each.name for each in back.iterdir()) == ["people-keys", "people.toml"]
    assert (back / "people.toml").stat().st_mode & 0o077 == 0
    add(back, clock, "Bram")
    add(state, clock, "Carla")
    with pytest.raises(BooksError, match="not empty"):
        restore_people(made.file, state.parent / "third", recovery, clock, database)
    assert not (state.parent / "third").exists()


def test_a_database_is_empty_again_where_the_folder_cannot_stand(
    state: Path, clock: VirtualClock, new_database: NewDatabase
) -> None:
    made, recovery = backed_up(state, clock), secret_key(state.parent / "paper")
    back, database = state.parent / "back", new_database()
    # A link to a disk that is not there: no folder, and none can be put in its place.
    back.symlink_to(state.parent / "disk" / "state")

    with pytest.raises(SettingsError, match="nothing was restored"):
        restore_people(made.file, back, recovery, clock, database)
    back.unlink()

    left = "select count(*) from pg_tables where schemaname = 'public'"
    assert asked(database, left) == [0]
    assert restore_people(made.file, back, recovery, clock, database).head.acts == 1
    assert address_of(back) == database


@pytest.mark.nightly
def test_the_drill_tells_what_an_old_backup_lacks_and_leaves_no_database(
    state: Path, clock: VirtualClock, postgresql: Cluster
) -> None:
    made, recovery = backed_up(state, clock), secret_key(state.parent / "paper")
    fresh = drill_people(made.file, recovery, state, clock)
    add(state, clock, "Anna", "Bram")
    clock.advance(60)

    old = drill_people(newest(state.parent / "away", "people"), recovery, state, clock)

    assert (fresh.lost_acts, old.lost_acts) == (0, 2)
    assert remark_of(state).drilled_s == int(clock.now_s())
    left = "select count(*) from pg_database where datname like 'kwartier_drill%'"
    assert asked(postgresql.url(OWNER, "postgres"), left) == [0]


@pytest.mark.nightly
def test_a_forged_database_is_backed_up_and_not_restored(
    state: Path, clock: VirtualClock, new_database: NewDatabase
) -> None:
    add(state, clock, "Anna", "Bram")
    asked(
        address_of(state),
        "alter table act disable trigger user",
        "update act set subject = 'x' where id = 2",
    )
    made, recovery = backed_up(state, clock), secret_key(state.parent / "paper")

    with pytest.raises(TamperedError, match="act 2 was changed"):
        restore_people(made.file, state.parent / "back", recovery, clock, new_database())
    with pytest.raises(TamperedError, match="act 2 was changed"):
        drill_people(made.file, recovery, state, clock)
    assert not (state.parent / "back").exists()


@pytest.mark.nightly
def test_a_backup_of_one_kind_does_not_go_into_the_other(
    state: Path, clock: VirtualClock, tmp_path: Path, new_database: NewDatabase
) -> None:
    recovery = secret_key(tmp_path / "paper")
    filed = tmp_path / "filed"
    add(filed, clock, "Anna")
    sealing = public_key(state / "people-keys")
    of_file = back_up_people(filed, sealing, tmp_path / "other", clock).file
    of_database = backed_up(state, clock).file

    with pytest.raises(SettingsError, match="leave --state-database out"):
        restore_people(of_file, tmp_path / "back", recovery, clock, new_database())
    with pytest.raises(SettingsError, match="name an empty database with --state-database"):
        restore_people(of_database, tmp_path / "back", recovery, clock)
    with pytest.raises(SettingsError, match=r"--state-database: use postgresql\+psycopg"):
        restore_people(of_database, tmp_path / "back", recovery, clock, "sqlite:///people.db")
    assert not (tmp_path / "back").exists()


def test_a_database_that_is_not_for_this_book_is_refused(
    state: Path, clock: VirtualClock, tmp_path: Path, new_database: NewDatabase
) -> None:
    url, books = (state / "people.toml").read_text(), new_database()
    other = tmp_path / "other"
    add(other, clock, "Anna")
    (other / "people.toml").write_text(url)
    with pytest.raises(SettingsError, match=r"people\.db is there as well"):
        open_people(other, clock)
    (other / "people.db").unlink()
    with pytest.raises(SettingsError, match="not the keys of the book"):
        open_people(other, clock)
    asked(books, "create table entry (id int)")
    (other / "people.toml").write_text(f'url = "{books}"\n')
    with pytest.raises(SettingsError, match=r"holds other tables \('entry'\)"):
        open_people(other, clock)

    for file in (state / "people-keys").iterdir():
        file.unlink()
    with pytest.raises(SettingsError, match="cannot be read"):
        open_people(state, clock)


def test_a_database_that_is_away_is_told_without_its_password(
    tmp_path: Path, clock: VirtualClock
) -> None:
    place = "postgresql+psycopg://wijk:geheim@/people?host=%2Fnowhere"
    (tmp_path / "people.url").write_text(f"{place}\n")
    (tmp_path / "people.toml").write_text('url_file = "people.url"\n')

    with pytest.raises(StoreBusyError, match="cannot be reached") as away:
        open_people(tmp_path, clock)
    (tmp_path / "people.url").write_text("mysql://wijk:geheim@host/people\n")
    with pytest.raises(SettingsError, match=r"people\.toml: url_file: use postgresql") as wrong:
        open_people(tmp_path, clock)

    assert "geheim" not in f"{away.value}{wrong.value}"
    assert not (tmp_path / "people-keys").exists()


@pytest.mark.nightly
def test_a_role_that_may_make_no_database_names_an_empty_one_for_the_drill(
    tmp_path: Path, clock: VirtualClock, postgresql: Cluster, new_database: NewDatabase
) -> None:
    state, database = tmp_path / "state", new_database()
    empty = new_database()
    for url in (database, empty):
        asked(url, f"grant all on schema public to {BOOKS}")
    state.mkdir()
    write_place(state, database.replace(OWNER, BOOKS))
    add(state, clock, NAME)
    (tmp_path / "paper").write_text(make_recovery_key(state / "people-keys"))
    made, recovery = backed_up(state, clock), secret_key(tmp_path / "paper")

    with pytest.raises(StoreBusyError, match="name an empty one with --state-database"):
        drill_people(made.file, recovery, state, clock)
    whole = drill_people(made.file, recovery, state, clock, empty.replace(OWNER, BOOKS))

    assert whole.lost_acts == 0


def test_the_commands_back_up_practise_and_restore(
    state: Path, tmp_path: Path, new_database: NewDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    def kwartier(*words: str) -> tuple[int, dict[str, Json]]:
        code = main(words)
        told = capsys.readouterr().out
        return code, json.loads(told) if told else {}

    away, back = str(tmp_path / "away"), str(tmp_path / "back")
    words = ["restore", "--from", away, "--recovery-key", str(tmp_path / "paper")]

    backed = kwartier("backup", "--state", str(state), "--to", away)
    practised = kwartier(*words, "--drill", "--state", str(state))
    placeless = kwartier(*words, "--state-to", back)
    restored = kwartier(*words, "--state-to", back, "--state-database", new_database())

    assert [backed[0], practised[0], placeless[0], restored[0]] == [0, 0, 78, 0]
    people = practised[1]["people"]
    assert isinstance(people, dict)
    assert (people["accounts"], people["lost_acts"], people["chains"]) == (1, 0, "whole")
    again = open_people(Path(back), SystemClock())
    with again.reading() as desk:
        assert [each.name for each in accounts(desk)] == [NAME]
    again.close()


@pytest.mark.nightly
def test_a_backup_while_others_write_is_of_one_moment(state: Path, clock: VirtualClock) -> None:
    each_is_of_one_moment(state, clock)
