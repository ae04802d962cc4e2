"""A virtual inverter that can be limited: SunSpec models 1, 103, 120 and 123, with a timer.

It makes what the sun gives, or less where a limit stands. Time passes for it when somebody looks at
it, by the clock it was handed.

Source:
    SunSpec model 123 (immediate controls): WMaxLimPct, its revert timer, and WMaxLim_Ena.
"""

from __future__ import annotations

import threading
from enum import StrEnum

from hardware.registers import Words
from hardware.sunspec_models import models
from hardware.twins.modbus_server import DEVICE_FAILURE, ILLEGAL_ADDRESS, SILENCE
from hardware.twins.sunspec_image import ModelRegisters, device_words, model_words, watt_scale
from kwartier.clock import Clock
from kwartier.units import Watt

BASE = 40000
"""Where its registers begin."""

_ON = 1
_OFF = 0
_SCALE = -2
_WHOLE = 10_000
"""All of its rating, in hundredths of a percent."""


class LimitFault(StrEnum):
    """Something that goes wrong in real inverters."""

    SILENT = "silent"
    """Does not answer at all, as at night."""
    REFUSES = "refuses"
    """Takes no writes."""
    FORGETS = "forgets"
    """Acknowledges a write and keeps the old registers."""
    DEAF = "deaf"
    """Keeps what was written and does not act on it."""
    NO_TIMER = "no-timer"
    """Does not implement the revert timer: a limit holds for ever."""
    UNSCALED = "unscaled"
    """Has not filled the scale factor of its limit, as while it starts up."""


class LimitedInverterTwin:
    """One virtual inverter.

    Attributes:
        faults: What is wrong with it now; add to it and take from it at will.
        sun_w: What it would make without a limit [W].
        writes: How often its limit was written.
    """

    def __init__(self, clock: Clock, rated_w: Watt, *, unit: int = 1) -> None:
        """Start in the dark, without a limit."""
        self.faults: set[LimitFault] = set()
        self.sun_w: Watt = 0
        self.writes = 0
        self._clock = clock
        self._rated_w = rated_w
        self._unit = unit
        self._lock = threading.RLock()
        self._expires_s: float | None = None
        scale = self._scale = watt_scale(rated_w)
        self._common = model_words(1, {"Mn": "kwartier", "Md": "limited inverter", "SN": "L1"})
        self._measured = ModelRegisters(103, {"W_SF": scale, "WH": 0, "WH_SF": 0})
        self._ratings = model_words(
            120, {"DERTyp": 4, "WRtg": rated_w // 10**scale, "WRtg_SF": scale}
        )
        self._control = ModelRegisters(123, {"WMaxLimPct_SF": _SCALE})
        self.limit(_WHOLE, on=False)
        before = (self._common, self._measured.words, self._ratings)
        self._control_address = BASE + 2 + sum(len(part) for part in before)
        first = models()[123].offset("WMaxLimPct")
        self._writable = range(first, models()[123].offset("WMaxLim_Ena") + 1)

    @property
    def unit(self) -> int:
        """Its unit id."""
        return self._unit

    @property
    def power_w(self) -> Watt:
        """What it makes now [W]."""
        with self._lock:
            self._advance()
            if self._control.number("WMaxLim_Ena") != _ON or LimitFault.DEAF in self.faults:
                return self.sun_w
            most_w = self._control.number("WMaxLimPct") * self._rated_w // _WHOLE
            return min(self.sun_w, most_w)

    @property
    def limited(self) -> tuple[int, int]:
        """The limit in its registers [1/100 %], and whether it is on."""
        with self._lock:
            self._advance()
            return self._control.number("WMaxLimPct"), self._control.number("WMaxLim_Ena")

    def limit(self, hundredths: int, *, on: bool, revert_s: int = 0) -> None:
        """Set a limit as somebody else would [1/100 %]."""
        with self._lock:
            self._control.put("WMaxLimPct", hundredths)
            self._control.put("WMaxLimPct_RvrtTms", revert_s)
            self._control.put("WMaxLim_Ena", _ON if on else _OFF)
            self._arm()

    def spans(self) -> list[tuple[int, list[int]]]:
        """Return all its registers now."""
        with self._lock:
            self._measured.put("W", self.power_w // 10**self._scale)
            if LimitFault.NO_TIMER in self.faults:
                self._control.put("WMaxLimPct_RvrtTms", None)
            unscaled = LimitFault.UNSCALED in self.faults
            self._control.put("WMaxLimPct_SF", None if unscaled else _SCALE)
            parts = [self._common, self._measured.words, self._ratings, self._control.words]
            return [(BASE, device_words(parts))]

    def read_refusal(self) -> int:
        """Return silence while it sleeps, else 0."""
        return SILENCE if LimitFault.SILENT in self.faults else 0

    def write(self, address: int, words: Words) -> int:
        """Take a limit; anything but the power limit of model 123 is refused."""
        with self._lock:
            self._advance()
            if LimitFault.SILENT in self.faults:
                return SILENCE
            if LimitFault.REFUSES in self.faults:
                return DEVICE_FAILURE
            start = address - self._control_address
            if start not in self._writable or start + len(words) > self._writable.stop:
                return ILLEGAL_ADDRESS
            self.writes += 1
            if LimitFault.FORGETS not in self.faults:
                self._control.words[start : start + len(words)] = words
                self._arm()
            return 0

    def _arm(self) -> None:
        """Start the timer anew, as every write does."""
        timer_s = self._control.number("WMaxLimPct_RvrtTms")
        runs = self._control.number("WMaxLim_Ena") == _ON and timer_s > 0
        self._expires_s = self._clock.monotonic_s() + timer_s if runs else None

    def _advance(self) -> None:
        if self._expires_s is not None and self._clock.monotonic_s() >= self._expires_s:
            self._control.put("WMaxLim_Ena", _OFF)
            self._expires_s = None
