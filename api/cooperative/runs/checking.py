"""The board's checks at the moment a run is computed, and what was guessed or is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import func, select

from api.cooperative.checks import (
    CheckCase,
    Code,
    CommunityTotal,
    Finding,
    MemberTotal,
    PastMonth,
    Prices,
    Severity,
    Window,
    check_all,
)
from api.cooperative.checks.meters_read import meter_cases
from api.cooperative.checks.sun import solar_permille
from api.cooperative.database import Desk
from api.cooperative.registry import connections
from api.cooperative.runs.frozen_days import BATTERY_ROW, readings_of
from api.cooperative.runs.gathering import Gathered
from api.cooperative.runs.later_claims import later_claims
from api.cooperative.runs.month import Month
from api.cooperative.runs.states import BOOKED, Run, runs
from api.cooperative.runs.storing import days_kept
from api.cooperative.tables.runs import RunDayRow
from kwartier.interval import QUARTER_S, Quarter
from kwartier.units import EpochS
from optimizer.month import FlaggedStretch, MonthResult
from optimizer.settling.battery_models import BatteryModel
from optimizer.settling.invoicing import Charge, MemberInvoice

PAST_MONTHS = 12
"""How many earlier months a connection is compared with."""
ESTIMATED = "estimated"
"""The kind of finding that tells of estimated quarters."""


def found_in(desk: Desk, gathered: Gathered, result: MonthResult) -> list[Finding]:
    """Return everything the board should look at in a month's result, the largest effect first."""
    case = _case(desk, gathered, result)
    found = check_all(case)
    found += later_claims(desk, gathered.month, result.battery, case.prices)
    found += _doubts(case, result, {each.connection for each in found if each.code is Code.MISSING})
    return sorted(found, key=lambda each: (-each.effect_cents, each.code, each.key))


def _case(desk: Desk, gathered: Gathered, result: MonthResult) -> CheckCase:
    allocation, last = result.allocation, list(gathered.tariffs.values())[-1]
    end_s = gathered.month.end_s
    carried = any(key.battery_model is BatteryModel.OWNER_CARRY for key in gathered.keys)
    return CheckCase(
        gathered.readings,
        gathered.ownership,
        allocation,
        {name: _total(each, carried=carried) for name, each in result.invoices.items()},
        CommunityTotal(
            int(allocation.bought_wh.sum()),
            int(allocation.sold_wh.sum()),
            int(allocation.to_battery_wh.sum()),
            int(allocation.from_battery_wh.sum()),
        ),
        limits_w={each.id: each.limit_w for each in connections(desk)},
        tariffs=_windows([(name, each.from_s) for name, each in gathered.tariffs.items()], end_s),
        keys=_windows([(key.id, key.from_s) for key in gathered.keys], end_s),
        history=_history(desk, gathered.month),
        meters=meter_cases(desk, gathered.readings.connections, gathered.month.start_s, end_s),
        prices=Prices(last.terms.buy_eur_per_kwh, last.terms.sell_eur_per_kwh),
    )


def _total(invoice: MemberInvoice, *, carried: bool) -> MemberTotal:
    """Return what stands on a statement; what charged a claim of the member's own does not.

    Args:
        invoice: The member's invoice.
        carried: Whether owners carry what charges the battery.
    """

    def energy_wh(charge: Charge) -> int:
        lines = [line.priced for line in invoice.lines if line.priced.charge is charge]
        # What the battery gave its owners is no export that charged it.
        return sum(line.energy_wh or 0 for line in lines if line.connection)

    return MemberTotal(
        energy_wh(Charge.BUY),
        energy_wh(Charge.SELL),
        None if carried else energy_wh(Charge.BATTERY),
        invoice.to_pay,
    )


def _windows(starts: Iterable[tuple[str, EpochS]], end_s: EpochS) -> tuple[Window, ...]:
    ordered = sorted(starts, key=lambda each: each[1])
    ends = [*(start for _, start in ordered[1:]), end_s]
    return tuple(
        Window(name, start_s, until_s)
        for (name, start_s), until_s in zip(ordered, ends, strict=True)
    )


