"""Batteries behind homes' own meters are planned with the home's leave, fuse and reserve."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from api.broker import BrokerProcess, mosquitto_program
from api.forecasts.homes import HomeForecast
from api.planner import Planner
from api.planning.homes import expected_alone, planned_homes
from api.planning.leave import RELEASED
from api.planning.parts import Part
from api.plans import MadeBecause, NeighbourhoodPlan
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey, Latest
from gateway.modbus.link import LinkSettings, ModbusLink
from gateway.steer.battery import SteeredBattery
from gateway.steer.limits import Limits
from hardware.twins.battery import BatteryTwin
from hardware.twins.cell import CellLimits
from hardware.twins.modbus_server import ModbusServer
from kwartier.bus import Message
from kwartier.errors import StoreBusyError
from kwartier.interval import QUARTER_S
from kwartier.model import Battery, Community
from kwartier.mqtt import MqttBus, Session
from kwartier.reading import Reading, Schedule
from kwartier.schedule import MAX_LEASE_S, Outcome, decode_schedule
from kwartier.units import Wh
from optimizer.dispatch import plan
from optimizer.forecast import Forecast
from optimizer.plan import Plan
from optimizer.problem import Problem
from tests.api.planning import HOMES, Scene, charge_of, scene, use_in
from tests.api.street import community_of, feed

DAY_S = 86_400
NOW_S = int(datetime(2026, 7, 8, 10, 5, tzinfo=UTC).timestamp())
START_S = NOW_S - 300
USE_WH = 100
"""What each home uses in a quarter."""


def battery_at(home: int, *, steered: bool = True, reserve_permille: int = 0) -> Battery:
    """Return the battery of a home, 10 kWh and 5 kW."""
    return Battery(
        f"thuis-{home:02}",
        f"gw-{home:02}",
        "battery",
        10_000,
        5_000,
        5_000,
        reserve_permille=reserve_permille,
        home=f"huis-{home + 1:02}",
        steered=steered,
    )


def with_batteries(*batteries: Battery, **limits_w: int) -> Community:
    """Return ten homes, a shared battery and those of some homes; fuses by home."""
    street = community_of(HOMES, solar_every=HOMES + 1)
    connections = {
        name: replace(one, limit_w=limits_w.get(name.replace("-", "_"), one.limit_w))
        for name, one in street.connections.items()
    }
    return replace(
        street, connections=connections, home_batteries={one.id: one for one in batteries}
    )


@contextmanager
def lived(folder: Path, community: Community, days: int = 2) -> Iterator[Scene]:
    """Yield a street in which homes used 100 Wh a quarter; batteries of homes were half full."""
    with scene(folder, NOW_S, community=community) as street:
        for home in range(HOMES):
            use_in(street, home, START_S - days * DAY_S, START_S, 1, USE_WH)
        charge_of(street, NOW_S - 5, 500)
        for battery in community.home_batteries.values():
            stands_still(street, battery, days)
        yield street


def stands_still(street: Scene, battery: Battery, days: int, permille: int = 500) -> None:
    """Put a battery on record that did nothing for some days."""
    edges = range(START_S - days * DAY_S, START_S + 1, QUARTER_S)
    still = {"charged_wh": 5_000, "discharged_wh": 4_000}
    readings = [Reading("battery", "b", at_s, dict(still)) for at_s in edges]
    full = {"soc_permille": permille, "battery_w": 0}
    feed(street.store, battery.gateway, 2, [*readings, Reading("battery", "b", NOW_S - 5, full)])


def kept_wh(street: Scene, gateway: str) -> Wh:
    """Return what the newest set-points of a day add to a battery, AC side [Wh]."""
    return sum(step.power_w for step in street.sent_to[gateway][-1].steps) // 4


def test_each_home_is_sent_its_own_day_and_nobody_else_sees_it(tmp_path: Path) -> None:
    with lived(tmp_path, with_batteries(battery_at(2), battery_at(7))) as street:
        plan = street.planner().plan_now()

    assert plan is not None
    assert set(street.sent_to) == {"gw-accu", "gw-02", "gw-07"}
    for gateway in ("gw-02", "gw-07"):
        (schedule,) = street.sent_to[gateway]
        assert schedule.plan == plan.name
        assert len(schedule.steps) == 96
        assert all(0 < step.lease_s <= MAX_LEASE_S for step in schedule.steps)
        assert all(step.grid_w is None for step in schedule.steps)
        assert any(step.power_w for step in schedule.steps)
    (shared,) = street.sent_to["gw-accu"]
    assert [one.battery_w for one in plan.quarters[:96]] == [one.power_w for one in shared.steps]
    assert {block.battery for block in plan.blocks} == {"wijkbatterij"}
    assert {quarter.use_wh for quarter in plan.quarters} == {HOMES * USE_WH}
    assert plan.cost_eur < plan.cost_without_battery_eur
    assert plan.cost_eur == int(plan.cost_eur)  # to the cent it would tell what two homes save


def test_six_homes_with_a_battery_are_in_the_sum_that_all_see(tmp_path: Path) -> None:
    with lived(tmp_path, with_batteries(*map(battery_at, range(6)))) as street:
        plan = street.planner().plan_now()

    assert plan is not None
    sums = [
        sum(sent[-1].steps[place].power_w for sent in street.sent_to.values())
        for place in range(96)
    ]
    # Each is rounded by itself.
    assert all(
        abs(one.battery_w - total) <= 4 for one, total in zip(plan.quarters, sums, strict=False)
    )
    assert {block.battery for block in plan.blocks} == {"wijkbatterij"}


def test_a_battery_that_comes_or_goes_with_a_restart_shows_in_no_two_plans(tmp_path: Path) -> None:
    six, seven = ([*map(battery_at, range(count))] for count in (6, 7))
    with lived(tmp_path, with_batteries(*seven)) as street:
        street.community = with_batteries(*six)
        before = street.planner().plan_now()
        street.community = with_batteries(*seven)
        came = street.planner().plan_now()
        apart = [street.sent_to[f"gw-{home:02}"][-1] for home in range(6)]
        street.community = with_batteries(*six)
        went = street.planner().plan_now()

    assert before is not None
    assert came is not None
    assert went is not None
    shared = street.sent_to["gw-accu"]
    sums = [sum(one.steps[place].power_w for one in [shared[1], *apart]) for place in range(96)]
    assert all(
        abs(one.battery_w - total) <= 4 for one, total in zip(came.quarters, sums, strict=False)
    )
    assert [one.battery_w for one in went.quarters[:96]] == [one.power_w for one in shared[2].steps]


def test_a_battery_whose_home_never_allowed_it_is_told_nothing(tmp_path: Path) -> None:
    with lived(tmp_path, with_batteries(battery_at(2, steered=False))) as street:
        street.planner().plan_now()

    assert "gw-02" not in street.sent_to


def test_after_a_restart_a_battery_is_let_go_until_its_last_setpoint_would_have_ended(
    tmp_path: Path,
) -> None:
    with lived(tmp_path, with_batteries(battery_at(2))) as street:
        street.planner().plan_now()
        start_s = street.sent_to["gw-02"][0].steps[0].start_s
        street.community = with_batteries(battery_at(2, steered=False))
        planner = street.planner()
        street.clock.advance(DAY_S / 2)
        planner.plan_now()
        street.clock.advance(start_s + DAY_S - 1 - street.clock.now_s())
        planner.plan_now()
        street.clock.advance(1)
        planner.plan_now()

    _, *later = street.sent_to["gw-02"]
    assert [(one.plan, one.steps) for one in later] == [(RELEASED, ())] * 2


def test_leave_that_is_taken_back_lets_the_battery_go_at_once(tmp_path: Path) -> None:
    community = with_batteries(battery_at(2))
    path = tmp_path / "street.toml"
    path.write_text(written(community))
    with lived(tmp_path, community) as street:
        planner = street.planner(street_file=path)
        planner.plan_now()
        path.write_text(written(community, steered=False))
        street.clock.advance(61)
        plan = planner.turn()

    assert plan is not None
    assert plan.made_because is MadeBecause.LIMIT
    first, last = street.sent_to["gw-02"]
    assert any(step.power_w for step in first.steps)
    assert (last.plan, last.steps) == (RELEASED, ())


def written(community: Community, *, steered: bool = True, homes: int = HOMES) -> str:
    """Return a neighbourhood as its file: some of its homes, and all of its batteries."""
    rows = [
        f'[[connection]]\nid = "{one.id}"\nmember = "{one.member}"\ngateway = "{one.gateway}"\n'
        for one in list(community.connections.values())[:homes]
    ]
    for battery in community.every_battery.values():
        own = f'home = "{battery.home}"\nsteered = {str(steered).lower()}\n'
        rows.append(
            f"""[[battery]]
