"""A9: somebody moved in or out within the period."""

from __future__ import annotations

from api.cooperative.checks.case import CheckCase
from api.cooperative.checks.energy import energy_cents, known_energy
from api.cooperative.checks.finding import Code, Finding, Severity
from kwartier.interval import Quarter, day_of
from kwartier.units import EpochS

_AROUND_S = 7 * 24 * 3600 // 2
"""Half of the week around a move [s]."""


def moved(case: CheckCase) -> list[Finding]:
    """Return one finding for each instant at which a connection changed hands.

    Effect: what the connection took and gave in the week around the move, for that is what a wrong
    date can bring to the wrong person.
    """
    moves: dict[tuple[str, EpochS], tuple[str, str]] = {}
    for window in case.ownership:
        for at_s, comes in ((window.start_s, True), (window.end_s, False)):
            if at_s is not None and case.start_s < at_s < case.end_s:
                leaving, coming = moves.get((window.connection, at_s), ("", ""))
                moves[window.connection, at_s] = (
                    (leaving, window.member) if comes else (window.member, coming)
                )
    return [
        _finding(case, connection, at_s, leaving, coming)
        for (connection, at_s), (leaving, coming) in sorted(moves.items())
    ]


def _finding(case: CheckCase, connection: str, at_s: EpochS, leaving: str, coming: str) -> Finding:
    kind = "handed_over"
    if not leaving:
        kind = "moved_in"
    elif not coming:
        kind = "moved_out"
    around = known_energy(case, connection, at_s - _AROUND_S, at_s + _AROUND_S)
    first = Quarter.containing(at_s)
    return Finding(
        Code.MOVE,
        kind,
        Severity.WARNING,
        connection,
        coming or leaving,
        energy_cents(case, around),
        {"day": day_of(at_s).isoformat(), "leaving": leaving, "coming": coming},
        first,
        first,
    )
