"""One ``[[solar_limit]]`` of the gateway's settings: which inverter is held to which export."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.modbus.line import LinkSettings
from gateway.steer.settings import SteeredDevice
from kwartier.errors import SettingsError
from kwartier.identity import DeviceId
from kwartier.settings import Table
from kwartier.units import Watt

GIVES_WAY_W = 200
"""So far below the cap of its connection a battery gives way before the inverter has to [W]."""


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


def batteries_within(
    batteries: Iterable[SteeredDevice],
    limits: Collection[LimitedInverter],
    meters: Collection[DeviceId],
) -> tuple[SteeredDevice, ...]:
    """Return the batteries, none of which gives more than an inverter beside it may.

    A cap is the connection's, not the inverter's. A battery that knew nothing of it would give on
    while the inverter is cut for it. So it keeps it too, lower by what makes it give way first.
    """
    caps = {one.meter: one.export_max_w for one in limits}
    return tuple(_within(one, caps.get(one.meter or next(iter(meters), ""))) for one in batteries)


def _within(battery: SteeredDevice, cap_w: Watt | None) -> SteeredDevice:
    own_w = battery.limits.export_max_w
    if cap_w is None or (own_w is not None and own_w <= cap_w):
        return battery
    lower_w = max(0, cap_w - GIVES_WAY_W)
    return replace(battery, limits=replace(battery.limits, export_max_w=lower_w))


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
    """Refuse one inverter limited twice, also by two names, and two caps on one connection."""
    places: dict[tuple[str, int], DeviceId] = {}
    for one in limits:
        place = one.link.where, one.unit
        if place in places:
            same = places[place] == one.device
            why = " stands there twice" if same else f": that is {places[place]!r} by another name"
            raise SettingsError(f"solar_limit {one.device!r}{why}: leave one out")
        places[place] = one.device
    caps: dict[DeviceId, Watt] = {}
    for one in limits:
        if caps.setdefault(one.meter, one.export_max_w) != one.export_max_w:
            raise SettingsError(
                f"solar_limit {one.device!r}: export_max_w is {one.export_max_w} and another one "
                f"behind {one.meter!r} says {caps[one.meter]}: a connection has one cap"
            )
