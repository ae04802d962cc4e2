"""The meters of a period as the board's checks look at them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from api.cooperative.checks.case import MeterCase, RegisterPoint
from api.cooperative.database import Desk
from api.cooperative.readings.intake import Why
from api.cooperative.readings.meters import Meter, meters_of
from api.cooperative.readings.registers import newest_readings
from api.cooperative.tables.readings import QuarantineRow
from kwartier.errors import ContractError
from kwartier.units import EpochS, wh_from_kwh

_BEFORE_S = 62 * 24 * 3600
"""How far back the reading before a period is looked for [s]."""


def meter_cases(
    desk: Desk, connections: Sequence[str], start_s: EpochS, end_s: EpochS
) -> tuple[MeterCase, ...]:
    """Return the meters that hung in a period, with what their registers stood at.

    Registers that were set aside because they ran backwards are among them, unless a reading was
    recorded for their instant since.
    """
    since_s = start_s - _BEFORE_S
    stood = newest_readings(desk, connections, since_s, end_s)
    doubted = _doubted(desk, connections, since_s, end_s)
    cases = []
    for meter in meters_of(desk, connections):
        if meter.installed_s >= end_s or (meter.removed_s or end_s) < start_s:
            continue
        points = {
            (each.register.value, each.at_s): each.wh
            for each in stood.get((meter.connection, meter.number), ())
        }
        for register, at_s, wh in doubted.get(meter.connection, ()):
            if _hung(meter, at_s):
                points.setdefault((register, at_s), wh)
        told = tuple(
            RegisterPoint(register, at_s, wh)
            for (register, at_s), wh in sorted(points.items(), key=lambda item: item[0][1])
        )
        cases.append(
            MeterCase(
                meter.connection,
                meter.masked,
                meter.installed_s,
                meter.removed_s,
                meter.digits,
                told,
            )
        )
    return tuple(cases)


def _hung(meter: Meter, at_s: EpochS) -> bool:
    return meter.installed_s <= at_s and (meter.removed_s is None or at_s < meter.removed_s)


def _doubted(
    desk: Desk, connections: Sequence[str], start_s: EpochS, end_s: EpochS
) -> dict[str, list[tuple[str, EpochS, int]]]:
    """Return registers that were set aside, by connection."""
    told: dict[str, list[tuple[str, EpochS, int]]] = {}
    for row in desk.session.scalars(
        select(QuarantineRow).where(
            QuarantineRow.connection.in_(connections),
            QuarantineRow.why == Why.REGISTER_BACK.value,
            QuarantineRow.at_s.between(start_s, end_s),
        )
    ):
        try:
            wh = wh_from_kwh(row.value.removesuffix(" kWh"))
        except ContractError:
            continue
        told.setdefault(row.connection, []).append((row.direction, row.at_s, wh))
    return told
