"""How long a month's money takes, beside sharing its energy alone."""

from __future__ import annotations

import time
from datetime import date
from fractions import Fraction

import numpy as np
import pytest

from kwartier.interval import QUARTER_S, Quarter, local_day
from optimizer.month import MonthCase, settle_month
from optimizer.settlement import Rules
from optimizer.settling.battery_models import BatteryAgreement, BatteryModel
from optimizer.settling.matrix import ReadingMatrix, RegisterMatrix
from optimizer.settling.matrix_settlement import settle_matrix
from optimizer.settling.period import Ownership
from optimizer.settling.rounding import Tie
from tests.optimizer.months import JULY, month_of, tariff

START_S, END_S = local_day(JULY[0])[0], local_day(JULY[1])[1]


def street(homes: int) -> MonthCase:
    """Return a July in which every second home has sun to spare, and one battery for all.

    It charges what is left over by day and gives it back by night; a new tariff begins halfway.
    """
    draw = np.random.default_rng(1)
    count = (END_S - START_S) // QUARTER_S
    by_day = np.arange(count) % 96 // 8 % 9 >= 4
    taken, given = RegisterMatrix.empty(homes, count), RegisterMatrix.empty(homes, count)
    charge, discharge = RegisterMatrix.empty(1, count), RegisterMatrix.empty(1, count)
    taken.energy_wh[:] = draw.integers(0, 300, (homes, count))
    given.energy_wh[::2] = draw.integers(0, 1600, (-(-homes // 2), count)) * by_day
    charge.energy_wh[0] = by_day * 20 * homes
    discharge.energy_wh[0] = ~by_day * 15 * homes
    names = tuple(f"home{place:05d}" for place in range(homes))
    listed = np.ones((homes, count), np.bool_)
    first = Quarter(START_S)
    middle_s = local_day(date(2026, 7, 16))[0]
    return month_of(
        ReadingMatrix(first, names, listed, taken, given, charge, discharge),
        [
            tariff(levy="0.01", fee="2.50", vat="21/100", grid="0.03"),
            tariff("0.20", levy="0.01", fee="2.50", vat="21/100", name="t2", start_s=middle_s),
        ],
        ownership=[Ownership(name, f"member of {name}", 0) for name in names],
        rules=Rules(tie=Tie.ROTATE),
        battery=BatteryAgreement(BatteryModel.OWNER_CARRY, Fraction(9, 10)),
    )


@pytest.mark.speed
@pytest.mark.timeout(600)
def test_a_month_of_a_thousand_homes_becomes_invoices_within_the_time() -> None:
    print("\nhomes   sharing alone   the whole month   invoices' lines")
    seconds = {}
    for homes in (100, 300, 1000, 3000):
        case = street(homes)

        began = time.perf_counter()
        settle_matrix(case.readings, case.agreement)
        shared = time.perf_counter()
        result = settle_month(case)
        seconds[homes] = time.perf_counter() - shared

        lines = sum(len(invoice.lines) for invoice in result.invoices.values())
        print(f"{homes:5}   {shared - began:11.2f} s   {seconds[homes]:13.2f} s   {lines:15}")

    assert seconds[100] < 2
    assert seconds[1000] < 20
