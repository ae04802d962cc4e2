"""What Grafana may know of the neighbourhood: sums that were told, and the plan, as lines.

The sums are those of `collectors.queries.Records.sums`, so they are decided by
`collectors.disclosure` and remembered there: what stands in the bucket is what was told anyway,
also after a restart, a late gateway or a rebuild. Whoever opens a board is not known here; so use
is told a day later, as to anybody, unless the settings say that only residents look.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from collectors.disclosure import MIN_HOMES, PUBLIC, Reader, rounded_forecast
from collectors.forwarder import Sink
from collectors.influx import MAX_LINES
from collectors.queries import SumQuarter
from collectors.store import DeviceKey
from kwartier.charts import DAY_S, PLAN, PLAN_FIELDS, SUM_FIELDS, SUMS
from kwartier.clock import Clock
from kwartier.errors import KwartierError
from kwartier.identity import CoopId, checked_name
from kwartier.interval import QUARTER_S, Quarter
from kwartier.model import Community
from kwartier.units import EpochS, Watt, Wh

_log = logging.getLogger(__name__)

RECENT_S = 2 * DAY_S
"""How far back sums are sent again each time: use is told a day late [s]."""
SETTLED_S = 62 * DAY_S
"""How far back once a day: what was shared is settled by the month, gateways bring 14 days [s]."""
AHEAD_S = 2 * DAY_S
"""How far ahead the plan is told [s]."""
EVERY_S = 300.0
_AT_ONCE_S = 8 * DAY_S
_PER_HOUR = 3600 // QUARTER_S


@dataclass(frozen=True, slots=True)
class PlannedPoint:
    """What the plan expects of one quarter-hour, over the whole neighbourhood.

    Attributes:
        start_s: The quarter's start [s].
        solar_wh: Solar energy expected [Wh].
        use_wh: Use expected [Wh]; None where it may not be told, as it is made from use itself.
        battery_w: Sum of the batteries' set-points; positive charges [W].
        soc_permille: What is stored at the quarter's end [1/1000].
        price_ct_per_mwh: The price it reckons with [ct/MWh].
    """

    start_s: EpochS
    solar_wh: Wh
    use_wh: Wh | None
    battery_w: Watt
    soc_permille: int
    price_ct_per_mwh: int


class Sums(Protocol):
    """Tells sums as they may be told; `collectors.queries.Records` is one."""

    def sums(self, start_s: EpochS, end_s: EpochS, reader: Reader = PUBLIC) -> list[SumQuarter]:
        """Return the neighbourhood's quarters that a reader may be told, in order of time."""


class Planned(Protocol):
    """Tells what was planned, and what is."""

    def between(self, start_s: EpochS, end_s: EpochS) -> Sequence[PlannedPoint]:
        """Return the newest plan's quarters of ``[start_s, end_s)``."""


class Points(Protocol):
    """Tells single readings; every store is one."""

    def points(
        self, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS
    ) -> list[tuple[EpochS, int]]:
        """Return one series in ``[start_s, end_s)``, in order of time."""


class CommunitySender:
    """Sends sums and the plan; what was sent before is sent again, as that changes nothing."""

    def __init__(
        self,
        sums: Sums,
        planned: Planned,
        points: Points,
        community: Community,
        sink: Sink,
        clock: Clock,
        reader: Reader = PUBLIC,
    ) -> None:
        """Prepare to send to the bucket of sums.

        Args:
            sums: What may be told.
            planned: What is planned.
            points: Where the batteries' states of charge are.
            community: The neighbourhood.
            sink: Takes the lines.
            clock: What time it is.
            reader: For whom the boards are; anybody unless they are closed to all but residents.
        """
        self._sums = sums
        self._planned = planned
        self._points = points
        self._community = community
        self._sink = sink
        self._clock = clock
        self._reader = reader
        self._whole_at_s: float | None = None
        self.trouble: str | None = None
        """Why nothing is sent now; None while it works."""

    def send(self) -> int:
        """Send what may be known now and return how many lines.

        Raises:
            InfluxDownError: The far side cannot take it now; nothing is lost by that.
            InfluxSettingsError: The far side does not know us.
            StoreBusyError: The record, or what was told, cannot be read now.
            MonthDamagedError: A month put away, with batteries' charge in it, cannot be read.
        """
        now_s = self._clock.now_s()
        here_s = Quarter.containing(now_s).start_s
        is_whole = self._whole_at_s is None or now_s - self._whole_at_s >= DAY_S
        site = checked_name(self._community.coop, "cooperative")
        start_s = here_s - (SETTLED_S if is_whole else RECENT_S)
        sent = 0
        for first_s in range(start_s, here_s, _AT_ONCE_S):
            end_s = min(first_s + _AT_ONCE_S, here_s)
            stored = stored_permille(self._points, self._community, first_s, end_s)
            sent += self._write(
                sum_lines(self._sums.sums(first_s, end_s, self._reader), stored, site)
            )
        if len(self._community.connections) >= MIN_HOMES:
            planned = self._planned.between(here_s - RECENT_S, here_s + AHEAD_S)
            sent += self._write(
                plan_lines((as_told(one, self._reader, now_s) for one in planned), site)
            )
        if is_whole:
            self._whole_at_s = now_s
        return sent

    def run(self, stop: threading.Event) -> None:
        """Send at once and every five minutes until told to stop; failures are waited out."""
        self.turn()
        while not stop.wait(EVERY_S):
            self.turn()

    def turn(self) -> None:
        """Send once; a line says when that fails or works again."""
        try:
            self.send()
        except KwartierError as error:
            if self.trouble is None:
                _log.warning("charts of the neighbourhood are not filled now: %s", error)
            self.trouble = str(error)
            return
        if self.trouble is not None:
            _log.warning("charts of the neighbourhood are filled again")
        self.trouble = None

    def _write(self, lines: list[str]) -> int:
        for first in range(0, len(lines), MAX_LINES):
            self._sink.write(lines[first : first + MAX_LINES])
        return len(lines)


