"""What registers stood at: recorded once an instant, rising always, corrected by a new version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import insert, select

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, ConflictError
from api.cooperative.readings.days import Direction, Source
from api.cooperative.readings.rises import rise
from api.cooperative.stamp import stamp
from api.cooperative.tables.readings import RegisterRow
from kwartier.interval import instant_text
from kwartier.units import EpochS, Wh, kwh_text
from optimizer.settling.register_steps import RegisterStand


class RegisterBackError(BooksError):
    """A register would run backwards: somebody must say which reading is wrong."""


class Counts(Protocol):
    """What a register hangs in: a meter."""

    @property
    def connection(self) -> str:
        """Where it hangs."""

    @property
    def number(self) -> int:
        """Which meter of that connection."""

    @property
    def digits(self) -> int | None:
        """Whole kWh digits before it begins again at 0."""


@dataclass(frozen=True, slots=True)
class RegisterReading:
    """What a register stood at.

    Attributes:
        register: Which.
        at_s: When [s].
        wh: What it stood at [Wh].
        source: Where that is known from.
        reason: Why; needed to correct what was recorded for the same instant.
    """

    register: Direction
    at_s: EpochS
    wh: Wh
    source: Source
    reason: str = ""


def read_register(
    desk: Desk, meter: Counts, reading: RegisterReading, *, corrects: bool = False
) -> int:
    """Record what a register stood at, and return the version; the same again adds none.

    Raises:
        ContractError: It is below zero, or has more digits than the meter declares.
        RegisterBackError: It would run backwards between its neighbours.
        ConflictError: Another value stands there, and this does not say that it corrects it.
    """
    RegisterStand(f"of {meter.connection}", reading.at_s, reading.wh, meter.digits)
    known = _of_register(desk, meter, reading.register)
    held = known.pop(reading.at_s, None)
    if held is not None and held[1] == reading.wh:
        return held[0]
    if held is not None and not (corrects and reading.reason.strip()):
        raise ConflictError(
            f"{_place(meter, reading)}: {kwh_text(held[1])} kWh stands there and now "
            f"{kwh_text(reading.wh)} kWh is told: correct it with a reason, or leave it"
        )
    _refuse_a_fall(meter, reading, known)
    version = 1 if held is None else held[0] + 1
    desk.session.execute(
        insert(RegisterRow).values(
            connection=meter.connection,
            number=meter.number,
            register=reading.register.value,
            at_s=reading.at_s,
            version=version,
            wh=reading.wh,
            source=reading.source.value,
            reason=reading.reason,
            **stamp(desk),
        )
    )
    return version


def newest_readings(
    desk: Desk, connections: Sequence[str], start_s: EpochS, end_s: EpochS
) -> dict[tuple[str, int], list[RegisterReading]]:
    """Return what registers stood at in ``[start_s, end_s]``, by connection and meter number."""
    newest: dict[tuple[str, int, str, EpochS], RegisterRow] = {}
    rows = desk.session.scalars(
        select(RegisterRow)
        .where(RegisterRow.connection.in_(connections), RegisterRow.at_s.between(start_s, end_s))
        .order_by(RegisterRow.at_s, RegisterRow.version)
    )
    for row in rows:
        newest[row.connection, row.number, row.register, row.at_s] = row
    told: dict[tuple[str, int], list[RegisterReading]] = {}
    for row in newest.values():
        reading = RegisterReading(
            Direction(row.register), row.at_s, row.wh, Source(row.source), row.reason
        )
        told.setdefault((row.connection, row.number), []).append(reading)
    return told


def _of_register(desk: Desk, meter: Counts, register: Direction) -> dict[EpochS, tuple[int, Wh]]:
    """Return version and value by instant."""
    rows = desk.session.execute(
        select(RegisterRow.at_s, RegisterRow.version, RegisterRow.wh)
        .where(
            RegisterRow.connection == meter.connection,
            RegisterRow.number == meter.number,
            RegisterRow.register == register.value,
        )
        .order_by(RegisterRow.at_s, RegisterRow.version)
    )
    return {at_s: (version, wh) for at_s, version, wh in rows}


def _refuse_a_fall(
    meter: Counts, reading: RegisterReading, known: dict[EpochS, tuple[int, Wh]]
) -> None:
    earlier = max((at_s for at_s in known if at_s < reading.at_s), default=None)
    later = min((at_s for at_s in known if at_s > reading.at_s), default=None)
    for before, after in (
        (None if earlier is None else (earlier, known[earlier][1]), (reading.at_s, reading.wh)),
        ((reading.at_s, reading.wh), None if later is None else (later, known[later][1])),
    ):
        if before is None or after is None:
            continue
        if rise(before[1], after[1], meter.digits) is None:
            raise RegisterBackError(
                f"{_place(meter, reading)}: the register would run back from "
                f"{kwh_text(before[1])} kWh at {instant_text(before[0])} to "
                f"{kwh_text(after[1])} kWh at {instant_text(after[0])}: was the meter replaced, "
                "or is one of the two wrong?"
            )


def _place(meter: Counts, reading: RegisterReading) -> str:
    return f"{meter.connection} {reading.register} {instant_text(reading.at_s)}"
