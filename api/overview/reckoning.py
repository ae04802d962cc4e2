"""Days that were read, settled by what was agreed and summed by home and for the neighbourhood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from api.overview.day_sums import AreaDay, Energies, HomeDay, HomeQuarters, Origin
from api.overview.law import Law, Money, money_of
from api.overview.reading import ReadDays
from collectors.disclosure import MIN_BATTERY_HOMES, MIN_HOMES
from kwartier.interval import QUARTER_S
from kwartier.units import EpochS
from optimizer.settling.matrix import Flags, ReadingMatrix, RegisterMatrix
from optimizer.settling.matrix_settlement import settle_matrix


@dataclass(frozen=True, slots=True)
class SummedDay:
    """One local day: each known home's sums and quarters, and the neighbourhood's."""

    area: AreaDay
    homes: tuple[tuple[HomeDay, HomeQuarters], ...]


def summed_days(read: ReadDays, law: Law, looked_s: EpochS) -> list[SummedDay]:
    """Return every day that was read, summed; a home of which nothing is known is left out."""
    return [
        _summed(read, law, place, looked_s, range(read.bounds[place], read.bounds[place + 1]))
        for place in range(len(read.days))
    ]


def _summed(read: ReadDays, law: Law, place: int, looked_s: EpochS, columns: range) -> SummedDay:
    matrix = _part(read.matrix, columns)
    known, estimated = (
        read.known[:, columns.start : columns.stop],
        read.estimated[:, columns.start : columns.stop],
    )
    shared = settle_matrix(matrix, law.agreement(matrix.first.start_s))
    ended = min(max(0, read.ended - columns.start), matrix.quarters)
    homes, monies = [], []
    for row in np.flatnonzero(known.any(axis=1)).tolist():
        quarters = HomeQuarters(
            matrix.taken.energy_wh[row],
            matrix.given.energy_wh[row],
            read.roof_wh[row, columns.start : columns.stop],
            shared.bought_wh[row],
            shared.sold_wh[row],
            shared.to_battery_wh[row],
            known[row].astype(np.int64) + estimated[row],
            read.kept_wh[row, columns.start : columns.stop],
        )
        money = money_of(
            law.prices,
            law.reference,
            matrix.first.start_s,
            quarters.bought_wh,
            quarters.sold_wh + quarters.charged_wh,
        )
        monies.append(money)
        name = matrix.connections[row]
        homes.append((_home(read, place, name, ended, quarters, money), quarters))
    area = _area(read, place, looked_s, columns, shared.bought_wh, monies)
    return SummedDay(area, tuple(homes))


def home_day_sums(
    quarters: HomeQuarters, ended: int, money: Money
) -> tuple[int, int, int, int, int, int, int, int, int, int, int, int, int, int]:
    """Return the numbers of a home's day, in the order of ``HomeDay`` from ``quarters`` on."""
    return (
        len(quarters.kind),
        ended,
        int((quarters.kind > 0).sum()),
        int((quarters.kind > 1).sum()),
        int(quarters.import_wh.sum()),
        int(quarters.export_wh.sum()),
        int(quarters.roof_wh.sum()),
        int(quarters.use_wh.sum()),
        int(quarters.bought_wh.sum()),
        int(quarters.sold_wh.sum()),
        int(quarters.charged_wh.sum()),
        money.paid,
        money.earned,
        money.saved,
    )


def _home(
    read: ReadDays, place: int, name: str, ended: int, quarters: HomeQuarters, money: Money
) -> HomeDay:
    return HomeDay(name, read.days[place], Origin.RECORD, *home_day_sums(quarters, ended, money))


def _area(
    read: ReadDays,
    place: int,
    looked_s: EpochS,
    columns: range,
    bought_wh: Energies,
    monies: list[Money],
) -> AreaDay:
    matrix, known = _part(read.matrix, columns), read.known[:, columns.start : columns.stop]
    counted = known.sum(axis=0) >= MIN_HOMES
    counted &= ~(matrix.charge.missing[0] | matrix.discharge.missing[0])
    if not counted.any():
        return AreaDay(read.days[place], looked_s, matrix.quarters)
    taken, given = matrix.taken.energy_wh, matrix.given.energy_wh
    roof = read.roof_wh[:, columns.start : columns.stop]
    # In a sum over few homes with a battery its charge counts as use, as on their meters.
    told = known & read.battery_told[:, columns.start : columns.stop]
    apart = told.sum(axis=0) >= MIN_BATTERY_HOMES
    kept = read.kept_wh[:, columns.start : columns.stop] * apart
    charged, discharged = matrix.charge.energy_wh[0], matrix.discharge.energy_wh[0]
    net = np.where(counted, taken.sum(axis=0) - given.sum(axis=0) + charged - discharged, 0)
    into, out = np.maximum(0, net), np.maximum(0, -net)

    def over(energy_wh: Energies) -> int:
        return int((energy_wh * counted).sum())

    return AreaDay(
        read.days[place],
        looked_s,
        matrix.quarters,
        int(counted.sum()),
        int(known.sum(axis=0).max()),
        over(roof),
        over(np.maximum(0, taken + roof - given - kept)),
        over(bought_wh),
        over(into),
        over(out),
        over(charged),
        over(discharged),
        *_peak(into, matrix.first.start_s),
        *_peak(out, matrix.first.start_s),
        sum(money.saved for money in monies),
        sum(money.levy for money in monies),
    )


def _peak(energy_wh: Energies, start_s: EpochS) -> tuple[int, EpochS]:
    place = int(energy_wh.argmax())
    most = int(energy_wh[place])
    return most, start_s + place * QUARTER_S if most else 0


def _part(matrix: ReadingMatrix, columns: range) -> ReadingMatrix:
    """Return some columns of the readings."""

    def of(registers: RegisterMatrix) -> RegisterMatrix:
        return RegisterMatrix(
            registers.energy_wh[:, columns.start : columns.stop],
            registers.missing[:, columns.start : columns.stop],
            registers.estimated[:, columns.start : columns.stop],
        )

    listed: Flags = matrix.listed[:, columns.start : columns.stop]
    return ReadingMatrix(
        matrix.first.next(columns.start),
        matrix.connections,
        listed,
        of(matrix.taken),
        of(matrix.given),
        of(matrix.charge),
        of(matrix.discharge),
    )
