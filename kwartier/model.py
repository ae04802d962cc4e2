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
    """A battery that the neighbourhood shares, behind a meter of its own, or that is a home's.

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
            [1/1000]. What a home keeps gives way to nobody.
        group: The group whose contract for transport it shares, where there is one.
        home: The connection behind whose meter it stands; None for one that is shared.
        steered: Whether that home allowed it to be planned; without that it is read only.
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
    home: str | None = None
    steered: bool = False

    @property
    def may_be_planned(self) -> bool:
        """Whether it is the neighbourhood's to plan: its own, or with the home's leave."""
        return self.home is None or self.steered


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
        batteries: The batteries it shares, by id.
        tariff: What was agreed.
        import_limit_w: The most the street may take [W]; None for no limit.
        export_limit_w: The most the street may give [W]; None for no limit.
        groups: Who shares a contract for transport, by id.
        home_batteries: The batteries behind homes' own meters, by id. What they do is in what
            those meters count, so no settlement asks for them.
    """

    coop: CoopId
    name: str
    connections: Mapping[str, Connection]
    batteries: Mapping[str, Battery]
    tariff: Tariff = Tariff()
    import_limit_w: Watt | None = None
    export_limit_w: Watt | None = None
    groups: Mapping[str, Group] = field(default_factory=dict)
    home_batteries: Mapping[str, Battery] = field(default_factory=dict)

    @property
    def every_battery(self) -> dict[str, Battery]:
        """All batteries by id: the shared ones first, then those of homes."""
        return {**self.batteries, **self.home_batteries}

    def batteries_by_home(self) -> dict[str, tuple[Battery, ...]]:
        """Return the batteries behind each home's own meter; no home without one is in it."""
        found: dict[str, tuple[Battery, ...]] = {}
        for one in self.home_batteries.values():
            if one.home is not None:
                found[one.home] = (*found.get(one.home, ()), one)
        return found


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
    homes = _once([connection.id for connection in connections], connections, "connection")
    named = _once([battery.id for battery in batteries], batteries, "battery")
    community = Community(
        top.name("coop"),
        top.text("name"),
        homes,
        {name: one for name, one in named.items() if one.home is None},
        _tariff(top.table("tariff")),
        top.whole_or_none("import_limit_w"),
        top.whole_or_none("export_limit_w"),
        _once([group.id for group in groups], groups, "group"),
        {name: one for name, one in named.items() if one.home is not None},
    )
    top.refuse_the_rest()
    _refuse_unknown_groups(community)
    _refuse_stray_batteries(community)
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
        row.name_or_none("home"),
        row.flag("steered", default=False),
    )
    _refuse_odd_home(row, battery)
    if battery.soc_min_permille >= battery.soc_max_permille:
        raise SettingsError(f"{row.place}soc_min_permille is not below soc_max_permille")
    if battery.reserve_permille > battery.soc_max_permille:
        raise SettingsError(
            f"{row.place}reserve_permille is above soc_max_permille, so it could never be kept: "
            "lower it"
        )
    row.refuse_the_rest()
    return battery


def _refuse_odd_home(row: Table, battery: Battery) -> None:
    """Refuse what cannot be said of a battery behind a home's meter, or only of such a one."""
    if battery.home is None:
        if battery.steered:
            raise SettingsError(
                f"{row.place}steered is for a battery of a home, and this one names none: add home "
                "or leave it out, a shared battery is steered anyway"
            )
        return
    if battery.follows_meter:
        raise SettingsError(
            f"{row.place}follows_meter is true, and the battery stands behind the meter of home "
            f"{battery.home!r}: only one at the neighbourhood's own meter can follow that"
        )
    if battery.group is not None:
        raise SettingsError(
            f"{row.place}group is {battery.group!r}, and the battery belongs to the group of its "
            f"home {battery.home!r}: leave it out"
        )


def _refuse_stray_batteries(community: Community) -> None:
    """Refuse a battery of a home that is not there, or that hangs on another gateway."""
    places: dict[tuple[GatewayId, DeviceId], str] = {}
    for one in community.every_battery.values():
        other = places.setdefault((one.gateway, one.device), one.id)
        if other != one.id and one.home is not None:
            raise SettingsError(
                f"battery {other!r} and {one.id!r} are both device {one.device!r} of gateway "
                f"{one.gateway!r}: give each its own, or it would be counted twice"
            )
    for one in community.home_batteries.values():
        home = community.connections.get(one.home or "")
        if home is None:
            raise SettingsError(
                f"battery {one.id!r} stands behind the meter of home {one.home!r}, which is not "
                "there: add a [[connection]] of it, or leave home out where it is shared"
            )
        if one.gateway != home.gateway:
            raise SettingsError(
                f"battery {one.id!r} has gateway {one.gateway!r}, and its home {home.id!r} has "
                f"{home.gateway!r}: a home's limits are kept by the gateway that reads its meter, "
                "so let that one steer it"
            )


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
