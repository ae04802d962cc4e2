"""A month settled again: what is taken back, what takes its place, and what each member owes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from kwartier.ledger import Entry
from optimizer.invoicing import MemberInvoice


@dataclass(frozen=True, slots=True)
class MonthCorrection:
    """What a new version of a month changes; members whose figures stay are in none of it.

    Attributes:
        reversals: The old entries of changed members with every sign turned, by member.
        replacements: Their new entries, by member.
        delta_to_pay: What each changed member pays more than before, in cents; may be 0 when
            only lines moved.
        delta_exact_eur: The same without VAT and before any rounding.
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
    raise NotImplementedError
