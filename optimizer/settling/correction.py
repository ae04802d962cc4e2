"""A month settled again: what is taken back, what takes its place, and what each member owes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from kwartier.ledger import Entry
from optimizer.settling.invoicing import MemberInvoice, entries_of


@dataclass(frozen=True, slots=True)
class MonthCorrection:
    """What a new version of a month changes; a member whose cents all stay is not in it.

    Attributes:
        reversals: The old entries of changed members with every sign turned, by member.
        replacements: Their new entries, by member.
        delta_to_pay: What each changed member pays more than before, in cents; 0 when an amount
            only moved from one account to another.
        delta_exact_eur: What each member owes more without VAT and before any rounding, also
            where no cent moved; members without a difference are left out.
    """

    reversals: Mapping[str, tuple[Entry, ...]]
    replacements: Mapping[str, tuple[Entry, ...]]
    delta_to_pay: Mapping[str, int]
    delta_exact_eur: Mapping[str, Fraction]

    @property
    def under_a_cent(self) -> bool:
        """Whether all exact deltas together stay under a cent: stored, and not invoiced.

        Source:
            Section 6.5 of the settlement design.
        """
        return 100 * sum(abs(delta) for delta in self.delta_exact_eur.values()) < 1


def correct_month(
    old: Mapping[str, MemberInvoice], new: Mapping[str, MemberInvoice]
) -> MonthCorrection:
    """Return what takes the invoices of a month back and puts new ones in their place.

    Source:
        Convention C15 and section 6.5 of the settlement design.
    """
    members = sorted({*old, *new})
    changed = [name for name in members if _entries(old, name) != _entries(new, name)]
    exact_eur = {
        name: _invoice(new, name).exact_eur - _invoice(old, name).exact_eur for name in members
    }
    return MonthCorrection(
        {
            name: tuple(
                each.reversed(f"reversal of {each.reference}") for each in _entries(old, name)
            )
            for name in changed
        },
        {name: _entries(new, name) for name in changed},
        {name: _invoice(new, name).to_pay - _invoice(old, name).to_pay for name in changed},
        {name: delta for name, delta in exact_eur.items() if delta},
    )


def _invoice(invoices: Mapping[str, MemberInvoice], member: str) -> MemberInvoice:
    return invoices.get(member, MemberInvoice((), ()))


def _entries(invoices: Mapping[str, MemberInvoice], member: str) -> tuple[Entry, ...]:
    return entries_of(member, _invoice(invoices, member))