def _history(desk: Desk, month: Month) -> dict[str, tuple[PastMonth, ...]]:
    """Return what each connection counted in the months before that are in the books."""
    newest: dict[Month, Run] = {}
    for run in runs(desk):
        if run.state in BOOKED and month.plus(-PAST_MONTHS) <= run.name.month < month:
            newest[run.name.month] = run
    history: dict[str, list[PastMonth]] = {}
    for past in sorted(newest, reverse=True):
        run = newest[past]
        sun = _sun(desk, run) if past == max(newest) else {}
        counted = func.length(func.replace(func.replace(RunDayRow.taken_quality, "-", ""), ".", ""))
        rows = desk.session.execute(
            select(
                RunDayRow.connection,
                func.sum(counted),
                func.sum(RunDayRow.taken_wh),
                func.sum(RunDayRow.given_wh),
            )
            .where(RunDayRow.computation == run.computation, RunDayRow.connection != BATTERY_ROW)
            .group_by(RunDayRow.connection)
        )
        for name, quarters, taken_wh, given_wh in rows:
            told = PastMonth(str(past), int(quarters), int(taken_wh), int(given_wh), sun.get(name))
            history.setdefault(name, []).append(told)
    return {name: tuple(months) for name, months in history.items()}


def _sun(desk: Desk, run: Run) -> Mapping[str, int | None]:
    """Return how each connection went with the sun in a month that is in the books."""
    month = run.name.month
    days = days_kept(desk, run.computation)
    readings = readings_of(days, month.start_s, month.end_s)
    return {name: solar_permille(readings, row) for row, name in enumerate(readings.connections)}


def _doubts(case: CheckCase, result: MonthResult, told: set[str]) -> list[Finding]:
    """Return a finding for each register's owner whose quarters were estimated or not read.

    The checks tell of connections with gaps; estimates, and the battery's gaps, stand here.
    """
    found = []
    for kind, stretches in (("gap", result.missing), (ESTIMATED, result.estimated)):
        by_name: dict[str, list[FlaggedStretch]] = {}
        for each in stretches:
            by_name.setdefault(each.register.partition(":")[0], []).append(each)
        for name, parts in by_name.items():
            if kind == ESTIMATED or name not in told:
                found.append(_doubt(case, kind, name, parts))
    return found


def _doubt(case: CheckCase, kind: str, name: str, parts: list[FlaggedStretch]) -> Finding:
    starts = [part.start_s for part in parts]
    count = sum(part.quarters for part in parts)
    last_s = max(part.start_s + (part.quarters - 1) * QUARTER_S for part in parts)
    facts: dict[str, str | int] = {ESTIMATED: count}
    if kind != ESTIMATED:
        facts = {
            "missing": count,
            "expected": case.readings.quarters,
            "gaps": len(parts),
            "longest": max(part.quarters for part in parts),
        }
    return Finding(
        Code.MISSING,
        kind,
        Severity.WARNING if kind == ESTIMATED else Severity.BLOCKER,
        name,
        "",
        _worth_cents(case, name, parts),
        facts,
        Quarter(min(starts)),
        Quarter(last_s),
    )


def _worth_cents(case: CheckCase, name: str, parts: list[FlaggedStretch]) -> int:
    """Return what was estimated at the prices of its directions, in cents."""
    readings = case.readings
    total = 0
    for part in parts:
        direction = part.register.partition(":")[2]
        if name not in readings.connections:
            continue
        row = readings.connections.index(name)
        first = (part.start_s - case.start_s) // QUARTER_S
        columns = slice(first, first + part.quarters)
        registers = readings.given if direction == "export" else readings.taken
        energy_wh = int(registers.energy_wh[row, columns].sum())
        worth = case.prices.sold_cents if direction == "export" else case.prices.bought_cents
        total += worth(energy_wh)
    return total
