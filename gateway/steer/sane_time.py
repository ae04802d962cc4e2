"""Whether the wall's time can be trusted to start a step of a plan.

Leases run on the monotonic count, so a jump moves none of them. But a clock that jumps was wrong
before or is wrong after, and so may be the moment at which each step was laid on that count.
"""

from __future__ import annotations

from pathlib import Path

from kwartier.clock import Clock

MOST_JUMP_S = 60.0
"""A wall clock that moves further than this against the monotonic count has jumped [s]."""
QUIET_S = 900.0
"""After so long without another jump a clock is believed again [s]."""
SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
"""There while systemd's own clock service has set the time since the start of the machine."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Return the name of this life of the machine; empty where it tells none."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


class SaneTime:
    """Watches one clock."""

    def __init__(self, clock: Clock, synchronised: Path) -> None:
        """Begin with the clock as it is now, which nobody has proved."""
        self._clock = clock
        self._synchronised = synchronised
        self._zero_s = self._trusted_zero_s = self.zero_s
        self._jumped_at_s: float | None = None
        self._agreed_at_s: float | None = None

    @property
    def zero_s(self) -> float:
        """The monotonic count less the wall's time now [s]."""
        return self._clock.monotonic_s() - self._clock.now_s()

    @property
    def proved(self) -> bool:
        """Whether something besides the clock itself says that it is right."""
        return self._agreed_at_s is not None or self._synchronised.exists()

    def meter_said(self, at_s: float) -> None:
        """Compare with a meter's own stamp [s]; one that differs proves nothing, as it may err."""
        if abs(at_s - self._clock.now_s()) <= MOST_JUMP_S:
            self._agreed_at_s = self._clock.monotonic_s()

    def is_sane(self) -> bool:
        """Return whether the clock has not jumped, or is known to be right again."""
        zero_s, now_s = self.zero_s, self._clock.monotonic_s()
        if abs(zero_s - self._zero_s) > MOST_JUMP_S:
            self._jumped_at_s, self._agreed_at_s = now_s, None
        self._zero_s = zero_s
        if self._jumped_at_s is not None:
            back = abs(zero_s - self._trusted_zero_s) <= MOST_JUMP_S
            if back or self.proved or now_s >= self._jumped_at_s + QUIET_S:
                self._jumped_at_s = None
        if self._jumped_at_s is None:
            self._trusted_zero_s = zero_s
        return self._jumped_at_s is None
