"""What was written in gateway.toml by hand stays when the installer's pages write it again."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.commission.by_hand import with_what_stood_there
from gateway.commission.finish import settings_text, write_settings
from gateway.commission.found import Found, Kind
from gateway.enrol.identity import Enrolled, Identity
from gateway.settings import GatewaySettings, read_settings
from kwartier.errors import InputError

INVERTER = Found("inverter", Kind.SOLAR, "192.0.2.10", 502, 1, series="solar_w")
BATTERY = Found(
    "battery",
    Kind.BATTERY,
    "192.0.2.11",
    502,
    1,
    series="battery_w",
    charge_max_w=4000,
    discharge_max_w=3000,
)
LIMIT = '\n[[solar_limit]]\ndevice = "inverter"\nexport_max_w = 3000\nrated_w = 5000\n'
ENROLLED = Enrolled(
    "gw-014", "zonnehof", "mqtt://127.0.0.1:1883", "Zonlaan 14", "h14", "", True, ""
)


def again(folder: Path, *devices: Found, cable: str = "/dev/ttyUSB0") -> GatewaySettings:
    """Go through the steps once more."""
    path = folder / "gateway.toml"
    text = settings_text(ENROLLED, Identity(folder), cable, "dsmr4", devices)
    write_settings(path, text)
    return read_settings(path)


def by_hand(folder: Path, *, add: str = "", swap: tuple[str, str] = ("", "")) -> None:
    path = folder / "gateway.toml"
    path.write_text(path.read_text().replace(*swap) + add)


def test_a_limit_of_the_connection_stays(tmp_path: Path) -> None:
    again(tmp_path, INVERTER, BATTERY)
    by_hand(tmp_path, add=LIMIT)

    settings = again(tmp_path, replace(INVERTER, host="192.0.2.77"), BATTERY)

    assert [(one.device, one.export_max_w) for one in settings.solar_limits] == [("inverter", 3000)]
    assert settings.modbus[0].link.host == "192.0.2.77"


def test_keys_of_every_table_and_device_stay(tmp_path: Path) -> None:
    again(tmp_path, INVERTER, BATTERY)
    by_hand(tmp_path, swap=("[broker]", "live_every_s = 2.5\n\n[broker]"))
    by_hand(tmp_path, swap=('line = "dsmr4"', 'line = "dsmr4"\ndevice = "hoofdmeter"'))
    by_hand(tmp_path, swap=("[[battery]]", "[[battery]]\nfuse_a = 25\nexport_max_w = 100"))
    by_hand(tmp_path, swap=("[[modbus]]", "[[modbus]]\nevery_s = 5.0"))
    by_hand(tmp_path, add='\n[[p1]]\naddress = "socket://192.0.2.50:23"\ndevice = "schuur"\n')

    settings = again(tmp_path, INVERTER, BATTERY)
    once_more = again(tmp_path, INVERTER, BATTERY)

    (battery,) = settings.batteries
    assert (battery.limits.fuse_a, battery.limits.export_max_w) == (25, 100)
    assert settings.live_every_s == 2.5
    assert settings.modbus[0].every_s == 5.0
    assert [line.device for line in settings.p1] == ["hoofdmeter", "schuur"]
    assert once_more == settings


def test_a_lower_limit_stays_and_a_power_that_was_not_known_does_not(tmp_path: Path) -> None:
    again(tmp_path, replace(BATTERY, discharge_max_w=0))
    by_hand(tmp_path, swap=("charge_max_w = 4000", "charge_max_w = 2500"))

    (battery,) = again(tmp_path, BATTERY).batteries

    assert (battery.limits.charge_max_w, battery.limits.discharge_max_w) == (2500, 3000)


def test_a_meter_at_another_cable_is_the_same_meter(tmp_path: Path) -> None:
    again(tmp_path, INVERTER)
    by_hand(tmp_path, add=LIMIT)

    settings = again(tmp_path, INVERTER, cable="/dev/ttyUSB1")

    assert [line.address for line in settings.p1] == ["/dev/ttyUSB1"]


def test_what_nobody_touched_is_written_as_before_with_its_comment(tmp_path: Path) -> None:
    again(tmp_path, INVERTER)
    first = (tmp_path / "gateway.toml").read_bytes()

    again(tmp_path, INVERTER)

    assert (tmp_path / "gateway.toml").read_bytes() == first


@pytest.mark.parametrize(
    "wrong", [b"coop = ", b"\xff", b'[[solar_limit]]\ndevice = "gone"\nexport_max_w = 1\n']
)
def test_what_cannot_be_kept_is_put_aside_and_the_gateway_begins(
    tmp_path: Path, wrong: bytes
) -> None:
    (tmp_path / "gateway.toml").write_bytes(wrong)

    settings = again(tmp_path, INVERTER)

    assert settings.solar_limits == ()
    assert (tmp_path / "gateway.toml.old").read_bytes() == wrong


def test_settings_that_cannot_be_read_are_named_and_stay(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").mkdir()

    with pytest.raises(InputError, match=r"gateway\.toml: cannot be read: Is a directory"):
        again(tmp_path, INVERTER)


def test_who_may_read_it_stays(tmp_path: Path) -> None:
    again(tmp_path, INVERTER)
    (tmp_path / "gateway.toml").chmod(0o600)
    by_hand(tmp_path, add=LIMIT)

    again(tmp_path, replace(INVERTER, host="192.0.2.77"))

    assert (tmp_path / "gateway.toml").stat().st_mode & 0o777 == 0o600


def test_every_kind_of_value_is_said_the_same() -> None:
    before = (
        'a = "é \\" \\\\ \\n"\nb = -3\nc = 1.5e3\nd = true\n"e f" = [1, 2]\n'
        "g = 2026-01-01T00:00:00Z\n"
        '[table]\nx = { y = "z", w = [ { v = 1 } ] }\n[[rows]]\nq = []\n[[rows]]\n'
    )
    ours = 'coop = "c"\n'

    merged = tomllib.loads(with_what_stood_there(ours, before))

    assert merged == {**tomllib.loads(before), "coop": "c"}
