"""How a set-point becomes registers of a SunSpec battery, with the device's own revert timer.

The timer travels in the same request as the value: a device that hears no more from us falls
back by itself. What was written is read back; a device without a timer is not steered.

Source:
    SunSpec DER Information Model Specification 1.0, model 704; model 124 (basic storage
    control) as devices in the field read it: the two rates bound the power from both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from gateway.steer.scale import exponent_of, told
from hardware.profile_control import MOST_LEASE_S
from hardware.registers import WRITE_SEVERAL, Number, RegisterSource, Words, scaled, words_of
from hardware.sunspec import Chain, Place, Points, PointValue, decode
from hardware.sunspec_models import Group, models
from kwartier.errors import KwartierError
from kwartier.units import Watt

MAX_REVERT_S = MOST_LEASE_S
"""The longest revert timer we ever set [s]; the usual one is 90."""


class SteeredUnit(RegisterSource, Protocol):
    """A device whose registers can be written; ``gateway.modbus.link.ModbusUnit`` is one."""

    def write(self, address: int, words: Words, function_code: int = WRITE_SEVERAL) -> None:
        """Write registers in one request; with function code 6 it is one register.

        Raises:
            RegistersRefusedError: The device does not take them.
            TemporaryError: It cannot be reached, or is busy; it may still have obeyed.
        """


@dataclass(frozen=True, slots=True)
class Ratings:
    """What the device says it can do; None where it does not say.

    Attributes:
        charge_max_w: The most it takes [W].
        discharge_max_w: The most it gives [W].
    """

    charge_max_w: Watt | None
    discharge_max_w: Watt | None


@dataclass(frozen=True, slots=True)
class Held:
    """What the device holds now.

    Attributes:
        power_w: The set-point in force, positive charges [W]; None when none in watts is.
        revert_s: Time left before it falls back by itself [s]; None where it does not say.
    """

    power_w: Watt | None
    revert_s: int | None


@dataclass(frozen=True, slots=True)
class Applied:
    """A set-point that was written and read back.

    Attributes:
        power_w: As the device rounded it, towards zero; positive charges [W].
        revert_s: The revert timer it was given [s].
        before: What it held before, for the journal.
        renew_s: How often it must be told again [s]; 0 for a third of its timer.
    """

    power_w: Watt
    revert_s: int
    before: Held
    renew_s: int = 0


class NoRevertTimerError(KwartierError):
    """The device cannot fall back by itself, so it is not steered."""


class SetpointNotHeldError(KwartierError):
    """The device took the write, and holds something else."""

    def __init__(self, wanted_w: Watt | None, held: Held) -> None:
        """Keep what was asked and what is held."""
        asked = "release" if wanted_w is None else f"{wanted_w} W"
        super().__init__(
            f"set-point {asked} was acknowledged, but the device holds {held.power_w} W: "
            "check whether another program steers it, and its remote-control setting"
        )
        self.wanted_w = wanted_w
        self.held = held


class UnsayableSetpointError(KwartierError):
    """The device's scale factor leaves no room for the number."""

    def __init__(self, value: Number, exponent: int) -> None:
        """Keep what could not be said."""
        super().__init__(
            f"the device counts in steps of 10^{exponent}, which cannot say {value}: nothing was "
            "written; is its scale factor right?"
        )
        self.value = value


class Steering(Protocol):
    """Steers one battery. Every call may raise what ``SteeredUnit`` raises."""

    def ratings(self) -> Ratings:
        """Return what the device says it can do."""

    def setpoint(self, power_w: Watt, revert_s: int) -> Applied:
        """Make the device hold a power, and fall back after a time without a new one.

        Args:
            power_w: Positive charges [W]; limits are the caller's task.
            revert_s: When the device falls back to doing nothing by itself [s].

        Raises:
            NoRevertTimerError: The device has no revert timer; nothing was written.
            SetpointNotHeldError: It acknowledged, and holds something else.
        """

    def read_back(self) -> Held:
        """Return what the device holds now."""

    def release(self) -> None:
        """End our set-point at once.

        Raises:
            SetpointNotHeldError: It acknowledged, and still holds a set-point.
        """


