"""A cap on what a connection may give is written beside the inverter that keeps it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gateway.care.overlay import NotFromAfarError, laid_over
from gateway.settings import GatewaySettings, read_settings, settings_of
from kwartier.errors import SettingsError

TOP = """
coop = "straat"
gateway = "gw-1"
broker = { url = "mqtt://127.0.0.1:1883" }
"""
METERS = '[[p1]]\naddress = "/dev/a"\n[[p1]]\ndevice = "p1-b"\naddress = "/dev/b"\n'
ROOF = """
[[modbus]]
device = "roof"
host = "192.0.2.1"
unit = 3
"""
BATTERY = """
[[battery]]
host = "192.0.2.7"
charge_max_w = 5000
discharge_max_w = 5000
"""
SAME = ROOF.replace('"roof"', '"barn"')
ROOFS = f"""{ROOF}
[[modbus]]
device = "shed"
host = "192.0.2.2"
turned = true
"""


def cap(device: str, more: str = "", cap_w: int = 3_000) -> str:
    return f'[[solar_limit]]\ndevice = "{device}"\nexport_max_w = {cap_w}\nrated_w = 5000\n{more}\n'


def read(folder: Path, *parts: str) -> GatewaySettings:
    path = folder / "gateway.toml"
    path.write_text("".join([TOP, *parts]))
    return read_settings(path)


def test_an_inverter_is_limited_where_it_is_read(tmp_path: Path) -> None:
    roof, shed = read(tmp_path, METERS, ROOFS, cap("roof"), cap("shed")).solar_limits

    assert (roof.link.where, roof.unit, roof.export_max_w, roof.rated_w, roof.meter) == (
        "192.0.2.1:502",
        3,
        3_000,
        5_000,
        "p1",
    )
    assert (roof.turned, shed.turned) == (False, True)
    assert (roof.sharing, shed.sharing) == (2, 2)


def test_inverters_behind_two_meters_share_nothing(tmp_path: Path) -> None:
    parts = cap("roof"), cap("shed", 'meter = "p1-b"', 1_000)

    limits = read(tmp_path, METERS, ROOFS, *parts).solar_limits

    assert [(one.meter, one.sharing) for one in limits] == [("p1", 1), ("p1-b", 1)]


@pytest.mark.parametrize(
    ("more", "export_max_w"),
    [
        ("", 2_800),  # 200 W below the cap: it gives way before the inverter
        ("export_max_w = 9000", 2_800),
        ("export_max_w = 3000", 3_000),
        ("export_max_w = 500", 500),
        ('meter = "p1-b"', None),
    ],
)
def test_a_battery_behind_the_same_meter_keeps_the_cap_too(
    tmp_path: Path, more: str, export_max_w: int | None
) -> None:
    (battery,) = read(tmp_path, METERS, BATTERY, more, ROOF, cap("roof")).batteries

    assert battery.limits.export_max_w == export_max_w


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((METERS, ROOFS, cap("barn")), r"there is no \[\[modbus\]\] 'barn'.*roof, shed"),
        ((ROOFS, cap("roof")), "there is no .*p1.*: without one no export is seen"),
        ((METERS, ROOFS, cap("roof", 'meter = "p9"')), "there is no .*p1.* 'p9'"),
        ((METERS, ROOFS, cap("roof"), cap("roof")), "'roof' stands there twice"),
        ((METERS, ROOF, SAME, cap("roof"), cap("barn")), "'barn': that is 'roof' by another name"),
        ((METERS, ROOFS, cap("roof"), cap("shed", cap_w=1)), "a connection has one cap"),
        ((METERS, ROOFS, cap("roof", cap_w=-1)), "export_max_w is '-1'"),
        ((METERS, ROOFS, cap("roof", "ramp = 1")), "ramp is not known here"),
    ],
)
def test_a_cap_that_cannot_be_kept_is_refused_with_its_key(
    tmp_path: Path, parts: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        read(tmp_path, *parts)


def test_a_cap_is_not_changed_from_afar_and_stays_where_its_inverter_moves(tmp_path: Path) -> None:
    home = tomllib.loads("".join([TOP, METERS, ROOF, cap("roof")]))
    moved = '[[modbus]]\ndevice = "roof"\nhost = "192.0.2.9"\n'
    without = moved.replace('"roof"', '"barn"')

    with pytest.raises(NotFromAfarError, match="solar_limit"):
        laid_over(home, cap("roof", cap_w=9_000))
    after = settings_of(laid_over(home, moved), tmp_path)
    with pytest.raises(SettingsError, match="'roof'"):
        settings_of(laid_over(home, without), tmp_path)

    assert after.solar_limits[0].link.host == "192.0.2.9"
    assert after.solar_limits[0].export_max_w == 3_000
