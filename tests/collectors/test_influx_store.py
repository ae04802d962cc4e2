from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.influx import Influx, InfluxSettings
from collectors.influx_store import InfluxStore, SeriesReader
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey, Store
from kwartier.clock import VirtualClock
from kwartier.errors import ContractError
from kwartier.series import SERIES
from kwartier.wire import encode_block
from tests.collectors import influx_scene as scene
from tests.collectors.loopback import Asked, FarSide, Reply, far_side

FOLDER = Path(__file__).parent / "influx_exchanges"


class Recorded(FarSide):
    """Gives the recorded answer to a recorded question, and to no other."""

    def __init__(self) -> None:
        exchanges = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
        self.known = {
            key_of(one["question"]): "\r\n".join(one["answer"])
            for one in exchanges
            if "question" in one
        }
        super().__init__()

    def reply(self, asked: Asked) -> Reply:
        answer = self.known.get(key_of(question_of(asked)))
        if asked.path != "/api/v2/query?org=coop" or answer is None:
            return Reply(
                400, json.dumps({"message": f"not recorded: {question_of(asked)}"}).encode()
            )
        return Reply(200, answer.encode(), {"Content-Type": "text/csv; charset=utf-8"})


def question_of(asked: Asked) -> dict[str, object]:
    """Return the text and the parameters of a question, as they crossed the wire."""
    body = json.loads(asked.body)
    params = {
        statement["assignment"]["id"]["name"]: told_by(statement["assignment"]["init"])
        for statement in body["extern"]["body"]
    }
    return {"flux": body["query"].splitlines(), "params": params}


def told_by(expression: dict[str, object]) -> object:
    elements = expression.get("elements")
    if isinstance(elements, list):
        return [told_by(element) for element in elements]
    return expression["value"]


def key_of(question: object) -> str:
    return json.dumps(question, sort_keys=True)


@pytest.fixture
def recorded() -> Iterator[InfluxStore]:
    server = Recorded()
    settings = InfluxSettings(server.url, "token", "coop", "wijk")
    with Influx(settings) as door:
        yield InfluxStore(door, scene.SITE, VirtualClock(scene.END_S))
    server.close()


@pytest.fixture
def record(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "record.db") as store:
        with store.intake() as intake:
            for block in scene.blocks():
                intake.add(block, encode_block(block), scene.START_S)
        yield store


@pytest.fixture(params=["recorded", "record"])
def reader(request: pytest.FixtureRequest) -> SeriesReader:
    store = request.getfixturevalue(request.param)
    assert isinstance(store, InfluxStore | SqliteStore)
    return store


def test_points_of_a_series_come_in_order_of_time(reader: SeriesReader) -> None:
    told = reader.points(scene.HOME_1, "import_w", scene.START_S, scene.END_S)

    assert told == scene.POINTS


def test_quarters_are_differences_of_registers_also_over_a_change_of_meter(
    reader: SeriesReader,
) -> None:
    told = reader.quarters(["import_wh"], scene.START_S, scene.END_S)

    assert told == scene.QUARTERS


def test_quarters_of_some_devices_are_those_of_no_other(reader: SeriesReader) -> None:
    told = reader.quarters(["import_wh"], scene.START_S, scene.END_S, [scene.HOME_1])

    assert told == scene.QUARTERS[:2]


def test_the_newest_value_of_each_series_is_told(reader: SeriesReader) -> None:
    told = reader.latest()

    assert sorted((one.key, one.name, one.at_s, one.value) for one in told) == [
        (one.key, one.name, one.at_s, one.value) for one in scene.LATEST
    ]


def test_meters_go_by_their_short_names(recorded: InfluxStore) -> None:
    assert recorded.latest() == scene.LATEST
    assert recorded.latest([scene.HOME_2]) == scene.LATEST[2:]


def test_a_store_can_do_what_charts_need(record: SqliteStore) -> None:
    store: Store = record
    reader: SeriesReader = store

    assert reader.points(scene.HOME_1, "import_w", 0, 1) == []


@given(name=st.text(max_size=30).filter(lambda name: name not in SERIES))
def test_no_strange_name_reaches_the_far_side(name: str) -> None:
    settings = InfluxSettings("http://127.0.0.1:9", "token", "coop", "wijk")
    with Influx(settings) as door:
        store = InfluxStore(door, "wijk", VirtualClock(0))
        for key in (scene.HOME_1, DeviceKey("gw-01", name.upper() + '"')):
            with pytest.raises(ContractError):
                store.points(key, name, 0, 900)
        with pytest.raises(ContractError):
            store.quarters([name], 0, 900)
        with pytest.raises(ContractError):
            store.quarters(["import_wh"], 0, 900, [DeviceKey(name.upper() + "'", "p1")])


def test_energy_is_not_reckoned_from_powers(recorded: InfluxStore) -> None:
    with pytest.raises(ContractError, match="'import_w' is no register"):
        recorded.quarters(["import_w"], 0, 900)


@pytest.mark.parametrize(
    ("row", "named"),
    [
        (",,0,2026-07-01T10:00:00Z,,import_wh,p1,gw", "None where a whole number is due"),
        (",,0,,5,import_wh,p1,gw", "None in column '_time'"),
        (",,0,2026-07-01T10:00:00Z,5,import_wh,,gw", "None in column 'device'"),
    ],
)
def test_a_row_that_lacks_what_is_due_is_refused_and_not_taken_for_zero(
    row: str, named: str
) -> None:
    head = [
        "#datatype,string,long,dateTime:RFC3339,long,string,string,string",
        "#group,false,false,false,false,true,true,true",
        "#default,_result,,,,,,",
        ",result,table,_time,_value,_field,device,gateway",
    ]
    body = "\r\n".join([*head, row, ""]).encode()
    with far_side(Reply(200, body, {"Content-Type": "text/csv"})) as server:
        settings = InfluxSettings(server.url, "token", "coop", "wijk")
        with Influx(settings) as door, pytest.raises(ContractError, match=named):
            InfluxStore(door, "wijk", VirtualClock(0)).latest()
