"""What goes wrong is told once, what is ours is let go, and no meter waits for a battery."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.steer.battery import SteeredBattery
from gateway.steer.budget import WriteBudget
from gateway.steer.control import Limits
from gateway.steer.steering import StorageSteering, UnsayableSetpointError, towards_zero
from gateway.steer.way import Way, profile_way, sunspec_way
from hardware.profile import load_profile
from hardware.registers import HOLDING, Image, RegistersRefusedError, Words
from hardware.sunspec import find_chain
from hardware.twins.battery import BatteryTwin, Fault
from hardware.twins.cell import CellLimits
from hardware.twins.sunspec_image import device_words, model_words
from hardware.twins.vendor_battery import StorEdgeBattery, SungrowBattery, VendorBattery
from kwartier.clock import VirtualClock
from kwartier.errors import LinkDownError
from kwartier.events import Event, EventKind
from kwartier.reading import Reading, Schedule, Step
from kwartier.schedule import Outcome, Response

NOON_S = 1_782_900_000
PATIENCE_S = 60.0


class Wire:
    """A twin's registers without a socket between."""

    def __init__(self, twin: BatteryTwin | VendorBattery) -> None:
        self.twin = twin
        self.writes = 0
        self.away = False

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        if self.away:
            raise LinkDownError("nobody answers")
        return Image.of_blocks("twin", self.twin.spans()).read(address, count, function_code)

    def write(self, address: int, words: Words, function_code: int = 16) -> None:
        assert function_code == 16 or len(words) == 1
        self.writes += 1
        if self.twin.write(address, words):
            raise RegistersRefusedError("twin", address, len(words), "refused")


