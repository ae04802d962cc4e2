"""A2: registers only count up, a swap has both ends, and quarters add up to their register."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from api.cooperative.checks.case import CheckCase, MeterCase, RegisterPoint
from api.cooperative.checks.energy import energy_cents, known_energy
from api.cooperative.checks.finding import Code, Fact, Finding, Severity
from api.cooperative.readings.rises import MeterStands, Node, boundary_nodes, rise
from kwartier.interval import QUARTER_S, Quarter, instant_text
from kwartier.units import EpochS, Wh

_DAY_S = 24 * 3600


def registers_in_order(case: CheckCase) -> list[Finding]:
    """Return registers that went back, swaps without an end, and sums that do not agree.

    Effect: of a register that went back, all energy between the two readings; of a swap, all of
    the day before and after it; of a sum, the difference at the buying price.
    """
    by_connection: dict[str, list[MeterCase]] = {}
    for meter in sorted(case.meters, key=lambda meter: (meter.connection, meter.installed_s)):
        by_connection.setdefault(meter.connection, []).append(meter)
    found: list[Finding] = []
    for meters in by_connection.values():
        for meter in meters:
            found += _went_back(case, meter)
        for old, new in pairwise(meters):
            found += _open_ends(case, old, new)
        for register in sorted({point.register for meter in meters for point in meter.points}):
            found += _off_register(case, meters, register)
    return found


def _went_back(case: CheckCase, meter: MeterCase) -> Iterator[Finding]:
    for register in sorted({point.register for point in meter.points}):
        points = [point for point in meter.points if point.register == register]
        for before, after in pairwise(points):
            falls = rise(before.wh, after.wh, meter.digits) is None
            if falls and case.start_s < after.at_s and before.at_s < case.end_s:
                facts: dict[str, Fact] = {
                    "register": register,
                    "serial": meter.serial,
                    "before_wh": before.wh,
                    "after_wh": after.wh,
                }
                yield _finding(case, "went_back", meter, (before.at_s, after.at_s), facts)


def _open_ends(case: CheckCase, old: MeterCase, new: MeterCase) -> Iterator[Finding]:
    if not case.start_s <= new.installed_s < case.end_s:
        return
    around = new.installed_s - _DAY_S, new.installed_s + _DAY_S
    for register in sorted({point.register for point in (*old.points, *new.points)}):
        closes = old.removed_s is not None and _at(old, register, old.removed_s) is not None
        if not closes:
            facts: dict[str, Fact] = {"register": register, "serial": old.serial}
            yield _finding(case, "no_closing", old, around, facts)
        if _at(new, register, new.installed_s) is None:
            facts = {"register": register, "serial": new.serial}
            yield _finding(case, "no_opening", new, around, facts)


def _off_register(case: CheckCase, meters: Sequence[MeterCase], register: str) -> Iterator[Finding]:
    """Yield each stretch between two readings whose quarters are not their difference."""
    counted = _energy_of(case, meters[0].connection, register)
    if counted is None:
        return
    for before, after in pairwise(_nodes(case, meters, register)):
        if before.chain != after.chain:
            continue
        total_wh, complete = counted.between(before.at_s, after.at_s)
        difference_wh = total_wh - (after.wh - before.wh)
        too_little = complete and -difference_wh > case.limits.register_tolerance_wh
        if difference_wh > case.limits.register_tolerance_wh or too_little:
            yield Finding(
                Code.REGISTER,
                "off_register",
                Severity.BLOCKER,
                meters[0].connection,
                "",
                case.prices.bought_cents(difference_wh),
                {
                    "register": register,
                    "quarters_wh": total_wh,
                    "register_wh": after.wh - before.wh,
                    "difference_wh": difference_wh,
                },
                Quarter(before.at_s),
                Quarter(after.at_s - QUARTER_S),
            )


def _nodes(case: CheckCase, meters: Sequence[MeterCase], register: str) -> list[Node]:
    """Return the register's stands on boundaries within the period."""
    told = [
        MeterStands(
            meter.serial,
            meter.digits,
            meter.installed_s,
            meter.removed_s,
            tuple((point.at_s, point.wh) for point in meter.points if point.register == register),
        )
        for meter in meters
    ]
    return [node for node in boundary_nodes(told) if case.start_s <= node.at_s <= case.end_s]


class _Counted:
    """The quarters of one register as running sums."""

    def __init__(self, case: CheckCase, energy_wh: Sequence[int], missing: Sequence[bool]) -> None:
        self._case = case
        self._energy = energy_wh
        self._missing = missing

    def between(self, start_s: EpochS, end_s: EpochS) -> tuple[Wh, bool]:
        """Return the known energy of ``[start_s, end_s)``, and whether all of it is known."""
        start, end = self._case.columns(start_s, end_s)
        return sum(self._energy[start:end]), not any(self._missing[start:end])


def _energy_of(case: CheckCase, connection: str, register: str) -> _Counted | None:
    readings = case.readings
    registers = {"import": readings.taken, "export": readings.given}.get(register)
    if registers is None or connection not in readings.connections:
        return None
    row = readings.connections.index(connection)
    missing = registers.missing[row] | ~readings.listed[row]
    return _Counted(case, registers.energy_wh[row].tolist(), missing.tolist())


def _at(meter: MeterCase, register: str, at_s: EpochS) -> RegisterPoint | None:
    for point in meter.points:
        if point.register == register and point.at_s == at_s:
            return point
    return None


def _finding(
    case: CheckCase,
    kind: str,
    meter: MeterCase,
    between_s: tuple[EpochS, EpochS],
    facts: dict[str, Fact],
) -> Finding:
    start_s, end_s = max(between_s[0], case.start_s), min(between_s[1], case.end_s)
    energy = known_energy(case, meter.connection, start_s, end_s)
    return Finding(
        Code.REGISTER,
        kind,
        Severity.BLOCKER,
        meter.connection,
        "",
        energy_cents(case, energy),
        facts | {"from": instant_text(between_s[0]), "to": instant_text(between_s[1])},
        Quarter.containing(start_s),
        Quarter.containing(max(start_s, end_s - 1)),
    )
