"""The quarter-hour loop: plans from history, kept, sent with leases, and honest when it cannot."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.broker import BrokerProcess, mosquitto_program
from collectors.prices.file import FilePrices
from kwartier.broker import Broker
from kwartier.bus import Message
from kwartier.interval import QUARTER_S, instant_text
from kwartier.mqtt import MqttBus, Session
from kwartier.schedule import MAX_LEASE_S, decode_schedule
from kwartier.units import EpochS
from tests.api.planning import BATTERY_TOPIC, HOMES, Scene, charge_of, scene, use_in

DAY_S = 86_400
NOW_S = int(datetime(2026, 7, 8, 10, 5, tzinfo=UTC).timestamp())
START_S = NOW_S - 300


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Scene]:
    """Ten homes that used 100 Wh a quarter for three days, and a battery half full."""
    with scene(tmp_path, NOW_S) as made:
        live_before(made, NOW_S)
        yield made


def live_before(scene: Scene, now_s: EpochS, days: int = 3) -> None:
    edge_s = now_s // QUARTER_S * QUARTER_S
    for home in range(HOMES):
        use_in(scene, home, edge_s - days * DAY_S, edge_s, 1)
    charge_of(scene, now_s - 5, 500)


def test_a_plan_expects_what_was_usual_and_is_kept(street: Scene) -> None:
    plan = street.planner().plan_now()

    assert plan is not None
    assert street.book.current() == plan
    assert [quarter.start_s for quarter in plan.quarters] == [
        START_S + place * QUARTER_S for place in range(144)
    ]
    assert {quarter.use_wh for quarter in plan.quarters} == {HOMES * 100}
    assert {quarter.solar_wh for quarter in plan.quarters} == {0}
    assert plan.status == "optimal"
    assert plan.cost_eur <= plan.cost_without_battery_eur
    assert plan.blocks[0].start_s == START_S


def test_a_day_of_set_points_is_sent_each_with_a_lease(street: Scene) -> None:
    plan = street.planner().plan_now()

    assert plan is not None
    (schedule,) = street.sent
    assert schedule.plan == plan.name
    assert [step.start_s for step in schedule.steps] == [
        START_S + place * QUARTER_S for place in range(96)
    ]
    assert all(0 < step.lease_s <= MAX_LEASE_S for step in schedule.steps)
    assert all(abs(step.power_w) <= 40_000 for step in schedule.steps)
    assert [step.power_w for step in schedule.steps] == [
        quarter.battery_w for quarter in plan.quarters[:96]
    ]
    assert any(step.power_w for step in schedule.steps)


def test_command_numbers_only_rise_also_when_the_planner_starts_again(street: Scene) -> None:
    first = street.planner()
    first.plan_now()
    first.plan_now()
    street.planner().plan_now()
    street.clock.jump(-DAY_S / 96)
    street.planner().plan_now()

    numbers = [schedule.command for schedule in street.sent]
    assert len(numbers) == 4
    assert numbers == sorted(set(numbers))


def test_there_is_no_plan_without_a_day_to_look_back_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with scene(tmp_path, NOW_S) as street:
        charge_of(street, NOW_S - 5, 500)
        planner = street.planner()

        assert planner.plan_now() is None
        assert planner.plan_now() is None

        assert street.sent == []
        assert street.book.current() is None
    assert [record.message for record in caplog.records] == [
        "no plan: there is no day of readings to look back on yet"
    ]


@pytest.mark.parametrize("silent_s", [None, 1801])
def test_there_is_no_plan_while_the_battery_is_silent(
    silent_s: int | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with scene(tmp_path, NOW_S) as street:
        for home in range(HOMES):
            use_in(street, home, START_S - DAY_S, START_S, 1)
        if silent_s is not None:
            charge_of(street, NOW_S - silent_s, 500)
        planner = street.planner()

        assert planner.plan_now() is None
        charge_of(street, NOW_S, 500, seq=2)
        plan = planner.plan_now()

        assert plan is not None
        assert len(street.sent) == 1
    assert [record.message for record in caplog.records] == [
        "no plan: a battery's state of charge is not known",
        "there is a plan again",
    ]


def test_a_battery_that_is_emptier_than_agreed_still_gets_a_plan(tmp_path: Path) -> None:
    with scene(tmp_path, NOW_S) as street:
        live_before(street, NOW_S)
        charge_of(street, NOW_S, 10, seq=2)

        plan = street.planner().plan_now()

    assert plan is not None
    assert len(plan.quarters) == 144


def test_a_plan_that_cannot_be_sent_is_kept_and_that_is_said(
    street: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as spare:
        spare.bind(("127.0.0.1", 0))
        bus = MqttBus(Broker("127.0.0.1", spare.getsockname()[1]), Session("planner"))

        plan = street.planner(bus).plan_now()

        bus.close()
    assert plan is not None
    assert street.book.current() == plan
    (said,) = [record.message for record in caplog.records if record.name == "api.planner"]
    assert said.startswith("the plan is not sent yet: no link")


@pytest.mark.broker
def test_a_plan_made_while_the_broker_is_away_is_sent_once_it_is_there(
    street: Scene, tmp_path: Path
) -> None:
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed")
    broker = BrokerProcess.on_spare_port(tmp_path)
    try:
        gateway = MqttBus(broker.broker, Session("gw-accu"))
        heard: queue.Queue[Message] = queue.Queue()
        gateway.subscribe(BATTERY_TOPIC, heard.put)
        broker.stop()
        bus = MqttBus(broker.broker, Session("planner"))
        planner = street.planner(bus)
        planner.start()
        pause = threading.Event()
        while street.book.current() is None:
            assert heard.empty()
            pause.wait(0.05)
        broker.start()

        schedule = decode_schedule(heard.get(timeout=120).payload)

        planner.stop()
        bus.close()
        gateway.close()
    finally:
        broker.kill()
    plan = street.book.current()
    assert plan is not None
    assert (schedule.plan, schedule.command) == (plan.name, NOW_S)
    assert heard.empty()


@pytest.mark.broker
def test_the_last_good_plan_is_sent_once_there_is_a_link_also_while_there_is_no_newer_one(
    street: Scene, tmp_path: Path
) -> None:
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed")
    broker = BrokerProcess.on_spare_port(tmp_path)
    try:
        gateway = MqttBus(broker.broker, Session("gw-accu"))
        heard: queue.Queue[Message] = queue.Queue()
        gateway.subscribe(BATTERY_TOPIC, heard.put)
        broker.stop()
        bus = MqttBus(broker.broker, Session("planner"))
        planner = street.planner(bus)
        good = planner.plan_now()
        street.clock.jump(3 * QUARTER_S)  # the battery's charge is not known any more
        assert planner.plan_now() is None
        broker.start()
        assert bus.wait_until_up(120)
        assert gateway.wait_until_up(120)

        planner.start()
        schedule = decode_schedule(heard.get(timeout=30).payload)

        planner.stop()
        bus.close()
        gateway.close()
    finally:
        broker.kill()
    assert good is not None
    assert schedule.plan == good.name


def test_a_battery_is_not_told_to_burn_energy_at_a_negative_price(
    street: Scene, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.csv"
    rows = [
        f"{instant_text(START_S + place * QUARTER_S)},{-500 + 10 * place if place < 12 else 100}"
        for place in range(144)
    ]
    prices.write_text("\n".join(["utc,eur_per_mwh", *rows]))

    plan = street.planner(prices=FilePrices(prices)).plan_now()

    assert plan is not None
    assert plan.quarters[0].battery_w == 40_000
    stored_wh = 60_000.0
    for quarter in plan.quarters:
        moved_wh = quarter.battery_w / 4
        stored_wh += moved_wh * 0.96 if moved_wh > 0 else moved_wh / 0.955
        assert quarter.soc_permille == pytest.approx(stored_wh / 120, abs=1)


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 3, 28, 20, 0, tzinfo=UTC),
        datetime(2026, 3, 29, 3, 0, tzinfo=UTC),
        datetime(2026, 10, 24, 20, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    ],
)
def test_a_plan_runs_on_through_nights_on_which_clocks_change(
    now: datetime, tmp_path: Path
) -> None:
    now_s = int(now.timestamp())
    with scene(tmp_path, now_s) as street:
        live_before(street, now_s)

        plan = street.planner().plan_now()

        assert plan is not None
        assert [quarter.start_s for quarter in plan.quarters] == [
            now_s + place * QUARTER_S for place in range(144)
        ]
        assert {quarter.use_wh for quarter in plan.quarters} == {HOMES * 100}
        assert len(street.sent[0].steps) == 96


def test_the_loop_plans_at_once_and_stops_when_told(street: Scene) -> None:
    planner = street.planner()

    planner.start()
    street.first_sent.wait(60)
    planner.stop()

    assert [schedule.command for schedule in street.sent] == [NOW_S]
