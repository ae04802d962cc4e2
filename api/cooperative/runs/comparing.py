"""What is different between two runs: for the approver, the largest changes first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.runs.proposing import totals_of
from api.cooperative.runs.states import Run, booked, run_of
from api.cooperative.runs.storing import Computation, computation_of
from kwartier.units import Wh
from optimizer.settling.invoicing import Charge, MemberInvoice

TOP = 10
"""How many changes an approver is shown at first."""


@dataclass(frozen=True, slots=True)
class MemberChange:
    """One member in two runs; cents are None where the member is not in one."""

    member: str
    before_cents: int | None
    after_cents: int | None
    before_bought_wh: Wh
    after_bought_wh: Wh
    before_sold_wh: Wh
    after_sold_wh: Wh

    @property
    def delta_cents(self) -> int:
        """What is to pay more than before."""
        return (self.after_cents or 0) - (self.before_cents or 0)


@dataclass(frozen=True, slots=True)
class RunDiff:
    """Two runs beside each other.

    Attributes:
        run: The one.
        other: What it is compared with.
        totals: By name, such as ``to_pay_cents``: before and after.
        changes: Every member's change, the largest in euro first.
    """

    run: str
    other: str
    totals: Mapping[str, tuple[int, int]]
    changes: tuple[MemberChange, ...]

    @property
    def top(self) -> tuple[MemberChange, ...]:
        """The ten largest changes: what an approver sees first."""
        return self.changes[:TOP]


def run_diff(desk: Desk, run: str, other: str | None = None) -> RunDiff:
    """Return what is different from another run: by default what it corrects, or the month before.

    Raises:
        BooksError: There is nothing to compare with.
    """
    known, against = pair_of(desk, run, other)
    return diff_of(known, against, computation_of(desk, known), computation_of(desk, against))


def pair_of(desk: Desk, run: str, other: str | None = None) -> tuple[Run, Run]:
    """Return a run and what it is compared with: by default what it corrects, or the month before.

    Raises:
        BooksError: There is nothing to compare with.
    """
    known = run_of(desk, run)
    return known, run_of(desk, other or known.corrects or _month_before(desk, known.id))


def diff_of(run: Run, other: Run, after: Computation, before: Computation) -> RunDiff:
    """Return what is different between two runs whose computations were read."""
    totals_before, totals_after = totals_of(before), totals_of(after)
    members = sorted({*before.invoices, *after.invoices})
    changes = [
        _change(name, before.invoices.get(name), after.invoices.get(name)) for name in members
    ]
    return RunDiff(
        run.id,
        other.id,
        {name: (totals_before[name], totals_after[name]) for name in totals_after},
        tuple(sorted(changes, key=lambda each: (-abs(each.delta_cents), each.member))),
    )


def _month_before(desk: Desk, run: str) -> str:
    month = run_of(desk, run).name.month.before()
    found = booked(desk, str(month))
    if found is None:
        raise BooksError(f"run {run}: {month} is not in the books: name a run to compare with")
    return found.id


def _change(name: str, before: MemberInvoice | None, after: MemberInvoice | None) -> MemberChange:
    return MemberChange(
        name,
        None if before is None else before.to_pay,
        None if after is None else after.to_pay,
        _energy_wh(before, Charge.BUY),
        _energy_wh(after, Charge.BUY),
        _energy_wh(before, Charge.SELL),
        _energy_wh(after, Charge.SELL),
    )


def _energy_wh(invoice: MemberInvoice | None, charge: Charge) -> Wh:
    lines = () if invoice is None else invoice.lines
    return sum(line.priced.energy_wh or 0 for line in lines if line.priced.charge is charge)
