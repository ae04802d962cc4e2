"""The signs, judged from readings that pass by anyway: nothing is asked a second time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from gateway.commission.found import Found
from gateway.commission.samples import exchange_w
from gateway.commission.signs import Sample, Slope, judge_signs
from kwartier.clock import Clock
from kwartier.identity import DeviceId
from kwartier.reading import Reading

WINDOW_S = 3600.0
"""So much of the past is judged: one hour of sun [s]."""
_FRESH_S = 15.0
"""What is older stands no more beside what comes now; an old meter speaks every ten seconds [s]."""
_MOST_SAMPLES = 720
_APART_S = 4.0


class PassingSigns:
    """Gathers what meter and devices say beside each other; bounded."""

    def __init__(self, meter: DeviceId, devices: Sequence[Found], clock: Clock) -> None:
        """Listen to ``meter`` and ``devices``; readings come the right way round already."""
        self._clock = clock
        self._meter = meter
        self._devices = tuple(one.as_turned(turned=False) for one in devices)
        self._lock = threading.Lock()
        self._newest: dict[DeviceId, tuple[float, int]] = {}
        self._samples: deque[Sample] = deque(maxlen=_MOST_SAMPLES)

    def see(self, reading: Reading) -> None:
        """Take a reading that passes by; from any thread."""
        power_w = self._power(reading)
        if power_w is None:
            return
        now_s = self._clock.monotonic_s()
        with self._lock:
            self._newest[reading.device] = (now_s, power_w)
            # A moment is what stands there when the first device has just been asked.
            if self._devices and reading.device == self._devices[0].name:
                self._put(now_s)

    def slopes(self) -> list[Slope]:
        """Return a verdict per device."""
        oldest_s = self._clock.monotonic_s() - WINDOW_S
        with self._lock:
            samples = [one for one in self._samples if one.at_s >= oldest_s]
        return judge_signs(samples, [one.expected for one in self._devices])

    def _power(self, reading: Reading) -> int | None:
        if reading.device == self._meter:
            return exchange_w(reading)
        for device in self._devices:
            if device.name == reading.device:
                return device.power_in(reading.values)
        return None

    def _put(self, now_s: float) -> None:
        if self._samples and now_s < self._samples[-1].at_s + _APART_S:
            return
        names = (self._meter, *(one.name for one in self._devices))
        beside = [self._newest.get(name) for name in names]
        fresh = [one[1] for one in beside if one is not None and now_s <= one[0] + _FRESH_S]
        if len(fresh) == len(names):
            self._samples.append(Sample(now_s, fresh[0], tuple(fresh[1:])))
