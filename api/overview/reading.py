"""Some local days of every home, read from the record straight into arrays.

The rules are those of ``collectors.queries``; arrays make a year of a neighbourhood a matter of
seconds, and nothing that pages ask the record is kept waiting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from api.overview.day_sums import Energies
from collectors.home_quarters import sun_unseen
from collectors.store import DeviceKey, Quality, QuarterEnergy, Store
from kwartier.interval import QUARTER_S, Quarter, local_day
from kwartier.model import Community
from kwartier.units import EpochS
from optimizer.settling.matrix import Flags, ReadingMatrix, RegisterMatrix

_NAMES = ("import_wh", "export_wh", "produced_wh", "charged_wh", "discharged_wh")


@dataclass(frozen=True, slots=True, eq=False)
class ReadDays:
    """Consecutive local days as they were read.

    Attributes:
        days: Which, in order.
        bounds: The first column of each day, and the column after the last one.
        ended: How many columns had ended when they were read.
        matrix: The readings, as the engine takes them.
        known: Shape ``(N, Q)``: the home is known in the quarter.
        estimated: Shape ``(N, Q)``: it is, and in part estimated.
        roof_wh: Made on the roof, as far as is known, ``(N, Q)`` [Wh].
        kept_wh: What homes' own batteries took, less what they gave, ``(N, Q)`` [Wh]; 0 where one
            is silent: then that counts as use, and is an estimate.
        battery_told: Shape ``(N, Q)``: the home has batteries of its own, and all of them told.
    """

    days: tuple[date, ...]
    bounds: tuple[int, ...]
    ended: int
    matrix: ReadingMatrix
    known: Flags
    estimated: Flags
    roof_wh: Energies
    kept_wh: Energies
    battery_told: Flags


def read_days(store: Store, community: Community, days: Sequence[date], now_s: float) -> ReadDays:
    """Return what the record knows of consecutive local days, up to the last quarter that ended.

    Raises:
        StoreBusyError: The record cannot be read now.
    """
    start_s, end_s = local_day(days[0])[0], local_day(days[-1])[1]
    ended_s = min(end_s, max(start_s, Quarter.containing(now_s).start_s))
    count, ended = (end_s - start_s) // QUARTER_S, (ended_s - start_s) // QUARTER_S
    bounds = tuple((local_day(day)[0] - start_s) // QUARTER_S for day in days)
    table = _Table(store.quarters(_NAMES, start_s, ended_s), start_s, count)
    names = tuple(sorted(community.connections))
    homes = [community.connections[name] for name in names]
    meters = [DeviceKey(home.gateway, home.meter) for home in homes]
    taken, has_taken, guessed_taken = table.of(meters, "import_wh")
    given, has_given, guessed_given = table.of(meters, "export_wh")
    roofs = [None if home.solar is None else DeviceKey(home.gateway, home.solar) for home in homes]
    made, has_made, guessed_made = table.of(roofs, "produced_wh")
    known = has_taken & (has_given | ~_day_has_any(has_given, (*bounds, count)))
    is_read = np.array([home.solar is not None for home in homes], np.bool_)[:, np.newaxis]
    guessed_roof = np.where(has_made, guessed_made, is_read)
    own = _own_batteries(community, names, table, known.shape)
    unseen = sun_unseen(taken, given, own.taken_wh, own.given_wh)
    matrix = ReadingMatrix(
        Quarter(start_s),
        names,
        np.ones(known.shape, np.bool_),
        RegisterMatrix(taken * known, ~known, guessed_taken & known),
        RegisterMatrix(given * known, ~known, guessed_given & known),
        *_battery(community, table),
    )
    return ReadDays(
        tuple(days),
        (*bounds, count),
        int(ended),
        matrix,
        known,
        known & (guessed_taken | guessed_given | guessed_roof | own.guessed),
        np.where(has_made, made, unseen) * known,
        (own.taken_wh - own.given_wh) * known,
        own.told,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Own:
    """What homes' own batteries took and gave, ``(N, Q)`` [Wh]; 0 where one is silent."""

    told: Flags
    taken_wh: Energies
    given_wh: Energies
    guessed: Flags


