"""What flows at this moment: the neighbourhood as a sum, a home for itself."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from collectors.disclosure import Reader
from collectors.home_batteries import has_batteries_apart
from collectors.home_quarters import sun_unseen
from collectors.store import DeviceKey, Latest
from kwartier.model import Battery, Community, Connection
from kwartier.units import EpochS, Watt

FRESH_S = 900
"""How old a value may be and still count as now [s]."""
SUM_STEP_W = 100
"""Sums are told in steps of this size, so that one kettle in one home does not show [W]."""


@dataclass(frozen=True, slots=True)
class HomePower:
    """One home at this moment.

    Attributes:
        at_s: When its meter spoke [s].
        use_w: What it uses [W].
        solar_w: What its roof makes, as far as is known [W].
        import_w: What it takes from the grid [W].
        export_w: What it gives to the grid [W].
        battery_w: What its own batteries take; below zero is given [W].
    """

    at_s: EpochS
    use_w: Watt
    solar_w: Watt
    import_w: Watt
    export_w: Watt
    battery_w: Watt = 0


@dataclass(frozen=True, slots=True)
class StreetPower:
    """The neighbourhood at this moment; the flows balance to the watt.

    Attributes:
        at_s: The newest value in it [s].
        homes: How many homes it covers.
        use_w: What they use, in steps of 100 W [W]; None for who may not know it.
        solar_w: What their roofs make, in steps of 100 W [W].
        charge_w: What the shared batteries take, and those of homes where enough have one and the
            reader may know use [W].
        discharge_w: What they give [W].
        import_w: What the street takes from the grid [W]; None likewise.
        export_w: What the street gives to the grid [W]; None likewise.
        soc_permille: What the shared batteries hold, of their capacity [1/1000]; None when it is
            not known.
    """

    at_s: EpochS
    homes: int
    use_w: Watt | None
    solar_w: Watt
    charge_w: Watt
    discharge_w: Watt
    import_w: Watt | None
    export_w: Watt | None
    soc_permille: int | None


class Instants:
    """The newest value of each series, whatever it came from."""

    def __init__(self, values: Iterable[Latest] = ()) -> None:
        """Start with some values."""
        self._values: dict[tuple[DeviceKey, str], tuple[EpochS, int]] = {}
        for latest in values:
            self.take(latest.key, latest.name, latest.at_s, latest.value)

    def take(self, key: DeviceKey, name: str, at_s: EpochS, value: int) -> None:
        """Keep a value unless a newer one is there."""
        known = self._values.get((key, name))
        if known is None or known[0] <= at_s:
            self._values[key, name] = (at_s, value)

    def copy(self) -> Instants:
        """Return the same values, apart from what is taken later."""
        copied = Instants()
        copied._values = dict(self._values)
        return copied

    def newest_s(self, keys: Container[DeviceKey]) -> EpochS | None:
        """Return when one of some devices was last heard [s], or None."""
        return max(
            (at_s for (key, _), (at_s, _) in self._values.items() if key in keys), default=None
        )

    def fresh(self, key: DeviceKey, name: str, now_s: float) -> tuple[EpochS, int] | None:
        """Return a value that is at most ``FRESH_S`` old, with its instant, or None."""
        known = self._values.get((key, name))
        return known if known is not None and now_s - known[0] <= FRESH_S else None


def meters_of(community: Community) -> frozenset[DeviceKey]:
    """Return the meters of all homes."""
    return frozenset(
        DeviceKey(connection.gateway, connection.meter)
        for connection in community.connections.values()
    )


def home_power(
    connection: Connection,
    instants: Instants,
    now_s: float,
    batteries: Iterable[Battery] = (),
) -> HomePower | None:
    """Return one home's power now, or None when its meter is silent; for its owner alone.

    What its own batteries take is no use; one that is silent counts as standing still.
    """
    meter = DeviceKey(connection.gateway, connection.meter)
    taken = instants.fresh(meter, "import_w", now_s)
    given = instants.fresh(meter, "export_w", now_s)
    if taken is None or given is None:
        return None
    sun = None
    if connection.solar is not None:
        sun = instants.fresh(DeviceKey(connection.gateway, connection.solar), "solar_w", now_s)
    battery_w = _power_of(batteries, instants, now_s)
    if sun is None:
        solar_w = sun_unseen(taken[1], given[1], max(0, battery_w), max(0, -battery_w))
    else:
        solar_w = sun[1]
    use_w = max(0, taken[1] + solar_w - given[1] - battery_w)
    return HomePower(max(taken[0], given[0]), use_w, solar_w, taken[1], given[1], battery_w)


def powers_now(community: Community, instants: Instants, now_s: float) -> dict[str, HomePower]:
    """Return the power of each home that was heard not long ago; never shown as it is."""
    batteries = community.batteries_by_home()
    return {
        name: power
        for name, connection in community.connections.items()
        if (power := home_power(connection, instants, now_s, batteries.get(name, ()))) is not None
    }


def street_power(
    community: Community,
    instants: Instants,
    powers: Mapping[str, HomePower],
    homes: frozenset[str] | None,
    reader: Reader,
    now_s: float,
) -> StreetPower | None:
    """Return the neighbourhood's power now as a reader may see it, or None when it is withheld.

    Args:
        community: The neighbourhood.
        instants: The newest values.
        powers: Each home's power.
        homes: Over which homes it may be told in this quarter-hour; None for none.
        reader: Who asks.
        now_s: What time it is [s].
    """
    if homes is None or not reader.may_know(homes):
        return None
    told = [powers[name] for name in homes]
    apart = has_batteries_apart(community, homes)
    of_homes_w = sum(home.battery_w for home in told)
    used_w = sum(home.use_w for home in told)
    use_w = _stepped(used_w if apart else max(0, used_w + of_homes_w))
    solar_w = _stepped(sum(home.solar_w for home in told))
    battery_w = _power_of(community.batteries.values(), instants, now_s)
    use = reader.may_know_use(now_s, now_s)
    battery_w += _stepped(of_homes_w) if apart and use else 0
    net_w = use_w - solar_w + battery_w
    return StreetPower(
        max(home.at_s for home in told),
        len(told),
        use_w if use else None,
        solar_w,
        max(0, battery_w),
        max(0, -battery_w),
        max(0, net_w) if use else None,
        max(0, -net_w) if use else None,
        _stored_permille(community, instants, now_s),
    )


def _power_of(batteries: Iterable[Battery], instants: Instants, now_s: float) -> Watt:
    """Return some batteries' power together; a silent battery counts as standing still."""
    told = (
        instants.fresh(DeviceKey(battery.gateway, battery.device), "battery_w", now_s)
        for battery in batteries
    )
    return sum(value for _, value in filter(None, told))


def _stored_permille(community: Community, instants: Instants, now_s: float) -> int | None:
    stored: Mapping[str, int] = {
        name: value[1]
        for name, battery in community.batteries.items()
        if (
            value := instants.fresh(
                DeviceKey(battery.gateway, battery.device), "soc_permille", now_s
            )
        )
        is not None
    }
    capacity_wh = sum(community.batteries[name].capacity_wh for name in stored)
    if not capacity_wh:
        return None
    return (
        sum(permille * community.batteries[name].capacity_wh for name, permille in stored.items())
        // capacity_wh
    )


def _stepped(power_w: Watt) -> Watt:
    return (power_w + SUM_STEP_W // 2) // SUM_STEP_W * SUM_STEP_W
