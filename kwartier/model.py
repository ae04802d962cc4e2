"""The neighbourhood: who belongs to it, what is wired where, and what was agreed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from kwartier.errors import SettingsError
from kwartier.identity import CoopId, DeviceId, GatewayId, checked_name
from kwartier.units import Watt, Wh


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
    """

    id: str
    member: str
    gateway: GatewayId
    meter: DeviceId = "p1"
    solar: DeviceId | None = None
    limit_w: Watt = 17_250


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
    """

    coop: CoopId
    name: str
    connections: Mapping[str, Connection]
    batteries: Mapping[str, Battery]
    tariff: Tariff = Tariff()
    import_limit_w: Watt | None = None
    export_limit_w: Watt | None = None


def read_community(path: Path) -> Community:
    """Return the neighbourhood that a TOML file describes; docs/settings.md shows one.

    Raises:
        SettingsError: The file is away or a key in it is wrong; the message names both.
    """
    try:
        with path.open("rb") as file:
            return community_of(tomllib.load(file))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is no TOML: {error}") from error
    except (SettingsError, KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise SettingsError(f"{path}: {error}") from error


def community_of(table: Mapping[str, object]) -> Community:
    """Return the neighbourhood of a parsed table."""
    raise NotImplementedError(table, checked_name)
