"""All checks of one case, what may cost the most first."""

from __future__ import annotations

from collections.abc import Callable

from api.cooperative.checks.case import CheckCase
from api.cooperative.checks.finding import Finding

CHECKS: tuple[Callable[[CheckCase], list[Finding]], ...] = ()
"""Every check, in the order of its code."""


def check_all(case: CheckCase) -> list[Finding]:
    """Return everything the board should look at, the largest effect first."""
    found = [finding for check in CHECKS for finding in check(case)]
    return sorted(found, key=lambda finding: (-finding.effect_cents, finding.code, finding.key))
