"""Settings from afar: signed, tried, kept or taken back; the home's limits are never touched."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.care.caretaker import MOST_STARTS, Caretaker, Home
from gateway.care.disk import Disk
from gateway.care.keys import SigningKey, make_key, read_signing_key
from gateway.care.overlay import NotFromAfarError, Toml, laid_over
from gateway.settings import settings_of
from kwartier.bus import InProcessBus, Message
from kwartier.clock import VirtualClock
from kwartier.configuration import Report, Stage, Wish, decode_report, decode_wish, encode_wish
from kwartier.errors import ContractError, InputError
from kwartier.events import Event, EventKind
from tests.gateway.cut_disk import CutDisk, PowerCutError

NOW_S = 1_767_225_600
HOME = """
coop = "zonnewijk"
gateway = "gw-01"
[broker]
url = "mqtt://127.0.0.1"
[[p1]]
address = "socket://127.0.0.1:2001"
[[modbus]]
device = "inverter"
host = "192.0.2.10"
[[battery]]
host = "192.0.2.11"
charge_max_w = 5000
discharge_max_w = 4000
import_max_w = 17000
"""
SLOWER = '[[modbus]]\ndevice = "inverter"\nhost = "192.0.2.10"\nevery_s = 30\n'
MOVED_P1 = '[[p1]]\naddress = "socket://127.0.0.1:2002"\n'


@dataclass
class Pi:
    """A gateway's care on a folder, its far side in this process."""

    folder: Path
    key: SigningKey
    disk: Disk = field(default_factory=CutDisk)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOW_S))
    settings: Toml = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)
    events: list[EventKind] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.boot()

    def boot(self) -> None:
        """Start the process anew."""
        home = tomllib.loads(HOME)
        self.care = Caretaker(
            Home("zonnewijk", "gw-01", home, lambda values: _read(values, self.folder)),
            self.key.public,
            self.folder,
            self.clock,
            disk=self.disk,
        )
        self.begin()

    def begin(self) -> None:
        """Build the parts anew, and reach the broker."""
        self.settings = self.care.begin()
        self.bus = InProcessBus()
        self.bus.subscribe("nec/v1/zonnewijk/gw-01/cfg/reported", self._reported)
        self.care.attach(self.bus, self._happened)

    def wish(self, payload: bytes) -> bool:
        """Have a payload arrive; return whether the parts are to be built anew."""
        self.bus.publish("nec/v1/zonnewijk/gw-01/cfg/desired", payload, retain=True)
        return self.care.look()

    def wishes(self, version: int, changes: str, gateway: str = "gw-01") -> bytes:
        """Return a signed wish."""
        return encode_wish(Wish("zonnewijk", gateway, version, NOW_S, changes), self.key)

    def told(self) -> tuple[Stage, int, int, str]:
        """Return what was reported last: how far which version came, what is in force, why."""
        self.care.look()
        last = self.reports[-1]
        return last.stage, last.version, last.in_force, last.reason

    def _happened(self, event: Event) -> None:
        self.events.append(event.kind)

    def _reported(self, message: Message) -> None:
        self.reports.append(decode_report(message.payload))


def _read(values: Toml, folder: Path) -> None:
    settings_of(values, folder)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    file = tmp_path_factory.mktemp("keys") / "board.key"
    make_key(file)
    return read_signing_key(file)


@pytest.fixture
def pi(tmp_path: Path, key: SigningKey) -> Pi:
    return Pi(tmp_path, key)


def test_a_good_change_is_tried_and_confirmed(pi: Pi) -> None:
    assert pi.wish(pi.wishes(1, SLOWER))
    pi.begin()
    assert pi.settings["modbus"] == [{"device": "inverter", "host": "192.0.2.10", "every_s": 30}]

    assert pi.told()[:3] == (Stage.CONFIRMED, 1, 1)
    pi.boot()
    assert pi.settings["modbus"] == [{"device": "inverter", "host": "192.0.2.10", "every_s": 30}]


def test_a_change_that_loses_the_meter_is_taken_back_after_three_minutes(pi: Pi) -> None:
    pi.care.heard("p1")
    assert pi.wish(pi.wishes(1, MOVED_P1))
    pi.begin()
    assert pi.told() == (Stage.APPLIED, 1, 1, "")

    pi.clock.advance(179.0)
    assert not pi.care.look()
    pi.clock.advance(1.0)
    assert pi.care.look()

    pi.begin()
    assert pi.told() == (
        Stage.ROLLED_BACK,
        1,
        0,
        "no P1 meter was read, as before within 180 s",
    )
    assert pi.settings["p1"] == [{"address": "socket://127.0.0.1:2001"}]
    assert pi.events == [EventKind.CONFIG_ROLLED_BACK]


