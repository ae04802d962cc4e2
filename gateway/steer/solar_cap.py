"""What an inverter may make so that its connection gives no more than it may: pure decisions.

What the home uses is the difference of what the inverter makes and what the meter says that is
given. An inverter may make that and the cap together, less a margin; clouds do not move this limit,
only switches in the home do.

- **Down at once.** When the meter says that too much is given, the limit is there in one step.
- **Up slowly**, at 2 % of the rating a second, not within ten seconds of a step down, and only as
  far as the least that the home used in those ten seconds: not every pump is worth a write.
- **A word is late.** What the meter says may be from before the newest step. So it is held against
  the most that the inverter made within two seconds when it is cut, and against the least that it
  made within five when it is raised: it comes up to its aim from below, and does not swing there.
- **Not below the cap itself** at first: with the inverter below the cap, what is given beyond it
  comes from elsewhere, such as a battery that is about to give way by its own export limit. Only
  when that lasts longer than a meter can be late is the inverter cut for it too.
- **A silent meter** cuts it to the cap: whatever the home does then, an inverter that makes no more
  than the cap cannot give more. To hold the last limit would not be safe, as what used the rest may
  have been switched off; to stand still would cost more than the cap asks.
- **Free again** when the limit has been at the full rating for ten minutes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.steer.limits import MAX_METER_AGE_S, Seen
from gateway.steer.track import UNSEEN_S
from kwartier.units import Watt

MARGIN_W = 50
"""The aim is so far below the cap [W]."""
RISE_PERCENT_PER_S = 2
"""The limit rises by so much of the rating in a second, at most [%]."""
RISE_WAIT_S = 10.0
"""And not so soon after a step down [s]."""
SHOWN_S = 2.0
"""The meter's word may be from so long before it came [s]: a second's mean, and its way here."""
SHOWN_FOR_SURE_S = 5.0
"""Nor is it older than this where there is no hurry [s]."""
FREE_AFTER_S = 600.0
"""So long at the full rating, and the limit is taken away [s]."""
_BAND_PERCENT = 1
"""A limit is not raised by less: some inverters count in whole percents, and round down."""
_ROUNDED_W = 2
"""What rounding to watts may take from such a percent, here and there [W]."""
_MOST_POWERS = 64


@dataclass(frozen=True, slots=True)
class Now:
    """What is known at one moment.

    Attributes:
        at_s: Which moment, on the monotonic count [s].
        seen: What the meter says.
        power_w: What the inverter makes [W]; None where it does not tell.
        held_w: The limit it holds [W]; None for none of ours.
        fine: Whether the limit may still be written for every change today.
    """

    at_s: float
    seen: Seen
    power_w: Watt | None
    held_w: Watt | None
    fine: bool = True


class ExportCap:
    """Decides the limit of one inverter, moment by moment."""

    def __init__(self, export_max_w: Watt, rated_w: Watt, sharing: int = 1) -> None:
        """Begin with no limit; ``sharing`` inverters are limited behind the same meter."""
        self._aim_w = export_max_w - MARGIN_W
        self._rated_w = rated_w
        self._sharing = sharing
        self._least_w = max(1, rated_w // 100)
        self._band_w = rated_w * _BAND_PERCENT // 100 + _ROUNDED_W
        self._powers: deque[tuple[float, Watt]] = deque(maxlen=_MOST_POWERS)
        self._word_s: float | None = None
        self._use_w: tuple[Watt, Watt] = (0, 0)
        self._uses: deque[tuple[float, Watt]] = deque(maxlen=_MOST_POWERS)
        self._others_give = sharing > 1
        self._excess_since_s: float | None = None
        self._full_since_s: float | None = None
        self._began_s: float | None = None
        self._cut_s = self._moved_s = float("-inf")

    def concerned(self, seen: Seen, now_s: float) -> bool:
        """Return whether an inverter that is free has to be asked now."""
        if seen.meter_speaks:
            return _given_w(seen) > self._aim_w
        if self._began_s is None:
            self._began_s = now_s
        return seen.newest_w is not None or now_s > self._began_s + MAX_METER_AGE_S

    def decide(self, now: Now) -> Watt | None:
        """Return the limit that the inverter is to hold [W]; None for none."""
        limit_w = self._wanted(now)
        if limit_w is None:
            self._others_give = self._sharing > 1
            self._full_since_s = self._excess_since_s = None
            return None
        limit_w = max(self._least_w, min(self._rated_w, limit_w))
        if limit_w != now.held_w:
            self._moved_s = now.at_s
        return limit_w

    def _wanted(self, now: Now) -> Watt | None:
        if now.power_w is not None:
            self._powers.append((now.at_s, now.power_w))
        if not now.seen.meter_speaks:
            return self._blind(now) if self.concerned(now.seen, now.at_s) else now.held_w
        too_much = _given_w(now.seen) > self._aim_w
        if now.held_w is None and not too_much:
            return None
        if now.power_w is None or not now.fine:
            return self._blind(now)
        self._hear(now.seen)
        self._blame(now, now.power_w, too_much=too_much)
        limit_w = self._cut(now, too_much=too_much)
        if limit_w is not None or now.held_w is None:
            return limit_w
        return self._full(now, now.held_w) if now.held_w >= self._rated_w else self._rise(now)

    def _blind(self, now: Now) -> Watt | None:
        """Return the limit with which nothing in the home can bring the connection over its cap."""
        self._full_since_s = None
        alone_w = 0 if self._others_give and self._sharing == 1 else self._aim_w // self._sharing
        if now.held_w is None and alone_w >= self._rated_w:
            return None
        return alone_w if now.held_w is None else min(now.held_w, alone_w)

    def _hear(self, seen: Seen) -> None:
        """Take from a new word of the meter what the home uses: the least and the most [W]."""
        assert seen.newest_at_s is not None
        if seen.newest_at_s == self._word_s:
            return
        self._word_s = seen.newest_at_s
        given_w = _given_w(seen)
        # A word may come while this turn is held up: then the newest power is all there is to it.
        newest_w = self._powers[-1][1]
        self._uses.append((self._word_s, newest_w - given_w))
        least_w = min([newest_w, *_since(self._powers, self._word_s - SHOWN_FOR_SURE_S)]) - given_w
        most_w = max([newest_w, *_since(self._powers, self._word_s - SHOWN_S)]) - given_w
        self._use_w = min(least_w, *_since(self._uses, self._word_s - RISE_WAIT_S)), most_w

    def _blame(self, now: Now, power_w: Watt, *, too_much: bool) -> None:
        """Note when something else gives too, for longer than the meter can be late."""
        alone = power_w <= max(self._aim_w, 0) + self._band_w
        if not (too_much and alone):
            self._excess_since_s = None
            return
        if self._excess_since_s is None:
            self._excess_since_s = now.at_s
        if now.at_s > self._excess_since_s + UNSEEN_S + now.seen.grid_period_s:
            self._others_give = True

    def _cut(self, now: Now, *, too_much: bool) -> Watt | None:
        """Return a lower limit, where one is needed."""
        use_w = self._use_w[1] if self._others_give else max(0, self._use_w[1])
        allowed_w = max(self._least_w, self._aim_w + use_w)
        before_w = self._rated_w if now.held_w is None else now.held_w
        if now.held_w is not None and before_w - allowed_w >= self._band_w:
            too_much = True  # not yet: when the sun comes back it would be
        if not too_much or allowed_w >= before_w:
            return None
        self._cut_s = now.at_s
        self._full_since_s = None
        return allowed_w

    def _rise(self, now: Now) -> Watt:
        """Return the limit, higher by what time and room allow."""
        assert now.held_w is not None
        self._full_since_s = None
        use_w = self._use_w[0] if self._others_give else max(0, self._use_w[0])
        room_w = min(self._rated_w, self._aim_w + use_w) - now.held_w
        last_step = 0 < room_w < self._band_w and now.held_w + room_w >= self._rated_w
        if now.at_s < self._cut_s + RISE_WAIT_S or not (room_w >= self._band_w or last_step):
            return now.held_w
        # Where several share the pace, each waits until its part is a step that can be said.
        passed_s = min(float(self._sharing), now.at_s - self._moved_s)
        most_w = int(self._rated_w * RISE_PERCENT_PER_S * passed_s) // (100 * self._sharing)
        return (
            now.held_w if most_w < min(room_w, self._band_w) else now.held_w + min(room_w, most_w)
        )

    def _full(self, now: Now, held_w: Watt) -> Watt | None:
        if self._full_since_s is None:
            self._full_since_s = now.at_s
        return held_w if now.at_s < self._full_since_s + FREE_AFTER_S else None


def _since(powers: Iterable[tuple[float, Watt]], from_s: float) -> list[Watt]:
    return [power for at_s, power in powers if at_s >= from_s]


def _given_w(seen: Seen) -> Watt:
    """Return what the meter says that is given to the grid; negative when it is taken [W]."""
    assert seen.newest_w is not None
    return -seen.newest_w
