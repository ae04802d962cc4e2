"""A virtual solar inverter that speaks SunSpec: models 1, 120 and 103."""

from __future__ import annotations

import threading

from hardware.registers import Words
from hardware.twins.modbus_server import ILLEGAL_ADDRESS, SILENCE
from hardware.twins.sunspec_image import ModelRegisters, device_words, model_words, watt_scale
from kwartier.units import Watt, Wh

BASE = 40000
"""Where its registers begin."""

_SLEEPING = 2
_TRACKING = 4
_PHOTOVOLTAIC = 4


class InverterTwin:
    """One virtual inverter; it shows what it was last told to show.

    Attributes:
        silent: Whether it leaves requests unanswered, as at night.
    """

    def __init__(self, rated_w: Watt, *, unit: int = 1, serial: str = "twin-inverter") -> None:
        """Start asleep, with nothing produced."""
        self.silent = False
        self._unit = unit
        self._serial = serial
        self._lock = threading.Lock()
        scale = self._scale = watt_scale(rated_w)
        self._common = model_words(
            1, {"Mn": "kwartier", "Md": "inverter twin", "Vr": "1", "SN": serial, "DA": unit}
        )
        self._measured = ModelRegisters(103, {"W_SF": scale, "Hz": 5000, "Hz_SF": -2, "WH_SF": 0})
        self._ratings = model_words(
            120, {"DERTyp": _PHOTOVOLTAIC, "WRtg": rated_w // 10**scale, "WRtg_SF": scale}
        )
        self._power_w: Watt = 0
        self._produced_wh: Wh = 0

    @property
    def unit(self) -> int:
        """Its unit id."""
        return self._unit

    @property
    def serial(self) -> str:
        """Its serial number."""
        return self._serial

    def show(self, power_w: Watt, produced_wh: Wh) -> None:
        """Set its power now [W] and its lifetime counter [Wh]."""
        with self._lock:
            self._power_w = power_w
            self._produced_wh = produced_wh

    def spans(self) -> list[tuple[int, list[int]]]:
        """Return all its registers now."""
        with self._lock:
            measured = self._measured
            measured.put("W", round(self._power_w / 10**self._scale))
            measured.put("WH", self._produced_wh % 2**32)
            measured.put("St", _TRACKING if self._power_w > 0 else _SLEEPING)
            return [(BASE, device_words([self._common, measured.words, self._ratings]))]

    def read_refusal(self) -> int:
        """Return silence while it sleeps, else 0."""
        return SILENCE if self.silent else 0

    def write(self, address: int, words: Words) -> int:
        """Refuse: it cannot be told anything."""
        del address, words
        return SILENCE if self.silent else ILLEGAL_ADDRESS
