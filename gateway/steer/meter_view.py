"""What a battery knows of its connection's meter: the newest word, and how often one comes."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from statistics import median

from gateway.steer.limits import MAX_METER_AGE_S, PHASES, STALE_PERIODS, Phase, Seen
from kwartier.reading import Reading
from kwartier.units import Watt, Wh

_SLOWEST_S = MAX_METER_AGE_S / STALE_PERIODS
_FASTEST_S = 1.0
_ENOUGH = 3
_LATEST = 9


@dataclass(frozen=True, slots=True)
class _Word:
    at_s: float
    grid_w: Watt
    phases: dict[str, Phase]
    net_wh: Wh | None


class MeterView:
    """Keeps the newest telegram, and the one that was newest when the battery was looked at.

    What the others take is the difference of two powers, so both must be of one moment. The meter
    speaks on a thread of its own, which never waits for the battery.
    """

    def __init__(self) -> None:
        """Start without any word of the meter; it is taken to be slow until it shows otherwise."""
        self._newest: _Word | None = None
        self._at_look: _Word | None = None
        self._gaps_s: deque[float] = deque(maxlen=_LATEST)
        self._lock = threading.RLock()

    @property
    def period_s(self) -> float:
        """How often the meter speaks [s], from 1 to 10."""
        with self._lock:
            if len(self._gaps_s) < _ENOUGH:
                return _SLOWEST_S
            return min(_SLOWEST_S, max(_FASTEST_S, median(self._gaps_s)))

    def hear(self, reading: Reading, now_s: float) -> bool:
        """Note a telegram; False when it says nothing of the connection's power."""
        taken, given = reading.values.get("import_w"), reading.values.get("export_w")
        if taken is None or given is None:
            return False
        with self._lock:
            if self._newest is not None:
                self._gaps_s.append(now_s - self._newest.at_s)
            self._newest = _Word(now_s, taken - given, _phases(reading), _net_wh(reading))
        return True

    def look(self) -> None:
        """Note that the battery is looked at now."""
        with self._lock:
            self._at_look = self._newest

    def seen(self, soc_permille: int | None, battery_w: Watt | None, now_s: float) -> Seen:
        """Return the meter's word together with what the battery said at the last look."""
        with self._lock:
            at_look, newest, period_s = self._at_look, self._newest, self.period_s
        if at_look is None or newest is None:
            return Seen(soc_permille, battery_w)
        return Seen(
            soc_permille,
            battery_w,
            at_look.grid_w,
            max(0.0, now_s - newest.at_s),  # it may have come while the battery was asked
            period_s,
            at_look.phases,
            newest.grid_w,
            newest.at_s,
            at_look.at_s,
            newest.net_wh,
        )


def _net_wh(reading: Reading) -> Wh | None:
    """Return the registers, taken less given; None where the meter lacks one of them."""
    taken = _register_wh(reading, "import")
    given = _register_wh(reading, "export")
    return None if taken is None or given is None else taken - given


def _register_wh(reading: Reading, side: str) -> Wh | None:
    values = reading.values
    tariffs = [values.get(f"{side}_t1_wh"), values.get(f"{side}_t2_wh")]
    known = [tariff for tariff in tariffs if tariff is not None]
    return values.get(f"{side}_wh", sum(known) if len(known) == len(tariffs) else None)


def _phases(reading: Reading) -> dict[str, Phase]:
    """Return the phases that the meter tells; one it leaves open is not there."""
    told: dict[str, Phase] = {}
    for name in PHASES:
        taken = reading.values.get(f"import_{name}_w")
        given = reading.values.get(f"export_{name}_w")
        if taken is not None or given is not None:
            usual = Phase(0).voltage_dv
            voltage_dv = reading.values.get(f"voltage_{name}_dv", usual)
            told[name] = Phase((taken or 0) - (given or 0), voltage_dv)
    return told
