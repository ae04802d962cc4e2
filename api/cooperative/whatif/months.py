"""The months that are reckoned once more: what was booked, or else what the books know of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, TamperedError
from api.cooperative.runs.frozen_days import readings_hash, readings_of
from api.cooperative.runs.gathering import gather
from api.cooperative.runs.month import Month
from api.cooperative.runs.states import Run, State, booked, runs
from api.cooperative.runs.storing import computation_of, days_kept
from api.cooperative.tables.readings import DayRow
from api.cooperative.whatif.effects import NO_READINGS
from kwartier.interval import day_of
from kwartier.units import EpochS
from kwartier.wire import Json
from optimizer.settling.battery_models import MilliWh
from optimizer.settling.matrix import ReadingMatrix

MONTHS = 12
"""How many months are reckoned once more."""
FROM_READINGS = "readings"
"""Where a month comes from that no run is booked of."""


@dataclass(frozen=True, slots=True)
class KnownMonth:
    """A month as it can be reckoned again.

    Attributes:
        month: Which.
        source: The run it comes from, or ``readings``.
        inputs: What decided it, in the form that runs freeze.
        readings: What was read.
        bills: What each member paid, where a run reckoned it [cents]; None where none did.
        claims_after: The claims on the battery after it, where a run reckoned them.
    """

    month: Month
    source: str
    inputs: dict[str, Json]
    readings: ReadingMatrix
    bills: Mapping[str, int] | None
    claims_after: Mapping[str, MilliWh] | None


def last_months(now_s: EpochS, count: int = MONTHS) -> list[Month]:
    """Return the last whole months before an instant [s], the oldest first."""
    today = day_of(now_s)
    this = Month(today.year, today.month)
    return [this.plus(-back) for back in range(count, 0, -1)]


def known_month(desk: Desk, month: Month) -> KnownMonth:
    """Return a month: as it was booked, else from the readings, else as it was computed last.

    Raises:
        BooksError: The books do not know enough of it; the message says what is missing.
        TamperedError: What was frozen was changed since.
    """
    run = booked(desk, str(month))
    if run is not None:
        return _frozen(desk, run)
    computed = [
        each for each in runs(desk, str(month)) if each.state not in (State.DRAFT, State.WITHDRAWN)
    ]
    try:
        return _gathered(desk, month)
    except BooksError:
        if not computed:
            raise
    return _frozen(desk, computed[-1])


def _gathered(desk: Desk, month: Month) -> KnownMonth:
    wanted = select(DayRow.id).where(DayRow.day >= month.first, DayRow.day <= month.last).limit(1)
    if desk.session.scalar(wanted) is None:
        raise BooksError(f"{month}: {NO_READINGS}")
    found = gather(desk, month)
    return KnownMonth(month, FROM_READINGS, found.inputs, found.readings, None, None)


def _frozen(desk: Desk, run: Run) -> KnownMonth:
    computation, month = computation_of(desk, run), run.name.month
    readings = readings_of(days_kept(desk, computation.id), month.start_s, month.end_s)
    frozen = computation.inputs["readings"]
    if not isinstance(frozen, dict) or frozen["hash"] != readings_hash(readings):
        raise TamperedError(f"run {run.id}: its readings do not fit their hash: stop and look")
    return KnownMonth(
        month,
        run.id,
        computation.inputs,
        readings,
        {name: each.to_pay for name, each in computation.invoices.items()},
        claims_in(computation.result),
    )


def claims_in(result: Mapping[str, Json]) -> dict[str, MilliWh]:
    """Return the claims on the battery after a month that was settled [thousandths of a Wh]."""
    battery = result["battery"]
    claims = battery["claims_after_milliwh"] if isinstance(battery, dict) else {}
    assert isinstance(claims, dict)
    return {name: claim for name, claim in claims.items() if isinstance(claim, int)}
