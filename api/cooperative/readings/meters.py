"""The meters of a connection, one after another, and what a paper shows of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, StateError
from api.cooperative.officers import CLERKS
from api.cooperative.readings.days import Direction, Source
from api.cooperative.readings.registers import RegisterReading, newest_readings, read_register
from api.cooperative.stamp import stamp
from api.cooperative.statement import MeterPart
from api.cooperative.tables.readings import MeterRemovalRow, MeterRow
from kwartier.identity import checked_name
from kwartier.interval import instant_text
from kwartier.units import EpochS, Wh
from kwartier.wire import Json

_SHOWN = 4
"""How many characters of a serial a paper shows."""


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter on a connection.

    Attributes:
        connection: Where it hangs.
        number: 1 for the first one there.
        serial: Its serial. Personal.
        digits: Whole kWh digits before it begins again at 0; None when that is not declared.
        installed_s: From when [s].
        removed_s: Until when [s]; None when it hangs there still.
    """

    connection: str
    number: int
    serial: str
    digits: int | None
    installed_s: EpochS
    removed_s: EpochS | None

    @property
    def masked(self) -> str:
        """The serial with all but its last four characters hidden."""
        return f"…{self.serial[-_SHOWN:]}"


def install_meter(
    desk: Desk,
    connection: str,
    serial: str,
    at_s: EpochS,
    opening_wh: Mapping[Direction, Wh],
    *,
    digits: int | None = None,
) -> Meter:
    """Record that a meter was installed, with what its registers stood at.

    Raises:
        StateError: The meter before it still hangs there.
    """
    desk.officer.need(*CLERKS)
    checked_name(connection, "connection")
    if not serial.strip() or len(serial) > 64:
        raise BooksError(f"{connection}: a meter's serial has 1 to 64 characters")
    if digits is not None and not 4 <= digits <= 9:
        raise BooksError(f"{connection}: a meter shows 4 to 9 whole kWh digits, not {digits}")
    before = meters_of(desk, [connection])
    _refuse_two_at_once(connection, before, at_s)
    number = len(before) + 1
    desk.session.execute(
        insert(MeterRow).values(
            connection=connection,
            number=number,
            serial=desk.keys.seal(serial),
            serial_fingerprint=desk.keys.fingerprint(serial),
            digits=digits,
            installed_s=at_s,
            **stamp(desk),
        )
    )
    meter = Meter(connection, number, serial, digits, at_s, None)
    for register, wh in opening_wh.items():
        read_register(desk, meter, RegisterReading(register, at_s, wh, Source.MANUAL, "opening"))
    facts: Json = {"number": number, "at": instant_text(at_s), "meter": meter.masked}
    record(desk, "meter.install", connection, facts)
    return meter


def remove_meter(
    desk: Desk, connection: str, at_s: EpochS, closing_wh: Mapping[Direction, Wh], reason: str
) -> Meter:
    """Record that the meter of a connection was taken away, with its last registers."""
    desk.officer.need(*CLERKS)
    meter = hanging(desk, connection, at_s)
    if meter.removed_s is not None:
        raise StateError(
            f"{connection}: meter {meter.masked} went {instant_text(meter.removed_s)} already"
        )
    if at_s <= meter.installed_s:
        raise BooksError(
            f"{connection}: meter {meter.masked} came {instant_text(meter.installed_s)}: "
            "it can only go after that"
        )
    for register, wh in closing_wh.items():
        read_register(desk, meter, RegisterReading(register, at_s, wh, Source.MANUAL, "closing"))
    desk.session.execute(
        insert(MeterRemovalRow).values(
            connection=connection,
            number=meter.number,
            version=1,
            removed_s=at_s,
            reason=reason,
            **stamp(desk),
        )
    )
    record(
        desk,
        "meter.remove",
        connection,
        {"number": meter.number, "at": instant_text(at_s), "reason": reason},
    )
    return Meter(connection, meter.number, meter.serial, meter.digits, meter.installed_s, at_s)