def test_a_device_that_falls_silent_with_its_new_address_takes_the_change_back(pi: Pi) -> None:
    pi.care.heard("inverter")
    pi.wish(pi.wishes(1, SLOWER.replace("192.0.2.10", "192.0.2.99")))
    pi.begin()

    pi.clock.advance(180.0)
    assert pi.care.look()

    pi.begin()
    assert pi.told()[0] is Stage.ROLLED_BACK
    assert "inverter was not heard" in pi.told()[3]


def test_a_clock_that_jumps_ends_no_trial(pi: Pi) -> None:
    pi.care.heard("p1")
    pi.wish(pi.wishes(1, MOVED_P1))
    pi.begin()

    pi.clock.jump(86_400.0)

    assert not pi.care.look()


def test_what_was_taken_back_is_not_tried_again(pi: Pi) -> None:
    pi.care.heard("p1")
    pi.wish(pi.wishes(1, MOVED_P1))
    pi.begin()
    pi.clock.advance(180.0)
    pi.care.look()
    pi.begin()

    assert not pi.wish(pi.wishes(1, MOVED_P1))
    assert pi.told()[:3] == (Stage.ROLLED_BACK, 1, 0)
    assert pi.wish(pi.wishes(2, SLOWER))


def test_a_change_under_which_the_process_falls_is_taken_back_at_its_fourth_start(pi: Pi) -> None:
    pi.care.heard("p1")
    pi.wish(pi.wishes(1, MOVED_P1))

    for _ in range(MOST_STARTS):
        pi.boot()
        assert pi.settings["p1"] == [{"address": "socket://127.0.0.1:2002"}]
    pi.boot()

    assert pi.settings["p1"] == [{"address": "socket://127.0.0.1:2001"}]
    assert pi.told()[0] is Stage.ROLLED_BACK


def test_a_change_under_which_the_parts_cannot_run_is_taken_back_at_once(pi: Pi) -> None:
    pi.wish(pi.wishes(1, SLOWER))
    pi.begin()

    assert pi.care.failed(InputError("no such port"))

    pi.begin()
    assert not pi.care.failed(InputError("another"))
    assert pi.told() == (
        Stage.ROLLED_BACK,
        1,
        0,
        "the parts could not run with it: no such port",
    )


def test_an_older_version_or_another_wish_of_that_version_is_refused(pi: Pi) -> None:
    pi.wish(pi.wishes(5, SLOWER))
    pi.begin()
    pi.care.look()

    for version in (4, 5):
        assert not pi.wish(pi.wishes(version, MOVED_P1))
        assert pi.told() == (
            Stage.REFUSED,
            version,
            5,
            f"version {version} is not above 5, the last tried",
        )
    assert not pi.wish(pi.wishes(5, SLOWER))
    assert pi.told()[:3] == (Stage.CONFIRMED, 5, 5)


def test_a_wish_for_another_gateway_is_refused(pi: Pi) -> None:
    assert not pi.wish(pi.wishes(1, SLOWER, gateway="gw-02"))

    assert pi.told() == (Stage.REFUSED, 1, 0, "it is meant for gw-02 of zonnewijk")


def test_a_wish_by_another_key_is_refused_and_its_inside_is_not_read(
    pi: Pi, tmp_path: Path
) -> None:
    make_key(tmp_path / "other.key")
    other = read_signing_key(tmp_path / "other.key")
    wish = Wish("zonnewijk", "gw-01", 1, NOW_S, SLOWER)

    assert not pi.wish(encode_wish(wish, other))

    assert pi.told()[:3] == (Stage.REFUSED, 0, 0)
    assert "not signed by the key" in pi.told()[3]


@given(place=st.integers(min_value=0, max_value=5000), bit=st.integers(0, 7))
def test_a_wish_with_any_bit_changed_is_refused(key: SigningKey, place: int, bit: int) -> None:
    wish = Wish("zonnewijk", "gw-01", 1, NOW_S, SLOWER)
    payload = bytearray(encode_wish(wish, key))
    payload[place % len(payload)] ^= 1 << bit

    try:
        read = decode_wish(bytes(payload), key.public)
    except (ContractError, InputError):
        return
    assert read == wish  # a bit of the packing that changes no byte of what was signed


