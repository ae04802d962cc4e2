"""A virtual battery that speaks SunSpec: it obeys set-points, and its own revert timer.

It holds the models 1, 701, 702, 704 and 713. Time passes for it when somebody looks at it or
tells it to advance, by the clock it was handed; how it is reached is ``modbus_server``'s task.

Source:
    SunSpec DER Information Model Specification 1.0: reversion timers of model 704.
"""

from __future__ import annotations

import threading
from enum import StrEnum

from hardware.registers import Words
from hardware.sunspec_models import models
from hardware.twins.cell import Cell, CellLimits
from hardware.twins.modbus_server import BUSY, DEVICE_FAILURE, ILLEGAL_ADDRESS, SILENCE
from hardware.twins.sunspec_image import (
    ModelRegisters,
    device_words,
    model_words,
    watt_scale,
)
from kwartier.clock import Clock
from kwartier.units import Watt

BASE = 40000
"""Where its registers begin."""

_NOT_THERE = 0xFFFF_FFFF
_ENABLED = 1
_WATTS = 1
_FIRST_WRITABLE = "WSetEna"
_FIRST_FIXED = "WSetRvrtRem"
_FIXED = {"Hz": 5000, "Hz_SF": -2, "TotWh_SF": 0}
_IDLE = {
    "WSetEna": 0,
    "WSetMod": _WATTS,
    "WSet": 0,
    "WSetRvrt": 0,
    "WSetEnaRvrt": 0,
    "WSetRvrtTms": 0,
    "WSetRvrtRem": 0,
    "WSet_SF": 0,
    "WSetPct_SF": -2,
}


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
    UNSCALED = "unscaled"
    """Has not filled the scale factor of its set-point, as while it starts up."""


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
        self._common = model_words(
            1, {"Mn": "kwartier", "Md": "battery twin", "Vr": "1", "SN": serial, "DA": unit}
        )
        self._measured = ModelRegisters(701, {"ACType": 3, "St": 1, **_FIXED})
        self._measured.put("W_SF", self._scale)
        self._ratings = model_words(702, _ratings(limits, self._scale))
        self._control = ModelRegisters(704, _IDLE)
        self._energy_scale = watt_scale(limits.capacity_wh)
        self._store = ModelRegisters(713, {"SoH": 1000, "Sta": 0, "Pct_SF": -1})
        self._store.put("WHRtg", limits.capacity_wh // 10**self._energy_scale)
        self._store.put("WH_SF", self._energy_scale)
        before = (self._common, self._measured.words, self._ratings)
        self._control_address = BASE + 2 + sum(len(part) for part in before)
        self._writable = range(
            models()[704].offset(_FIRST_WRITABLE), models()[704].offset(_FIRST_FIXED)
        )

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
            blind = Fault.BLIND in self.faults
            parts = [
                self._common,
                model_words(701, {}) if blind else self._measured_now(),
                self._ratings,
                self._control_now(),
                model_words(713, {}) if blind else self._store_now(),
            ]
            return [(BASE, device_words(parts))]

    def read_refusal(self) -> int:
        """Return the exception code for a read now."""
        if Fault.SILENT in self.faults:
            return SILENCE
        return BUSY if Fault.BUSY in self.faults else 0

    def write(self, address: int, words: Words) -> int:
        """Take a set-point; anything but the active power block of model 704 is refused."""
        with self._lock:
            self.advance()
            if Fault.SILENT in self.faults:
                return SILENCE
            if Fault.BUSY in self.faults:
                return BUSY
            if Fault.REFUSES in self.faults:
                return DEVICE_FAILURE
            start = address - self._control_address
            if start not in self._writable or start + len(words) > self._writable.stop:
                return ILLEGAL_ADDRESS
            if Fault.FORGETS not in self.faults:
                self._control.words[start : start + len(words)] = words
                self._arm()
            return 0

    def _arm(self) -> None:
        """Start the revert timer anew, as every write to the block does."""
        timer_s = self._control.number("WSetRvrtTms")
        runs = self._control.number("WSetEna") == _ENABLED and timer_s > 0
        if runs and Fault.NO_TIMER not in self.faults:
            self._expires_ms = self._at_ms + timer_s * 1000
        else:
            self._expires_ms = None

    def _revert(self) -> None:
        for point in ("WSet", "WSetPct", "WSetEna"):
            self._control.put(point, self._control.number(f"{point}Rvrt"))
        self._expires_ms = None

    def _run_to(self, target_ms: int) -> None:
        if target_ms > self._at_ms:
            self._cell.run(self._asked_w(), target_ms - self._at_ms)
            self._at_ms = target_ms

    def _asked_w(self) -> Watt:
        """Return the power it was told, positive charges; SunSpec counts the other way."""
        if self._control.number("WSetEna") != _ENABLED or Fault.DEAF in self.faults:
            return 0
        if self._control.number("WSetMod") == _WATTS:
            return -self._control.number("WSet")
        return -self._control.number("WSetPct") * self._cell.limits.discharge_max_w // 10_000

    def _control_now(self) -> list[int]:
        left_ms = 0 if self._expires_ms is None else self._expires_ms - self._at_ms
        timeless = Fault.NO_TIMER in self.faults
        self._control.put("WSetRvrtRem", None if timeless else -(-left_ms // 1000))
        if timeless:
            self._control.put("WSetRvrtTms", None)
        elif self._control.number("WSetRvrtTms") == _NOT_THERE:
            self._control.put("WSetRvrtTms", 0)
        self._control.put("WSet_SF", None if Fault.UNSCALED in self.faults else _IDLE["WSet_SF"])
        return self._control.words

    def _measured_now(self) -> list[int]:
        power_w = self._cell.possible(self._asked_w())
        self._measured.put("W", round(-power_w / 10**self._scale))
        self._measured.put("TotWhInj", int(self._cell.discharged_wh))
        self._measured.put("TotWhAbs", int(self._cell.charged_wh))
        return self._measured.words

    def _store_now(self) -> list[int]:
        self._store.put("WHAvail", int(self._cell.stored_wh) // 10**self._energy_scale)
        self._store.put("SoC", self._cell.soc_permille)
        return self._store.words


def _ratings(limits: CellLimits, scale: int) -> dict[str, int]:
    charge = limits.charge_max_w // 10**scale
    discharge = limits.discharge_max_w // 10**scale
    return {
        "WMaxRtg": discharge,
        "WChaRteMaxRtg": charge,
        "WDisChaRteMaxRtg": discharge,
        "WMax": discharge,
        "WChaRteMax": charge,
        "WDisChaRteMax": discharge,
        "W_SF": scale,
    }
