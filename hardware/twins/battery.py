"""A virtual battery that speaks SunSpec: it obeys set-points, and its own revert timer.

It holds the models 1, 701, 702, 704 and 713. Time passes for it when somebody looks at it or
tells it to advance, by the clock it was handed; how it is reached is ``modbus_server``'s task.

Source:
    SunSpec DER Information Model Specification 1.0: reversion timers of model 704.
"""

from __future__ import annotations

import threading
from enum import StrEnum

from hardware.registers import Words, signed, unsigned, words_of
from hardware.sunspec_models import models
from hardware.twins.cell import Cell, CellLimits
from hardware.twins.modbus_server import SILENCE
from hardware.twins.sunspec_image import device_words, model_words, watt_scale
from kwartier.clock import Clock
from kwartier.units import Watt

BASE = 40000
"""Where its registers begin."""

_BUSY = 6
_ILLEGAL_ADDRESS = 2
_DEVICE_FAILURE = 4
_ENABLED = 1
_WATTS = 1
_CONTROL = models()[704]
_FIRST = "WSetEna"
_LAST = "WSetRvrtRem"


class Fault(StrEnum):
    """Something that goes wrong in real batteries."""

    BUSY = "busy"
    """Answers everything with exception 6."""
    SILENT = "silent"
    """Does not answer at all."""
    REFUSES = "refuses"
    """Takes no writes."""
    FORGETS = "forgets"
    """Acknowledges a write and keeps the old registers."""
    DEAF = "deaf"
    """Keeps what was written and does not act on it."""
    NO_TIMER = "no-timer"
    """Does not implement the revert timer: a set-point holds for ever."""
    BLIND = "blind"
    """Has no measurements: every reading is not implemented."""


