"""Another gateway with our name: noticed by what it says on our own topic, and who gives way.

Two gateways get one name when a memory card or a folder is copied. Each start of a gateway has a
mark, told with every state on its own topic, to which the gateway itself listens. Whoever hears
another mark there names it in its own words from then on, its last will too. Words of another
mark that do not name ours may be our own past: a broker that was killed goes back a minute, and
hands over what a process of ours said that died long ago, as often as it is killed. Words that
name our mark cannot be: who said them has heard this very start. Both reckon alike from the two
marks, so that exactly one gives way: the one that started later.

A broker throws out the first of two clients of one name, so both come and go every few seconds;
each then hears the other when it comes back, as what was kept or as the other's last will. The
one that leaves names the other in its goodbye, so that this one knows of it too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from kwartier.wire import GatewayState

_BOOT, _BOOT_S, _TOLD = "boot", "boot_s", "told"
_HEARD = ("heard_1", "heard_2", "heard_3")
"""The other marks heard, the newest first: of three copies each must hear who names it."""


@dataclass(frozen=True, slots=True, order=True)
class Boot:
    """One start of a gateway; of two, the greater one is younger and gives way.

    Attributes:
        at_s: When, by its own clock [s].
        mark: A number drawn at the start.
    """

    at_s: int
    mark: int

    def details(self, told: int) -> dict[str, int]:
        """Return it as details of a state; ``told`` counts the states of this start, 0 a will."""
        return {_BOOT_S: self.at_s, _BOOT: self.mark, _TOLD: told}


@dataclass(frozen=True, slots=True)
class Caution:
    """How carefully a gateway makes sure that it is the only one.

    Attributes:
        quiet_s: After a sign of another, blocks are sent once the link held for so long without
            one more [s]; also when our own words do not come back.
        forget_s: After so long without a further word of another it is forgotten; an alarm is
            given once in such a time [s].
        away_s: How long one that gave way stays away, doubled each time, up to ``away_most_s`` [s].
        away_most_s: The longest absence [s].
    """

    quiet_s: float = 10.0
    forget_s: float = 3_600.0
    away_s: float = 600.0
    away_most_s: float = 3_600.0


class Namesake:
    """Decides whether there is another; every event carries the monotonic count [s]."""

    def __init__(self, mine: Boot, caution: Caution) -> None:
        """Begin without a link, knowing nothing."""
        self._mine = mine
        self._caution = caution
        self._up_s: float | None = None
        self._echoed = 0
        self._others: list[int] = []
        self._suspected_s = -inf
        self._is_suspicious = False
        self._is_clear = False
        self._proven_s = -inf
        self._away_s = caution.away_s
        self._back_s: float | None = None
        self._alarmed_s = -inf

    def link(self, now_s: float, *, up: bool) -> None:
        """Note that the link came or went."""
        self._up_s = now_s if up else None

    def heard(self, state: GatewayState, now_s: float) -> bool:
        """Note what was said on our topic; return whether to answer with our own state."""
        mark = state.details.get(_BOOT)
        told = state.details.get(_TOLD, 0)
        if mark is None:
            return False
        boot = Boot(state.details.get(_BOOT_S, 0), mark)
        if boot == self._mine:
            if told > self._echoed:
                self._echoed = told
                self._is_clear = self.may_send(now_s)
            return False
        self._heard_other(boot, state, now_s)
        return self._echoed > 0 and self._back_s is None

    def words(self, told: int) -> dict[str, int]:
        """Return what our own words carry: our mark, and the others that we heard."""
        return {**self._mine.details(told), **dict(zip(_HEARD, self._others, strict=False))}

    def may_send(self, now_s: float) -> bool:
        """Return whether blocks may be sent: nothing says that there is another."""
        if self._back_s is not None:
            return False
        if not self._is_clear and self._up_s is not None:
            quiet_since_s = max(self._up_s, self._suspected_s)
            sure = self._echoed > 0 and not self._is_suspicious
            self._is_clear = sure or now_s >= quiet_since_s + self._caution.quiet_s
        return self._is_clear

    def clear_s(self) -> float | None:
        """Return when blocks may be sent if nothing more is heard; None where that is not due."""
        if self._is_clear or self._up_s is None or self._back_s is not None:
            return None
        return max(self._up_s, self._suspected_s) + self._caution.quiet_s

    @property
    def gives_way(self) -> bool:
        """Whether this one is to leave, and to say nothing."""
        return self._back_s is not None

    @property
    def is_doubtful(self) -> bool:
        """Whether something says that there is another, and nothing yet that there is none."""
        return self.gives_way or (self._is_suspicious and not self._is_clear)

    @property
    def back_s(self) -> float | None:
        """When one that gave way looks again whether it is alone; None for one that did not."""
        return self._back_s

    def noticed(self, now_s: float) -> bool:
        """Return whether another was noticed lately."""
        return now_s < self._proven_s + self._caution.forget_s

    def must_alarm(self, now_s: float) -> bool:
        """Return True once for each matter that is worth an alarm."""
        if not self.noticed(now_s) or now_s < self._alarmed_s + self._caution.forget_s:
            return False
        self._alarmed_s = now_s
        return True

    def came_back(self, mark: int) -> None:
        """Begin to look again, as one that does not yet know whether it is alone.

        It goes by a new mark: words that name the old one may be older than its absence.
        """
        self._mine = replace(self._mine, mark=mark)
        self._back_s = None
        self._echoed = 0
        self._is_clear, self._is_suspicious = False, True

    def _heard_other(self, boot: Boot, state: GatewayState, now_s: float) -> None:
        has_left = not state.online and state.details.get(_TOLD, 0) > 0  # in order: no rival
        if not has_left:
            others = [mark for mark in self._others if mark != boot.mark]
            self._others = [boot.mark, *others][: len(_HEARD)]
            self._suspected_s = now_s
            self._is_suspicious = True
        if self._mine.mark not in (state.details.get(name) for name in _HEARD):
            return
        if now_s > self._proven_s + self._caution.forget_s:
            self._away_s = self._caution.away_s
        self._proven_s = now_s
        if boot < self._mine and self._back_s is None and not has_left:
            self._give_way(now_s)

    def _give_way(self, now_s: float) -> None:
        self._back_s = now_s + self._away_s
        self._away_s = min(2 * self._away_s, self._caution.away_most_s)
        self._is_clear = False