id = "{battery.id}"
gateway = "{battery.gateway}"
device = "battery"
capacity_wh = {battery.capacity_wh}
charge_max_w = {battery.charge_max_w}
discharge_max_w = {battery.discharge_max_w}
{own if battery.home else ""}"""
        )
    return 'coop = "zonnehof"\nname = "Zonnehof"\n' + "".join(rows)


def told_in(street: Scene, gateway: str) -> list[tuple[str, bool]]:
    """Return the plans that a gateway was sent, and whether each holds set-points."""
    return [
        ("released" if one.plan == RELEASED else "plan", bool(one.steps))
        for one in street.sent_to.get(gateway, [])
    ]


def planned_by_file(street: Scene, *files: str) -> list[NeighbourhoodPlan | None]:
    """Plan by a street's own file, and look again a minute after each change of it."""
    path = street.folder / "street.toml"
    path.write_text(written(street.community))
    planner = street.planner(street_file=path)
    planner.plan_now()
    made = []
    for text in files:
        path.write_text(text)
        street.clock.advance(61)
        made.append(planner.turn())
    return made


def test_a_battery_that_is_gone_from_the_file_is_let_go_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    community = with_batteries(battery_at(2), battery_at(7))
    empty = written(replace(community, batteries={}, home_batteries={}))
    with lived(tmp_path, community) as street:
        planned_by_file(street, empty, empty + "# saved again")

    for gateway in ("gw-02", "gw-07", "gw-accu"):
        first, *later = told_in(street, gateway)
        assert first == ("plan", True)
        assert set(later) == {("released", False)}
    said = [one.message for one in caplog.records if "is let go" in one.message]
    assert [line.split(" at gateway")[0] for line in said] == [
        "battery thuis-02",
        "battery thuis-07",
        "battery wijkbatterij",
    ]
    assert all("in the neighbourhood's file no more" in line for line in said)


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param(
            lambda text: text.replace('home = "huis-03"\n', ""), id="its home is not named"
        ),
        pytest.param(
            lambda text: text.replace('id = "huis-03"', 'id = "huis-99"'), id="no such home"
        ),
        pytest.param(
            lambda text: "limits = 1\n" + text.replace("steered = true", "steered = false"),
            id="taken back in a file that is wrong elsewhere",
        ),
    ],
)
def test_leave_that_a_wrong_file_gives_no_more_is_gone_all_the_same(
    gone: Callable[[str], str], tmp_path: Path
) -> None:
    community = with_batteries(battery_at(2))
    with lived(tmp_path, community) as street:
        planned_by_file(street, gone(written(community)), written(community))

    assert told_in(street, "gw-02") == [("plan", True), ("released", False), ("plan", True)]
    assert ("released", False) not in told_in(street, "gw-accu")


