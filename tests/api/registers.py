"""The registers that count up the books' own days: what the meters of the street told."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

from api.cooperative.readings import DayValues, Direction
from collectors.store import Store
from kwartier.interval import QUARTER_S, local_day
from kwartier.model import Community
from kwartier.reading import Reading
from tests.api.street import feed

_REGISTERS = {
    Direction.IMPORT: "import_wh",
    Direction.EXPORT: "export_wh",
    Direction.CHARGE: "charged_wh",
    Direction.DISCHARGE: "discharged_wh",
}


def feed_days(store: Store, community: Community, days: Iterable[DayValues]) -> None:
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
