"""How fast gateways may send what they saved up: their share of what the record takes in.

After an outage a whole neighbourhood has a day to tell. Left alone each keeps a window of blocks
under way, and a gateway that has nothing saved up waits behind all of them. So as soon as several
send much, each acknowledgement grants a share; together they stay below what is taken in, and the
rest is for those that are up to date.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kwartier.identity import GatewayId

_SPAN_S = 5.0
_MANY = 10
"""A gateway that sent more blocks in a span has saved some up: up to date it sends one a minute."""
_KEPT_BACK = 0.2
_NEW_WEIGHT = 0.2
_FIRST_GUESS_PER_S = 200.0


@dataclass(slots=True)
class _Heard:
    """What one gateway sent in the span that runs, and in the one before."""

    since_s: float
    count: int = 0
    before: int = 0


class Budget:
    """Counts what comes and how fast it is taken in; not for several threads at once."""

    def __init__(self, most_per_s: int) -> None:
        """Grant nobody more than ``most_per_s`` while several send much."""
        self._most_per_s = most_per_s
        self._speed_per_s = _FIRST_GUESS_PER_S
        self._heard: dict[GatewayId, _Heard] = {}

    def came(self, gateways: Iterable[GatewayId], now_s: float) -> None:
        """Count one block of each gateway named.

        Args:
            gateways: Whose blocks came; one that sent several stands there several times.
            now_s: The monotonic count [s].
        """
        for gateway in gateways:
            heard = self._heard.setdefault(gateway, _Heard(now_s))
            self._turn(heard, now_s)
            heard.count += 1

    def took(self, blocks: int, spent_s: float) -> None:
        """Learn from a full transaction how fast blocks are taken in."""
        if spent_s > 0:
            self._speed_per_s += _NEW_WEIGHT * (blocks / spent_s - self._speed_per_s)

    def rate_per_s(self, now_s: float) -> int:
        """Return the blocks a second that each gateway may send; 0 for no limit."""
        for gateway, heard in list(self._heard.items()):
            self._turn(heard, now_s)
            if not heard.count and not heard.before:
                del self._heard[gateway]
        many = sum(max(one.count, one.before) > _MANY for one in self._heard.values())
        if many < 2:
            return 0
        share = (1 - _KEPT_BACK) * self._speed_per_s / many
        return max(1, min(self._most_per_s, int(share)))

    def _turn(self, heard: _Heard, now_s: float) -> None:
        """Begin a new span where the old one is over."""
        if now_s >= heard.since_s + _SPAN_S:
            heard.before = heard.count if now_s < heard.since_s + 2 * _SPAN_S else 0
            heard.count, heard.since_s = 0, now_s