def test_a_battery_that_moves_to_another_device_is_let_go_where_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    community = with_batteries(battery_at(2))
    with lived(tmp_path, community) as street:
        planned_by_file(street, written(community).replace('"battery"', '"battery-2"'))

    for gateway in ("gw-02", "gw-accu"):
        assert told_in(street, gateway)[:2] == [("plan", True), ("released", False)]
    assert caplog.text.count("names it otherwise") == 2


def test_a_file_that_changed_while_the_server_started_holds_too(tmp_path: Path) -> None:
    community, file = with_batteries(battery_at(2)), tmp_path / "street.toml"
    with lived(tmp_path, community) as street:
        file.write_text(written(community, steered=False))
        plan = street.planner(street_file=file).plan_now()

    assert plan is not None
    assert set(street.sent_to) == {"gw-accu"}


def test_a_file_that_is_no_toml_changes_nothing(tmp_path: Path) -> None:
    with lived(tmp_path, with_batteries(battery_at(2))) as street:
        made = planned_by_file(street, "coop = ")

    assert made == [None]
    assert told_in(street, "gw-02") == [("plan", True)]


def test_after_a_restart_without_its_line_a_battery_is_let_go_where_it_was(tmp_path: Path) -> None:
    community = with_batteries(battery_at(2), battery_at(7))
    with lived(tmp_path, community) as street:
        street.planner().plan_now()
        # The one is gone, the other has moved to another home with its name.
        street.community = with_batteries(replace(battery_at(5), id="thuis-07"))
        street.planner().plan_now()
        street.clock.advance(DAY_S)
        street.planner().plan_now()  # no set-point is left to be forgotten

    assert told_in(street, "gw-02") == [("plan", True), ("released", False)]
    assert told_in(street, "gw-07") == [("plan", True), ("released", False)]


