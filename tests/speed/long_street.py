"""A street with a long past in its record: sun by season, use by the hour, all made up."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import pairwise, repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collectors.store import Store
from kwartier.interval import HOME_ZONE, QUARTER_S, day_of, local_day
from kwartier.model import Community
from kwartier.reading import Reading
from tests.api.street import feed

ROWS = 2_000
"""How many readings a block holds."""


@dataclass(frozen=True, slots=True)
class Past:
    """What one meter counted: a register of each name at each quarter's edge [Wh]."""

    gateway: str
    device: str
    at_s: list[int]
    counted: dict[str, list[int]]


def feed_past(store: Store, community: Community, first: date, end: date) -> None:
    """Store a reading of every register at each quarter's edge from one day up to another."""
    for meter in pasts(community, first, end):
        _feed(store, meter)


def write_past(file: Path, community: Community, first: date, end: date) -> None:
    """Write the same into an empty record as the quarters it would keep, without the readings.

    For who measures how a year is read, and not how it comes in; it takes a twentieth of the time.
    """
    with closing(sqlite3.connect(file)) as record, record:
        for meter in pasts(community, first, end):
            source = record.execute(
                "INSERT INTO source(gateway, device, meter) VALUES (?, ?, ?)",
                (meter.gateway, meter.device, f"m-{meter.device}"),
            ).lastrowid
            for name, counted in meter.counted.items():
                series = record.execute(
                    "INSERT INTO series(source, name) VALUES (?, ?)", (source, name)
                ).lastrowid
                newest = (series, meter.at_s[-1], counted[-1])
                record.execute("INSERT INTO latest VALUES (?, ?, ?)", newest)
                energy = [later - one for one, later in pairwise(counted)]
                record.executemany(
                    "INSERT INTO q15 VALUES (?1, ?2, ?2, ?3, ?2, ?3, ?4, 0, 0)",
                    zip(repeat(series), meter.at_s, counted, [*energy, None], strict=False),
                )


def pasts(community: Community, first: date, end: date) -> Iterator[Past]:
    """Yield what every meter of a street counted from one day up to another."""
    start_s, end_s = local_day(first)[0], local_day(end)[0]
    count = (end_s - start_s) // QUARTER_S
    at_s = [start_s + place * QUARTER_S for place in range(count + 1)]
    shape = _sun_and_use(start_s, count)
    for place, home in enumerate(community.connections.values()):
        luck = np.random.default_rng(place)
        used = (shape[1] * luck.uniform(0.7, 1.3) + luck.exponential(40, count)).astype(np.int64)
        made = (shape[0] * (0 if home.solar is None else 600 + 100 * (place % 4))).astype(np.int64)
        net = used - made
        registers = {"import_wh": np.maximum(0, net), "export_wh": np.maximum(0, -net)}
        yield _past(home.gateway, home.meter, at_s, registers)
        if home.solar is not None:
            yield _past(home.gateway, home.solar, at_s, {"produced_wh": made})
    for battery in community.batteries.values():
        noon = shape[0] > 0.4
        evening = np.roll(noon, 32) & ~noon
        moved = {"charged_wh": noon * 2_500, "discharged_wh": evening * 2_200}
        yield _past(battery.gateway, battery.device, at_s, moved)


def _past(
    gateway: str, device: str, at_s: list[int], energies: dict[str, NDArray[np.int64]]
) -> Past:
    counted = {
        name: (10_000 + np.concatenate([[0], np.cumsum(wh)])).tolist()
        for name, wh in energies.items()
    }
    return Past(gateway, device, at_s, counted)


def _sun_and_use(start_s: int, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how much of its best a roof makes, and what a home uses [Wh], ``(Q,)`` each."""
    hours = (np.arange(count) * 0.25 + (start_s - local_day(day_of(start_s))[0]) / 3600) % 24
    days = np.arange(count) / 96 + day_of(start_s, HOME_ZONE).timetuple().tm_yday
    season = 0.55 - 0.45 * np.cos(2 * math.pi * (days + 10) / 365)
    cloud = 0.6 + 0.4 * np.sin(days.astype(np.int64) * 2.4)
    half = 3.8 + 4.2 * season
    height = np.clip(1 - ((hours - 13.2) / half) ** 2, 0, None)
    evening = np.exp(-((hours - 18.9) ** 2) / 4.2)
    morning = np.exp(-((hours - 7.6) ** 2) / 1.6)
    return height * season * cloud, 30 + 70 * morning + 180 * evening + 40 * (1 - season)


def _feed(store: Store, meter: Past) -> None:
    device, counted, at_s = meter.device, meter.counted, meter.at_s
    # An inverter's blocks are numbered apart from those of the meter on the same gateway.
    seq = 10_000 if "produced_wh" in counted else 1
    for number, start in enumerate(range(0, len(at_s), ROWS)):
        rows = [
            Reading(
                device, f"m-{device}", at_s[row], {name: counted[name][row] for name in counted}
            )
            for row in range(start, min(start + ROWS, len(at_s)))
        ]
        feed(store, meter.gateway, seq + number, rows)
