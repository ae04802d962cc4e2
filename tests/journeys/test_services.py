"""Gateway and collector as an operator runs them: what a device says arrives, commands end well."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.broker import mosquitto_program
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey, Quality
from gateway.keep.outbox import Outbox
from kwartier.clock import SystemClock
from kwartier.interval import QUARTER_S
from kwartier.schedule import Outcome
from tests.journeys.services import COLLECTOR, GATEWAY, METER_ONLY, PROGRAM, Street

pytestmark = pytest.mark.broker

QUARTER = int(time.time()) // QUARTER_S * QUARTER_S - QUARTER_S
"""The last quarter-hour that is over: a meter whose stamp is far off is not believed."""


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed")
    street = Street(tmp_path)
    yield street
    street.close()


def steered(street: Street, power_w: int, number: int) -> subprocess.Popen[bytes]:
    """Return a gateway whose battery obeys a command."""
    gateway = street.start_gateway()
    street.until(lambda: True in street.ear.online, "the gateway is online")
    street.command(power_w, number)
    street.until(lambda: street.battery.power_w == power_w, "the battery obeys")
    street.until(lambda: Outcome.APPLIED in outcomes(street), "the gateway says so")
    return gateway


def outcomes(street: Street) -> list[Outcome]:
    return [response.outcome for response in street.ear.responses]


def tell_a_quarter(street: Street) -> None:
    """Count 500 Wh in and 25 Wh out from the start of a quarter to its end."""
    street.meter.count(4_726_494, 3_284_320)
    street.tell_register(QUARTER)
    street.meter.count(500, 25)
    street.tell_register(QUARTER + QUARTER_S)


def test_what_the_meter_tells_stands_in_the_record_to_the_watt_hour(street: Street) -> None:
    street.start_collector()
    street.start_gateway(METER_ONLY)

    tell_a_quarter(street)
    street.until(lambda: len(street.points("p1", "export_wh")) == 2, "both telegrams are stored")

    assert street.points("p1", "import_wh") == [
        (QUARTER, 4_726_494),
        (QUARTER + QUARTER_S, 4_726_994),
    ]
    assert street.points("p1", "export_wh") == [
        (QUARTER, 3_284_320),
        (QUARTER + QUARTER_S, 3_284_345),
    ]
    with SqliteStore(street.folder / "record.db", read_only=True) as store:
        told = store.quarters(["import_wh", "export_wh"], QUARTER, QUARTER + QUARTER_S)
    assert {(one.name, one.energy_wh, one.quality) for one in told} == {
        ("import_wh", 500, Quality.MEASURED),
        ("export_wh", 25, Quality.MEASURED),
    }
    assert {one.key for one in told} == {DeviceKey(GATEWAY, "p1")}


def test_an_orderly_stop_leaves_nothing_behind(street: Street) -> None:
    street.inverter.show(3_000, 12_345_678)
    collector = street.start_collector()
    gateway = steered(street, 2_000, 1)
    street.clock.advance(80)  # 2000 W for 80 s are 44.4 Wh
    street.until(lambda: street.ear.shown("inverter", "solar_w", 3_000), "solar is seen")
    street.until(lambda: street.ear.shown("battery", "charged_wh", 44), "charging is seen")

    began_s = time.monotonic()
    code = street.end(gateway, signal.SIGTERM)
    took_s = time.monotonic() - began_s
    street.until(lambda: not street.ear.online[-1], "the gateway says that it left")

    assert (code, street.battery.power_w) == (0, 0)
    assert took_s < 20
    assert outcomes(street) == [Outcome.ACCEPTED, Outcome.APPLIED, Outcome.NEUTRAL]

    street.start_gateway()
    street.until(lambda: street.points("inverter", "produced_wh"), "solar is in the record")
    street.until(lambda: street.points("battery", "charged_wh"), "the battery is in the record")

    assert {value for _, value in street.points("inverter", "produced_wh")} == {12_345_678}
    assert street.points("battery", "charged_wh")[-1][1] == 44
    assert street.points("battery", "setpoint_w")[0][1] == 2_000

    assert street.end(collector, signal.SIGTERM) == 0
    assert json.loads((street.folder / "collect.out").read_text())["readings"] > 0


def test_a_killed_gateway_leaves_the_battery_neutral_within_its_revert_time(
    street: Street,
) -> None:
    gateway = steered(street, -1_500, 1)

    street.end(gateway, signal.SIGKILL)
    street.clock.advance(89)
    before_w = street.battery.power_w
    street.clock.advance(1)

    assert (before_w, street.battery.power_w) == (-1_500, 0)
    street.until(lambda: not street.ear.online[-1], "the broker says that the gateway is gone")


def test_a_restarted_gateway_releases_the_battery_and_obeys_nothing_old(street: Street) -> None:
    gateway = steered(street, 2_000, 7)
    street.end(gateway, signal.SIGKILL)
    assert street.battery.power_w == 2_000  # its time stands still, so it has not reverted

    street.start_gateway()
    street.until(lambda: Outcome.NEUTRAL in outcomes(street), "the battery is released")
    street.command(3_000, 7)
    street.until(lambda: Outcome.REFUSED in outcomes(street), "the old command is refused")
    after_w = street.battery.power_w
    street.command(1_000, 8)
    street.until(lambda: street.battery.power_w == 1_000, "a new command is obeyed")

    assert after_w == 0
    assert street.ear.outcomes(8)[0] is Outcome.ACCEPTED


def test_a_command_that_came_while_the_gateway_was_away_is_answered(street: Street) -> None:
    gateway = steered(street, 2_000, 1)
    street.end(gateway, signal.SIGTERM)

    street.command(1_200, 2)
    street.start_gateway()
    street.until(lambda: street.battery.power_w == 1_200, "the waiting command is obeyed")

    assert street.ear.outcomes(2)[0] is Outcome.ACCEPTED


def test_readings_taken_while_the_broker_is_away_arrive_later(street: Street) -> None:
    street.start_collector()
    street.broker.kill()
    gateway = street.start_gateway(METER_ONLY)
    street.until(lambda: "reads for" in street.words("gateway"), "the gateway reads")
    journal = street.folder / "gateway" / "outbox.db-wal"
    before = journal.stat().st_size

    tell_a_quarter(street)
    street.until(lambda: journal.stat().st_size > before, "the readings are on disk")
    code = street.end(gateway, signal.SIGTERM)
    kept = Outbox(street.folder / "gateway" / "outbox.db", GATEWAY, SystemClock())
    held = kept.position
    kept.close()
    street.start_gateway(METER_ONLY)
    street.broker.start()
    street.until(lambda: len(street.points("p1", "import_wh")) == 2, "the readings arrive")

    assert (code, held.last, held.upto) == (0, 1, 0)
    assert street.points("p1", "import_wh") == [
        (QUARTER, 4_726_494),
        (QUARTER + QUARTER_S, 4_726_994),
    ]


@pytest.mark.parametrize(
    ("command", "old", "new", "key"),
    [
        ("gateway", "[[p1]]", "[[pi]]", "there is no [[p1]], [[modbus]] or [[battery]]"),
        ("gateway", "address =", 'lien = "dsmr2"\naddress =', "p1[0].lien is not known here"),
        ("gateway", 'folder = "gateway"', 'folder = "/nowhere/at/all"', "folder: there is no"),
        ("gateway", "socket://127.0.0.1:1", "ttyUSB0", "p1[0].address"),
        (
            "gateway",
            "[[p1]]",
            '[[modbus]]\ndevice = "zon"\nhost = "x"\nprofile = "acme"\n[[p1]]',
            "modbus[0].profile",
        ),
        ("gateway", 'url = "mqtt', 'url = "http', "broker.url"),
        ("collect", 'path = "record.db"', 'path = "/nowhere/record.db"', "store.path"),
        ("collect", 'coop = "straat"', 'coop = "Straat 1"', "coop"),
        ("collect", "[store]", "[stoer]", "store.path is missing"),
    ],
)
def test_wrong_settings_are_refused_with_file_and_key(
    tmp_path: Path, command: str, old: str, new: str, key: str
) -> None:
    usual = METER_ONLY if command == "gateway" else COLLECTOR
    text = usual.format(broker="mqtt://127.0.0.1:1", p1="socket://127.0.0.1:1")
    (tmp_path / "gateway").mkdir()
    settings = tmp_path / "wrong.toml"
    settings.write_text(text.replace(old, new, 1))

    done = subprocess.run(
        [*PROGRAM, command, "--config", str(settings)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith(f"kwartier {command}: {settings}: ")
    assert key in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["gateway", "collect"])
def test_settings_that_are_away_are_named(tmp_path: Path, command: str) -> None:
    nowhere = tmp_path / "nowhere.toml"

    done = subprocess.run(
        [*PROGRAM, command, "--config", str(nowhere), "--check"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 78
    assert done.stderr == (
        f"kwartier {command}: {nowhere}: cannot be read: No such file or directory\n"
    )


def test_check_says_that_all_keys_are_understood_and_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "gateway").mkdir()
    settings = tmp_path / "gateway.toml"
    settings.write_text(METER_ONLY.format(broker="mqtt://127.0.0.1:1", p1="/dev/ttyUSB0"))

    done = subprocess.run(
        [*PROGRAM, "gateway", "--config", str(settings), "--check"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "all keys are understood" in done.stdout
    assert list((tmp_path / "gateway").iterdir()) == []