def test_a_battery_whose_home_is_away_is_not_steered_as_a_shared_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    community = with_batteries(battery_at(2))
    (own,) = community.home_batteries.values()
    shared = replace(own, home=None, steered=False)
    with lived(tmp_path, community) as street:
        street.planner().plan_now()
        stray = {**community.batteries, shared.id: shared}
        street.community = replace(community, batteries=stray, home_batteries={})
        street.planner().plan_now()
        renamed = {**community.batteries, "schuur": replace(shared, id="schuur")}
        street.community = replace(street.community, batteries=renamed)
        street.planner().plan_now()

    assert told_in(street, "gw-02") == [("plan", True), ("released", False), ("plan", True)]
    assert "battery thuis-02 is not planned: it was a home's" in caplog.text


def test_a_resident_who_takes_leave_back_is_let_go_of_with_the_next_plan(tmp_path: Path) -> None:
    community, refusing = with_batteries(battery_at(2), battery_at(7)), set[str]()
    with lived(tmp_path, community) as street:
        planner = street.planner(refusing=lambda: frozenset(refusing))
        planner.plan_now()
        refusing.add("huis-03")
        street.clock.advance(61)
        plan = planner.turn()
        refusing.clear()
        street.clock.advance(61)
        planner.turn()

    assert plan is not None
    assert plan.made_because is MadeBecause.LIMIT
    assert told_in(street, "gw-02") == [("plan", True), ("released", False), ("plan", True)]
    assert told_in(street, "gw-07") == [("plan", True)] * 3


def test_who_says_no_while_a_plan_is_made_is_sent_nothing_of_it(tmp_path: Path) -> None:
    community, refusing = with_batteries(battery_at(2), battery_at(7)), set[str]()

    def make(problem: Problem) -> Plan:
        refusing.add("huis-03")
        return plan(problem)

    with lived(tmp_path, community) as street:
        planner = street.planner(refusing=lambda: frozenset(refusing), make=make)
        made = planner.plan_now()
        street.clock.advance(61)
        later = planner.turn()

    assert made is not None
    assert later is not None
    assert set(street.sent_to) == {"gw-accu", "gw-07"}


class FailingStore(SqliteStore):
    """A record on a disk that fails as soon as it is said to."""

    fails = False

    def latest(self, keys: Collection[DeviceKey] | None = None) -> list[Latest]:
        """Return what is newest, or what a failing disk gives."""
        if self.fails:
            raise StoreBusyError("the record cannot be read now: disk I/O error")
        return super().latest(keys)


def test_a_battery_is_let_go_though_the_record_cannot_be_read(tmp_path: Path) -> None:
    community, refusing = with_batteries(battery_at(2)), set[str]()
    with (
        lived(tmp_path, community) as street,
        FailingStore(tmp_path / "telemetry.db", read_only=True) as failing,
    ):
        street.store = failing
        planner = street.planner(refusing=lambda: frozenset(refusing))
        planner.plan_now()
        failing.fails = True
        refusing.add("huis-03")
        street.clock.advance(61)
        with pytest.raises(StoreBusyError):
            planner.turn()

    assert told_in(street, "gw-02") == [("plan", True), ("released", False)]


def test_what_is_to_be_forgotten_is_told_once_a_quarter_while_there_is_no_plan(
    tmp_path: Path,
) -> None:
    community, refusing = with_batteries(battery_at(2)), set[str]()
    with lived(tmp_path, community) as street:
        planner = street.planner(refusing=lambda: frozenset(refusing))
        planner.plan_now()
        refusing.add("huis-03")
        street.clock.advance(QUARTER_S * 3)  # no battery was heard of in half an hour
        for _ in range(10):
            assert planner.turn() is None
            street.clock.advance(5)
        told = told_in(street, "gw-02")
        street.clock.advance(QUARTER_S)
        planner.turn()

    assert told == [("plan", True), ("released", False)]
    assert told_in(street, "gw-02") == [*told, ("released", False)]


