"""Which part of the street's use and sun is a group's: by the time of day, in the last week.

What all homes together use is far surer than what some of them do, so the street is forecast as a
whole and a group gets the part of it that it had at that time of day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from collectors.queries import Records
from kwartier.interval import HOME_ZONE, QUARTER_S, Quarter, day_of
from kwartier.model import Community
from kwartier.units import EpochS
from optimizer.problem import FloatArray

DAYS = 7
_DAY_S = 86_400
_SLOTS = 96


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A group's part at each time of day on the wall clock, 0 to 1, shape ``(96,)``."""

    use: FloatArray
    made: FloatArray


class Parts:
    """The parts of all groups; looked up once a day; for one thread."""

    def __init__(self, community: Community, records: Records) -> None:
        """Look at ``records`` when asked."""
        self._community = community
        self._records = records
        self._day: date | None = None
        self._known: dict[str, Part] = {}

    def at(self, start: Quarter) -> Mapping[str, Part]:
        """Return the part of each group, by its id; none where there are no groups.

        Raises:
            StoreBusyError: The record cannot be reached now.
        """
        day = day_of(start.start_s)
        if self._community.groups and day != self._day:
            self._known = self._read(start.start_s)
            self._day = day
        return self._known

    def _read(self, now_s: EpochS) -> dict[str, Part]:
        groups = list(self._community.groups)
        rows = {name: row for row, name in enumerate(groups)}
        use, made = np.zeros((2, len(groups) + 1, _SLOTS))
        for day_s in range(now_s - DAYS * _DAY_S, now_s, _DAY_S):
            period = self._records.period(day_s, day_s + _DAY_S)
            slots = {at_s: slot_of(at_s) for at_s in range(day_s, day_s + _DAY_S, QUARTER_S)}
            for name, known in period.homes.items():
                row = rows.get(self._community.connections[name].group or "", len(groups))
                for at_s, quarter in known.items():
                    slot = slots[at_s]
                    use[row, slot] += quarter.use_wh
                    made[row, slot] += quarter.solar_wh
        by_count = self._by_count()
        return {
            name: Part(
                _part(use, rows[name], by_count[name]), _part(made, rows[name], by_count[name])
            )
            for name in groups
        }

    def _by_count(self) -> dict[str, float]:
        """Return the part of each group in the number of homes, where nothing else is known."""
        homes = self._community.connections.values()
        return {
            name: sum(one.group == name for one in homes) / max(1, len(homes))
            for name in self._community.groups
        }


def slot_of(at_s: EpochS) -> int:
    """Return which quarter of the day the wall clock shows, 0 to 95."""
    shown = datetime.fromtimestamp(at_s, HOME_ZONE)
    return (shown.hour * 3600 + shown.minute * 60) // QUARTER_S


def _part(energy: FloatArray, row: int, otherwise: float) -> FloatArray:
    whole = energy.sum(axis=0)
    part: FloatArray = np.divide(
        energy[row], whole, out=np.full(_SLOTS, otherwise), where=whole > 0
    )
    return part
