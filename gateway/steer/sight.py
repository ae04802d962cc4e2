"""What was last seen of a battery and of its connection's meter, and how long it counts."""

from __future__ import annotations

from gateway.steer.limits import Seen
from gateway.steer.meter_view import MeterView
from gateway.steer.way import BatteryPoll
from kwartier.reading import Reading
from kwartier.units import Watt

_LOOKS = 3
"""So many looks may be missed before a battery is unknown."""
_FULL_PERMILLE = 1000


class Sight:
    """Looks at one battery now and then, and remembers.

    Attributes:
        meter: What the connection's meter says; it may be told from another thread.
        soc_permille: How full the battery said it was [1/1000]; None where it said nothing sane.
        battery_w: What it said that it does; positive charges [W].
    """

    def __init__(self, poll: BatteryPoll, poll_s: float) -> None:
        """Have seen nothing; ``poll_s`` is the time between two looks [s]."""
        self.meter = MeterView()
        self.soc_permille: int | None = None
        self.battery_w: Watt | None = None
        self._poll = poll
        self._poll_s = poll_s
        self._looked_s: float | None = None

    def look(self, now_s: float) -> Reading | None:
        """Return what the battery says, or None while the next look is not due.

        Errors are those of ``BatteryPoll``; what was seen before then grows old.
        """
        if self._looked_s is not None and now_s < self._looked_s + self._poll_s:
            return None
        reading = self._poll.read()
        self._looked_s = now_s
        self.soc_permille = _sane_soc(reading.values.get("soc_permille"))
        self.battery_w = reading.values.get("battery_w")
        self.meter.look()
        return reading

    def seen(self, now_s: float) -> Seen:
        """Return what was last seen; a battery that was silent too long is unknown."""
        fresh = self._looked_s is not None and now_s < self._looked_s + _LOOKS * self._poll_s
        soc_permille, battery_w = (self.soc_permille, self.battery_w) if fresh else (None, None)
        return self.meter.seen(soc_permille, battery_w, now_s)


def _sane_soc(permille: int | None) -> int | None:
    """Return a state of charge, or None for one that cannot be: it is not known then."""
    return permille if permille is not None and 0 <= permille <= _FULL_PERMILLE else None
