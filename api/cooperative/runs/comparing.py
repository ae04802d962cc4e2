"""What is different between two runs: for the approver, the largest changes first."""

from __future__ import annotations

from dataclasses import dataclass

from api.cooperative.database import Desk
from kwartier.units import Wh


@dataclass(frozen=True, slots=True)
class MemberChange:
    """One member in two runs; None where the member is not in it."""

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
        changes: Every member's change, the largest in euro first; an approver sees ten.
    """

    run: str
    other: str
    totals: dict[str, tuple[int, int]]
    changes: tuple[MemberChange, ...]


def run_diff(desk: Desk, run: str, other: str | None = None) -> RunDiff:
    """Return what is different from another run: by default what it corrects, or the month before.

    Raises:
        BooksError: There is nothing to compare with.
    """
    raise NotImplementedError