def hanging(desk: Desk, connection: str, at_s: EpochS) -> Meter:
    """Return the meter that hangs at an instant; at a swap the old one.

    Raises:
        BooksError: None does.
    """
    for meter in meters_of(desk, [connection]):
        if meter.installed_s <= at_s and (meter.removed_s is None or at_s <= meter.removed_s):
            return meter
    raise BooksError(
        f"{connection}: no meter is known at {instant_text(at_s)}: "
        "add it with `kwartier coop meter install`"
    )


def meters_of(desk: Desk, connections: Sequence[str]) -> list[Meter]:
    """Return the meters of some connections, in the order in which they hung there."""
    removed: dict[tuple[str, int], EpochS] = {}
    for row in desk.session.scalars(
        select(MeterRemovalRow)
        .where(MeterRemovalRow.connection.in_(connections))
        .order_by(MeterRemovalRow.version)
    ):
        removed[row.connection, row.number] = row.removed_s
    rows = desk.session.scalars(
        select(MeterRow)
        .where(MeterRow.connection.in_(connections))
        .order_by(MeterRow.connection, MeterRow.number)
    )
    return [
        Meter(
            row.connection,
            row.number,
            desk.keys.open(row.serial),
            row.digits,
            row.installed_s,
            removed.get((row.connection, row.number)),
        )
        for row in rows
    ]


def meters_between(
    desk: Desk, connection: str, start_s: EpochS, end_s: EpochS
) -> tuple[MeterPart, ...]:
    """Return the meters of a connection in a period, the replaced one first, serials shortened.

    Registers are told only where they were read on the period's first or last instant, or on the
    instant of a swap: anything else would not add up with the quarters.
    """
    return meters_within(desk, [(connection, start_s, end_s)])[0]


def meters_within(
    desk: Desk, windows: Sequence[tuple[str, EpochS, EpochS]]
) -> list[tuple[MeterPart, ...]]:
    """Return the meters of connections, each in a period of its own; see ``meters_between``."""
    if not windows:
        return []
    names = sorted({name for name, _, _ in windows})
    first_s, last_s = min(start for _, start, _ in windows), max(end for _, _, end in windows)
    stood = newest_readings(desk, names, first_s, last_s)
    hung: dict[str, list[Meter]] = {}
    for meter in meters_of(desk, names):
        hung.setdefault(meter.connection, []).append(meter)
    return [_parts(hung.get(name, ()), stood, start, end) for name, start, end in windows]


def _parts(
    meters: Iterable[Meter],
    stood: Mapping[tuple[str, int], Iterable[RegisterReading]],
    start_s: EpochS,
    end_s: EpochS,
) -> tuple[MeterPart, ...]:
    parts = []
    for meter in meters:
        opened_s = max(start_s, meter.installed_s)
        closed_s = end_s if meter.removed_s is None else min(end_s, meter.removed_s)
        if opened_s >= closed_s:
            continue
        read = {
            (each.register, each.at_s): each.wh
            for each in stood.get((meter.connection, meter.number), ())
        }
        parts.append(
            MeterPart(
                meter.masked,
                read.get((Direction.IMPORT, opened_s)),
                read.get((Direction.IMPORT, closed_s)),
                read.get((Direction.EXPORT, opened_s)),
                read.get((Direction.EXPORT, closed_s)),
            )
        )
    return tuple(parts)


def _refuse_two_at_once(connection: str, before: Sequence[Meter], at_s: EpochS) -> None:
    for meter in before:
        if meter.removed_s is None:
            raise StateError(
                f"{connection}: meter {meter.masked} hangs there: record its last registers with "
                "`kwartier coop meter swap`"
            )
        if at_s < meter.removed_s:
            raise StateError(
                f"{connection}: meter {meter.masked} hung there until "
                f"{instant_text(meter.removed_s)}: the next one comes after it"
            )
