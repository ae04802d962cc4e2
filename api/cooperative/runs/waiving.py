"""What the checks found in a run, and what somebody answers for."""

from __future__ import annotations

from dataclasses import dataclass

from api.cooperative.checks import Finding
from api.cooperative.database import Desk


@dataclass(frozen=True, slots=True)
class FoundInRun:
    """A finding of a run's computation, and its waiver.

    Attributes:
        finding: What was found.
        waived: The reason somebody gave; empty while it is open.
        waived_by: Who gave it; empty while it is open.
    """

    finding: Finding
    waived: str
    waived_by: str


def findings(desk: Desk, run: str) -> list[FoundInRun]:
    """Return what the checks found, the largest effect in euro first."""
    raise NotImplementedError


def waive(desk: Desk, run: str, key: str, reason: str) -> None:
    """Answer for a finding of a computed run; the reason stands on the member's statement.

    Raises:
        BooksError: There is no such finding, or the reason has fewer than ten letters.
        StateError: The run is not computed, or proposed already.
    """
    raise NotImplementedError
