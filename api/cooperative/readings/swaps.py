"""A meter swap: the old one's last registers, the new one's first, and the quarter between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.officers import CLERKS
from api.cooperative.readings.corrections import correct_quarter
from api.cooperative.readings.days import Direction
from api.cooperative.readings.meters import Meter, hanging, install_meter, meters_of, remove_meter
from api.cooperative.readings.registers import RegisterReading, newest_readings, read_register
from kwartier.interval import Quarter, instant_text
from kwartier.units import EpochS, Wh
from kwartier.wire import Json
from optimizer.settling.register_steps import RegisterStand, advanced_wh

_BOTH_ENDS = 4
"""Start and closing of the old meter, opening and end of the new one."""


@dataclass(frozen=True, slots=True)
class Swap:
    """What the engineer wrote down.

    Attributes:
        at_s: When [s].
        closing_wh: The old meter's last registers [Wh].
        serial: The new meter's serial. Personal.
        opening_wh: The new meter's first registers [Wh].
        digits: Whole kWh digits of the new meter before it begins again at 0.
        reason: Why, in words.
    """

    at_s: EpochS
    closing_wh: Mapping[Direction, Wh]
    serial: str
    opening_wh: Mapping[Direction, Wh]
    digits: int | None = None
    reason: str = "meter swap"


def swap_meter(desk: Desk, connection: str, swap: Swap) -> Meter:
    """Record a swap, and write the quarter it fell in where both its ends were read.

    Raises:
        BooksError: No meter hangs there, or a register would run backwards.
    """
    old = remove_meter(desk, connection, swap.at_s, swap.closing_wh, swap.reason)
    new = install_meter(
        desk, connection, swap.serial, swap.at_s, swap.opening_wh, digits=swap.digits
    )
    write_swapped_quarter(desk, old, new)
    return new


def enter_register(
    desk: Desk, connection: str, reading: RegisterReading, *, corrects: bool = False
) -> int:
    """Record what a register stood at, and return its version.

    Where it is the end that the quarter of a swap waited for, that quarter is written too.

    Raises:
        RegisterBackError: It would run backwards.
        ConflictError: Another value stands there, and this does not say that it corrects it.
    """
    desk.officer.need(*CLERKS)
    meter = hanging(desk, connection, reading.at_s)
    version = read_register(desk, meter, reading, corrects=corrects)
    facts: Json = {
        "meter": meter.number,
        "register": reading.register.value,
        "at": instant_text(reading.at_s),
        "wh": reading.wh,
        "version": version,
        "reason": reading.reason,
    }
    record(desk, "register.read", connection, facts)
    meters = meters_of(desk, [connection])
    for old, new in pairwise(meters):
        quarter = Quarter.containing(new.installed_s)
        if reading.at_s in (quarter.start_s, quarter.end_s):
            write_swapped_quarter(desk, old, new)
    return version


def write_swapped_quarter(desk: Desk, old: Meter, new: Meter) -> dict[Direction, Wh]:
    """Write what the old meter counted up to its end and the new one from its beginning.

    That needs the old register at the quarter's start and the new one at its end; a direction for
    which one of the four readings is away is left as it is. Returns what was written [Wh].

    Source:
        Rule 9 for imperfect data of docs/settlement.md.
    """
    quarter = Quarter.containing(new.installed_s)
    if quarter.start_s == new.installed_s or old.removed_s != new.installed_s:
        return {}
    stood = newest_readings(desk, [old.connection], quarter.start_s, quarter.end_s)
    written: dict[Direction, Wh] = {}
    for register in Direction:
        stands = [
            *_stands(stood, old, register, (quarter.start_s, new.installed_s)),
            *_stands(stood, new, register, (new.installed_s, quarter.end_s)),
        ]
        if len(stands) == _BOTH_ENDS:
            written[register] = advanced_wh(stands)
            reason = "meter swap: both ends read"
            correct_quarter(desk, old.connection, register, quarter, written[register], reason)
    return written


def _stands(
    stood: Mapping[tuple[str, int], list[RegisterReading]],
    meter: Meter,
    register: Direction,
    at: tuple[EpochS, EpochS],
) -> list[RegisterStand]:
    """Return what a meter stood at on two instants, as far as that was read."""
    return [
        RegisterStand(f"{meter.connection} {meter.number}", each.at_s, each.wh, meter.digits)
        for each in stood.get((meter.connection, meter.number), ())
        if each.register is register and each.at_s in at
    ]