def test_who_took_leave_back_is_remembered_while_their_book_is_busy(tmp_path: Path) -> None:
    answers: list[frozenset[str] | None] = [None]

    def refusing() -> frozenset[str]:
        if answers[0] is None:
            raise StoreBusyError("the book of people cannot be reached now")
        return answers[0]

    with lived(tmp_path, with_batteries(battery_at(2))) as street:
        planner = street.planner(refusing=refusing)
        with pytest.raises(StoreBusyError):
            planner.plan_now()
        answers[0] = frozenset({"huis-03"})
        planner.plan_now()
        answers[0] = None
        planner.plan_now()

    assert "gw-02" not in street.sent_to
    assert len(street.sent_to["gw-accu"]) == 2


def test_a_home_is_never_planned_over_its_fuse(tmp_path: Path) -> None:
    narrow = with_batteries(battery_at(2), battery_at(7), huis_03=3_000)
    with lived(tmp_path, narrow) as street:
        planner = street.planner()
        plan = planner.plan_now()

    assert plan is not None
    assert plan.status == "optimal"
    # 400 W is used in the home, so 2,600 W are left for charging; nothing is made there.
    powers = [step.power_w for step in street.sent_to["gw-02"][-1].steps]
    assert max(powers) == 2_600
    assert min(powers) >= -3_400
    assert max(step.power_w for step in street.sent_to["gw-07"][-1].steps) == 5_000


def test_what_a_home_keeps_for_itself_gives_way_to_no_limit_of_the_street(tmp_path: Path) -> None:
    keeps = with_batteries(battery_at(2, reserve_permille=500))
    # All homes use 4 kW together and no more than 1 kW is carried: every battery is called upon.
    with lived(tmp_path, replace(keeps, batteries={}, import_limit_w=1_000)) as street:
        plan = street.planner().plan_now()

    assert plan is not None
    assert plan.status == "relaxed"
    stored = 5_000.0
    for step in street.sent_to["gw-02"][-1].steps:
        stored += step.power_w / 4 * (0.96 if step.power_w > 0 else 1 / 0.955)
        assert stored >= 5_000 - 10


def test_others_are_planned_while_one_is_silent_and_it_is_once_it_is_back(tmp_path: Path) -> None:
    community = with_batteries(battery_at(2), battery_at(7))
    with scene(tmp_path, NOW_S, community=community) as street:
        for home in range(HOMES):
            use_in(street, home, START_S - DAY_S, START_S, 1, USE_WH)
        stands_still(street, battery_at(7), 1)
        stands_still(street, battery_at(2), 0, permille=900)
        planner = street.planner()
        planner.plan_now()
        assert set(street.sent_to) == {"gw-02", "gw-07"}
        assert kept_wh(street, "gw-02") < kept_wh(street, "gw-07")

        charge_of(street, NOW_S + 30, 500)
        street.clock.advance(61)
        plan = planner.turn()

    assert plan is not None
    assert plan.made_because is MadeBecause.DEVICE
    assert len(street.sent_to["gw-accu"]) == 1


def test_what_is_expected_of_a_home_by_itself_goes_before_its_part_of_the_street() -> None:
    community = with_batteries(battery_at(2), battery_at(7))
    street, tenth = (np.full(4, 5.0), np.zeros(4)), np.full(96, 0.1)
    parts = {name: Part(tenth, tenth) for name in ("huis-03", "huis-08")}
    used, none = forecast(6.0), forecast(0.0)

    apart = expected_alone(street, START_S, parts, {"huis-08": HomeForecast(used, none)})
    homes = planned_homes(
        community,
        {name: [one] for one in community.home_batteries.values() if (name := one.home)},
        START_S,
        street,
        {},
        apart,
        apart,
    )

    assert {one.id: float(np.asarray(one.load_kw)[0]) for one in homes} == {
        "homes": 0.0,  # never below zero
        "home-of-huis-03": 0.5,
        "home-of-huis-08": 6.0,
    }


