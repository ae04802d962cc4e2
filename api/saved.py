"""What sharing saved the neighbourhood this year: from the months that are in the books."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from api.cooperative.database import Desk
from api.cooperative.runs import Run, runs
from api.cooperative.runs.states import BOOKED
from api.cooperative.runs.storing import computation_of
from api.house import House
from collectors.disclosure import MIN_HOMES
from kwartier.units import kwh
from optimizer.settling.invoicing import Charge

LOOKED_AGE_S = 300.0
"""How long it is told before the books are looked at again [s]."""


@dataclass(frozen=True, slots=True)
class YearSaved:
    """Money that sharing saved in the booked months of a year.

    Attributes:
        year: Which year.
        months: How many months are in it.
        saved_eur: What members paid less than without sharing, excluding VAT [EUR].
    """

    year: int
    months: int
    saved_eur: Decimal


class Savings:
    """Adds up the booked months of the year; safe to share between threads."""

    def __init__(self, house: House) -> None:
        """Ask the books of a house, where they are kept."""
        self._house = house
        self._lock = threading.Lock()
        self._told: tuple[float, YearSaved | None] | None = None
        self._months: dict[tuple[str, int | None], Decimal | None] = {}

    def this_year(self, today: date) -> YearSaved | None:
        """Return what was saved in the year of a day, or None when nothing is booked yet.

        Raises:
            StoreBusyError: The books cannot be reached now.
        """
        office, asked_at = self._house.office, self._house.clock.monotonic_s()
        if office is None:
            return None
        with self._lock:
            if self._told is not None and asked_at - self._told[0] < LOOKED_AGE_S:
                return self._told[1]
            with office.reading() as desk:
                standing = {
                    str(run.name.month): run
                    for run in runs(desk)
                    if run.state in BOOKED and run.name.month.first.year == today.year
                }
                saved = [self._month(desk, run) for run in standing.values()]
            known = [eur for eur in saved if eur is not None]
            found = YearSaved(today.year, len(known), sum(known, Decimal())) if known else None
            self._told = asked_at, found
            return found

    def _month(self, desk: Desk, run: Run) -> Decimal | None:
        key = run.id, run.computation
        if key not in self._months:
            self._months[key] = self._saved(desk, run)
        return self._months[key]

    def _saved(self, desk: Desk, run: Run) -> Decimal | None:
        lines = [
            line
            for invoice in computation_of(desk, run).invoices.values()
            for line in invoice.lines
        ]
        if len({line.priced.connection for line in lines}) < MIN_HOMES:
            return None
        bought_wh = sum(
            line.priced.energy_wh or 0 for line in lines if line.priced.charge is Charge.BUY
        )
        paid_cents = sum(
            abs(line.cents) for line in lines if line.priced.charge in {Charge.BUY, Charge.LEVY}
        )
        reference = self._house.community.tariff.reference_eur_per_kwh
        return kwh(bought_wh) * reference - Decimal(paid_cents) / 100
