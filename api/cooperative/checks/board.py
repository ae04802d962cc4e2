"""All checks of one case, what may cost the most first."""

from __future__ import annotations

from collections.abc import Callable

from api.cooperative.checks.allocated import allocated_too_much
from api.cooperative.checks.case import CheckCase
from api.cooperative.checks.community_sum import sum_of_members
from api.cooperative.checks.connection_limits import above_limit
from api.cooperative.checks.finding import Finding
from api.cooperative.checks.in_force import not_in_force
from api.cooperative.checks.missing import missing_quarters
from api.cooperative.checks.moves import moved
from api.cooperative.checks.registers import registers_in_order
from api.cooperative.checks.shifts import shifted_series
from api.cooperative.checks.signs import turned_signs
from api.cooperative.checks.twins import series_twice
from api.cooperative.checks.usual import unusual

CHECKS: tuple[Callable[[CheckCase], list[Finding]], ...] = (
    missing_quarters,
    registers_in_order,
    above_limit,
    sum_of_members,
    allocated_too_much,
    turned_signs,
    series_twice,
    shifted_series,
    not_in_force,
    moved,
    unusual,
)
"""Every check, in the order of its code; A7 has two."""


def check_all(case: CheckCase) -> list[Finding]:
    """Return everything the board should look at, the largest effect first."""
    found = [finding for check in CHECKS for finding in check(case)]
    return sorted(found, key=lambda finding: (-finding.effect_cents, finding.code, finding.key))
