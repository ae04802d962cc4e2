"""One ``[[solar_limit]]`` of the gateway's settings: which inverter is held to which export."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.modbus.line import LinkSettings
from kwartier.errors import SettingsError
from kwartier.identity import DeviceId
from kwartier.settings import Table
from kwartier.units import Watt


class ReadDevice(Protocol):
    """A ``[[modbus]]`` device of the same file."""

    @property
    def device(self) -> DeviceId:
        """Its name."""

    @property
    def link(self) -> LinkSettings:
        """Where it is."""

    @property
    def unit(self) -> int:
        """Its unit id."""

    @property
    def turned(self) -> bool:
        """Whether its power is told the wrong way round."""


@dataclass(frozen=True, slots=True)
class LimitedInverter:
    """An inverter that is limited when the connection gives more than it may.

    Attributes:
        device: Its name on this gateway, as of the ``[[modbus]]`` that reads it.
        link: Where it is.
        unit: Its unit id.
        export_max_w: The most the connection may give to the grid [W].
        rated_w: What its limit counts from [W]; the inverter itself must say the same.
        meter: The ``[[p1]]`` of its connection.
        sharing: How many inverters are limited behind that meter.
        turned: Whether its power is told the wrong way round.
    """

    device: DeviceId
    link: LinkSettings
    unit: int
    export_max_w: Watt
    rated_w: Watt
    meter: DeviceId
    sharing: int = 1
    turned: bool = False


def read_solar_limits(
    tables: Sequence[Table], devices: Collection[ReadDevice], meters: Collection[DeviceId]
) -> tuple[LimitedInverter, ...]:
    """Return every ``[[solar_limit]]``; ``meters`` are the names of ``[[p1]]`` in order.

    Raises:
        InputError: A name cannot be one.
        SettingsError: A key is wrong, or names a device or a meter that is not there.
    """
    known = {one.device: one for one in devices}
    rows = [(row, _meter(row, meters), _device(row, known)) for row in tables]
    behind = [meter for _, meter, _ in rows]
    limits = tuple(
        LimitedInverter(
            one.device,
            one.link,
            one.unit,
            row.whole("export_max_w", low=0, high=10_000_000),
            row.whole("rated_w", low=100, high=10_000_000),
            meter,
            behind.count(meter),
            one.turned,
        )
        for row, meter, one in rows
    )
    for row, _, _ in rows:
        row.refuse_the_rest()
    _refuse_twins(limits)
    return limits


def _device(row: Table, known: Mapping[DeviceId, ReadDevice]) -> ReadDevice:
    name = row.name("device")
    if name not in known:
        names = ", ".join(sorted(known)) or "none"
        raise SettingsError(
            f"{row.place}device: there is no [[modbus]] {name!r}: name the inverter that is "
            f"limited; there are: {names}"
        )
    return known[name]


def _meter(row: Table, meters: Collection[DeviceId]) -> DeviceId:
    if not meters:
        raise SettingsError(f"{row.place}meter: there is no [[p1]]: without one no export is seen")
    name = row.name_or_none("meter") or next(iter(meters))
    if name not in meters:
        raise SettingsError(f"{row.place}meter: there is no [[p1]] {name!r}")
    return name


def _refuse_twins(limits: Collection[LimitedInverter]) -> None:
    """Refuse one inverter limited twice, and two caps on one connection."""
    names = [one.device for one in limits]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise SettingsError(f"solar_limit {twice[0]!r} stands there twice: leave one out")
    caps: dict[DeviceId, Watt] = {}
    for one in limits:
        if caps.setdefault(one.meter, one.export_max_w) != one.export_max_w:
            raise SettingsError(
                f"solar_limit {one.device!r}: export_max_w is {one.export_max_w} and another one "
                f"behind {one.meter!r} says {caps[one.meter]}: a connection has one cap"
            )
