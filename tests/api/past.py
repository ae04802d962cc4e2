"""A town with a past in its record: the books' own October, read by the meters of the street."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from api.app import create_app
from api.cooperative.readings import DayValues, Direction
from api.overview.keeper import Overview
from collectors.store import Store
from kwartier.interval import QUARTER_S, local_day
from kwartier.model import Community
from kwartier.reading import Reading
from tests.api.cooperative.stages import Stage
from tests.api.cooperative.street import NOVEMBER_S, readings
from tests.api.street import feed
from tests.api.town import Town, Towns

_REGISTERS = {
    Direction.IMPORT: "import_wh",
    Direction.EXPORT: "export_wh",
    Direction.CHARGE: "charged_wh",
    Direction.DISCHARGE: "discharged_wh",
}


@dataclass(frozen=True, slots=True)
class PastTown:
    """A town, and what is kept of its days."""

    town: Town
    overview: Overview


@contextmanager
def past_town(
    towns: Towns, stage: Stage, folder: Path, *, fed: bool = True, now_s: int = NOVEMBER_S
) -> Iterator[PastTown]:
    """Yield a town whose record holds October as its books do, and whose days are summed."""
    with towns.at(stage, folder, now_s=now_s) as town:
        house = town.house
        if fed:
            feed_days(house.store, house.community, readings())
        overview = Overview(
            house.community,
            house.store,
            town.clock,
            folder / "overview.db",
            people=house.people,
            office=house.office,
        )
        overview.catch_up()
        lived = replace(house, overview=overview)
        yield PastTown(replace(town, house=lived, app=create_app(lived)), overview)
        overview.close()


def feed_days(store: Store, community: Community, days: list[DayValues]) -> None:
    """Store days as the registers that count them up, home by home."""
    devices: dict[tuple[str, str], dict[int, dict[str, int]]] = {}
    by_register: dict[tuple[str, Direction], list[DayValues]] = {}
    for day in days:
        by_register.setdefault((day.connection, day.direction), []).append(day)
    for (name, direction), held in by_register.items():
        wh = [one or 0 for day in sorted(held, key=lambda day: day.day) for one in day.wh]
        first_s = local_day(min(day.day for day in held))[0]
        home = community.connections.get(name)
        battery = next(iter(community.batteries.values()))
        place = (battery.gateway, battery.device) if home is None else (home.gateway, home.meter)
        table = devices.setdefault(place, {})
        for count, value in enumerate(accumulate(wh, initial=10_000)):
            table.setdefault(first_s + count * QUARTER_S, {})[_REGISTERS[direction]] = value
    for (gateway, device), table in devices.items():
        meter = "b0" if device == "battery" else "m0"
        rows = [Reading(device, meter, at_s, table[at_s]) for at_s in sorted(table)]
        for seq, start in enumerate(range(0, len(rows), 1_000), 10):
            feed(store, gateway, seq, rows[start : start + 1_000])
