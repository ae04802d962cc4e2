"""Reading one Modbus device again and again: registers in, a reading in the house's words out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum

from hardware.profile import Profile
from hardware.profile_reader import ProfileReader
from hardware.registers import MOST_PER_READ, Number, RegisterSource, RegistersRefusedError
from hardware.sunspec import Chain, Place, Points, PointValue, decode, find_chain, read_model
from hardware.sunspec_models import models
from kwartier.clock import Clock
from kwartier.errors import KwartierError, LinkDownError, TemporaryError
from kwartier.identity import DeviceId, MeterId
from kwartier.reading import ClockSource, Reading

_INVERTERS = (103, 102, 101, 113, 112, 111)
_STORES = (713, 124, 802, 803)


class Role(StrEnum):
    """What a device is to the house."""

    SOLAR = "solar"
    BATTERY = "battery"


class NotSunSpecError(TemporaryError):
    """The device answers and shows no SunSpec map; some do so only by day."""


class SunSpecPoll:
    """Reads one SunSpec device; finds its models once, and again when they moved or it was away."""

    def __init__(self, source: RegisterSource, device: DeviceId, role: Role, clock: Clock) -> None:
        """Read ``source`` under the name it has on this gateway."""
        self._source = source
        self._device = device
        self._role = role
        self._clock = clock
        self._chain: Chain | None = None
        self._meter: MeterId = ""

    @property
    def chain(self) -> Chain:
        """The device's models, looked up when they are not known.

        Raises:
            NotSunSpecError: It does not speak SunSpec now.
            TemporaryError: It cannot be reached, or is busy.
        """
        if self._chain is None:
            chain = find_chain(self._source)
            if chain is None:
                raise NotSunSpecError(
                    f"{self._device}: no SunSpec map found: is it asleep, or is Modbus off?"
                )
            self._meter = _serial(self._source, chain)
            self._chain = chain
        return self._chain

    def read(self) -> Reading:
        """Return what the device says now; what it does not say is absent.

        Raises:
            NotSunSpecError: It does not speak SunSpec now.
            TemporaryError: It cannot be reached, or is busy.
        """
        chain = self.chain
        at_s = int(self._clock.now_s())
        try:
            values = (
                _solar(self._source, chain)
                if self._role is Role.SOLAR
                else _battery(self._source, chain)
            )
        except LinkDownError:
            self._chain = None  # what comes back after a night or a swap may be another
            raise
        except (RegistersRefusedError, _MovedError) as error:
            self._chain = None
            raise NotSunSpecError(
                f"{self._device}: its models moved; they are looked up again"
            ) from error
        return Reading(self._device, self._meter, at_s, values, ClockSource.GATEWAY)


class ProfilePoll:
    """Reads one device by its profile."""

    def __init__(
        self, source: RegisterSource, device: DeviceId, profile: Profile, clock: Clock
    ) -> None:
        """Read ``source`` under the name it has on this gateway."""
        self._reader = ProfileReader(profile, source)
        self._device = device
        self._clock = clock

    def read(self) -> Reading:
        """Return what the device says now; what it does not say is absent.

        Raises:
            TemporaryError: It cannot be reached, or is busy.
        """
        at_s = int(self._clock.now_s())
        values = self._reader.read()
        serial = values.get("serial")
        return Reading(
            self._device,
            serial if isinstance(serial, str) else "",
            at_s,
            self._reader.profile.stored(values),
            ClockSource.GATEWAY,
        )


class _MovedError(KwartierError):
    """Another model stands where ours stood."""


def poll_by(
    profile: Profile | None, unit: RegisterSource, name: DeviceId, role: Role, clock: Clock
) -> SunSpecPoll | ProfilePoll:
    """Return how a device is read by its profile, or by SunSpec where it has none."""
    if profile is None:
        return SunSpecPoll(unit, name, role, clock)
    return ProfilePoll(unit, name, profile, clock)


def _solar(source: RegisterSource, chain: Chain) -> dict[str, int]:
    """Return what an inverter makes; a hybrid's AC power holds its battery's, so its strings."""
    inverter = chain.first(*_INVERTERS)
    if inverter is not None:
        if chain.first(*_STORES) is not None:
            return _panels(source, chain)
        points = _leading(source, inverter)
        return _present({"solar_w": points["W"], "produced_wh": points["WH"]})
    measured = chain.first(701)
    if measured is None:
        return {}
    points = _leading(source, measured)
    return _present({"solar_w": points["W"], "produced_wh": points["TotWhInj"]})


def _battery(source: RegisterSource, chain: Chain) -> dict[str, int]:
    values: dict[str, PointValue] = {}
    measured, control = chain.first(701), chain.first(704)
    if measured is not None:
        points = _leading(source, measured)
        values["battery_w"] = _negated(points["W"])
        values["charged_wh"] = points["TotWhAbs"]
        values["discharged_wh"] = points["TotWhInj"]
    if control is not None:
        points = _leading(source, control)
        if points["WSetEna"] == 1 and points["WSetMod"] == 1:
            values["setpoint_w"] = _negated(points["WSet"])
            values["revert_s"] = points["WSetRvrtRem"]
    values["soc_permille"] = _soc(source, chain)
    return _present(values)


def _soc(source: RegisterSource, chain: Chain) -> PointValue:
    for model, point in ((713, "SoC"), (802, "SoC"), (124, "ChaState")):
        place = chain.first(model)
        if place is not None:
            percent = _leading(source, place)[point]
            if isinstance(percent, int | Decimal):
                return percent * 10
    return None


def _panels(source: RegisterSource, chain: Chain) -> dict[str, int]:
    """Return what the panels make, DC side; makers give a battery's inputs names in St."""
    place = chain.first(160)
    if place is None:
        return {}
    inputs = read_model(source, place).points["module"]
    assert isinstance(inputs, list)
    panels = [row for row in inputs if not str(row["IDStr"] or "").startswith("St")]
    return _present({"solar_w": _sum(panels, "DCW"), "produced_wh": _sum(panels, "DCWH")})


def _sum(rows: Sequence[Points], point: str) -> Number | None:
    """Return a sum over rows, or None when one of them does not say."""
    numbers = [row[point] for row in rows if isinstance(row[point], int | Decimal)]
    whole = bool(rows) and len(numbers) == len(rows)
    return sum((Decimal(str(number)) for number in numbers), Decimal(0)) if whole else None


def _leading(source: RegisterSource, place: Place) -> Points:
    """Return the points in a model's first 125 registers, all from one request."""
    words = source.read(place.address, min(MOST_PER_READ, place.length + 2))
    if words[0] != place.id:
        raise _MovedError
    return decode(models()[place.id], place.length, words)


def _serial(source: RegisterSource, chain: Chain) -> MeterId:
    common = chain.first(1)
    serial = None if common is None else read_model(source, common).points["SN"]
    return serial if isinstance(serial, str) else ""


def _negated(value: PointValue) -> Number | None:
    return -value if isinstance(value, int | Decimal) else None


def _present(values: Mapping[str, PointValue]) -> dict[str, int]:
    return {
        name: round(value)
        for name, value in values.items()
        if isinstance(value, int | Decimal | float)
    }
