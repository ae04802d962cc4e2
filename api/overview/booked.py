"""Months that are settled in the books, as the overview keeps them: a run's days and its lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

import numpy as np

from api.cooperative.database import Desk
from api.cooperative.runs import Run, runs
from api.cooperative.runs.frozen import tariffs_of
from api.cooperative.runs.frozen_days import BATTERY_ROW, ESTIMATED, MISSING, UNLISTED, FrozenDay
from api.cooperative.runs.states import BOOKED
from api.cooperative.runs.storing import computation_of, days_kept
from api.office import Office
from api.overview.day_file import DayFile
from api.overview.day_sums import (
    BookedMonth,
    Energies,
    HomeDay,
    HomeQuarters,
    LineSum,
    Origin,
)
from api.overview.law import Prices, money_of
from api.overview.reckoning import home_day_sums
from kwartier.interval import local_day
from optimizer.settling.invoicing import MemberInvoice


def take_in_booked(office: Office, file: DayFile, reference: Fraction) -> list[str]:
    """Take in each month whose booked run is another than the one kept; return their names.

    Args:
        office: The books.
        file: Where days are kept.
        reference: What a supplier asks for a kWh [EUR/kWh].

    Raises:
        BooksError: The books cannot be read now.
    """
    kept = file.booked()
    taken = []
    with office.reading() as desk:
        for run in _standing(desk):
            month = BookedMonth(
                str(run.name.month), run.id, run.computation, run.corrects is not None
            )
            if kept.get(month.month) != month:
                _take_in(desk, file, run, month, reference)
                taken.append(month.month)
    return taken


def _standing(desk: Desk) -> list[Run]:
    """Return the newest booked run of every month."""
    newest = {str(run.name.month): run for run in runs(desk) if run.state in BOOKED}
    return list(newest.values())


def _take_in(desk: Desk, file: DayFile, run: Run, month: BookedMonth, reference: Fraction) -> None:
    computation = computation_of(desk, run)
    prices = [
        Prices(
            from_s,
            tariff.terms.buy_eur_per_kwh,
            tariff.terms.sell_eur_per_kwh,
            tariff.terms.levy_eur_per_kwh,
        )
        for from_s, tariff in sorted(tariffs_of(computation.inputs), key=lambda one: one[0])
    ]
    days = (run.name.month.first, run.name.month.last + timedelta(days=1))
    homes = (
        _home_day(day, prices, reference)
        for day in days_kept(desk, computation.id)
        if day.connection != BATTERY_ROW
    )
    lines = [
        line
        for party, invoice in computation.invoices.items()
        for line in _lines(month.month, party, invoice)
    ]
    file.keep_month(month, days, homes, lines)


def _home_day(
    day: FrozenDay, prices: list[Prices], reference: Fraction
) -> tuple[HomeDay, HomeQuarters]:
    away = {MISSING, UNLISTED}
    pairs = list(zip(day.taken_quality, day.given_quality, strict=True))
    kind = [0 if away & {*pair} else 2 if ESTIMATED in pair else 1 for pair in pairs]
    given = _energies(day.given)
    quarters = HomeQuarters(
        _energies(day.taken),
        given,
        given,  # a run knows meters only: of a roof it knows what left it
        _energies(day.bought),
        _energies(day.sold),
        _energies(day.to_battery),
        _energies(kind),
        np.zeros(len(kind), np.int64),
    )
    first_s = local_day(day.day)[0]
    money = money_of(
        prices, reference, first_s, quarters.bought_wh, quarters.sold_wh + quarters.charged_wh
    )
    sums = home_day_sums(quarters, len(pairs), money)
    return HomeDay(day.connection, day.day, Origin.RUN, *sums), quarters


def _energies(values: object) -> Energies:
    assert isinstance(values, list | tuple)
    return np.array([0 if value is None else value for value in values], np.int64)


def _lines(month: str, party: str, invoice: MemberInvoice) -> Iterator[LineSum]:
    """Yield a member's lines, one for each home and charge."""
    energy: Counter[tuple[str, str]] = Counter()
    cents: Counter[tuple[str, str]] = Counter()
    for line in invoice.lines:
        place = line.priced.connection, line.priced.charge.value
        energy[place] += line.priced.energy_wh or 0
        cents[place] += line.cents
    for (home, charge), total in sorted(cents.items()):
        yield LineSum(month, home, party, charge, energy[home, charge], total)
