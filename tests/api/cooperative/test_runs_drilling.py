"""Anyone can follow a euro back to its quarter-hours: every line of every member."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.runs import compute, explain, quarters, statements
from api.cooperative.statement import Charge
from kwartier.interval import local_day
from optimizer.settling.battery_models import BatteryModel
from optimizer.settling.rounding import half_away_from_zero
from tests.api.cooperative.stages import BOARD, RUN, SMALL, TREASURER, Stages
from tests.api.cooperative.street import CHANGE, MOVE, PERIOD, SETTINGS, set_up


@pytest.fixture(params=list(BatteryModel), ids=[each.value for each in BatteryModel])
def desk(request: pytest.FixtureRequest, stages: Stages, tmp_path: Path) -> Iterator[Desk]:
    """A street's computed month, under either model of the battery."""
    books = stages.empty(tmp_path)
    set_up(books, TREASURER, BOARD, homes=SMALL, model=request.param)
    with books.desk(TREASURER) as desk:
        compute(desk, SETTINGS, PERIOD)
        yield desk
    books.close()


def test_quarters_are_the_day_days_are_the_line_and_lines_are_the_charge(desk: Desk) -> None:
    cents: dict[Charge, int] = {}
    exact: dict[Charge, Fraction] = {}
    for statement in statements(desk, SETTINGS, RUN):
        for number, line in enumerate(statement.lines, 1):
            told = explain(desk, RUN, statement.party.id, number)

            for day in told.days:
                first_s, end_s = local_day(day.day)
                assert day.energy_wh == sum(wh for _, wh in day.quarters)
                assert all(first_s <= at_s < end_s for at_s, _ in day.quarters)
            assert sum(day.energy_wh for day in told.days) == (line.energy_wh or 0)
            assert sum((day.exact_eur for day in told.days), Fraction()) == told.exact_eur
            assert told.cents == line.amount_cents
            cents[line.charge] = cents.get(line.charge, 0) + line.amount_cents
            exact[line.charge] = exact.get(line.charge, Fraction()) + told.exact_eur
            assert told.community_exact_eur >= told.exact_eur
    assert {charge: half_away_from_zero(100 * eur) for charge, eur in exact.items()} == cents
    assert Charge.BATTERY in cents


def test_the_fee_is_counted_by_the_day_at_the_tariff_of_the_day(desk: Desk) -> None:
    """Eleven days at 2.50 a month and twenty at 3.00, of a month of 31 days: 87.50 / 31."""
    told = next(each for each in statements(desk, SETTINGS, RUN) if each.party.id == "lid-4")
    fees = [
        explain(desk, RUN, "lid-4", number)
        for number, line in enumerate(told.lines, 1)
        if line.charge is Charge.FEE
    ]

    assert [len(fee.days) for fee in fees] == [11, 20]
    assert sum((fee.exact_eur for fee in fees), Fraction()) == Fraction(175, 62)


def test_a_quarter_tells_what_it_came_from_and_under_which_rules(desk: Desk) -> None:
    before, after = (quarters(desk, RUN, "home-3", day)[48] for day in (date(2026, 10, 11), CHANGE))
    assert (before.tariff, before.buy_eur_per_kwh) == ("tarief-1", Fraction(18, 100))
    assert (after.tariff, after.buy_eur_per_kwh) == ("tarief-2", Fraction(195, 1000))
    assert {row.key for row in (before, after)} == {"sleutel-1"}
    for row in quarters(desk, RUN, "home-3", MOVE):
        assert row.member == "lid-3b"
        assert row.import_wh is not None
        assert row.bought_wh <= row.import_wh
        assert row.community_shared_wh <= min(row.community_supply_wh, row.community_use_wh)


def test_the_quarters_of_a_day_together_are_those_of_the_street(desk: Desk) -> None:
    homes = [quarters(desk, RUN, name, MOVE) for name in SMALL]

    for rows in zip(*homes, strict=True):
        assert sum(row.bought_wh for row in rows) == rows[0].community_shared_wh
        assert sum(row.import_wh or 0 for row in rows) == rows[0].community_use_wh


def test_what_a_run_does_not_know_is_named(desk: Desk) -> None:
    with pytest.raises(BooksError, match="'home-9' has no quarters on 2026-10-16"):
        quarters(desk, RUN, "home-9", MOVE)
    with pytest.raises(BooksError, match="lines: name one from 1 to"):
        explain(desk, RUN, "lid-4", 99)
