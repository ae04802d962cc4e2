"""The neighbourhood: who belongs to it, what is wired where, and what was agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from kwartier.errors import SettingsError
from kwartier.identity import CoopId, DeviceId, GatewayId
from kwartier.settings import Table, read_toml
from kwartier.units import Watt, Wh

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Connection:
    """One home's connection to the grid, and what reads it.

    Attributes:
        id: Its name in the cooperative, such as ``huis-01``.
        member: Who settles it.
        gateway: The Pi in the meter cupboard.
        meter: The P1 meter's name on that gateway.
        solar: The inverter's name on that gateway, where there is one that is read.
        limit_w: The most its fuse allows, per direction [W].
        group: The group whose contract for transport it shares, where there is one.
        group_share_w: What it brought into that contract [W].
    """

    id: str
    member: str
    gateway: GatewayId
    meter: DeviceId = "p1"
    solar: DeviceId | None = None
    limit_w: Watt = 17_250
    group: str | None = None
    group_share_w: Watt = 0


@dataclass(frozen=True, slots=True)
class Battery:
    """A battery that the neighbourhood shares, behind a meter of its own.

    Attributes:
        id: Its name in the cooperative.
        gateway: The Pi that steers it.
        device: Its name on that gateway.
        capacity_wh: Usable energy [Wh].
        charge_max_w: The most it takes, AC side [W].
        discharge_max_w: The most it gives, AC side [W].
        soc_min_permille: Not planned below this part of the capacity [1/1000].
        soc_max_permille: Not planned above this part of the capacity [1/1000].
        charge_efficiency: Stored over taken in.
        discharge_efficiency: Given back over taken from store.
        wear_eur_per_kwh: What one kWh given back costs in wear [EUR/kWh].
        follows_meter: Whether its gateway reads the meter through which the whole neighbourhood
            takes and gives; it is then told what should pass there. Several can at one gateway.
        reserve_permille: Kept for outages, of the capacity; gives way before any limit does
            [1/1000].
        group: The group whose contract for transport it shares, where there is one.
    """

    id: str
    gateway: GatewayId
    device: DeviceId
    capacity_wh: Wh
    charge_max_w: Watt
    discharge_max_w: Watt
    soc_min_permille: int = 50
    soc_max_permille: int = 950
    charge_efficiency: float = 0.96
    discharge_efficiency: float = 0.955
    wear_eur_per_kwh: float = 0.02
    follows_meter: bool = False
    reserve_permille: int = 0
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Homes and batteries that share one contract for transport with the grid's operator.

    Attributes:
        id: Its name in the cooperative.
        import_limit_w: The most its members take together [W].
        export_limit_w: The most they give together [W]; None for no limit.
    """

    id: str
    import_limit_w: Watt
    export_limit_w: Watt | None = None


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a shared kWh costs and earns, excluding VAT [EUR/kWh]."""

    buy_eur_per_kwh: Decimal = Decimal("0.18")
    sell_eur_per_kwh: Decimal = Decimal("0.12")
    levy_eur_per_kwh: Decimal = Decimal("0.01")
    reference_eur_per_kwh: Decimal = Decimal("0.25")


@dataclass(frozen=True, slots=True)
class Community:
    """A neighbourhood's energy cooperative.

    Attributes:
        coop: Its name in topics.
        name: Its name for people.
        connections: The homes, by id.
        batteries: What it shares, by id.
        tariff: What was agreed.
        import_limit_w: The most the street may take [W]; None for no limit.
        export_limit_w: The most the street may give [W]; None for no limit.
        groups: Who shares a contract for transport, by id.
    """

    coop: CoopId
    name: str
    connections: Mapping[str, Connection]
    batteries: Mapping[str, Battery]
    tariff: Tariff = Tariff()
    import_limit_w: Watt | None = None
    export_limit_w: Watt | None = None
    groups: Mapping[str, Group] = field(default_factory=dict)


def read_community(path: Path) -> Community:
    """Return the neighbourhood that a TOML file describes; docs/settings.md shows one.

    Raises:
        SettingsError: The file is away or a key in it is wrong; the message names both.
    """
    return read_toml(path, lambda top: community_of(top.values))


def community_of(table: Mapping[str, object]) -> Community:
    """Return the neighbourhood of a parsed table.

    Raises:
        SettingsError: A key is missing, unknown, or its value is of the wrong kind.
    """
    top = Table(table)
    connections = [_connection(row) for row in top.tables("connection")]
    batteries = [_battery(row) for row in top.tables("battery")]
    following = [battery for battery in batteries if battery.follows_meter]
    for other in following[1:]:
        if other.gateway != following[0].gateway:
            raise SettingsError(
                f"battery {following[0].id!r} and {other.id!r} both have follows_meter, at two "
                "gateways: they would make up for the same watts twice; leave it to one gateway"
            )
    groups = [_group(row, connections) for row in top.tables("group")]
    community = Community(
        top.name("coop"),
        top.text("name"),
        _once([connection.id for connection in connections], connections, "connection"),
        _once([battery.id for battery in batteries], batteries, "battery"),
        _tariff(top.table("tariff")),
        top.whole_or_none("import_limit_w"),
        top.whole_or_none("export_limit_w"),
        _once([group.id for group in groups], groups, "group"),
    )
    top.refuse_the_rest()
    _refuse_unknown_groups(community)
    return community


def _connection(row: Table) -> Connection:
    connection = Connection(
        row.name("id"),
        row.name("member"),
        row.name("gateway"),
        row.name("meter", "p1"),
        row.name_or_none("solar"),
        row.whole("limit_w", 17_250, low=1),
        row.name_or_none("group"),
        row.whole("group_share_w", 0, low=0),
    )
    row.refuse_the_rest()
    return connection


def _battery(row: Table) -> Battery:
    battery = Battery(
        row.name("id"),
        row.name("gateway"),
        row.name("device"),
        row.whole("capacity_wh", low=1),
        row.whole("charge_max_w", low=0),
        row.whole("discharge_max_w", low=0),
        row.whole("soc_min_permille", 50, low=0, high=1000),
        row.whole("soc_max_permille", 950, low=0, high=1000),
        row.number("charge_efficiency", 0.96, high=1.0),
        row.number("discharge_efficiency", 0.955, high=1.0),
        row.number("wear_eur_per_kwh", 0.02),
        row.flag("follows_meter", default=False),
        row.whole("reserve_permille", 0, low=0, high=1000),
        row.name_or_none("group"),
    )
    if battery.soc_min_permille >= battery.soc_max_permille:
        raise SettingsError(f"{row.place}soc_min_permille is not below soc_max_permille")
    if battery.reserve_permille > battery.soc_max_permille:
        raise SettingsError(
            f"{row.place}reserve_permille is above soc_max_permille, so it could never be kept: "
            "lower it"
        )
    row.refuse_the_rest()
    return battery


def _group(row: Table, connections: Sequence[Connection]) -> Group:
    """Return a group; what its members brought is its limit where none is told."""
    name = row.name("id")
    brought_w = sum(one.group_share_w for one in connections if one.group == name)
    most_w = row.whole_or_none("import_limit_w")
    if most_w is None and not brought_w:
        raise SettingsError(
            f"{row.place}import_limit_w is missing, and no connection of group {name!r} has a "
            "group_share_w: add one of them"
        )
    group = Group(
        name, brought_w if most_w is None else most_w, row.whole_or_none("export_limit_w")
    )
    if min(group.import_limit_w, group.export_limit_w or 0) < 0:
        raise SettingsError(f"{row.place}a limit is below zero: write it as a power, from 0")
    row.refuse_the_rest()
    return group


def _refuse_unknown_groups(community: Community) -> None:
    members: list[Connection | Battery] = [
        *community.connections.values(),
        *community.batteries.values(),
    ]
    for one in members:
        if one.group is not None and one.group not in community.groups:
            raise SettingsError(
                f"{one.id} belongs to group {one.group!r}, which is not there: "
                "add a [[group]] of it"
            )


def _tariff(row: Table) -> Tariff:
    tariff = Tariff(
        row.euro("buy_eur_per_kwh", "0.18"),
        row.euro("sell_eur_per_kwh", "0.12"),
        row.euro("levy_eur_per_kwh", "0.01"),
        row.euro("reference_eur_per_kwh", "0.25"),
    )
    row.refuse_the_rest()
    return tariff


def _once(ids: list[str], things: list[Thing], what: str) -> dict[str, Thing]:
    named = dict(zip(ids, things, strict=True))
    if len(named) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise SettingsError(f"{what} {twice!r} stands there twice: give each an id of its own")
    return named
