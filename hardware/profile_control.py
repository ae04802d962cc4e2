"""How a make of battery is told a power: a profile's control part, as data.

A set-point in watts becomes values for named registers, in an order. What the device does when
it hears no more from us is part of the knowledge: a device that would stay where it was put is
described here too, and is not steered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hardware.profile_register import Register, Status, Wear, WriteRegister, chosen
from kwartier.errors import SettingsError
from kwartier.settings import Table
from kwartier.units import Watt

MOST_LEASE_S = 3600
"""No set-point is ever given for longer [s]."""


class Lease(StrEnum):
    """What ends a set-point when nobody renews it."""

    TIMER = "timer"
    """A register says how long the device keeps it."""
    HEARTBEAT = "heartbeat"
    """The device drops it a fixed time after the last write."""
    NONE = "none"
    """Nothing does: the device is not steered."""


class Kind(StrEnum):
    """Where the value of a step comes from."""

    FIXED = "fixed"
    """From the profile."""
    TIMER = "timer"
    """The time after which the device falls back, in the register's own unit."""
    WATTS = "watts"
    """The power without its sign [W]."""
    CHARGE = "setpoint"
    """The power, positive charges [W]."""
    DISCHARGE = "-setpoint"
    """The power, positive discharges [W]."""


@dataclass(frozen=True, slots=True)
class Step:
    """One register that is given a value.

    Attributes:
        point: Its name in the profile's list of writes.
        kind: Where the value comes from.
        fixed: The value, where it comes from the profile.
    """

    point: str
    kind: Kind
    fixed: int = 0

    def value(self, power_w: Watt, timer: int) -> int:
        """Return what the register is told."""
        match self.kind:
            case Kind.FIXED:
                return self.fixed
            case Kind.TIMER:
                return timer
            case Kind.WATTS:
                return abs(power_w)
            case Kind.CHARGE:
                return power_w
            case Kind.DISCHARGE:
                return -power_w

    def power_w(self, value: int, sign: int) -> Watt | None:
        """Return the power that a value in the register means; None where it means none."""
        match self.kind:
            case Kind.WATTS:
                return sign * value
            case Kind.CHARGE:
                return value
            case Kind.DISCHARGE:
                return -value
            case _:
                return None


@dataclass(frozen=True, slots=True)
class Control:
    """How a make of battery is steered.

    Attributes:
        status: How well that is known.
        lease: What ends a set-point.
        falls_back: What the device does then, for people.
        why_not: Why it is not steered; empty where it is.
        lease_s: For a heartbeat: the time after which the device drops a set-point [s].
        timer_unit_s: For a timer: what one count of its register is [s].
        counts_down: Whether the timer's register shows the time left.
        power_max_w: The most its power registers take [W].
        charge_max: The register that says how much it can take [W]; empty where none does.
        discharge_max: The register that says how much it can give [W]; empty where none does.
        points: The registers it writes, by name.
        needs: What registers must hold before it is steered; never written.
        prepare: What registers are set to first, and given back at the release.
        charge: Steps for a power above zero.
        discharge: Steps for a power below zero.
        idle: Steps for zero.
        release: Steps that leave the device to itself.
        renew: Registers that are written again at every refresh, besides the timer.
        renew_s: How often it must be renewed to hold without a gap [s]; 0 for a third of the lease.
    """

    status: Status
    lease: Lease
    falls_back: str
    why_not: str
    lease_s: int
    timer_unit_s: int
    counts_down: bool
    power_max_w: Watt
    charge_max: str
    discharge_max: str
    points: Mapping[str, WriteRegister]
    needs: tuple[Step, ...]
    prepare: tuple[Step, ...]
    charge: tuple[Step, ...]
    discharge: tuple[Step, ...]
    idle: tuple[Step, ...]
    release: tuple[Step, ...]
    renew: frozenset[str]
    renew_s: int

    @property
    def steerable(self) -> bool:
        """Whether it is steered at all."""
        return self.lease is not Lease.NONE

    def steps(self, power_w: Watt) -> tuple[Step, ...]:
        """Return the steps that make the device hold a power, in order."""
        if power_w == 0:
            return self.idle
        return self.charge if power_w > 0 else self.discharge

    def wear(self, address: int) -> Wear:
        """Return what a write to a register does; nobody said so of an unknown one."""
        for point in self.points.values():
            if point.address <= address < point.address + point.size:
                return point.wear
        return Wear.UNKNOWN


