"""What a correction changes: cents by member, and whether anybody gets a new paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from api.cooperative.database import Desk
from api.cooperative.runs.states import Run, run_of
from api.cooperative.runs.storing import Computation, computation_of
from optimizer.settling.correction import correct_month
from optimizer.settling.invoicing import MemberInvoice, VatAmount


@dataclass(frozen=True, slots=True)
class Delta:
    """What a correction changes.

    Attributes:
        cents: What each member of either version pays more than before [cents].
        exact_eur: The same without VAT and before any rounding; members without are left out.
        owed: Members of whom an amount owed, or its VAT, changes: they get another invoice.
        earned: Members of whom an amount earned changes: they get another purchase note.
        under_a_cent: Whether all of it together stays under a cent: stored, not invoiced.

    Source:
        Section 6.5 of docs/settlement.md.
    """

    cents: Mapping[str, int]
    exact_eur: Mapping[str, Fraction]
    owed: frozenset[str]
    earned: frozenset[str]
    under_a_cent: bool


def delta_of(desk: Desk, run: Run, computation: Computation) -> Delta:
    """Return what a correction changes of the run whose place it takes."""
    assert run.corrects is not None, run.id
    old = computation_of(desk, run_of(desk, run.corrects)).invoices
    new = computation.invoices
    changed = correct_month(old, new)
    nothing = MemberInvoice((), ())
    members = sorted({*old, *new})
    before = {name: old.get(name, nothing) for name in members}
    after = {name: new.get(name, nothing) for name in members}
    return Delta(
        {name: after[name].to_pay - before[name].to_pay for name in members},
        changed.delta_exact_eur,
        _moved(before, after, earned=False),
        _moved(before, after, earned=True),
        changed.under_a_cent,
    )


def _moved(
    before: Mapping[str, MemberInvoice], after: Mapping[str, MemberInvoice], *, earned: bool
) -> frozenset[str]:
    """Return the members of whom a net amount or its VAT on one side is another one.

    An amount that only moves from one line or account to another leaves the member's paper right.
    """

    def amounts(invoice: MemberInvoice) -> list[VatAmount]:
        return [each for each in invoice.vat if each.earned is earned and each.base_cents]

    return frozenset(name for name in before if amounts(before[name]) != amounts(after[name]))
