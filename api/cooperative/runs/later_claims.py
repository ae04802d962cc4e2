"""Months in the books that began with other claims on the battery than a month now leaves."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from api.cooperative.checks import Code, Finding, Prices, Severity
from api.cooperative.database import Desk
from api.cooperative.runs.month import Month
from api.cooperative.runs.states import BOOKED, Run, runs
from api.cooperative.runs.storing import computation_by_id
from kwartier.wire import Json
from optimizer.settling.battery_claims import COOPERATIVE
from optimizer.settling.battery_models import BatteryModel
from optimizer.settling.battery_month import MonthBattery

_MILLI = 1000
_CENT = 10
"""A cent in watt-hours at a euro a kWh [Wh EUR/kWh]."""


def later_claims(
    desk: Desk, month: Month, battery: MonthBattery | None, prices: Prices
) -> list[Finding]:
    """Return a finding when later months opened with other claims than a month leaves, else none.

    A correction moves what members may still expect of the battery, and the months after it were
    settled on what was known before. They are corrected too, in their order: each takes over the
    claims of the one before it. Where all of it is not worth a cent nobody's account would move,
    and nothing is told. Effect: what members' claims differ, as far as it comes out of
    the battery, at the selling price.

    Args:
        desk: The open books.
        month: The month that was reckoned.
        battery: What it did to the claims; None without a battery.
        prices: What a kWh is worth.
    """
    later = _later(desk, month)
    opened = {} if not later else next(iter(later.values()))
    if battery is None or not opened:
        return []
    left, began = battery.claims_after_milliwh, _claims(opened)
    apart = {
        name: abs(left.get(name, 0) - began.get(name, 0))
        for name in sorted({*left, *began})
        if left.get(name, 0) != began.get(name, 0)
    }
    carried = any(each["model"] == BatteryModel.OWNER_CARRY.value for each in later.values())
    if not (carried or {*left, *began} - {COOPERATIVE}):
        return []
    part = Fraction(str(opened["efficiency"])) / _MILLI
    if part * sum(apart.values()) * prices.sell_eur_per_kwh < _CENT:
        return []
    of_members = sum(moved for name, moved in apart.items() if name != COOPERATIVE)
    return [
        Finding(
            Code.SUM,
            "later_claims",
            Severity.WARNING,
            "",
            "",
            prices.sold_cents(part * of_members),
            {
                "month": str(next(iter(later))),
                "months": " ".join(str(each) for each in later),
                "difference_wh": -(-sum(apart.values()) // _MILLI),
            },
        )
    ]


def _later(desk: Desk, month: Month) -> dict[Month, Mapping[str, Json]]:
    """Return what later months in the books say of their battery; from one without on, none."""
    newest: dict[Month, Run] = {}
    for run in runs(desk):
        if run.state in BOOKED and run.name.month > month:
            newest[run.name.month] = run
    found: dict[Month, Mapping[str, Json]] = {}
    for name in sorted(newest):
        battery = computation_by_id(desk, newest[name].computation).inputs["battery"]
        if not isinstance(battery, dict):
            break
        found[name] = battery
    return found


def _claims(battery: Mapping[str, Json]) -> dict[str, int]:
    claims = battery["claims_milliwh"]
    assert isinstance(claims, dict), claims
    return {name: int(str(milliwh)) for name, milliwh in claims.items()}
