"""A10: far more than a connection's own past, or an amount that deserves a second look."""

from __future__ import annotations

from fractions import Fraction

from api.cooperative.checks.case import CheckCase, PastMonth
from api.cooperative.checks.energy import known_energy
from api.cooperative.checks.finding import Code, Finding, Severity
from kwartier.units import Wh


def unusual(case: CheckCase) -> list[Finding]:
    """Return uses far above a connection's own past, and amounts above the limit.

    Past months count by the quarter, so that a month with gaps is not a low one. Effect: what is
    more than the past would be, at the price of its direction; of an amount, what is above the
    limit.
    """
    found = []
    for connection in case.readings.connections:
        past = case.history.get(connection, ())
        known = known_energy(case, connection)
        for way, now_wh, then_wh in (
            ("import", known.import_wh, sum(month.import_wh for month in past)),
            ("export", known.export_wh, sum(month.export_wh for month in past)),
        ):
            usual_wh = _scaled(then_wh, known.quarters, past)
            if usual_wh is not None and _is_far_more(case, now_wh, usual_wh):
                found.append(_of_use(case, connection, way, now_wh, usual_wh))
    return found + _amounts(case)


def _scaled(then_wh: Wh, quarters: int, past: tuple[PastMonth, ...]) -> Fraction | None:
    """Return what the past would have been in as many quarters."""
    of_past = sum(month.quarters for month in past)
    return Fraction(then_wh * quarters, of_past) if of_past else None


def _is_far_more(case: CheckCase, now_wh: Wh, usual_wh: Fraction) -> bool:
    limits = case.limits
    return now_wh > limits.history_times * usual_wh and now_wh - usual_wh >= limits.history_floor_wh


def _of_use(case: CheckCase, connection: str, way: str, now_wh: Wh, usual_wh: Fraction) -> Finding:
    worth = case.prices.bought_cents if way == "import" else case.prices.sold_cents
    return Finding(
        Code.HISTORY,
        "use",
        Severity.WARNING,
        connection,
        "",
        worth(now_wh - usual_wh),
        {"direction": way, "now_wh": now_wh, "usual_wh": round(usual_wh)},
        case.quarter(0),
        case.quarter(case.readings.quarters - 1),
    )


def _amounts(case: CheckCase) -> list[Finding]:
    limit = case.limits.amount_cents
    return [
        Finding(
            Code.HISTORY,
            "amount",
            Severity.WARNING,
            "",
            member,
            abs(total.to_pay_cents) - limit,
            {"to_pay_cents": total.to_pay_cents, "limit_cents": limit},
        )
        for member, total in sorted((case.members or {}).items())
        if abs(total.to_pay_cents) > limit
    ]
