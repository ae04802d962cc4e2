"""A street whose homes have batteries of their own, each with the home's leave or without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from api.planning.leave import RELEASED
from kwartier.interval import QUARTER_S
from kwartier.model import Battery, Community
from kwartier.reading import Reading
from tests.api.planning import HOMES, Scene, charge_of, scene, use_in
from tests.api.street import community_of, feed

DAY_S = 86_400
NOW_S = int(datetime(2026, 7, 8, 10, 5, tzinfo=UTC).timestamp())
START_S = NOW_S - 300
USE_WH = 100
"""What each home uses in a quarter."""


def battery_at(home: int, *, steered: bool = True, reserve_permille: int = 0) -> Battery:
    """Return the battery of a home, 10 kWh and 5 kW."""
    return Battery(
        f"thuis-{home:02}",
        f"gw-{home:02}",
        "battery",
        10_000,
        5_000,
        5_000,
        reserve_permille=reserve_permille,
        home=f"huis-{home + 1:02}",
        steered=steered,
    )


def with_batteries(*batteries: Battery, **limits_w: int) -> Community:
    """Return ten homes, a shared battery and those of some homes; fuses by home."""
    street = community_of(HOMES, solar_every=HOMES + 1)
    connections = {
        name: replace(one, limit_w=limits_w.get(name.replace("-", "_"), one.limit_w))
        for name, one in street.connections.items()
    }
    return replace(
        street, connections=connections, home_batteries={one.id: one for one in batteries}
    )


@contextmanager
def lived(folder: Path, community: Community, days: int = 2) -> Iterator[Scene]:
    """Yield a street in which homes used 100 Wh a quarter; batteries of homes were half full."""
    with scene(folder, NOW_S, community=community) as street:
        for home in range(HOMES):
            use_in(street, home, START_S - days * DAY_S, START_S, 1, USE_WH)
        charge_of(street, NOW_S - 5, 500)
        for battery in community.home_batteries.values():
            stands_still(street, battery, days)
        yield street


def stands_still(street: Scene, battery: Battery, days: int, permille: int = 500) -> None:
    """Put a battery on record that did nothing for some days."""
    edges = range(START_S - days * DAY_S, START_S + 1, QUARTER_S)
    still = {"charged_wh": 5_000, "discharged_wh": 4_000}
    readings = [Reading("battery", "b", at_s, dict(still)) for at_s in edges]
    full = {"soc_permille": permille, "battery_w": 0}
    feed(street.store, battery.gateway, 2, [*readings, Reading("battery", "b", NOW_S - 5, full)])


def told_in(street: Scene, gateway: str) -> list[tuple[str, bool]]:
    """Return the plans that a gateway was sent, and whether each holds set-points."""
    return [
        ("released" if one.plan == RELEASED else "plan", bool(one.steps))
        for one in street.sent_to.get(gateway, [])
    ]


def written(community: Community, *, steered: bool = True, homes: int = HOMES) -> str:
    """Return a neighbourhood as its file: some of its homes, and all of its batteries."""
    rows = [
        f'[[connection]]\nid = "{one.id}"\nmember = "{one.member}"\ngateway = "{one.gateway}"\n'
        for one in list(community.connections.values())[:homes]
    ]
    for battery in community.every_battery.values():
        own = f'home = "{battery.home}"\nsteered = {str(steered).lower()}\n'
        rows.append(
            f"""[[battery]]
id = "{battery.id}"
gateway = "{battery.gateway}"
device = "battery"
capacity_wh = {battery.capacity_wh}
charge_max_w = {battery.charge_max_w}
discharge_max_w = {battery.discharge_max_w}
{own if battery.home else ""}"""
        )
    return 'coop = "zonnehof"\nname = "Zonnehof"\n' + "".join(rows)
