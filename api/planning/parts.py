"""Which part of the street's use and sun is a group's or a home's: by the time of day, last week.

What all homes together use is far surer than what some of them do, so the street is forecast as a
whole, and a group and a home with a battery get the part of it that they had at that time of day.
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
    """A group's or a home's part at each time of day on the wall clock, 0 to 1, shape ``(96,)``."""

    use: FloatArray
    made: FloatArray


class Parts:
    """The parts of all groups and of homes with a battery; looked up once a day; for one thread."""

    def __init__(self, community: Community, records: Records) -> None:
        """Look at ``records`` when asked."""
        self._community = community
        self._records = records
        self._day: date | None = None
        self._groups: dict[str, Part] = {}
        self._homes: dict[str, Part] = {}

    def at(self, start: Quarter) -> Mapping[str, Part]:
        """Return the part of each group, by its id; none where there are no groups.

        Raises:
            StoreBusyError: The record cannot be reached now.
        """
        self._look(start)
        return self._groups

    def homes_at(self, start: Quarter) -> Mapping[str, Part]:
        """Return the part of each home that has a battery, by its id.

        Raises:
            StoreBusyError: The record cannot be reached now.
        """
        self._look(start)
        return self._homes

    def _look(self, start: Quarter) -> None:
        day = day_of(start.start_s)
        if day != self._day and (self._community.groups or self._community.home_batteries):
            self._read(start.start_s)
            self._day = day

    def _read(self, now_s: EpochS) -> None:
        groups = list(self._community.groups)
        homes = list(self._community.batteries_by_home())
        group_rows = {name: row for row, name in enumerate(groups)}
        home_rows = {name: row for row, name in enumerate(homes)}
        use, made = np.zeros((2, len(groups) + 1, _SLOTS))
        own_use, own_made = np.zeros((2, len(homes) + 1, _SLOTS))
        for day_s in range(now_s - DAYS * _DAY_S, now_s, _DAY_S):
            period = self._records.period(day_s, day_s + _DAY_S)
            slots = {at_s: slot_of(at_s) for at_s in range(day_s, day_s + _DAY_S, QUARTER_S)}
            for name, known in period.homes.items():
                row = group_rows.get(self._community.connections[name].group or "", len(groups))
                own = home_rows.get(name, len(homes))
                for at_s, quarter in known.items():
                    if not quarter.is_use_known:
                        continue
                    slot = slots[at_s]
                    use[row, slot] += quarter.use_wh
                    made[row, slot] += quarter.solar_wh
                    own_use[own, slot] += quarter.use_wh
                    own_made[own, slot] += quarter.solar_wh
        by_count = self._by_count()
        self._groups = {
            name: Part(_part(use, row, by_count[name]), _part(made, row, by_count[name]))
            for name, row in group_rows.items()
        }
        alike = 1 / max(1, len(self._community.connections))
        self._homes = {
            name: Part(_part(own_use, row, alike), _part(own_made, row, alike))
            for name, row in home_rows.items()
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
