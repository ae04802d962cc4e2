"""A device that was found in the home, as it is kept, shown and written into the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from kwartier.errors import ContractError
from kwartier.packing import Json


class Kind(StrEnum):
    """What a device is to the house."""

    SOLAR = "solar"
    BATTERY = "battery"
    METER = "meter"
    """Another meter; it is shown and not read."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Found:
    """One device.

    Attributes:
        name: On this gateway.
        kind: What it is.
        host: Where; empty on a serial line.
        port: Where.
        unit: Its Modbus unit id.
        make: As it says itself, or the profile's title.
        model: As it says itself.
        serial4: The last four of its serial number; the whole one is kept nowhere.
        profile: How it is read; empty for SunSpec.
        status: How well that profile is known; empty for SunSpec.
        requires: What has to be set on the device first.
        series: Where its power is told.
        charge_max_w: Of a battery [W]; 0 when it does not say.
        discharge_max_w: Of a battery [W].
        turned: Whether plus and minus are taken the other way round.
        serial: The serial line it is on, such as ``/dev/ttyUSB0``; empty for the network.
        parity: How that line speaks, ``N`` or ``E``; always 9600 bit/s.
    """

    name: str
    kind: Kind
    host: str
    port: int
    unit: int
    make: str = ""
    model: str = ""
    serial4: str = ""
    profile: str = ""
    status: str = ""
    requires: str = ""
    series: str = "solar_w"
    charge_max_w: int = 0
    discharge_max_w: int = 0
    turned: bool = False
    serial: str = ""
    parity: str = "N"

    @property
    def expected(self) -> int:
        """Return the slope of the meter on it: +1 for a battery that charges, else -1."""
        return 1 if self.series == "battery_w" else -1

    @property
    def place(self) -> tuple[str, int, str, int]:
        """Return what tells it from every other device: where it is, and its unit id."""
        return self.host, self.port, self.serial, self.unit

    def power_in(self, values: Mapping[str, int]) -> int | None:
        """Return its power the right way round, of what it said [W]; None when it did not say.

        A battery that has panels too takes from the house what goes into it less what they make.
        """
        told = values.get(self.series)
        if told is None:
            return None
        if self.series == "battery_w" and "solar_w" in values:
            told -= values["solar_w"]
        return -told if self.turned else told

    def as_turned(self, *, turned: bool) -> Found:
        """Return it with plus and minus one way or the other."""
        return replace(self, turned=turned)

    def as_json(self) -> dict[str, Json]:
        """Return it as it is kept."""
        return {**asdict(self), "kind": self.kind.value}


def found_of(told: Json) -> Found:
    """Return a device as it was kept.

    Raises:
        ContractError: A part is away or of another kind.
    """
    if not isinstance(told, dict):
        raise ContractError("a kept device is no object")
    try:
        return Found(
            _text(told, "name"),
            Kind(_text(told, "kind")),
            _text(told, "host"),
            _whole(told, "port"),
            _whole(told, "unit"),
            _text(told, "make"),
            _text(told, "model"),
            _text(told, "serial4"),
            _text(told, "profile"),
            _text(told, "status"),
            _text(told, "requires"),
            _text(told, "series"),
            _whole(told, "charge_max_w"),
            _whole(told, "discharge_max_w"),
            told.get("turned") is True,
            _text(told, "serial") if "serial" in told else "",
            _text(told, "parity") if "parity" in told else "N",
        )
    except ValueError as error:
        raise ContractError(f"a kept device: {error}") from error


def _text(told: dict[str, Json], key: str) -> str:
    value = told.get(key)
    if not isinstance(value, str):
        raise ContractError(f"{key!r} of a kept device is no text")
    return value


def _whole(told: dict[str, Json], key: str) -> int:
    value = told.get(key)
    if type(value) is not int:
        raise ContractError(f"{key!r} of a kept device is no whole number")
    return value