def control_of(
    top: Table, writes: Iterable[WriteRegister], registers: Mapping[str, Register]
) -> Control | None:
    """Return the control part of a profile's file; None where it has none.

    Raises:
        SettingsError: A key is missing, unknown, or names no register.
    """
    if "control" not in top.values:
        return None
    table = top.table("control")
    points = {point.name: point for point in writes}
    lease = chosen(table, "lease", {lease.value: lease for lease in Lease}, None)
    steerable = lease is not Lease.NONE
    charge = _steps(table.table("charge"), points)
    control = Control(
        chosen(table, "status", {status.value: status for status in Status}, None),
        lease,
        table.text("falls_back", None if steerable else ""),
        table.text("why_not", "" if steerable else None),
        table.whole("lease_s", low=1, high=3600) if lease is Lease.HEARTBEAT else 0,
        table.whole("timer_unit_s", low=1, high=3600) if lease is Lease.TIMER else 0,
        table.flag("counts_down", default=False),
        table.whole("power_max_w", None if steerable else 0, low=0, high=1_000_000),
        _rating(table, "charge_max", registers),
        _rating(table, "discharge_max", registers),
        points,
        _steps(table.table("needs"), points),
        _steps(table.table("prepare"), points),
        charge,
        _steps(table.table("discharge"), points) or charge,
        _steps(table.table("idle"), points) or charge,
        _steps(table.table("release"), points),
        frozenset(_named(table, "renew", points)),
        table.whole("renew_s", 0, low=0, high=600),
    )
    _check(control, table)
    table.refuse_the_rest()
    return control


def _check(control: Control, table: Table) -> None:
    if not control.steerable:
        if control.charge or control.release:
            raise SettingsError(f"{table.place}lease is none: leave the steps away")
        return
    for way, steps in (("charge", control.charge), ("discharge", control.discharge)):
        kinds = [step.kind for step in steps]
        if (Kind.TIMER in kinds) != (control.lease is Lease.TIMER):
            raise SettingsError(f'{table.place}{way}: a lease by timer has one step "timer"')
        if sum(kind not in (Kind.TIMER, Kind.FIXED) for kind in kinds) != 1:
            raise SettingsError(f"{table.place}{way}: one step says the power")
    fixed = (*control.needs, *control.prepare, *control.release)
    if not control.release or any(step.kind is not Kind.FIXED for step in fixed):
        raise SettingsError(f"{table.place}release: say with which fixed values it is let go")
    _check_fit(control, table)


def _check_fit(control: Control, table: Table) -> None:
    """Refuse what no register can say: a number cut to 16 bits would turn its sign."""
    most_w = control.power_max_w
    longest = MOST_LEASE_S // max(1, control.timer_unit_s)
    parts = (control.needs, control.prepare, control.release, control.idle)
    told = [(step, 0) for steps in parts for step in steps]
    told += [(step, most_w) for step in control.charge]
    told += [(step, -most_w) for step in control.discharge]
    for step, power_w in told:
        try:
            control.points[step.point].words(step.value(power_w, longest))
        except OverflowError as error:
            raise SettingsError(
                f"{table.place}{step.point} cannot say {step.value(power_w, longest)}: {error}"
            ) from error


def _steps(table: Table, points: Mapping[str, WriteRegister]) -> tuple[Step, ...]:
    return tuple(_step(table, name, points) for name in table.values)


def _step(table: Table, name: str, points: Mapping[str, WriteRegister]) -> Step:
    if name not in points:
        raise SettingsError(f"{table.place}{name} is not in the list of writes")
    if isinstance(table.values[name], str):
        kinds = {kind.value: kind for kind in Kind if kind is not Kind.FIXED}
        return Step(name, chosen(table, name, kinds, None))
    return Step(name, Kind.FIXED, table.whole(name, low=-(2**31), high=2**32))


def _rating(table: Table, key: str, registers: Mapping[str, Register]) -> str:
    name = table.text(key, "")
    if name and name not in registers:
        raise SettingsError(f"{table.place}{key}: {name!r} is no register")
    return name


def _named(table: Table, key: str, points: Mapping[str, WriteRegister]) -> list[str]:
    names = table.text(key, "").split()
    for name in names:
        if name not in points:
            raise SettingsError(f"{table.place}{key}: {name!r} is not in the list of writes")
    return names
