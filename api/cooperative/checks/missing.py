"""A1: quarters that are missing, by connection."""

from __future__ import annotations

from fractions import Fraction

from api.cooperative.checks.case import CheckCase
from api.cooperative.checks.energy import known_energy
from api.cooperative.checks.finding import Code, Finding, Severity
from api.cooperative.readings.gaps import Completeness, completeness


def missing_quarters(case: CheckCase) -> list[Finding]:
    """Return one finding for each connection with gaps.

    It blocks when too large a part is missing, or too much in a row. Effect: the missing quarters
    times the mean of the connection's known ones, import at the buying and export at the selling
    price; of a connection of which nothing is known, the mean of its earlier months.
    """
    return [
        _finding(case, each) for each in completeness(case.readings, case.ownership) if each.gaps
    ]


def _finding(case: CheckCase, each: Completeness) -> Finding:
    limits = case.limits
    longest = max(gap.quarters for gap in each.gaps)
    blocks = (
        each.missing * 1000 > limits.missing_permille * each.expected
        or longest >= limits.missing_in_a_row
    )
    return Finding(
        Code.MISSING,
        "gap",
        Severity.BLOCKER if blocks else Severity.WARNING,
        each.connection,
        "",
        _effect_cents(case, each),
        {
            "missing": each.missing,
            "expected": each.expected,
            "gaps": len(each.gaps),
            "longest": longest,
        },
        each.gaps[0].first,
        each.gaps[-1].last,
    )


def _effect_cents(case: CheckCase, each: Completeness) -> int:
    known = known_energy(case, each.connection)
    taken_wh, given_wh, quarters = known.import_wh, known.export_wh, known.quarters
    if not quarters:
        past = case.history.get(each.connection, ())
        taken_wh = sum(month.import_wh for month in past)
        given_wh = sum(month.export_wh for month in past)
        quarters = sum(month.quarters for month in past)
    if not quarters:
        return 0
    share = Fraction(each.missing, quarters)
    return case.prices.bought_cents(taken_wh * share) + case.prices.sold_cents(given_wh * share)
