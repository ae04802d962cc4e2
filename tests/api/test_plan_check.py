"""However wrong prices or a plan are, nothing that breaks a limit is sent to a battery."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random

import numpy as np
import pytest

from api.embedded.prices import MadeUpPrices
from api.plan_check import refused_plan, refused_prices
from api.planner import Planner
from api.price_book import PriceBook
from collectors.prices.model import PriceDay
from kwartier.interval import quarters_of_day
from kwartier.reading import Schedule
from optimizer.dispatch import plan
from optimizer.plan import Plan, Status
from optimizer.problem import Battery, FloatArray, Grid, Home, Problem, problem_of
from tests.api.planning import Scene, scene
from tests.api.test_planner import NOW_S, live_before

STEPS = 24
MOST_KW = 5.0


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - mistakes that can be made again


def problem(
    seed: int = 1, limit_kw: float = 12.0, stored_kwh: float = 5.0, *, batteries: bool = True
) -> Problem:
    random = dice(seed)
    price = [random.uniform(-0.1, 0.6) for _ in range(STEPS)]
    battery = Battery("b1", 1.0, 9.0, stored_kwh, MOST_KW, MOST_KW, 0.95, 0.95)
    return problem_of(
        0.25,
        np.array(price),
        np.array(price) - 0.05,
        [
            Home(
                "homes",
                [random.uniform(0.0, 10.0) for _ in range(STEPS)],
                [random.uniform(0.0, 8.0) for _ in range(STEPS)],
            )
        ],
        [battery] if batteries else [],
        Grid(limit_kw, limit_kw),
        exclusive=True,
    )


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf"), 10.1, -1.1, 400.0])
def test_prices_past_all_sense_are_not_planned_with(wrong: float) -> None:
    prices = np.full(144, 0.1)
    prices[17] = wrong

    why = refused_prices(prices)

    assert why is not None
    assert "in 1 quarters, first 17 from now" in why
    assert refused_prices(np.array([-1.0, 10.0])) is None


def test_a_right_plan_is_not_refused() -> None:
    asked = problem()

    assert refused_plan(asked, plan(asked), plan(problem(batteries=False))) is None


@pytest.mark.parametrize("seed", range(12))
def test_a_plan_that_can_only_break_limits_is_not_refused_for_it(seed: int) -> None:
    # 1 kW is too little for homes of up to 10 kW, and the battery may begin outside its band.
    stored_kwh = (0.2, 5.0, 9.9)[seed % 3]
    asked = problem(seed, 1.0, stored_kwh)
    idle = plan(problem(seed, 1.0, batteries=False))

    made = plan(asked)

    assert made.status is Status.RELAXED
    assert refused_plan(asked, made, idle) is None


@pytest.mark.parametrize("seed", range(12))
def test_the_plan_of_a_rule_is_not_refused_for_a_battery_that_comes_back(seed: int) -> None:
    asked = problem(seed, 1.0, (0.2, 9.9)[seed % 2])
    idle = plan(problem(seed, 1.0, batteries=False))

    made = plan(asked, time_limit_s=0.0)

    assert made.status is Status.FALLBACK
    assert refused_plan(asked, made, idle) is None


def keeps(asked: Problem, made: Plan) -> bool:
    """Reckon by hand whether the battery and the connection stay inside their limits."""
    stored_kwh = 5.0
    for step in range(STEPS):
        charge, discharge = float(made.charge_kw[0, step]), float(made.discharge_kw[0, step])
        if not (-1e-5 <= charge <= MOST_KW + 1e-5 and -1e-5 <= discharge <= MOST_KW + 1e-5):
            return False
        stored_kwh += 0.25 * (0.95 * charge - discharge / 0.95)
        others_kw = float(asked.residual_kw[step])
        exchange_kw = others_kw + charge - discharge
        if not 1.0 - 1e-3 <= stored_kwh <= 9.0 + 1e-3 or abs(exchange_kw) > 12.0 + 1e-5:
            return False
    return True


def spoilt(made: Plan, random: Random) -> Plan:
    """Return a plan with a mistake in it, and sometimes another status."""

    def bent(values: FloatArray) -> FloatArray:
        spoiled = values.copy()
        flat = spoiled.reshape(-1)
        for _ in range(random.choice([1, 1, 3, flat.size])):
            place = random.randrange(flat.size)
            flat[place] = random.choice(
                [
                    float("nan"),
                    float("inf"),
                    -flat[place],
                    flat[place] * 1000,
                    flat[place] + random.uniform(-6, 6),
                    random.uniform(-20, 20),
                    MOST_KW,
                ]
            )
        return spoiled

    kind = random.randrange(5)
    wrong = made
    if kind == 0:
        wrong = replace(made, charge_kw=bent(made.charge_kw))
    elif kind == 1:
        wrong = replace(made, discharge_kw=bent(made.discharge_kw))
    elif kind == 2:
        wrong = replace(made, charge_kw=made.discharge_kw, discharge_kw=made.charge_kw)
    elif kind == 3:
        wrong = replace(made, charge_kw=np.roll(made.charge_kw, random.randrange(1, STEPS), axis=1))
    else:  # a mistake that agrees with itself: everything follows from the wrong powers
        wrong = following(problem(), made, bent(made.charge_kw), bent(made.discharge_kw))
    return replace(wrong, status=random.choice(list(Status)))


def following(asked: Problem, made: Plan, charge: FloatArray, discharge: FloatArray) -> Plan:
    """Return a plan in which everything follows from these powers of the battery [kW]."""
    net = asked.residual_kw + charge[0] - discharge[0]
    bought_kw, sold_kw = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    gained_kw = 0.95 * charge - discharge / 0.95
    return replace(
        made,
        charge_kw=charge,
        discharge_kw=discharge,
        soc_kwh=asked.soc_start_kwh[0] + np.cumsum(0.25 * gained_kw, axis=1),
        import_kw=bought_kw,
        export_kw=sold_kw,
        peak_kw=float(max(net.max(), 0.0)),
        cost_eur=0.25 * float(asked.buy_eur_per_kwh @ bought_kw - asked.sell_eur_per_kwh @ sold_kw),
    )


@pytest.mark.parametrize(("stored_kwh", "side"), [(0.2, 1.0), (9.9, -1.0)])
@pytest.mark.parametrize(("room_kw", "is_sent"), [(5.5, True), (0.5, False)])
def test_a_battery_outside_its_band_comes_back_through_no_limit_of_the_connection(
    stored_kwh: float, side: float, room_kw: float, *, is_sent: bool
) -> None:
    # It moves 5 kW in the one quarter in which the homes use, or give, the most.
    exchange_kw = problem(7).residual_kw * side
    step = int(np.argmax(exchange_kw))
    limit_kw = float(exchange_kw[step]) + room_kw
    asked = problem(7, limit_kw, stored_kwh)
    idle = plan(problem(7, limit_kw, batteries=False))
    powers = np.zeros((1, STEPS))
    powers[0, step] = MOST_KW
    none = np.zeros((1, STEPS))
    charge, discharge = (powers, none) if side > 0 else (none, powers)

    made = replace(following(asked, plan(asked), charge, discharge), status=Status.RELAXED)

    why = refused_plan(asked, made, idle)
    assert why is None if is_sent else why is not None and "by 4.5 kW more than" in why


def test_of_a_thousand_spoilt_plans_none_that_breaks_a_limit_is_accepted() -> None:
    asked, idle = problem(), plan(problem(batteries=False))
    right = plan(asked)
    random = dice(20)
    with np.errstate(invalid="ignore", over="ignore"):
        plans = [spoilt(right, random) for _ in range(1_000)]

        accepted = [one for one in plans if refused_plan(asked, one, idle) is None]
        breaking = sum(not keeps(asked, one) for one in plans)

    assert breaking > 500  # spoilt indeed
    assert all(keeps(asked, one) for one in accepted)


class Corrupt:
    """A feed of prices in which anything may stand."""

    def __init__(self, seed: int) -> None:
        self.random = dice(seed)

    def day(self, day: date) -> PriceDay:
        random = self.random
        worst = random.choice([1, 1, 1, 1, 2, 10**3, 10**12])
        prices = [Decimal(random.randrange(-500, 4_000)) for _ in quarters_of_day(day)]
        right = tuple(prices)
        odd = [Decimal("NaN"), Decimal("Infinity"), Decimal(10) ** 15]
        for _ in range(random.choice([0, 1, 30])):
            place = random.randrange(len(prices))
            turned = -right[place] / 4 * worst
            mistakes = [right[place] * worst, turned, Decimal(-1_000), Decimal(10_000)]
            prices[place] = random.choice(mistakes if worst < 10 else [*mistakes, *odd])
        return PriceDay(day, tuple(quarters_of_day(day)), tuple(prices))


def feed_corrupted(street: Scene, seeds: range) -> tuple[int, list[Schedule]]:
    """Plan with each feed; return how many were refused, and what was sent."""
    refused = sum(street.planner(prices=Corrupt(seed)).plan_now() is None for seed in seeds)
    return refused, street.sent


def judge(street: Scene, refused: int, sent: list[Schedule], feeds: int) -> None:
    assert refused + len(sent) == feeds
    assert refused > feeds // 10
    assert len(sent) > feeds // 10
    (battery,) = street.community.batteries.values()
    for schedule in sent:
        stored_wh = 60_000.0
        for step in schedule.steps:
            assert -battery.discharge_max_w <= step.power_w <= battery.charge_max_w
            moved_wh = step.power_w / 4
            stored_wh += moved_wh * 0.96 if moved_wh > 0 else moved_wh / 0.955
            assert 6_000 - 50 <= stored_wh <= 114_000 + 50


def test_whatever_stands_in_a_feed_of_prices_no_limit_is_broken(tmp_path: Path) -> None:
    with scene(tmp_path, NOW_S) as street:
        live_before(street, NOW_S)
        refused, sent = feed_corrupted(street, range(20))

        judge(street, refused, sent, 20)


@pytest.mark.nightly
@pytest.mark.timeout(0)
def test_of_a_thousand_corrupted_feeds_none_breaks_a_limit(tmp_path: Path) -> None:
    with scene(tmp_path, NOW_S) as street:
        live_before(street, NOW_S)
        refused, sent = feed_corrupted(street, range(1_000))

        judge(street, refused, sent, 1_000)


def test_a_plan_that_is_wrong_is_not_sent_and_the_last_good_one_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong(asked: Problem) -> Plan:
        made = plan(asked)
        return replace(made, discharge_kw=made.discharge_kw + 41.0)

    with scene(tmp_path, NOW_S) as street:
        live_before(street, NOW_S)
        good = street.planner().plan_now()
        planner = Planner(
            street.community,
            street.store,
            street.records,
            PriceBook(MadeUpPrices()),
            street.book,
            street.bus,
            street.clock,
            make=wrong,
        )

        assert planner.plan_now() is None

        assert len(street.sent) == 1
        assert street.book.current() == good
    (said,) = [record.message for record in caplog.records if record.name == "api.planner"]
    assert said.startswith("no plan: the plan breaks ")
    assert said.endswith("it is not sent")
