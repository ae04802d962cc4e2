"""What a neighbourhood makes of measured days: shares, books, and what a battery would save."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from api.reckoning import battery_for, plan_days, share
from api.retail import ENERGY_TAX_EUR_PER_KWH
from collectors.prices.model import PriceQuarter, PriceSeries
from collectors.sqlite_store import SqliteStore
from kwartier.interval import QUARTER_S, local_day, quarters_between
from kwartier.model import Community, Connection
from kwartier.reading import Reading
from kwartier.units import EpochS
from tests.api.street import feed

SUMMER = date(2026, 7, 1)
START_S, END_S = local_day(SUMMER)
TWO_HOMES = Community(
    "straat",
    "Straat",
    {name: Connection(name, f"lid-{name}", f"gw-{name}") for name in ("geeft", "neemt")},
    {},
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "record.db") as opened:
        yield opened


def day_on_record(store: SqliteStore, start_s: EpochS, end_s: EpochS, seq: int = 1) -> None:
    """Let one home give 100 Wh and the other take 250 Wh in every quarter."""
    for home, name, wh in (("geeft", "export_wh", 100), ("neemt", "import_wh", 250)):
        still = "import_wh" if name == "export_wh" else "export_wh"
        readings = [
            Reading("p1", home, at_s, {name: wh * (at_s // QUARTER_S), still: 0})
            for at_s in range(start_s, end_s + 1, QUARTER_S)
        ]
        feed(store, f"gw-{home}", seq, readings)


def flat_prices(start_s: EpochS, end_s: EpochS, eur_per_mwh: int = 100) -> PriceSeries:
    price = Decimal(eur_per_mwh)
    return PriceSeries.of(
        PriceQuarter(quarter, price) for quarter in quarters_between(start_s, end_s)
    )


def test_what_one_home_gives_the_other_takes_and_the_books_are_even(store: SqliteStore) -> None:
    day_on_record(store, START_S, END_S)

    shared = share(store, TWO_HOMES, START_S, END_S)

    assert shared.shared_wh == 96 * 100
    assert shared.ledger_cents == 0
    assert shared.entries > 0


@pytest.mark.parametrize(
    ("day", "quarters"), [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100), (SUMMER, 96)]
)
def test_a_local_day_is_shared_whole(day: date, quarters: int, store: SqliteStore) -> None:
    start_s, end_s = local_day(day)
    day_on_record(store, start_s - 3600, end_s + 3600)

    assert share(store, TWO_HOMES, start_s, end_s).shared_wh == quarters * 100


def test_days_that_are_cut_are_shared_as_far_as_they_go(store: SqliteStore) -> None:
    day_on_record(store, START_S, END_S)

    # From 20 quarters into the day until 10 quarters before its end.
    shared = share(store, TWO_HOMES, START_S + 20 * QUARTER_S, END_S - 10 * QUARTER_S)

    assert shared.shared_wh == 66 * 100
    assert shared.ledger_cents == 0


def test_nothing_measured_is_nothing_shared(store: SqliteStore) -> None:
    shared = share(store, TWO_HOMES, START_S, END_S)

    assert (shared.shared_wh, shared.ledger_cents) == (0, 0)


def test_a_flat_price_costs_what_the_homes_took_and_earned(store: SqliteStore) -> None:
    day_on_record(store, START_S, END_S)
    prices = flat_prices(START_S, END_S)

    planned = plan_days(store, TWO_HOMES, prices, START_S, END_S, battery_for(2))

    # The street takes 150 Wh net a quarter, 14.4 kWh in the day, at EUR 0.10 and the tax.
    assert planned.days == 1
    price_eur = Decimal(str(0.1 + ENERGY_TAX_EUR_PER_KWH))
    assert planned.without_eur == round(Decimal("14.4") * price_eur, 2)
    assert planned.cost_eur == planned.without_eur


def test_a_battery_saves_when_the_evening_is_dearer_than_the_night(store: SqliteStore) -> None:
    day_on_record(store, START_S, END_S)
    noon_s = START_S + 48 * QUARTER_S
    both = {
        **flat_prices(START_S, noon_s, 0).eur_per_mwh,
        **flat_prices(noon_s, END_S, 400).eur_per_mwh,
    }

    planned = plan_days(store, TWO_HOMES, PriceSeries(both), START_S, END_S, battery_for(2))

    # What the homes take after noon, 7.2 kWh, fits into the battery that begins half full; its
    # losses and wear cost less than the EUR 0.40 between noon and night.
    assert planned.cost_eur < planned.without_eur - 1


def test_a_day_without_all_its_prices_is_left_out(store: SqliteStore) -> None:
    day_on_record(store, START_S, END_S)
    prices = flat_prices(START_S, END_S - QUARTER_S)

    planned = plan_days(store, TWO_HOMES, prices, START_S, END_S, battery_for(2))

    assert (planned.days, planned.cost_eur, planned.without_eur) == (0, Decimal(0), Decimal(0))


def test_the_battery_that_is_tried_grows_with_the_street() -> None:
    one, many = battery_for(1), battery_for(40)

    assert (one.soc_max_kwh, one.charge_max_kw) == (4.75, 2.5)
    assert (many.soc_max_kwh, many.charge_max_kw) == (190, 100)
    assert many.soc_end_kwh == many.soc_start_kwh == 100