def sum_lines(sums: Iterable[SumQuarter], stored: Mapping[EpochS, int], site: CoopId) -> list[str]:
    """Return the lines of sums; what may not be told has no field, and few homes have no line."""
    return [
        _line(
            SUMS,
            site,
            one.start_s,
            {
                "homes": one.homes,
                "solar_w": _mean_w(one.solar_wh),
                "load_w": _mean_w(one.use_wh),
                "import_w": _mean_w(one.import_wh),
                "export_w": _mean_w(one.export_wh),
                "battery_w": _battery_w(one),
                "soc_permille": stored.get(one.start_s),
                "shared_wh": one.shared_wh,
            },
        )
        for one in sums
        if one.homes >= MIN_HOMES
    ]


def as_told(one: PlannedPoint, reader: Reader, now_s: float) -> PlannedPoint:
    """Return what a reader may know of a planned quarter: use in steps, and not before its time."""
    if one.use_wh is None or not reader.may_know_use(one.start_s + QUARTER_S, now_s):
        return replace(one, use_wh=None)
    return replace(one, use_wh=rounded_forecast(one.use_wh))


def plan_lines(planned: Iterable[PlannedPoint], site: CoopId) -> list[str]:
    """Return the lines of a plan."""
    return [
        _line(
            PLAN,
            site,
            one.start_s,
            {
                "solar_w": one.solar_wh * _PER_HOUR,
                "load_w": _mean_w(one.use_wh),
                "battery_w": one.battery_w,
                "grid_w": _grid_w(one),
                "soc_permille": one.soc_permille,
                "price_ct_per_mwh": one.price_ct_per_mwh,
            },
        )
        for one in planned
    ]


def stored_permille(
    points: Points, community: Community, start_s: EpochS, end_s: EpochS
) -> dict[EpochS, int]:
    """Return what is stored at the end of each quarter [1/1000], where every battery said so."""
    whole_wh = sum(battery.capacity_wh for battery in community.batteries.values())
    told: dict[EpochS, list[int]] = {}
    for battery in community.batteries.values():
        key = DeviceKey(battery.gateway, battery.device)
        last = {
            Quarter.containing(at_s).start_s: value
            for at_s, value in points.points(key, "soc_permille", start_s, end_s)
        }
        for at_s, value in last.items():
            told.setdefault(at_s, []).append(value * battery.capacity_wh)
    return {
        at_s: sum(weighted) // whole_wh
        for at_s, weighted in told.items()
        if whole_wh and len(weighted) == len(community.batteries)
    }


def _line(name: str, site: CoopId, at_s: EpochS, fields: Mapping[str, int | None]) -> str:
    known = SUM_FIELDS if name == SUMS else PLAN_FIELDS
    assert fields.keys() == known.keys(), fields
    body = ",".join(f"{field}={value}i" for field, value in fields.items() if value is not None)
    return f"{name},site={site} {body} {at_s}"


def _mean_w(energy_wh: Wh | None) -> Watt | None:
    return None if energy_wh is None else energy_wh * _PER_HOUR


def _grid_w(one: PlannedPoint) -> Watt | None:
    if one.use_wh is None:
        return None
    return (one.use_wh - one.solar_wh) * _PER_HOUR + one.battery_w


def _battery_w(one: SumQuarter) -> Watt | None:
    if one.charged_wh is None or one.discharged_wh is None:
        return None
    return (one.charged_wh - one.discharged_wh) * _PER_HOUR
