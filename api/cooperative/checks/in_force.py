"""A8: on every date there is a tariff, a key, and a contract for whoever takes part."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from api.cooperative.checks.case import CheckCase, Window
from api.cooperative.checks.finding import Code, Finding, Severity
from api.cooperative.readings.gaps import owned_columns, runs
from kwartier.units import Wh
from optimizer.settling.matrix import Flags


def not_in_force(case: CheckCase) -> list[Finding]:
    """Return every stretch for which a tariff, a key or a connection's contract is missing.

    Effect: the energy that was bought in it at the buying price; before there is an allocation,
    the import.
    """
    found = []
    for kind, windows in (("no_tariff", case.tariffs), ("no_key", case.keys)):
        if windows is not None:
            found += _stretches(case, kind, "", ~_covered(case, windows))
    if case.contracts is not None:
        for connection, owned in sorted(owned_columns(case.readings, case.ownership).items()):
            covered = _covered(case, case.contracts.get(connection, ()))
            found += _stretches(case, "no_contract", connection, owned & ~covered)
    return found


def _covered(case: CheckCase, windows: Iterable[Window]) -> Flags:
    flags = np.zeros(case.readings.quarters, np.bool_)
    for window in windows:
        start, end = case.columns(window.start_s, window.end_s)
        flags[start:end] = True
    return flags


def _stretches(case: CheckCase, kind: str, connection: str, flags: Flags) -> list[Finding]:
    return [
        Finding(
            Code.IN_FORCE,
            kind,
            Severity.BLOCKER,
            connection,
            "",
            case.prices.bought_cents(_energy_wh(case, connection, start, start + length)),
            {"quarters": length},
            case.quarter(start),
            case.quarter(start + length - 1),
        )
        for start, length in runs(flags)
    ]


def _energy_wh(case: CheckCase, connection: str, start: int, end: int) -> Wh:
    energy = case.readings.taken.energy_wh
    if case.allocation is not None:
        energy = case.allocation.bought_wh
    names = case.readings.connections
    if not connection:
        return int(energy[:, start:end].sum())
    return int(energy[names.index(connection), start:end].sum()) if connection in names else 0