def _own_batteries(
    community: Community, names: Sequence[str], table: _Table, shape: tuple[int, ...]
) -> _Own:
    by_home = community.batteries_by_home()
    taken, given = np.zeros((2, *shape), np.int64)
    guessed, known = np.zeros((2, *shape), np.bool_)
    for row, name in enumerate(names):
        keys = [DeviceKey(one.gateway, one.device) for one in by_home.get(name, ())]
        if not keys:
            continue
        into, has_into, guessed_into = table.of(keys, "charged_wh")
        out, has_out, guessed_out = table.of(keys, "discharged_wh")
        most_wh = np.array([one.capacity_wh for one in by_home[name]])[:, np.newaxis]
        told = (has_into & has_out & (np.maximum(into, out) <= most_wh)).all(axis=0)
        taken[row], given[row] = into.sum(axis=0) * told, out.sum(axis=0) * told
        known[row] = told
        guessed[row] = ~told | (guessed_into | guessed_out).any(axis=0)
    return _Own(known, taken, given, guessed)


class _Table:
    """Energies by device and register, each a row of columns."""

    def __init__(self, energies: Sequence[QuarterEnergy], start_s: EpochS, count: int) -> None:
        told = [one for one in energies if one.energy_wh is not None]
        # They come register by register, and all of one register's hold the same key.
        turns = [
            place
            for place, (one, other) in enumerate(pairwise(told), 1)
            if one.key is not other.key or one.name != other.name
        ]
        firsts = [0, *turns] if told else []
        self._rows: dict[tuple[DeviceKey, str], int] = {}
        rows = [
            self._rows.setdefault((told[first].key, told[first].name), len(self._rows))
            for first in firsts
        ]
        starts = np.array([one.start_s for one in told], np.int64)
        lengths = np.diff([*firsts, len(told)])
        places = np.repeat(np.array(rows, np.int64), lengths) * count
        places += (starts - start_s) // QUARTER_S
        shape = len(self._rows) + 1, count  # the last row is of what is not there
        self._wh = np.zeros(shape, np.int64)
        self._has, self._guessed = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        self._wh.ravel()[places] = [one.energy_wh or 0 for one in told]
        self._has.ravel()[places] = True
        self._guessed.ravel()[places] = [one.quality is not Quality.MEASURED for one in told]

    def of(self, keys: Sequence[DeviceKey | None], name: str) -> tuple[Energies, Flags, Flags]:
        """Return energies, whether each is known and whether it is an estimate, ``(N, Q)``."""
        rows = [-1 if key is None else self._rows.get((key, name), -1) for key in keys]
        return self._wh[rows], self._has[rows], self._guessed[rows]


def _battery(community: Community, table: _Table) -> tuple[RegisterMatrix, RegisterMatrix]:
    """Return what all batteries took and gave; missing in quarters in which one is not known."""
    keys = [DeviceKey(one.gateway, one.device) for one in community.batteries.values()]

    def together(name: str) -> RegisterMatrix:
        energy_wh, has, guessed = table.of(keys, name)
        missing: Flags = np.logical_not(has.all(axis=0, keepdims=True))
        total = np.where(missing, 0, energy_wh.sum(axis=0, keepdims=True, dtype=np.int64))
        estimated: Flags = np.logical_and(guessed.any(axis=0, keepdims=True), ~missing)
        return RegisterMatrix(total, missing, estimated)

    return together("charged_wh"), together("discharged_wh")


def _day_has_any(has: Flags, bounds: Sequence[int]) -> Flags:
    """Return whether anything is known of the local day that a quarter is in, ``(N, Q)``."""
    starts = np.array(bounds[:-1], np.int64)
    any_of_day = np.logical_or.reduceat(has, starts, axis=1)
    return np.repeat(any_of_day, np.diff(bounds), axis=1)