class Home:
    def __init__(self, folder: Path, profile: str | None = None) -> None:
        self.folder = folder
        self.clock = VirtualClock(NOON_S)
        cell = CellLimits(100_000, 5_000, 5_000)
        makes = {"sungrow_sh": SungrowBattery, "solaredge_hybrid": StorEdgeBattery}
        self.twin = (
            BatteryTwin(self.clock, cell) if profile is None else makes[profile](self.clock, cell)
        )
        self.profile = profile
        self.wire = Wire(self.twin)
        self.news: list[Response] = []
        self.events: list[Event] = []

    def gateway(self, limits: Limits | None = None, way: Way | None = None) -> SteeredBattery:
        if self.profile is not None:
            profile = load_profile(self.profile)
            way = profile_way(self.wire, "battery", profile, self.clock, self.folder)
        return SteeredBattery(
            self.wire,
            "battery",
            limits or Limits(5_000, 5_000),
            self.clock,
            self.folder / "battery.json",
            take=lambda _: None,
            tell=self.news.append,
            event=self.events.append,
            way=way,
        )

    def pass_time(self, seconds: int, battery: SteeredBattery, step_s: int = 5) -> None:
        for _ in range(seconds // step_s):
            self.clock.advance(step_s)
            battery.turn()

    @property
    def failed(self) -> list[str]:
        return [one.reason for one in self.news if one.outcome is Outcome.FAILED]


def schedule(power_w: int, lease_s: int = 3_600) -> Schedule:
    return Schedule("battery", 1, "plan-1", (Step(NOON_S, power_w, lease_s),))


def test_a_trouble_that_lasts_is_one_event(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.twin.faults.add(Fault.DEAF)
    battery = home.gateway()
    battery.accept(schedule(2_000))

    home.pass_time(600, battery)

    (event,) = home.events
    assert (event.kind, event.device) == (EventKind.STEERING_FAILED, "battery")
    assert event.reason.startswith("steering failed: told 2000 W, it does 0 W")
    assert len(home.failed) > 2


def test_another_trouble_and_one_that_comes_back_are_new_events(tmp_path: Path) -> None:
    home = Home(tmp_path)
    battery = home.gateway()
    battery.accept(schedule(2_000))
    home.twin.faults.add(Fault.DEAF)
    home.pass_time(120, battery)
    home.twin.faults = {Fault.REFUSES}
    home.pass_time(120, battery)
    home.twin.faults = set()
    home.pass_time(1_200, battery, step_s=60)

    home.twin.faults.add(Fault.DEAF)
    home.pass_time(120, battery)

    assert [event.reason.split(":")[0] for event in home.events] == [
        "steering failed",
        "the battery refused",
        "steering failed",
    ]


def test_a_scale_factor_that_is_not_there_yet_is_waited_for_and_steers_nothing(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path)
    home.twin.faults.add(Fault.UNSCALED)
    battery = home.gateway()
    battery.accept(schedule(2_000))
    home.pass_time(60, battery)
    written_before = home.wire.writes

    home.twin.faults = set()
    home.pass_time(60, battery)

    assert written_before == 0
    assert home.twin.power_w == 2_000


def test_a_battery_that_refuses_to_be_let_go_is_told_of_once_a_minute(tmp_path: Path) -> None:
    home = Home(tmp_path)
    battery = home.gateway()
    battery.accept(schedule(2_000, lease_s=60))
    battery.turn()
    home.twin.faults.add(Fault.REFUSES)

    for _ in range(120):
        home.clock.advance(1)
        battery.turn()

    assert len(home.failed) <= 2
    assert home.twin.power_w == 0


def test_a_full_disk_does_not_leave_the_battery_at_a_power_that_is_too_much(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    home = Home(folder)
    battery = home.gateway(Limits(5_000, 5_000, import_max_w=6_000))
    battery.see_grid(word(500))
    battery.accept(schedule(4_000))
    battery.turn()
    assert home.twin.power_w == 4_000

    shutil.move(folder, tmp_path / "away")
    home.clock.advance(6)
    battery.see_grid(word(8_500))  # somebody cooks: 4500 W without the battery
    battery.turn()

    assert home.twin.power_w == 0
    assert "cannot be written" in home.failed[-1]


def test_a_release_goes_on_when_it_cannot_be_counted_on_disk(tmp_path: Path) -> None:
    budget = WriteBudget(tmp_path / "away" / "writes.json", VirtualClock(NOON_S), most=30)

    for _ in range(30):
        budget.spend([13_049], release=True)

    assert budget.left(13_049) == 0


@pytest.mark.parametrize("permille", [1_001, 65_535, -1])
def test_a_state_of_charge_that_cannot_be_counts_as_unknown(tmp_path: Path, permille: int) -> None:
    home = Home(tmp_path)
    plain = sunspec_way(home.wire, "battery", home.clock)

    class Odd:
        def read(self) -> Reading:
            reading = plain.poll.read()
            return replace(reading, values={**reading.values, "soc_permille": permille})

    battery = home.gateway(way=replace(plain, poll=Odd()))
    battery.accept(schedule(-2_000))

    battery.turn()

    assert home.twin.power_w == 0
    assert battery.mode.value == "neutral"


@pytest.mark.parametrize("profile", ["sungrow_sh", "solaredge_hybrid"])
def test_another_make_s_set_point_of_somebody_else_is_told_of_while_nothing_is_steered(
    tmp_path: Path, profile: str
) -> None:
    home = Home(tmp_path, profile)
    battery = home.gateway()
    home.pass_time(60, battery)
    assert home.events == []

    other = profile_way(home.wire, "other", load_profile(profile), home.clock, tmp_path)
    steering = other.steering()
    assert steering is not None
    steering.setpoint(1_100, 90)
    home.pass_time(30, battery)

    (event,) = home.events
    assert event.reason.startswith("foreign write: the battery holds 1100 W and we wrote nothing")
    assert home.twin.power_w == 1_100


def test_a_battery_that_was_away_at_the_end_of_its_plan_is_let_go_when_it_is_back(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path, "solaredge_hybrid")
    battery = home.gateway()
    battery.accept(schedule(2_000, lease_s=60))
    battery.turn()

    home.wire.away = True
    home.pass_time(600, battery)
    home.wire.away = False
    home.pass_time(30, battery)

    assert isinstance(home.twin, StorEdgeBattery)
    assert home.twin.get(0xE004) == [1]  # its own mode again
    assert home.events == []
    assert home.news[-1].outcome is Outcome.NEUTRAL


def test_the_meter_is_heard_while_the_battery_does_not_answer(tmp_path: Path) -> None:
    home = Home(tmp_path)
    asked, let_go = threading.Event(), threading.Event()

    class Slow:
        def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
            asked.set()
            assert let_go.wait(PATIENCE_S)
            return home.wire.read(address, count, function_code)

        def write(self, address: int, words: Words, function_code: int = 16) -> None:
            home.wire.write(address, words, function_code)

    battery = SteeredBattery(
        Slow(),
        "battery",
        Limits(5_000, 5_000),
        home.clock,
        tmp_path / "battery.json",
        take=lambda _: None,
        tell=home.news.append,
    )
    battery.start()
    assert asked.wait(PATIENCE_S)

    battery.see_grid(word(500))  # returns, or this test never ends

    let_go.set()
    battery.stop()


def test_import_and_export_at_once_are_told_as_their_difference(tmp_path: Path) -> None:
    home = Home(tmp_path)
    battery = home.gateway(Limits(5_000, 5_000, import_max_w=2_000))
    battery.see_grid(Reading("p1", "", NOON_S, {"import_w": 3_000, "export_w": 1_800}))
    battery.accept(schedule(4_000))

    battery.turn()

    assert home.twin.power_w == 800


def test_one_side_of_model_124_that_somebody_holds_is_his_set_point() -> None:
    points = {"WChaMax": 5_000, "WChaMax_SF": 0, "InWRte": 2_000, "OutWRte": 3_000}
    held = []
    for mode in (0, 1, 2, 3):
        words = device_words(
            [model_words(124, {**points, "StorCtl_Mod": mode, "InOutWRte_SF": -2})]
        )
        image = Image.of_blocks("one", [(40_000, words)])
        chain = find_chain(image)
        assert chain is not None
        place = chain.first(124)
        assert place is not None
        held.append(StorageSteering(ReadOnly(image), place).read_back().power_w)

    assert held == [None, 1_000, -1_500, 1_000]


class ReadOnly:
    def __init__(self, image: Image) -> None:
        self.read = image.read

    def write(self, address: int, words: Words, function_code: int = 16) -> None:
        raise AssertionError((address, words, function_code))


def test_a_scale_that_leaves_no_room_for_a_number_is_told_and_no_sign_turns() -> None:
    assert towards_zero(-5_000, 0, 1) == -5_000
    assert towards_zero(-32_768, 0, 1) == -32_768
    with pytest.raises(UnsayableSetpointError, match="cannot say -32769"):
        towards_zero(-32_769, 0, 1)
    with pytest.raises(UnsayableSetpointError):
        towards_zero(5_000, -7, 2)


def word(taken_w: int) -> Reading:
    return Reading("p1", "", NOON_S, {"import_w": taken_w, "export_w": 0})
