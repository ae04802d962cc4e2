"""An inverter makes no more than its connection may give, and is free as soon as it can be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.steer.limits import Seen
from gateway.steer.solar_cap import ExportCap, Now
from hardware.twins.limited_inverter import LimitFault
from kwartier.events import EventKind
from tests.gateway.solar_bench import CAP_W, Bench, bench_on_socket, bench_on_wire


@pytest.fixture
def socket(tmp_path: Path) -> Iterator[Bench]:
    with bench_on_socket(tmp_path) as bench:
        yield bench


@pytest.fixture
def wire(tmp_path: Path) -> Bench:
    return bench_on_wire(tmp_path)


def test_the_sun_comes_out_and_the_cap_is_kept_after_one_telegram(socket: Bench) -> None:
    gateway = socket.gateway()
    socket.use_w = 400
    socket.run(gateway, 3)

    socket.twin.sun_w = 5_000
    socket.run(gateway, 20)

    assert socket.longest_over_s() == 1
    assert set(socket.given_w[4:]) == {950}  # the cap less 50 W
    assert gateway.held_w == 1_350
    assert socket.twin.limited == (2_700, 1)


def test_a_home_below_its_cap_leaves_the_inverter_unasked(wire: Bench) -> None:
    gateway = wire.gateway()
    wire.twin.sun_w, wire.use_w = 900, 100

    wire.run(gateway, 60)

    assert wire.twin.writes == 0
    assert getattr(wire.unit, "reads", None) == 0
    assert list(wire.folder.iterdir()) == []


@pytest.mark.parametrize("period_s", [1, 10])
def test_no_switch_in_the_home_lets_more_through_for_longer_than_a_telegram(
    wire: Bench, period_s: int
) -> None:
    wire.period_s = period_s
    wire.twin.sun_w = 5_000
    gateway = wire.gateway()

    def switches(second: int) -> None:
        wire.use_w = 300 + 2_000 * (second % 120 < 40) + 700 * (second % 77 < 9)

    wire.run(gateway, 400, switches)

    assert wire.longest_over_s() <= period_s
    assert min(wire.powers_w[10:]) >= CAP_W - 50


@pytest.mark.parametrize(("period_s", "late_s"), [(1, 1), (1, 3), (10, 2)])
def test_a_late_meter_is_answered_once_and_not_by_a_swing(
    wire: Bench, period_s: int, late_s: int
) -> None:
    wire.period_s, wire.late_s = period_s, late_s
    wire.twin.sun_w, wire.use_w = 5_000, 500
    gateway = wire.gateway()

    wire.run(gateway, 120)
    settled_w = wire.powers_w[-60:]
    wire.use_w = 1_500
    wire.run(gateway, 120)

    assert wire.longest_over_s() <= period_s + late_s + 1
    assert min(wire.powers_w[10:]) >= CAP_W - 50
    assert set(settled_w) == {1_450}
    assert set(wire.powers_w[-60:]) == {2_450}


def test_clouds_do_not_move_the_limit(wire: Bench) -> None:
    gateway = wire.gateway()
    wire.twin.sun_w, wire.use_w = 5_000, 500
    wire.run(gateway, 30)
    before = wire.twin.writes

    def clouds(second: int) -> None:
        wire.twin.sun_w = 5_000 if second % 20 < 10 else 800

    wire.run(gateway, 300, clouds)

    assert gateway.held_w == 1_450
    assert wire.twin.writes - before == 10  # each half minute its timer is renewed
    assert wire.longest_over_s() == 1


def test_the_limit_rises_by_two_percent_of_the_rating_a_second(wire: Bench) -> None:
    gateway = wire.gateway()
    wire.twin.sun_w, wire.use_w = 5_000, 0
    wire.run(gateway, 30)

    wire.use_w = 2_000
    wire.run(gateway, 60)

    rises = [after - before for before, after in pairwise(wire.powers_w[5:])]
    assert max(rises) == 100
    assert wire.powers_w[-1] == 2_950
    assert gateway.held_w == 2_950


def test_the_limit_is_taken_away_after_ten_minutes_at_the_full_rating(wire: Bench) -> None:
    wire.twin.limit(9_000, on=False)
    gateway = wire.gateway()
    wire.twin.sun_w = 5_000
    wire.run(gateway, 20)

    wire.use_w = 4_500  # a car
    wire.run(gateway, 60)
    risen = wire.twin.limited
    wire.run(gateway, 610)

    assert risen == (10_000, 1)
    assert wire.twin.limited == (9_000, 0)  # as it was before the first write
    assert gateway.held_w is None
    assert wire.longest_over_s() == 1


def test_a_silent_meter_cuts_the_inverter_to_the_cap(wire: Bench) -> None:
    gateway = wire.gateway()
    wire.twin.sun_w, wire.use_w = 5_000, 3_000
    wire.run(gateway, 60)
    with_word_w = wire.twin.power_w

    wire.speaks = False
    wire.run(gateway, 3)
    still_w = wire.twin.power_w
    wire.run(gateway, 1)
    silent_w = wire.twin.power_w
    wire.use_w = 0
    wire.run(gateway, 120)

    assert (with_word_w, still_w, silent_w) == (3_950, 3_950, 950)
    assert set(wire.given_w[-120:]) == {950}


def test_a_meter_that_never_spoke_cuts_it_after_half_a_minute(wire: Bench) -> None:
    wire.speaks = False
    wire.twin.sun_w = 5_000
    gateway = wire.gateway()

    wire.run(gateway, 31)
    before_w = wire.twin.power_w
    wire.run(gateway, 1)

    assert (before_w, wire.twin.power_w) == (5_000, 950)


def test_a_gateway_that_dies_leaves_the_inverter_free_within_its_timer(socket: Bench) -> None:
    gateway = socket.gateway()
    socket.twin.sun_w = 5_000
    socket.run(gateway, 2)

    socket.clock.advance(88)
    before_w = socket.twin.power_w
    socket.clock.advance(1)

    assert (before_w, socket.twin.power_w) == (950, 5_000)


def test_an_orderly_stop_puts_back_what_was_there(socket: Bench) -> None:
    gateway = socket.gateway()
    socket.twin.sun_w = 5_000
    socket.run(gateway, 5)

    gateway.stop()

    assert socket.twin.limited == (10_000, 0)
    assert json.loads((socket.folder / "roof.limit.json").read_text())["prior"] is None


def test_a_restart_after_a_crash_goes_on_without_giving_too_much(wire: Bench) -> None:
    wire.twin.sun_w, wire.use_w = 5_000, 200
    wire.run(wire.gateway(), 20)

    second = wire.gateway()
    wire.run(second, 120)
    second.stop()

    assert wire.longest_over_s() == 1
    assert wire.twin.limited == (10_000, 0)


def test_after_a_night_without_an_answer_the_inverter_is_free_and_capped_anew(wire: Bench) -> None:
    gateway = wire.gateway()
    wire.twin.sun_w = 5_000
    wire.run(gateway, 20)

    wire.twin.faults.add(LimitFault.SILENT)
    wire.twin.sun_w = 0
    wire.run(gateway, 3_600)
    wire.twin.faults.clear()
    wire.run(gateway, 120)
    morning = wire.twin.limited, gateway.held_w
    wire.twin.sun_w = 5_000
    wire.run(gateway, 20)

    assert morning[0][1] == 0
    assert morning[1] is None
    assert wire.powers_w[-1] == 950
    assert wire.longest_over_s() == 1
    assert wire.events == []


def test_another_limit_is_left_alone_and_told_of_once(wire: Bench) -> None:
    wire.twin.limit(6_000, on=True)
    wire.twin.sun_w = 5_000
    gateway = wire.gateway()

    wire.run(gateway, 300)
    gateway.stop()

    assert wire.twin.writes == 0
    assert wire.twin.limited == (6_000, 1)
    assert [event.kind for event in wire.events] == [EventKind.STEERING_FAILED]
    assert "limit of 60" in wire.events[0].reason


def test_a_limit_that_somebody_sets_meanwhile_stays_for_good(wire: Bench) -> None:
    gateway = wire.gateway()
    wire.twin.sun_w = 5_000
    wire.run(gateway, 20)

    wire.twin.limit(7_000, on=True)
    wire.run(gateway, 400)
    gateway.stop()

    assert wire.twin.limited == (7_000, 1)
    assert len(wire.events) == 1


def test_once_the_other_limit_is_gone_the_cap_is_kept(wire: Bench) -> None:
    wire.twin.limit(6_000, on=True)
    wire.twin.sun_w = 5_000
    gateway = wire.gateway()
    wire.run(gateway, 30)

    wire.twin.limit(10_000, on=False)
    wire.run(gateway, 70)

    assert wire.twin.power_w == 950


@pytest.mark.parametrize("sharing", [1, 4])
def test_an_inverter_that_counts_in_whole_percents_rises_and_is_not_written_in_vain(
    sharing: int,
) -> None:
    rated_w, held_w, writes = 4_999, 949, 0
    cap = ExportCap(1_000, rated_w, sharing)

    for second in range(400):
        seen = Seen(grid_age_s=0.0, grid_period_s=1.0, newest_w=3_000, newest_at_s=float(second))
        limit_w = cap.decide(Now(float(second), seen, held_w, held_w))
        assert limit_w is not None
        if limit_w != held_w:
            writes += 1
            held_w = (limit_w * 100 // rated_w) * rated_w // 100

    assert held_w == rated_w
    assert writes <= 81  # from 19 % on, one for each percent at most


def test_a_word_that_comes_while_a_turn_is_held_up_is_taken_as_it_is() -> None:
    cap = ExportCap(1_000, 5_000)
    seen = Seen(grid_age_s=0.0, grid_period_s=1.0, newest_w=-3_000, newest_at_s=60.0)

    limit_w = cap.decide(Now(0.0, seen, 3_400, None))

    assert limit_w == 1_350  # the home uses 400 W; 1000 W, less 50 W, may be given


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (LimitFault.NO_TIMER, "no power limit with a revert timer"),
        (LimitFault.FORGETS, "the inverter holds no limit"),
        (LimitFault.REFUSES, "export cap not kept"),
        (LimitFault.DEAF, "limit not obeyed"),
        (LimitFault.SILENT, "cannot be reached"),
        (LimitFault.UNSCALED, "scale factor WMaxLimPct_SF is not implemented"),
    ],
)
def test_a_cap_that_cannot_be_kept_is_told_of_once(
    wire: Bench, fault: LimitFault, said: str
) -> None:
    wire.twin.faults.add(fault)
    wire.twin.sun_w = 5_000
    gateway = wire.gateway()

    wire.run(gateway, 300)

    assert [event.device for event in wire.events] == ["roof"]
    assert said in wire.events[0].reason
    assert wire.twin.writes < 150


def test_a_disk_that_takes_nothing_ends_no_cap(wire: Bench) -> None:
    wire.folder = wire.folder / "gone"
    wire.twin.sun_w = 5_000
    gateway = wire.gateway()

    wire.run(gateway, 120)
    wire.twin.sun_w = 0
    wire.run(gateway, 10)
    gateway.stop()

    assert wire.longest_over_s() == 1
    assert wire.twin.limited == (10_000, 0)
    assert wire.events == []


def test_a_rating_that_is_not_the_inverters_is_refused(wire: Bench) -> None:
    wire.twin.sun_w = 5_000
    gateway = wire.gateway(rated_w=6_000)

    wire.run(gateway, 60)

    assert wire.twin.writes == 0
    assert "rated_w is 6000 and the inverter counts its limit from 5000 W" in wire.events[0].reason


def test_a_limit_whose_scale_factor_is_not_there_yet_waits_for_it(wire: Bench) -> None:
    wire.twin.faults.add(LimitFault.UNSCALED)
    wire.twin.sun_w = 5_000
    gateway = wire.gateway()
    wire.run(gateway, 30)
    written_before = wire.twin.writes

    wire.twin.faults.clear()
    wire.run(gateway, 10)

    assert written_before == 0
    assert wire.twin.power_w <= CAP_W
    assert wire.events == []


def test_a_battery_that_gives_has_time_to_give_way_before_the_inverter_does(wire: Bench) -> None:
    gateway = wire.gateway()
    wire.twin.sun_w, wire.battery_w = 5_000, -500
    wire.run(gateway, 12)
    at_first_w = wire.twin.power_w

    wire.run(gateway, 12)  # it does not
    at_last_w = wire.twin.power_w

    assert (at_first_w, at_last_w) == (950, 450)


def test_a_cap_of_nothing_leaves_what_the_home_uses(wire: Bench) -> None:
    gateway = wire.gateway(cap_w=0)
    wire.twin.sun_w, wire.use_w = 5_000, 1_200
    wire.run(gateway, 60)

    assert wire.powers_w[-1] == 1_150
    assert wire.longest_over_s(0) == 1


def test_two_inverters_behind_one_meter_keep_its_cap_together(tmp_path: Path) -> None:
    benches = [bench_on_wire(tmp_path / name) for name in ("a", "b")]
    for bench in benches:
        bench.folder.mkdir()
        bench.twin.sun_w = 4_000
    gateways = [bench.gateway(cap_w=2_000, sharing=2) for bench in benches]
    given_w: list[int] = []

    for second in range(410):
        use_w = 400 if second % 200 < 150 else 2_400
        given_w.append(sum(bench.twin.power_w for bench in benches) - use_w)
        for bench, gateway in zip(benches, gateways, strict=True):
            bench.clock.advance(1)
            bench.tell(gateway, given_w[-1])
        for gateway in gateways:
            gateway.turn()

    over = [given for given in given_w if given > 2_000]
    assert len(over) == 3  # the first second, and each of the two times that use ends
    assert given_w[140] > 1_500
