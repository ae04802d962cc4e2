"""What was missing or estimated in a month: stretches of quarters, register by register."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from kwartier.units import EpochS
from optimizer.balance import BATTERY
from optimizer.settling.matrix import Flags, ReadingMatrix, RegisterMatrix
from optimizer.settling.month_spans import OwnedSpan, runs_of


@dataclass(frozen=True, slots=True)
class FlaggedStretch:
    """Consecutive quarters in which one register was missing or estimated.

    Attributes:
        register: Such as ``A:export`` or ``battery:charge``; only ``A`` when the connection
            has an owner and stands in no reading.
        start_s: The start of the first quarter [s].
        quarters: How many.
    """

    register: str
    start_s: EpochS
    quarters: int


def owned_flags(spans: Iterable[OwnedSpan], readings: ReadingMatrix) -> Flags:
    """Return in which quarters each row has an owner, shape ``(N, Q)``."""
    owned = np.zeros(readings.listed.shape, np.bool_)
    rows = {name: row for row, name in enumerate(readings.connections)}
    for span in spans:
        if span.connection in rows:
            owned[rows[span.connection], span.columns.start : span.columns.stop] = True
    return owned


def missing_stretches(
    spans: Iterable[OwnedSpan], readings: ReadingMatrix
) -> tuple[FlaggedStretch, ...]:
    """Return what was not read of connections with an owner, and of the battery.

    Source:
        Convention C11 and section 6.1 of the settlement design.
    """
    spans = list(spans)
    owned = owned_flags(spans, readings)
    part = owned & readings.listed
    found = [
        *_registers(readings, part & readings.taken.missing, part & readings.given.missing),
        *_battery(readings, readings.charge.missing, readings.discharge.missing),
    ]
    for row, name in enumerate(readings.connections):
        found += _stretches(name, owned[row] & ~readings.listed[row], readings)
    for span in spans:
        if span.connection not in readings.connections:
            start_s = readings.quarter(span.columns.start).start_s
            found.append(FlaggedStretch(span.connection, start_s, len(span.columns)))
    return _sorted(found)


def estimated_stretches(
    spans: Iterable[OwnedSpan], readings: ReadingMatrix
) -> tuple[FlaggedStretch, ...]:
    """Return what took part with an estimate."""
    part = owned_flags(spans, readings) & readings.listed
    return _sorted(
        [
            *_registers(readings, part & readings.taken.estimated, part & readings.given.estimated),
            *_battery(readings, readings.charge.estimated, readings.discharge.estimated),
        ]
    )


def unsure_quarters(readings: ReadingMatrix) -> Flags:
    """Return where a connection was estimated, missing or in no reading, shape ``(N, Q)``."""
    taken, given = readings.taken, readings.given
    unsure: Flags = taken.missing | taken.estimated | given.missing | given.estimated
    return unsure | ~readings.listed


def unsure_battery(readings: ReadingMatrix) -> Flags:
    """Return where the battery was estimated or missing, shape ``(Q,)``."""
    unsure = np.zeros(readings.quarters, np.bool_)
    for registers in (readings.charge, readings.discharge):
        unsure |= _either(registers)
    return unsure


def _either(registers: RegisterMatrix) -> Flags:
    either: Flags = registers.missing[0] | registers.estimated[0]
    return either


def _registers(readings: ReadingMatrix, taken: Flags, given: Flags) -> Iterator[FlaggedStretch]:
    for direction, flags in (("import", taken), ("export", given)):
        for row in np.flatnonzero(flags.any(axis=1)).tolist():
            yield from _stretches(f"{readings.connections[row]}:{direction}", flags[row], readings)


def _battery(readings: ReadingMatrix, charge: Flags, discharge: Flags) -> Iterator[FlaggedStretch]:
    yield from _stretches(f"{BATTERY}:charge", charge[0], readings)
    yield from _stretches(f"{BATTERY}:discharge", discharge[0], readings)


def _stretches(register: str, flags: Flags, readings: ReadingMatrix) -> Iterator[FlaggedStretch]:
    """Yield each run of flagged quarters of one register."""
    for run in runs_of(flags):
        yield FlaggedStretch(register, readings.quarter(run.start).start_s, len(run))


def _sorted(found: Iterable[FlaggedStretch]) -> tuple[FlaggedStretch, ...]:
    return tuple(sorted(found, key=lambda each: (each.register, each.start_s)))
