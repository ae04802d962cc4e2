"""A gateway's settings are read strictly: what is wrong is named by file, place and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.p1.serial_port import DSMR_2, DSMR_4
from gateway.settings import GatewaySettings, read_settings
from gateway.steer.control import Limits
from kwartier.errors import SettingsError

WHOLE = """
coop = "zonnewijk"
gateway = "gw-01"
folder = "kept"

[broker]
url = "mqtt://127.0.0.1"

[[p1]]
address = "/dev/ttyUSB0"

[[p1]]
device = "p1-old"
address = "socket://[::1]:2001"
line = "dsmr2"

[[modbus]]
device = "inverter"
host = "192.0.2.10"
profile = "goodwe-et"
unit = 247

[[battery]]
host = "192.0.2.11"
port = 1502
charge_max_w = 5000
discharge_max_w = 4000
import_max_w = 17000
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kept").mkdir()
    return tmp_path


def read(folder: Path, text: str) -> GatewaySettings:
    path = folder / "gateway.toml"
    path.write_text(text)
    return read_settings(path)


def test_every_device_is_read_with_its_defaults(folder: Path) -> None:
    settings = read(folder, WHOLE)

    assert settings.folder == folder / "kept"
    assert [(line.device, line.line) for line in settings.p1] == [
        ("p1", DSMR_4),
        ("p1-old", DSMR_2),
    ]
    inverter = settings.modbus[0]
    assert inverter.profile is not None
    assert (inverter.link.host, inverter.link.port) == ("192.0.2.10", 502)
    assert (inverter.unit, inverter.every_s, inverter.profile.name) == (247, 10.0, "goodwe_et")
    battery = settings.batteries[0]
    assert (battery.device, battery.link.port, battery.unit) == ("battery", 1502, 1)
    assert battery.limits == Limits(5000, 4000, 50, 950, 17_000, None, None, full_power_s=300)


def test_a_device_without_a_profile_is_read_by_sunspec(folder: Path) -> None:
    settings = read(folder, WHOLE.replace('profile = "goodwe-et"\n', ""))

    assert settings.modbus[0].profile is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('gateway = "gw-01"', "", "gateway is missing: add it"),
        ('gateway = "gw-01"', 'gateway = "GW 01"', "gateway 'GW 01': use 1 to 32"),
        ('folder = "kept"', 'folder = "lost"', "folder: there is no folder"),
        ('url = "mqtt://127.0.0.1"', 'url = "127.0.0.1"', "broker.url: broker '127.0.0.1'"),
        ('"/dev/ttyUSB0"', '"ttyUSB0"', "p1[0].address: P1 address 'ttyUSB0'"),
        ('"socket://[::1]:2001"', '"socket://meter"', "p1[1].address: P1 address"),
        ('"dsmr2"', '"dsmr6"', "p1[1].line is 'dsmr6': use dsmr2 or dsmr4"),
        ('device = "p1-old"', "", "device 'p1' stands there twice"),
        ('"goodwe-et"', '"acme"', "modbus[0].profile: no profile 'acme'; there are:"),
        ("unit = 247", "unit = 256", "modbus[0].unit is '256': it must be a whole number"),
        ("unit = 247", "every_s = -1", "modbus[0].every_s is '-1': it must be a number from 0"),
        ("unit = 247", "timeout_s = 0", "modbus[0].timeout_s is 0: give it at least 0.05"),
        ("unit = 247", "unti = 247", "modbus[0].unti is not known here"),
        ("port = 1502", "port = 0", "battery[0].port is '0'"),
        ("charge_max_w = 5000", "", "battery[0].charge_max_w is missing"),
        ("import_max_w = 17000", "import_max_w = -1", "battery[0].import_max_w is '-1'"),
        ("import_max_w = 17000", "ramp_w_per_s = 0", "battery[0].ramp_w_per_s is '0'"),
        (
            "import_max_w = 17000",
            "soc_min_permille = 950",
            "battery[0].soc_min_permille is not below soc_max_permille",
        ),
        ("[[battery]]", "[battery]", "battery is"),
        ("import_max_w = 17000", 'meter = "p2"', "there is no [[p1]] 'p2'"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(folder: Path, old: str, new: str, message: str) -> None:
    assert old in WHOLE

    with pytest.raises(SettingsError) as refused:
        read(folder, WHOLE.replace(old, new, 1))

    assert str(refused.value).startswith(f"{folder / 'gateway.toml'}: ")
    assert message in str(refused.value)


def test_a_gateway_without_devices_is_refused(folder: Path) -> None:
    with pytest.raises(SettingsError, match="name a device to read"):
        read(folder, WHOLE[: WHOLE.index("[[p1]]")])


def test_the_broker_s_password_comes_from_a_file_and_stands_in_no_message(folder: Path) -> None:
    (folder / "password").write_text("geheim\n")
    secured = WHOLE.replace(
        "[broker]", '[broker]\nusername = "gw-01"\npassword_file = "password"', 1
    )

    settings = read(folder, secured)

    assert (settings.broker.username, settings.broker.password) == ("gw-01", "geheim")
    assert "geheim" not in repr(settings)
