"""``kwartier replay``: measured quarters in, the same on record, nothing lost or twice."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from api.broker import mosquitto_program, running_broker
from api.replay.chain import Delivered, community_of, deliver, in_process
from api.replay.meters import read_meters
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey, Quality
from kwartier.broker import Broker
from kwartier.bus import Message
from kwartier.interval import QUARTER_S, local_day
from kwartier.mqtt import MqttBus, Session
from tests.journeys.command import PROGRAM, answer_of, kwartier, kwartier_here

NOON = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
KEYS = {
    "meters",
    "days",
    "readings",
    "lost",
    "duplicated",
    "quarters",
    "import_wh_in",
    "import_wh_stored",
    "export_wh_in",
    "export_wh_stored",
    "shared_wh",
    "ledger_sum_cents",
    "seconds",
    "readings_per_second",
}


def stamp(quarter: int, start: datetime = NOON) -> str:
    return (start + timedelta(seconds=quarter * QUARTER_S)).strftime("%Y-%m-%dT%H:%M:%SZ")


def csv_file(
    folder: Path, rows: Sequence[str], head: str = "utc,household,kwh_import,kwh_export"
) -> Path:
    path = folder / "meters.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def mosquitto() -> Iterator[Broker]:
    """A broker of this file's own."""
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed: run 'apt install mosquitto'")
    with running_broker() as broker:
        yield broker


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Two homes for 16 quarters: one takes 250 Wh a quarter, the other gives 100 and takes 10."""
    rows = [
        row
        for quarter in range(16)
        for row in (
            f"{stamp(quarter)},Zonneweg 1 ☀,0.250,0,0",
            f"{stamp(quarter)},de Vries,0.010,0.100,0.2",
        )
    ]
    return csv_file(tmp_path, rows, "utc,household,kwh_import,kwh_export,kwh_pv")


@contextmanager
def played(
    path: Path, folder: Path, days: int | None = None
) -> Iterator[tuple[SqliteStore, Delivered]]:
    """Yield the record after playing a file without a broker, and what came of it."""
    measured = read_meters(path, days=days)
    folder.mkdir(exist_ok=True)
    with SqliteStore(folder / "record.db") as store:
        coop = community_of(measured).coop
        yield store, deliver(measured, store, folder, in_process(), coop)


def retained_on(broker: Broker) -> set[str]:
    """Return the topics that a broker retains, ``test/last`` among them."""
    topics: set[str] = set()
    ended = threading.Event()

    def take(message: Message) -> None:
        if message.retained:
            topics.add(message.topic)
        if message.topic == "test/end":
            ended.set()

    bus = MqttBus(broker, Session("onlooker"))
    assert bus.wait_until_up(30)
    bus.publish("test/last", b"stays", retain=True)
    bus.subscribe("#", take)
    bus.publish("test/end", b"now")
    assert ended.wait(30)
    bus.close()
    return topics


def assert_whole(told: Delivered, readings: int, import_wh: int, export_wh: int) -> None:
    assert (told.readings, told.lost, told.duplicated) == (readings, 0, 0)
    assert (told.import_wh, told.export_wh) == (import_wh, export_wh)


@pytest.mark.broker
@pytest.mark.parametrize("broker", ["started by the command", "one that runs"])
def test_a_replay_prints_what_was_promised(broker: str, mosquitto: Broker, street: Path) -> None:
    words = ["--broker", mosquitto.url] if broker == "one that runs" else []

    ran = kwartier("replay", "--meters", street, *words)

    answer = answer_of(ran)
    assert set(answer) >= KEYS
    # 17 telegrams of each meter, and 17 readings of the one inverter.
    assert (answer["meters"], answer["days"], answer["quarters"]) == (2, 1, 16)
    assert (answer["readings"], answer["lost"], answer["duplicated"]) == (51, 0, 0)
    assert answer["import_wh_in"] == answer["import_wh_stored"] == 16 * 260
    assert answer["export_wh_in"] == answer["export_wh_stored"] == 1600
    assert (answer["shared_wh"], answer["ledger_sum_cents"]) == (1600, 0)
    assert ran.stderr == ""


@pytest.mark.broker
def test_two_replays_on_one_broker_leave_each_other_alone_and_nothing_behind(
    mosquitto: Broker, street: Path
) -> None:
    words = ("replay", "--meters", street, "--broker", mosquitto.url)

    first = answer_of(kwartier(*words))
    second = answer_of(kwartier(*words))

    assert first["readings"] == second["readings"] == 51
    assert second["import_wh_stored"] == 16 * 260
    assert retained_on(mosquitto) == {"test/last"}


def test_a_gap_is_an_estimate_over_it_and_its_sum_is_kept(tmp_path: Path) -> None:
    rows = [f"{stamp(n)},a,0.1,0" for n in (0, 1)] + [f"{stamp(n)},a,0.6,0" for n in (5, 6)]

    with played(csv_file(tmp_path, rows), tmp_path / "run") as (store, told):
        found = store.quarters(
            ["import_wh"], int(NOON.timestamp()), int(NOON.timestamp()) + 7 * QUARTER_S
        )

    assert_whole(told, 5, 1400, 0)
    # The 600 Wh that came after the gap are spread over its four quarters, 150 Wh each.
    assert [(one.energy_wh, one.quality) for one in found] == [
        (100, Quality.MEASURED),
        (100, Quality.MEASURED),
        *[(150, Quality.ESTIMATED)] * 4,
        (600, Quality.MEASURED),
    ]


def test_a_gap_longer_than_a_day_loses_nothing(tmp_path: Path) -> None:
    rows = [f"{stamp(n)},a,0.1,0.2" for n in (0, 1000)] + [f"{stamp(n)},b,1,0" for n in (2, 999)]

    with played(csv_file(tmp_path, rows), tmp_path / "run") as (_, told):
        assert_whole(told, 6, 2200, 400)


def test_a_household_that_starts_later_has_no_quarters_before(tmp_path: Path) -> None:
    rows = [f"{stamp(n)},early,0.1,0" for n in range(200)]
    rows += [f"{stamp(n)},late,0.2,0" for n in (150, 151)]

    with played(csv_file(tmp_path, rows), tmp_path / "run") as (store, told):
        found = store.quarters(["import_wh"], 0, 2**32, [DeviceKey("gw-0002", "p1")])

    assert_whole(told, 201 + 3, 20_400, 0)
    first_s = int(NOON.timestamp()) + 150 * QUARTER_S
    assert [(one.start_s, one.energy_wh) for one in found] == [
        (first_s, 200),
        (first_s + QUARTER_S, 200),
    ]


def test_one_row_is_one_quarter(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [f"{stamp(0)},a,0.0004999999,460.0000000001"])

    with played(path, tmp_path / "run") as (_, told):
        assert_whole(told, 2, 0, 460_000)
        assert told.quarters == 1


@pytest.mark.parametrize(("day", "quarters"), [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100)])
def test_every_quarter_of_the_nights_on_which_clocks_change_is_measured(
    day: date, quarters: int, tmp_path: Path
) -> None:
    midnight = datetime.fromtimestamp(local_day(day)[0], UTC)
    rows = [f"{stamp(n, midnight)},a,{(n + 1) / 1000},0.001" for n in range(120)]

    with played(csv_file(tmp_path, rows), tmp_path / "run", days=1) as (store, told):
        found = store.quarters(["import_wh"], *local_day(day))

    assert [one.energy_wh for one in found] == list(range(1, quarters + 1))
    assert {one.quality for one in found} == {Quality.MEASURED}
    assert told.export_wh == quarters


def test_a_register_of_more_than_a_gigawatt_hour_is_whole(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [f"{stamp(n)},works,2500,0" for n in range(500)])

    with played(path, tmp_path / "run") as (_, told):
        assert_whole(told, 501, 1_250_000_000, 0)


def test_prices_of_another_year_are_said_to_be_that(tmp_path: Path, street: Path) -> None:
    prices = tmp_path / "prices.csv"
    start = datetime(2025, 6, 29, 22, 0, tzinfo=UTC)
    rows = [f"{stamp(n, start)},{50 + n % 96}" for n in range(4 * 96)]
    prices.write_text("\n".join(["utc,eur_per_mwh", *rows]) + "\n")

    ran = kwartier("replay", "--meters", street, "--prices", prices)

    answer = answer_of(ran)
    said = ran.stderr.strip().splitlines()
    assert len(said) == 1
    assert "16 take prices of 2025 by the same day of the year" in said[0]
    plan = answer["plan"]
    assert isinstance(plan, dict)
    assert plan["days"] == 1
    assert plan["prices"] == said[0]
    cost, without = plan["cost_eur"], plan["cost_without_battery_eur"]
    assert isinstance(cost, float)
    assert isinstance(without, float)
    assert cost <= without


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--meters", "away.csv"], 1, "away.csv"),
        (["--meters", "meters.csv", "--prices", "away.csv"], 1, "away.csv"),
        (["--meters", "meters.csv", "--broker", "mqtt//x"], 78, "mqtt://HOST:PORT"),
        (["--meters", "meters.csv", "--days", "0"], 2, "'0'"),
        (["--meters", "meters.csv", "--limit", "x"], 2, "'x'"),
        ([], 2, "--meters"),
    ],
)
def test_a_wrong_call_ends_with_its_code_and_a_line(
    words: list[str], code: int, says: str, street: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(street.parent)

    ran = kwartier_here("replay", *words)

    assert (ran.returncode, ran.stdout) == (code, "")
    assert says in ran.stderr.splitlines()[-1]
    assert "Traceback" not in ran.stderr


def test_a_wrong_value_is_one_line_on_standard_error(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [f"{stamp(0)},a,nan,0"])

    ran = kwartier_here("replay", "--meters", path)

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"kwartier replay: {path} line 2: kwh_import is 'nan'")
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.broker
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_replay_that_is_ended_leaves_no_folder_and_no_broker_behind(
    how: signal.Signals, mosquitto: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    path = csv_file(tmp_path, [f"{stamp(n)},a,0.1,0" for n in range(40_000)])
    with subprocess.Popen(
        [*PROGRAM, "replay", "--meters", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for(lambda: port_in(folder) > 0)
        port = port_in(folder)

        process.send_signal(how)
        printed, complained = process.communicate(timeout=60)

    assert (process.returncode, printed, complained) == (130, "", "")
    assert list(folder.iterdir()) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def port_in(folder: Path) -> int:
    """Return the port of the mosquitto that a replay started; 0 before it did."""
    for settings in folder.glob("kwartier-broker-*/mosquitto.conf"):
        found = re.match(r"listener (\d+) ", settings.read_text())
        if found is not None:
            return int(found[1])
    return 0


def wait_for(happened: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def test_a_replay_shows_its_help_with_an_example() -> None:
    ran = kwartier_here("replay", "--help")

    assert ran.returncode == 0
    assert "kwartier replay --meters street.csv" in ran.stdout


def test_the_recorded_neighbourhood_is_whole_over_three_days(
    shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "households" / "de_simbench_neighbourhood_2016_15min.parquet"

    with played_of(path, tmp_path, days=3, limit=10) as (told, import_wh, export_wh):
        pass

    # Ten meters tell 289 telegrams each: one at the start and one at each of 288 quarters' ends.
    assert told.quarters == 288
    assert told.meter_quarters == 2880
    assert (told.lost, told.duplicated) == (0, 0)
    assert (told.import_wh, told.export_wh) == (import_wh, export_wh)


@contextmanager
def played_of(
    path: Path, folder: Path, days: int, limit: int
) -> Iterator[tuple[Delivered, int, int]]:
    measured = read_meters(path, days=days, limit=limit)
    with SqliteStore(folder / "record.db") as store:
        told = deliver(measured, store, folder, in_process(), community_of(measured).coop)
        yield (
            told,
            sum(meter.total_import_wh for meter in measured.meters.values()),
            sum(meter.total_export_wh for meter in measured.meters.values()),
        )
