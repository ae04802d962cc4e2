"""What the house did lately, kept for judging: bounded, and safe to share between threads."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace

from gateway.commission.signs import Sample
from kwartier.reading import Reading

MOST_S = 3600
"""Samples are kept for so many telegrams."""


def exchange_w(reading: Reading) -> int | None:
    """Return the power at the meter, positive taken [W]; None when it tells neither direction."""
    taken, given = reading.values.get("import_w"), reading.values.get("export_w")
    return None if taken is None and given is None else (taken or 0) - (given or 0)


class Samples:
    """The meter's power, and the devices beside it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = threading.Lock()
        self._meter: deque[tuple[float, int]] = deque(maxlen=MOST_S)
        self._beside: deque[Sample] = deque(maxlen=MOST_S)
        self._newest: dict[str, int] = {}

    def meter(self, at_s: float, power_w: int) -> None:
        """Keep what the meter shows; positive is taken [W]."""
        with self._lock:
            self._meter.append((at_s, power_w))

    def devices(self, at_s: float, meter_w: int, powers: dict[str, int], names: list[str]) -> None:
        """Keep what the devices show; a moment in which one is silent is no sample."""
        with self._lock:
            self._newest = dict(powers)
            if names and all(name in powers for name in names):
                self._beside.append(Sample(at_s, meter_w, tuple(powers[name] for name in names)))

    def forget_devices(self) -> None:
        """Begin anew: other devices, or another sign."""
        with self._lock:
            self._beside.clear()
            self._newest = {}

    def turn(self, place: int, name: str) -> None:
        """Take one device the other way round, in what was seen too."""
        with self._lock:
            turned = [
                replace(
                    one,
                    devices_w=tuple(
                        -power if at == place else power for at, power in enumerate(one.devices_w)
                    ),
                )
                for one in self._beside
            ]
            self._beside.clear()
            self._beside.extend(turned)
            if name in self._newest:
                self._newest[name] = -self._newest[name]

    def of_meter(self) -> list[tuple[float, int]]:
        """Return the meter's power by instant [s, W]."""
        with self._lock:
            return list(self._meter)

    def beside(self) -> list[Sample]:
        """Return the moments at which everything spoke."""
        with self._lock:
            return list(self._beside)

    def newest(self) -> tuple[int | None, dict[str, int]]:
        """Return the meter's newest power, and each device's [W]."""
        with self._lock:
            return (self._meter[-1][1] if self._meter else None), dict(self._newest)