def forecast(kw: float) -> Forecast:
    """Return a forecast that is sure of itself."""
    sure = np.full(4, kw)
    return Forecast(sure, sure, sure, np.full(4, 28))


@dataclass(frozen=True, slots=True)
class AtHome:
    """A home's battery on a real Modbus server, at the end of a real broker.

    Attributes:
        planner: Plans for the street.
        file: The neighbourhood's.
        heard: What came to the gateway.
        battery: The gateway's half.
        twin: The battery itself.
    """

    planner: Planner
    file: Path
    heard: queue.Queue[Message]
    battery: SteeredBattery
    twin: BatteryTwin

    def take(self) -> Schedule:
        """Let the gateway take what it was sent, and return it."""
        told = decode_schedule(self.heard.get(timeout=60).payload)
        assert self.battery.accept(told).outcome is Outcome.ACCEPTED
        self.battery.turn()
        return told


@contextmanager
def at_home(street: Scene) -> Iterator[AtHome]:
    """Yield the battery of gw-02 with all that leads to it."""
    folder, file = street.folder, street.folder / "street.toml"
    heard: queue.Queue[Message] = queue.Queue()
    with ExitStack() as parts:
        broker = BrokerProcess.on_spare_port(folder)
        parts.callback(broker.stop)
        gateway = MqttBus(broker.broker, Session("gw-02"))
        parts.callback(gateway.close)
        gateway.subscribe("nec/v1/zonnehof/gw-02/cmd/battery", heard.put)
        bus = MqttBus(broker.broker, Session("planner"))
        parts.callback(bus.close)
        ready = threading.Event()
        gateway.subscribe("probe", lambda _: ready.set())  # what was subscribed before holds too
        assert bus.wait_until_up(60)
        assert any(_heard(bus, ready) for _ in range(600))
        twin = BatteryTwin(street.clock, CellLimits(10_000, 5_000, 5_000))
        server = ModbusServer([twin]).start()
        parts.callback(server.stop)
        link = ModbusLink(LinkSettings("127.0.0.1", server.port))
        parts.callback(link.close)
        battery = SteeredBattery(
            link.unit(1),
            "battery",
            Limits(5_000, 5_000, full_power_s=0),
            street.clock,
            folder / "battery.json",
            take=lambda _: None,
            tell=lambda _: None,
        )
        parts.callback(battery.stop)
        file.write_text(written(street.community))
        yield AtHome(street.planner(bus, street_file=file), file, heard, battery, twin)


@pytest.mark.broker
@pytest.mark.parametrize("how", ["taken back", "gone from the file"])
def test_over_a_broker_a_homes_battery_does_its_plan_and_is_let_go(
    how: str, tmp_path: Path
) -> None:
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed")
    community = with_batteries(battery_at(2))
    later = written(community, steered=False)
    if how == "gone from the file":
        later = written(replace(community, home_batteries={}))
    with lived(tmp_path, community) as street, at_home(street) as home:
        home.planner.plan_now()
        told = home.take()
        step = next(one for one in told.steps if one.power_w)
        street.clock.advance(max(0.0, step.start_s - street.clock.now_s()))
        home.battery.turn()
        obeyed_w = home.twin.power_w
        home.file.write_text(later)
        home.planner.plan_now()
        told = home.take()

        assert obeyed_w == step.power_w
        assert (told.plan, told.steps) == (RELEASED, ())
        assert home.twin.power_w == 0


@pytest.mark.broker
def test_over_a_broker_a_battery_that_hears_no_more_is_free_when_its_day_is_over(
    tmp_path: Path,
) -> None:
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed")
    with lived(tmp_path, with_batteries(battery_at(2))) as street, at_home(street) as home:
        home.planner.plan_now()
        steps = home.take().steps
        last = max(place for place, one in enumerate(steps) if one.power_w)
        street.clock.advance(max(0.0, steps[last].start_s + 1 - street.clock.now_s()))
        home.battery.turn()
        working_w = home.twin.power_w
        street.clock.advance(steps[-1].start_s + steps[-1].lease_s + 1 - street.clock.now_s())
        home.battery.turn()

        assert working_w == steps[last].power_w
        assert home.twin.power_w == 0
        assert home.heard.empty()


def _heard(bus: MqttBus, ready: threading.Event) -> bool:
    bus.publish("probe", b"?")
    return ready.wait(0.1)