class BatteryTwin:
    """One virtual battery.

    Attributes:
        faults: What is wrong with it now; add to it and take from it at will.
    """

    def __init__(
        self,
        clock: Clock,
        limits: CellLimits,
        *,
        soc_permille: int = 500,
        unit: int = 1,
        serial: str = "twin-battery",
    ) -> None:
        """Start idle, with a part of the capacity stored [1/1000]."""
        self.faults: set[Fault] = set()
        self._clock = clock
        self._cell = Cell(limits, soc_permille)
        self._unit = unit
        self._serial = serial
        self._lock = threading.RLock()
        self._started_s = clock.now_s()
        self._zero_s = clock.monotonic_s()
        self._at_ms = 0
        self._expires_ms: int | None = None
        self._scale = watt_scale(max(limits.charge_max_w, limits.discharge_max_w))
        idle = {"WSetEna": 0, "WSetMod": _WATTS, "WSet": 0, "WSetRvrt": 0, "WSetEnaRvrt": 0}
        scales = {"WSet_SF": 0, "WSetPct_SF": -2}
        self._control = model_words(704, {**idle, **scales, "WSetRvrtTms": 0, "WSetRvrtRem": 0})
        before = (self._common(), self._measured(), self._ratings())
        self._control_address = BASE + 2 + sum(len(part) for part in before)

    @property
    def unit(self) -> int:
        """Its unit id."""
        return self._unit

    @property
    def serial(self) -> str:
        """Its serial number."""
        return self._serial

    @property
    def power_w(self) -> Watt:
        """What it does now, AC side; positive charges [W]."""
        with self._lock:
            self.advance()
            return self._cell.possible(self._asked_w())

    @property
    def cell(self) -> Cell:
        """Its energy now."""
        with self._lock:
            self.advance()
            return self._cell

    def advance(self, to_s: float | None = None) -> None:
        """Let time pass up to an instant [s since 1970], or to the clock's own now.

        Its time never goes back, and a wall clock that jumps does not move it.
        """
        with self._lock:
            since_s = (
                self._clock.monotonic_s() - self._zero_s if to_s is None else to_s - self._started_s
            )
            target_ms = round(since_s * 1000)
            if self._expires_ms is not None and self._at_ms < self._expires_ms <= target_ms:
                self._run_to(self._expires_ms)
                self._revert()
            self._run_to(target_ms)

    def spans(self) -> list[tuple[int, list[int]]]:
        """Return all its registers now."""
        with self._lock:
            self.advance()
            parts = [
                self._common(),
                self._measured(),
                self._ratings(),
                self._shown_control(),
                self._store(),
            ]
            return [(BASE, device_words(parts))]

    def read_refusal(self) -> int:
        """Return the exception code for a read now."""
        if Fault.SILENT in self.faults:
            return SILENCE
        return _BUSY if Fault.BUSY in self.faults else 0

    def write(self, address: int, words: Words) -> int:
        """Take a set-point; anything but the active power block of model 704 is refused."""
        with self._lock:
            self.advance()
            if Fault.SILENT in self.faults:
                return SILENCE
            if Fault.BUSY in self.faults:
                return _BUSY
            if Fault.REFUSES in self.faults:
                return _DEVICE_FAILURE
            start = address - self._control_address
            if start < _CONTROL.offset(_FIRST) or start + len(words) > _CONTROL.offset(_LAST):
                return _ILLEGAL_ADDRESS
            if Fault.FORGETS not in self.faults:
                self._control[start : start + len(words)] = words
                self._arm()
            return 0

    def _arm(self) -> None:
        """Start the revert timer anew, as every write to the block does."""
        timer_s = self._got("WSetRvrtTms")
        runs = (
            self._got("WSetEna") == _ENABLED and timer_s > 0 and Fault.NO_TIMER not in self.faults
        )
        self._expires_ms = self._at_ms + timer_s * 1000 if runs else None

    def _revert(self) -> None:
        for point in ("WSet", "WSetPct", "WSetEna"):
            after = point + "Rvrt"
            size = _CONTROL.point(point).size
            to, source = _CONTROL.offset(point), _CONTROL.offset(after)
            self._control[to : to + size] = self._control[source : source + size]
        self._expires_ms = None

    def _run_to(self, target_ms: int) -> None:
        if target_ms > self._at_ms:
            self._cell.run(self._asked_w(), target_ms - self._at_ms)
            self._at_ms = target_ms

    def _asked_w(self) -> Watt:
        """Return the power it was told, positive charges; SunSpec counts the other way."""
        if self._got("WSetEna") != _ENABLED or Fault.DEAF in self.faults:
            return 0
        if self._got("WSetMod") == _WATTS:
            return -self._got("WSet")
        return -self._got("WSetPct") * self._cell.limits.discharge_max_w // 10_000

    def _got(self, point: str) -> int:
        start = _CONTROL.offset(point)
        found = _CONTROL.point(point)
        words = self._control[start : start + found.size]
        return signed(words) if found.type.startswith("int") else unsigned(words)

    def _shown_control(self) -> list[int]:
        shown = list(self._control)
        remaining_s = -((self._at_ms - self._expires_ms) // 1000) if self._expires_ms else 0
        for point, value in (("WSetRvrtRem", remaining_s), ("WSetRvrtTms", None)):
            start = _CONTROL.offset(point)
            if Fault.NO_TIMER in self.faults:
                shown[start : start + 2] = [0xFFFF, 0xFFFF]
            elif value is not None:
                shown[start : start + 2] = words_of(value, 2)
        return shown

    def _common(self) -> list[int]:
        texts = {"Mn": "kwartier", "Md": "battery twin", "Vr": "1", "SN": self._serial}
        return model_words(1, {**texts, "DA": self._unit})

    def _measured(self) -> list[int]:
        if Fault.BLIND in self.faults:
            return model_words(701, {})
        cell = self._cell
        power_w = cell.possible(self._asked_w())
        return model_words(
            701,
            {
                "ACType": 3,
                "St": 1,
                "W": round(-power_w / 10**self._scale),
                "W_SF": self._scale,
                "Hz": 5000,
                "Hz_SF": -2,
                "TotWhInj": int(cell.discharged_wh),
                "TotWhAbs": int(cell.charged_wh),
                "TotWh_SF": 0,
            },
        )

    def _ratings(self) -> list[int]:
        limits = self._cell.limits
        charge, discharge = (
            power_w // 10**self._scale for power_w in (limits.charge_max_w, limits.discharge_max_w)
        )
        return model_words(
            702,
            {
                "WMaxRtg": discharge,
                "WChaRteMaxRtg": charge,
                "WDisChaRteMaxRtg": discharge,
                "WMax": discharge,
                "WChaRteMax": charge,
                "WDisChaRteMax": discharge,
                "W_SF": self._scale,
            },
        )

    def _store(self) -> list[int]:
        if Fault.BLIND in self.faults:
            return model_words(713, {})
        scale = watt_scale(self._cell.limits.capacity_wh)
        return model_words(
            713,
            {
                "WHRtg": self._cell.limits.capacity_wh // 10**scale,
                "WHAvail": int(self._cell.stored_wh) // 10**scale,
                "SoC": self._cell.soc_permille,
                "SoH": 1000,
                "Sta": 0,
                "WH_SF": scale,
                "Pct_SF": -1,
            },
        )
