"""A neighbourhood is read from TOML strictly."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kwartier.errors import SettingsError
from kwartier.model import Group, read_community
from kwartier.settings import Table, place_of, quoted, read_secret

STREET = """
coop = "zonnewijk"
name = "De Zonnewijk"
import_limit_w = 120000

[tariff]
buy_eur_per_kwh = "0.20"

[[connection]]
id = "huis-01"
member = "lid-01"
gateway = "gw-01"
solar = "inverter"

[[battery]]
id = "buurtbatterij"
gateway = "gw-battery"
device = "battery"
capacity_wh = 400000
charge_max_w = 150000
discharge_max_w = 150000
"""


def test_a_street_is_read_with_its_defaults(tmp_path: Path) -> None:
    path = tmp_path / "street.toml"
    path.write_text(STREET)

    community = read_community(path)

    assert community.connections["huis-01"].solar == "inverter"
    assert community.connections["huis-01"].limit_w == 17_250
    assert community.batteries["buurtbatterij"].capacity_wh == 400_000
    assert community.tariff.buy_eur_per_kwh == Decimal("0.20")
    assert community.export_limit_w is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('coop = "zonnewijk"', "", "coop is missing"),
        ('coop = "zonnewijk"', 'coop = "Zonne Wijk"', "coop 'Zonne Wijk': use 1 to 32"),
        ("capacity_wh = 400000", 'capacity_wh = "400"', "battery[0].capacity_wh is '400'"),
        ("capacity_wh = 400000", "capacity_kwh = 400\ncapacity_wh = 1", "battery[0].capacity_kwh"),
        ("charge_max_w = 150000", "charge_max_w = -1", "a whole number from 0"),
        ('buy_eur_per_kwh = "0.20"', 'buy_eur_per_kwh = "NaN"', "an amount of at most 1000"),
        ("[[battery]]", "[[battery]", "is no TOML"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "street.toml"
    path.write_text(STREET.replace(old, new, 1))

    with pytest.raises(SettingsError) as refused:
        read_community(path)

    assert str(path) in str(refused.value)
    assert message in str(refused.value)


def test_an_id_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "street.toml"
    path.write_text(STREET + STREET[STREET.index("[[connection]]") :])

    with pytest.raises(SettingsError, match="connection 'huis-01' stands there twice"):
        read_community(path)


def test_batteries_of_one_gateway_may_follow_the_meter_of_all_and_of_no_two(tmp_path: Path) -> None:
    path = tmp_path / "street.toml"
    following = STREET + "follows_meter = true\n"
    path.write_text(following)

    assert read_community(path).batteries["buurtbatterij"].follows_meter

    second = following[following.index("[[battery]]") :].replace("buurtbatterij", "schuur")
    path.write_text(following + second)
    assert read_community(path).batteries["schuur"].follows_meter

    gateway = re.search(r'gateway = "(.*)"', second)
    assert gateway is not None
    path.write_text(following + second.replace(gateway[1], "elsewhere"))
    with pytest.raises(SettingsError, match="'buurtbatterij' and 'schuur' both have follows_meter"):
        read_community(path)


def test_a_groups_limit_is_what_its_homes_brought_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "street.toml"
    grouped = STREET.replace(
        "[[connection]]", '[[connection]]\ngroup = "flat"\ngroup_share_w = 4000', 1
    )
    path.write_text(grouped + '[[group]]\nid = "flat"\n')

    assert read_community(path).groups["flat"] == Group("flat", 4_000)

    path.write_text(grouped + '[[group]]\nid = "flat"\nimport_limit_w = 9\nexport_limit_w = 8\n')
    assert read_community(path).groups["flat"] == Group("flat", 9, 8)


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ('[[group]]\nid = "flat"\n', "group[0].import_limit_w is missing, and no connection"),
        ('[[group]]\nid = "flat"\nimport_limit_w = -1\n', "a limit is below zero"),
        ('group = "flat"\n', "buurtbatterij belongs to group 'flat', which is not there"),
        ("reserve_permille = 990\n", "reserve_permille is above soc_max_permille"),
        ("reserve_permille = 1001\n", "a whole number from 0 to 1000"),
    ],
)
def test_a_group_or_a_reserve_that_cannot_be_is_refused(
    added: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "street.toml"
    path.write_text(STREET + added)

    with pytest.raises(SettingsError, match=re.escape(message)):
        read_community(path)


def test_a_home_named_as_a_battery_has_its_group_looked_up_too(tmp_path: Path) -> None:
    path = tmp_path / "street.toml"
    named = re.sub(r'(\[\[connection\]\]\nid = )"[^"]*"', r'\1"buurtbatterij"', STREET, count=1)
    assert named != STREET
    path.write_text(named.replace("[[connection]]", '[[connection]]\ngroup = "flat"', 1))

    with pytest.raises(SettingsError, match="buurtbatterij belongs to group 'flat'"):
        read_community(path)


def test_a_file_that_is_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml: cannot be read"):
        read_community(tmp_path / "nowhere.toml")


def test_a_credential_is_sought_where_the_service_manager_puts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "writer.token").write_text("s3cret\n")

    found = read_secret(Table({"token_file": "credential:writer.token"}), "token_file", Path("/x"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")

    assert found == "s3cret"
    assert place_of("credential:writer.token", Path("/x")) == Path("/run/secrets/writer.token")
    for wrong in ("credential:", "credential:../a", "credential:a/b", "credential:.a"):
        with pytest.raises(SettingsError, match="is no credential"):
            place_of(wrong, Path("/x"))


HOME_BATTERY = """
[[battery]]
id = "thuis"
home = "huis-01"
gateway = "gw-01"
device = "battery"
capacity_wh = 10000
charge_max_w = 3600
discharge_max_w = 3600
steered = true
"""


def test_a_battery_of_a_home_stands_apart_from_what_is_shared(tmp_path: Path) -> None:
    path = tmp_path / "street.toml"
    path.write_text(STREET + HOME_BATTERY)

    community = read_community(path)

    assert list(community.batteries) == ["buurtbatterij"]
    assert list(community.every_battery) == ["buurtbatterij", "thuis"]
    assert community.home_batteries["thuis"].may_be_planned
    (at_home,) = community.batteries_by_home()["huis-01"]
    assert at_home.id == "thuis"


def test_a_battery_of_a_home_is_not_planned_before_the_home_allowed_it(tmp_path: Path) -> None:
    path = tmp_path / "street.toml"
    path.write_text(STREET + HOME_BATTERY.replace("steered = true", ""))

    community = read_community(path)

    assert not community.home_batteries["thuis"].may_be_planned
    assert community.batteries["buurtbatterij"].may_be_planned


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('home = "huis-01"', 'home = "huis-09"', "home 'huis-09', which is not there"),
        ('home = "huis-01"', "", "battery[1].steered is for a battery of a home"),
        ('gateway = "gw-01"', 'gateway = "gw-02"', "its home 'huis-01' has 'gw-01'"),
        ("steered = true", "follows_meter = true", "battery[1].follows_meter is true"),
        ("steered = true", 'group = "flat"', "battery[1].group is 'flat'"),
        ("steered = true", "steered = 1", "battery[1].steered is '1'"),
        ('id = "thuis"', 'id = "buurtbatterij"', "battery 'buurtbatterij' stands there twice"),
    ],
)
def test_a_battery_of_a_home_that_cannot_be_is_refused(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "street.toml"
    path.write_text(STREET + HOME_BATTERY.replace(old, new))

    with pytest.raises(SettingsError, match=re.escape(message)):
        read_community(path)


def test_one_device_is_one_battery(tmp_path: Path) -> None:
    path = tmp_path / "street.toml"
    path.write_text(STREET + HOME_BATTERY + HOME_BATTERY.replace('"thuis"', '"nog-een"'))

    with pytest.raises(SettingsError, match="both device 'battery' of gateway 'gw-01'"):
        read_community(path)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_between_quotes_reads_back_as_it_was(text: str) -> None:
    assert tomllib.loads(f"key = {quoted(text)}") == {"key": text}
