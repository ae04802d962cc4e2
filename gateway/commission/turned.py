"""A device whose plus and minus were found the wrong way round, read the right way."""

from __future__ import annotations

from dataclasses import replace

from gateway.modbus.poller import Poll
from kwartier.reading import Reading

POWERS = ("solar_w", "battery_w")
"""Series whose sign is turned; counters have none."""


class TurnedPoll:
    """Reads a device and turns its power round."""

    def __init__(self, poll: Poll) -> None:
        """Turn what ``poll`` reads."""
        self._poll = poll

    def read(self) -> Reading:
        """Return what the device says, the right way round; errors as those of ``poll``."""
        reading = self._poll.read()
        values = {
            series: -value if series in POWERS else value
            for series, value in reading.values.items()
        }
        return replace(reading, values=values)
