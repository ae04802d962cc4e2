"""How long an exact settlement takes, over a plain exact reckoning in the same run."""

from __future__ import annotations

import random
import time
from fractions import Fraction

import pytest

from kwartier.interval import QUARTER_S, Quarter
from kwartier.model import Tariff
from optimizer.balance import QuarterReadings, Registers
from optimizer.period import Agreement, KeyVersion, Rounding, settle_period
from optimizer.settlement import Rules, settle_day
from optimizer.sharing import Hybrid, Proportional, Rounds, SharingKey, Static
from tests.optimizer.second_opinion import caps_by_rule, rounded, searched_fill, whose_export

HOMES = [f"h{place:03}" for place in range(100)]
EQUAL_PARTS = dict.fromkeys(HOMES, Fraction(1, len(HOMES)))


def street(quarters: int) -> list[QuarterReadings]:
    """Return quarters of 100 homes of which about every third exports."""
    draw = random.Random(1)  # noqa: S311 - figures, not secrets
    return [
        QuarterReadings(
            Quarter((1_900_000 + number) * QUARTER_S),
            {
                name: Registers(draw.randrange(500), draw.choice((0, 0, draw.randrange(600))))
                for name in HOMES
            },
        )
        for number in range(quarters)
    ]


def settled_plainly(day: list[QuarterReadings]) -> int:
    """Return what is shared in a day, the slow way."""
    shared_wh = 0
    for readings in day:
        imports = {name: read.import_wh or 0 for name, read in readings.connections.items()}
        exports = {name: read.export_wh or 0 for name, read in readings.connections.items()}
        caps = caps_by_rule("no_self", imports, exports, 0)
        allocated = rounded(searched_fill(sum(exports.values()), imports, caps), HOMES)
        whose_export(allocated, exports, HOMES, pool=False)
        shared_wh += sum(allocated.values())
    return shared_wh


@pytest.mark.speed
@pytest.mark.parametrize(
    "key",
    [Proportional(), Static(EQUAL_PARTS, Rounds.FILL), Hybrid(EQUAL_PARTS)],
    ids=["proportional", "static fill", "hybrid"],
)
def test_a_day_of_a_hundred_homes_is_settled_in_two_seconds(key: SharingKey) -> None:
    day = street(96)

    begun = time.perf_counter()
    settlement = settle_day(day, Rules(key), Tariff())
    ours_s = time.perf_counter() - begun
    begun = time.perf_counter()
    plain_wh = settled_plainly(day[:4])
    plain_s = (time.perf_counter() - begun) * 24

    print(f"\n{key.__class__.__name__}: day {ours_s:.3f} s; plain {plain_s:.1f} s; ", end="")
    print(f"ratio {ours_s / plain_s:.4f}")
    assert plain_wh > 0
    assert settlement.shared_wh > 0
    assert ours_s < 2


@pytest.mark.speed
@pytest.mark.parametrize("rounding", list(Rounding))
def test_a_month_of_a_hundred_homes_is_settled_in_seconds(rounding: Rounding) -> None:
    month = street(2976)
    agreement = Agreement((KeyVersion(0, Proportional()),), Rules(), rounding=rounding)

    begun = time.perf_counter()
    settlement = settle_period(month, agreement)
    ours_s = time.perf_counter() - begun

    print(f"\nmonth, rounded by {rounding}: {ours_s:.2f} s")
    assert settlement.quarters == 2976
    assert ours_s < 30