def find_steering(unit: SteeredUnit, chain: Chain) -> Steering | None:
    """Return how a device is steered; None where it has no model for that."""
    control = chain.first(704)
    if control is not None:
        return DerSteering(unit, control, chain.first(702))
    storage = chain.first(124)
    return None if storage is None else StorageSteering(unit, storage)


def follows(wanted_w: Watt, measured_w: Watt, rated_w: Watt) -> bool:
    """Return whether a measured power is the one asked for, within 5 % of the rating or 150 W.

    A battery that is full, empty or still ramping does not follow either; the caller knows.
    """
    return abs(wanted_w - measured_w) <= max(150, rated_w // 20)


class DerSteering:
    """Steers by model 704: power in watts, one request, fall-back to idle."""

    def __init__(self, unit: SteeredUnit, control: Place, capacity: Place | None) -> None:
        """Steer the device whose models 704 and 702 stand at these places."""
        self._unit = unit
        self._control = control
        self._capacity = capacity
        self._group = models()[704]

    def ratings(self) -> Ratings:
        """Return the limits set on the device, or else its nameplate (model 702)."""
        if self._capacity is None:
            return Ratings(None, None)
        read = _block(self._unit, self._capacity, models()[702])
        return Ratings(
            _first(read, "WChaRteMax", "WChaRteMaxRtg"),
            _first(read, "WDisChaRteMax", "WDisChaRteMaxRtg", "WMax", "WMaxRtg"),
        )

    def setpoint(self, power_w: Watt, revert_s: int) -> Applied:
        """Write value, fall-back and timer in one request, and read them back."""
        assert 1 <= revert_s <= MAX_REVERT_S, revert_s
        read = self._read()
        words, before = read.words, read.points
        exponent = exponent_of(before, "WSet_SF")
        if before["WSetRvrtTms"] is None or before["WSet"] is None:
            raise NoRevertTimerError("model 704 has no set-point in watts with a revert timer")
        raw = towards_zero(-power_w, exponent, 2)
        percents = self._group.offset("WSetPct")
        frame = [
            *words_of(1, 1),  # WSetEna: on
            *words_of(1, 1),  # WSetMod: watts
            *words_of(raw, 2),  # WSet
            *words_of(0, 2),  # WSetRvrt: nothing after the timer
            *words[percents : percents + 2],  # WSetPct, WSetPctRvrt: as they were
            *words_of(0, 1),  # WSetEnaRvrt: off after the timer
            *words_of(revert_s, 2),  # WSetRvrtTms
        ]
        self._unit.write(self._control.address + self._group.offset("WSetEna"), frame)
        rounded_w = -round(scaled(raw, exponent))
        after = self._read()
        held = _der_held(after)
        if held.power_w != rounded_w or after.points["WSetRvrtTms"] != revert_s:
            raise SetpointNotHeldError(power_w, held)
        return Applied(rounded_w, revert_s, _der_held(read))

    def read_back(self) -> Held:
        """Return the set-point and the time left."""
        return _der_held(self._read())

    def release(self) -> None:
        """Switch the set-point off."""
        self._unit.write(self._control.address + self._group.offset("WSetEna"), [0])
        held = self.read_back()
        if held.power_w is not None:
            raise SetpointNotHeldError(None, held)

    def _read(self) -> _Read:
        return _block(self._unit, self._control, self._group)


class StorageSteering:
    """Steers by model 124: both rates in percent of the largest charging power.

    The two rates are the walls of a corridor; set against each other they leave one power. Rates
    and timer go in one request, and the mode that makes them count in a second one, unless it is
    set already. Tried on virtual devices only.
    """

    def __init__(self, unit: SteeredUnit, storage: Place) -> None:
        """Steer the device whose model 124 stands at this place."""
        self._unit = unit
        self._storage = storage
        self._group = models()[124]

    def ratings(self) -> Ratings:
        """Return the largest charging power, which both percentages refer to."""
        most_w = _first(self._read(), "WChaMax")
        return Ratings(most_w, most_w)

    def setpoint(self, power_w: Watt, revert_s: int) -> Applied:
        """Write both rates and the timer in one request, then the mode, and read them back."""
        assert 1 <= revert_s <= MAX_REVERT_S, revert_s
        read = self._read()
        words, before = read.words, read.points
        exponent = exponent_of(before, "InOutWRte_SF")
        exponent_of(before, "WChaMax_SF")
        most_w = _first(read, "WChaMax")
        if before["InOutWRte_RvrtTms"] is None or not most_w:
            raise NoRevertTimerError("model 124 has no revert timer, or no largest power")
        percent = Decimal(power_w) * 100 / most_w
        raw = towards_zero(percent, exponent, 1)
        window = words[self._group.offset("InOutWRte_WinTms")]
        frame = [*words_of(-raw, 1), *words_of(raw, 1), window, revert_s]
        self._unit.write(self._storage.address + self._group.offset("OutWRte"), frame)
        if before["StorCtl_Mod"] != _BOTH:
            self._unit.write(self._storage.address + self._group.offset("StorCtl_Mod"), [_BOTH])
        after = self._read()
        held = _storage_held(after)
        kept = list(
            after.words[self._group.offset("OutWRte") : self._group.offset("InOutWRte_RmpTms")]
        )
        if kept != frame or held.power_w is None:
            raise SetpointNotHeldError(power_w, held)
        return Applied(held.power_w, revert_s, _storage_held(read))

    def read_back(self) -> Held:
        """Return the set-point; this model does not tell the time left."""
        return _storage_held(self._read())

    def release(self) -> None:
        """Leave the device to itself."""
        self._unit.write(self._storage.address + self._group.offset("StorCtl_Mod"), [0])
        held = self.read_back()
        if held.power_w is not None:
            raise SetpointNotHeldError(None, held)

    def _read(self) -> _Read:
        return _block(self._unit, self._storage, self._group)


_GIVING = 2
"""StorCtl_Mod: somebody holds the discharging to its rate, and leaves the charging open."""
_BOTH = 3
"""StorCtl_Mod: charging (bit 0) and discharging (bit 1) are both held to their rates."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A model's own registers and points, all from one request."""

    group: Group
    words: Words
    points: Points

    def told(self, name: str) -> PointValue:
        """Return a point; one that stands there without its scale factor cannot be told now."""
        return told(self.group, self.words, self.points, name)


def _block(unit: SteeredUnit, place: Place, group: Group) -> _Read:
    words = unit.read(place.address, min(group.size, place.length + 2))
    return _Read(group, words, decode(group, place.length, words))


def _der_held(read: _Read) -> Held:
    on = read.points["WSetEna"] == 1 and read.points["WSetMod"] == 1
    power = read.told("WSet") if on else None
    left = read.points["WSetRvrtRem"]
    return Held(
        -round(power) if isinstance(power, int | Decimal) else None,
        left if isinstance(left, int) else None,
    )


def _storage_held(read: _Read) -> Held:
    mode = read.points["StorCtl_Mod"]
    if not mode:
        return Held(None, None)
    most_w = _first(read, "WChaMax")
    rate = _negated(read.told("OutWRte")) if mode == _GIVING else read.told("InWRte")
    if most_w is None or not isinstance(rate, int | Decimal):
        return Held(None, None)
    return Held(round(rate * most_w / Decimal(100)), None)


def _negated(value: PointValue) -> PointValue:
    return -value if isinstance(value, int | Decimal) else None


def _first(read: _Read, *names: str) -> Watt | None:
    """Return the first of the points that says something, in whole watts."""
    for name in names:
        value = read.told(name)
        if isinstance(value, int | Decimal):
            return int(value)
    return None


def towards_zero(value: Number, exponent: int, registers: int) -> int:
    """Return a number in steps of a power of ten, as so many registers with a sign can say it.

    Raises:
        UnsayableSetpointError: They cannot.
    """
    raw = int(Decimal(value).scaleb(-exponent))
    if raw >> (16 * registers - 1) not in (0, -1):
        raise UnsayableSetpointError(value, exponent)
    return raw
