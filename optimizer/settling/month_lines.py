"""A month's energy and days, priced by the quarter: the lines before they become cents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction

import numpy as np

from kwartier.interval import local_day
from kwartier.units import Wh
from optimizer.settling.battery_claims import COOPERATIVE
from optimizer.settling.battery_models import BatteryModel
from optimizer.settling.battery_month import Deliveries
from optimizer.settling.flagged import unsure_battery, unsure_quarters
from optimizer.settling.invoicing import Charge, PricedLine
from optimizer.settling.matrix import AllocationMatrix, ReadingMatrix, WhArray
from optimizer.settling.month_spans import LocalDay, OwnedSpan, PriceBand, local_days, overlap


def energy_lines(
    readings: ReadingMatrix,
    allocation: AllocationMatrix,
    spans: Sequence[OwnedSpan],
    bands: Sequence[PriceBand],
    model: BatteryModel | None,
) -> Iterator[PricedLine]:
    """Yield what each connection bought and sold for each owner at each price.

    Args:
        readings: What was read.
        allocation: How it was settled.
        spans: Who owned what.
        bands: At what prices.
        model: The battery's; under ``coop_buys`` what charged it is sold at the sell price.

    Source:
        Convention C12 and sections 6.6 and 6.14 of the settlement design.
    """
    unsure = unsure_quarters(readings)
    rows = {name: row for row, name in enumerate(readings.connections)}
    for span in spans:
        if span.connection not in rows:
            continue
        row = rows[span.connection]
        for band in bands:
            columns = overlap(span.columns, band.columns)
            if not columns:
                continue

            def energy_wh(matrix: WhArray, row: int = row, columns: range = columns) -> Wh:
                return int(matrix[row, columns.start : columns.stop].sum())

            terms = band.terms
            bought_wh = energy_wh(allocation.bought_wh)
            amounts = [
                (Charge.BUY, bought_wh, terms.buy_eur_per_kwh),
                (Charge.SELL, energy_wh(allocation.sold_wh), terms.sell_eur_per_kwh),
            ]
            if terms.levy_eur_per_kwh:
                amounts.append((Charge.LEVY, bought_wh, terms.levy_eur_per_kwh))
            if model is BatteryModel.COOP_BUYS:
                charged_wh = energy_wh(allocation.to_battery_wh)
                amounts.append((Charge.BATTERY, charged_wh, terms.sell_eur_per_kwh))
            estimated = int(np.count_nonzero(unsure[row, columns.start : columns.stop]))
            for charge, amount_wh, price in amounts:
                if amount_wh:
                    yield _line(readings, span, band, columns, charge, amount_wh, price, estimated)


def delivery_lines(
    readings: ReadingMatrix, deliveries: Deliveries, bands: Sequence[PriceBand]
) -> Iterator[PricedLine]:
    """Yield what the battery gave for each member, to members and to the grid, at each price.

    Source:
        Section 6.14 of the settlement design.
    """
    unsure = unsure_battery(readings)
    columns = np.array(deliveries.columns, np.int64)
    for band in bands:
        within = np.flatnonzero((columns >= band.columns.start) & (columns < band.columns.stop))
        for grid, matrix, price in (
            (False, deliveries.to_members_wh, band.terms.sell_eur_per_kwh),
            (True, deliveries.to_grid_wh, band.terms.grid_sell_eur_per_kwh),
        ):
            given_wh = matrix[within]
            for place, energy_wh in enumerate(given_wh.sum(axis=0).tolist()):
                member = deliveries.owners[place]
                if not energy_wh or member == COOPERATIVE:
                    continue
                when = columns[within[np.flatnonzero(given_wh[:, place])]]
                yield PricedLine(
                    member,
                    Charge.BATTERY,
                    "",
                    band.tariff.id,
                    energy_wh,
                    None,
                    price,
                    Fraction(energy_wh, 1000) * price,
                    Fraction(),
                    len(when),
                    int(np.count_nonzero(unsure[when])),
                    readings.quarter(int(when[0])).start_s,
                    readings.quarter(int(when[-1])).end_s,
                    grid,
                )


def fee_lines(
    readings: ReadingMatrix, spans: Sequence[OwnedSpan], bands: Sequence[PriceBand]
) -> Iterator[PricedLine]:
    """Yield the standing fee of each member that owns a connection, by day.

    A day counts once for a member, however many connections it owns, and at the fee that is in
    force when the day begins; it costs one part of as many as its calendar month has days.

    Source:
        Section 6.10 of the settlement design.
    """
    for band in bands:
        fee = band.terms.fee_eur
        of_band = [day for day in local_days(readings) if day.columns.start in band.columns]
        for month_days in _months(of_band) if fee else ():
            for member, days in _days_owned(month_days, spans).items():
                part = Fraction(len(days), month_days[0].of_days)
                yield PricedLine(
                    member,
                    Charge.FEE,
                    "",
                    band.tariff.id,
                    None,
                    len(days),
                    fee,
                    fee * part,
                    band.terms.vat,
                    0,
                    0,
                    local_day(days[0])[0],
                    local_day(days[-1])[1],
                )


def merged(lines: Iterable[PricedLine]) -> list[PricedLine]:
    """Return one line for each connection and tariff version, also where a member came back."""
    whole: dict[tuple[str, Charge, str, str, bool], PricedLine] = {}
    for line in lines:
        place = line.member, line.charge, line.connection, line.tariff, line.grid
        whole[place] = _together(whole[place], line) if place in whole else line
    return list(whole.values())


def _line(
    readings: ReadingMatrix,
    span: OwnedSpan,
    band: PriceBand,
    columns: range,
    charge: Charge,
    energy_wh: Wh,
    price: Fraction,
    estimated: int,
) -> PricedLine:
    return PricedLine(
        span.member,
        charge,
        span.connection,
        band.tariff.id,
        energy_wh,
        None,
        price,
        Fraction(energy_wh, 1000) * price,
        band.terms.vat if charge.owed else Fraction(),
        len(columns),
        estimated,
        readings.quarter(columns.start).start_s,
        readings.quarter(columns.stop).start_s,
    )


def _together(one: PricedLine, other: PricedLine) -> PricedLine:
    """Return two lines of one connection and version as one."""
    assert one.vat == other.vat
    return replace(
        one,
        energy_wh=_sum(one.energy_wh, other.energy_wh),
        days=_sum(one.days, other.days),
        price_eur=one.price_eur if one.price_eur == other.price_eur else None,
        exact_eur=one.exact_eur + other.exact_eur,
        quarters=one.quarters + other.quarters,
        estimated=one.estimated + other.estimated,
        start_s=min(one.start_s, other.start_s),
        end_s=max(one.end_s, other.end_s),
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _months(days: Sequence[LocalDay]) -> list[list[LocalDay]]:
    """Return days by calendar month."""
    months: dict[tuple[int, int], list[LocalDay]] = {}
    for each in days:
        months.setdefault((each.day.year, each.day.month), []).append(each)
    return list(months.values())


def _days_owned(
    days: Sequence[LocalDay], spans: Sequence[OwnedSpan]
) -> Mapping[str, Sequence[date]]:
    """Return on which days each member owns a connection."""
    owned: dict[str, set[date]] = {}
    for span in spans:
        held = {each.day for each in days if overlap(span.columns, each.columns)}
        if held:
            owned.setdefault(span.member, set()).update(held)
    return {member: sorted(dates) for member, dates in owned.items()}
