"""What files tell of each link is named, with since when; with more than one record too."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from api.cooperative.backup.remark import note_made
from api.doctor.finding import State
from collectors.sqlite_store import SqliteStore
from collectors.store import DeadLetter
from kwartier.reading import Reading
from kwartier.wire import block_of, encode_block
from tests.api.doctor.town import DAMAGED, EAN, NAME, NOW, SOUND, VALUE, Town


@pytest.mark.broker
def test_a_server_that_works_is_good_in_every_link(town: Town) -> None:
    found = town.found()

    assert {one.state for one in found.values()} == {State.GOOD}, found
    assert list(found) == [
        "meters", "broker", "collector", "record", "record file", "dead letters", "influx",
        "grafana", "prices", "planner", "pages", "disk", "backup of people", "clock",
    ]  # fmt: skip


@dataclass(frozen=True)
class Broken:
    """A link that a test breaks: how, what is then said of it, and since when."""

    link: str
    statement: str
    file: str
    values: tuple[object, ...]
    state: State
    what: str
    since_s: int | None


BROKEN = [
    Broken("planner", "UPDATE plan SET made_s = ?", "state/plans.db", (NOW - 2_000,),
           State.BROKEN, "safe mode", NOW - 2_000),
    Broken("planner", "DELETE FROM plan", "state/plans.db", (), State.BROKEN, "ever made", None),
    Broken("prices", "UPDATE price SET start_s = ?", "state/prices.db", (NOW - 1_000,),
           State.BROKEN, "no price of now", NOW - 100),
    Broken("prices", "UPDATE price SET start_s = ?", "state/prices.db", (NOW + 7_000,),
           State.LOOK, "2 hours", NOW - 600),
    Broken("record", "UPDATE latest SET at_s = ?", "record.db", (NOW - 5_000,),
           State.BROKEN, "5000 s old", NOW - 5_000),
    Broken("record", "UPDATE latest SET at_s = ?", "record.db", (NOW + 500,),
           State.LOOK, "500 s ahead", NOW + 500),
    Broken("meters", "UPDATE latest SET at_s = ?", "record.db", (NOW - 5_000,),
           State.BROKEN, "2 of 2 gateways", NOW - 5_000),
    Broken("meters", "UPDATE latest SET at_s = ? WHERE series = 1", "record.db", (NOW - 5_000,),
           State.LOOK, "1 of 2 gateways have a broken link (box: 1): gw-1", NOW - 5_000),
    Broken("influx", "UPDATE journal SET received_s = ?", "record.db", (NOW - 700,),
           State.LOOK, "2 blocks wait", NOW - 700),
    Broken("influx", "UPDATE journal SET received_s = ?", "record.db", (NOW - 4_000,),
           State.BROKEN, "2 blocks wait", NOW - 4_000),
]  # fmt: skip


@pytest.mark.broker
@pytest.mark.parametrize("one", BROKEN, ids=lambda one: f"{one.link}: {one.what}")
def test_what_files_tell_is_named_with_its_since(town: Town, one: Broken) -> None:
    town.ask(one.file, one.statement, one.values)

    found = town.found()[one.link]

    assert (found.state, found.since_s) == (one.state, one.since_s), found
    assert one.what in found.what
    assert found.do


@pytest.mark.broker
def test_dead_letters_of_the_last_day_are_counted_and_their_content_is_not_told(town: Town) -> None:
    with SqliteStore(town.folder / "record.db") as store, store.intake() as intake:
        letter = DeadLetter("gw-1", "e1", 2, NOW - 60, f"name {NAME}", EAN.encode())
        intake.set_aside(letter)

    found = town.found()["dead letters"]

    assert (found.state, found.since_s) == (State.LOOK, NOW - 60)
    assert found.what == "1 messages of the last day could not be read and are kept aside"


@pytest.mark.broker
def test_gateways_of_every_record_count_and_each_file_has_its_line(town: Town) -> None:
    serve = town.folder / "serve.toml"
    serve.write_text(serve.read_text() + '[[shards]]\nstore = "record-1.db"\n')
    wijk = town.folder / "wijk.toml"
    wijk.write_text(wijk.read_text().replace('gateway = "gw-2"', 'gateway = "gw-3"'))
    away = town.found()
    with SqliteStore(town.folder / "record-1.db") as store, store.intake() as intake:
        block = block_of([Reading("p1", EAN, NOW - 10, {"import_wh": VALUE})], "gw-3", "e1", 1)
        intake.add(block, encode_block(block), NOW - 10)
        intake.set_aside(DeadLetter("gw-3", "e1", 2, NOW - 60, "no block", b"{"))
    town.tell("record-1.db", replace(SOUND, thorough=DAMAGED))
    found = town.found()

    assert {away[link].state for link in ("record", "meters", "dead letters")} == {State.BROKEN}
    assert away["record file record-1.db"].state is State.LOOK
    assert found["meters"].what == "all 2 gateways are heard"
    assert found["record"].state is State.GOOD
    assert found["dead letters"].what.startswith("1 messages")
    assert found["record file record.db"].state is State.GOOD
    assert found["record file record-1.db"].state is State.BROKEN


@pytest.mark.broker
def test_a_backup_grows_old(town: Town) -> None:
    states = []
    for days in (1, 3, 8):
        note_made(town.folder / "state", "people.sealed", NOW - days * 86_400)
        states.append(town.found()["backup of people"].state)

    assert states == [State.GOOD, State.LOOK, State.BROKEN]


@pytest.mark.broker
@pytest.mark.parametrize(
    ("full_permille", "state"),
    [(799, State.GOOD), (800, State.LOOK), (899, State.LOOK), (900, State.BROKEN)],
)
def test_a_disk_fills(town: Town, full_permille: int, state: State) -> None:
    town.full_permille = full_permille

    found = town.found()["disk"]

    assert found.state is state
    assert f"is used for {full_permille // 10} %" in found.what
    assert bool(found.do) is (state is not State.GOOD)