@pytest.mark.parametrize(
    "changes",
    [
        '[[battery]]\nhost = "192.0.2.11"\ncharge_max_w = 50000\n',
        "[[battery]]\nsoc_min_permille = 0\n",
        "[[battery]]\nramp_w_per_s = 100000\n",
        "[[battery]]\nexport_max_w = 100000\n",
        '[[p1]]\naddress = "/dev/ttyUSB0"\nfuse_a = 80\n',
        '[[battery]]\ndevice = "second"\nhost = "192.0.2.12"\n',
        '[broker]\nurl = "mqtt://192.0.2.66"\n',
        '[care]\nconfig_key_file = "mine.pub"\n',
        'gateway = "gw-02"\n',
        'folder = "/tmp"\n',
    ],
)
def test_limits_broker_keys_and_names_are_refused_from_afar(pi: Pi, changes: str) -> None:
    assert not pi.wish(pi.wishes(1, changes))

    assert pi.told()[:3] == (Stage.REFUSED, 1, 0)
    assert "in the home" in pi.told()[3]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ('[[modbus]]\ndevice = "inverter"\nhost = "a"\nevery_s = -1\n', "every_s is '-1'"),
        ('[[modbus]]\ndevice = "x"\nhost = "a"\nprofile = "none-such"\n', "profile"),
        ("p1 = 3\n", "p1 must be a list of tables"),
        ("[[p1]\n", "no TOML"),
        ("a" * 100, "no TOML"),
    ],
)
def test_changes_that_the_gateway_could_not_run_with_are_refused(
    pi: Pi, changes: str, why: str
) -> None:
    assert not pi.wish(pi.wishes(1, changes))

    assert why in pi.told()[3]
    assert pi.wish(pi.wishes(1, SLOWER))  # nothing was tried, so the version is still free


def test_a_battery_keeps_its_limits_where_its_address_changes() -> None:
    merged = laid_over(tomllib.loads(HOME), '[[battery]]\nhost = "192.0.2.20"\n')

    assert merged["battery"] == [
        {
            "host": "192.0.2.20",
            "charge_max_w": 5000,
            "discharge_max_w": 4000,
            "import_max_w": 17000,
        }
    ]


def test_two_batteries_cannot_be_swapped_under_each_others_limits() -> None:
    home = tomllib.loads(HOME + '[[battery]]\ndevice = "small"\nhost = "192.0.2.12"\n')

    with pytest.raises(NotFromAfarError, match="take the place of 'battery'"):
        laid_over(home, '[[battery]]\ndevice = "small"\nhost = "192.0.2.11"\n')


def test_a_device_with_a_key_of_the_home_cannot_be_left_out() -> None:
    home = tomllib.loads(HOME.replace("[[modbus]]", "fuse_a = 25\n[[modbus]]"))

    with pytest.raises(NotFromAfarError, match="fuse_a of the home"):
        laid_over(home, '[[p1]]\ndevice = "p1-new"\naddress = "/dev/ttyUSB0"\n')
    assert laid_over(home, MOVED_P1)["p1"] == [{"address": "socket://127.0.0.1:2002", "fuse_a": 25}]


def test_a_damaged_file_is_set_aside_and_the_home_holds(pi: Pi) -> None:
    pi.wish(pi.wishes(1, SLOWER))
    (pi.folder / "settings-from-afar.json").write_text('{"trial": ')

    pi.boot()

    assert pi.settings["modbus"] == [{"device": "inverter", "host": "192.0.2.10"}]
    assert (pi.folder / "settings-from-afar.damaged").exists()


def test_wherever_the_power_goes_the_old_settings_hold_or_the_new(
    tmp_path: Path, key: SigningKey
) -> None:
    cuts = 0
    for place in range(14):
        folder = tmp_path / str(place)
        folder.mkdir()
        pi = Pi(folder, key, CutDisk())
        pi.wish(pi.wishes(1, SLOWER))
        pi.begin()
        pi.care.look()
        pi.disk = CutDisk(place, seed=place)
        try:
            pi.boot()
            pi.wish(pi.wishes(2, "live_every_s = 5\n"))
            pi.begin()
            pi.care.look()
        except PowerCutError:
            cuts += 1
        pi.disk = CutDisk()
        pi.boot()

        new = pi.settings.get("live_every_s") == 5
        old = pi.settings["modbus"] == [{"device": "inverter", "host": "192.0.2.10", "every_s": 30}]
        assert new != old, place
        assert json.loads((folder / "settings-from-afar.json").read_text())["highest"] in {1, 2}
    assert cuts == 12  # accepted, started, confirmed: each written, synced, named, synced
