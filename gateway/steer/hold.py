"""A set-point of ours in a device: written within its ratings, kept up, checked and let go.

What somebody else put there is never overwritten and never released.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from gateway.steer.journal import SteerJournal
from gateway.steer.steering import (
    Applied,
    Held,
    NoRevertTimerError,
    Ratings,
    Steering,
)
from hardware.registers import RegistersRefusedError
from kwartier.errors import KwartierError
from kwartier.units import Watt

_SAME_W = 10
_LOOK_S = 15.0
"""Between two looks for a set-point of somebody else while we hold nothing [s]."""


class ForeignWriteError(KwartierError):
    """The device holds a set-point that we did not write."""

    def __init__(self, held: Held, wrote_w: Watt | None) -> None:
        """Keep what is held and what we wrote."""
        ours = "nothing" if wrote_w is None else f"{wrote_w} W"
        super().__init__(
            f"foreign write: the battery holds {held.power_w} W where we wrote {ours}: "
            "find the other program on its network; it is left alone"
        )
        self.held = held


@dataclass(frozen=True, slots=True)
class _Written:
    again_s: float
    asked_w: Watt
    held_w: Watt


class Hold:
    """Our hold on one battery. Every call may raise what ``Steering`` raises."""

    def __init__(
        self,
        find: Callable[[], Steering | None],
        journal: SteerJournal,
        *,
        revert_s: int,
        refresh_s: float,
    ) -> None:
        """Hold nothing yet.

        Args:
            find: Returns how the device is steered; asked once, when it is needed.
            journal: Remembers what of ours may be in it.
            revert_s: When the device falls back by itself [s].
            refresh_s: Between two writes of the same set-point [s].
        """
        self._find = find
        self._journal = journal
        self._revert_s, self._refresh_s = revert_s, refresh_s
        self._steering: Steering | None = None
        self._ratings: Ratings | None = None
        self._written: _Written | None = None
        self._other_w: Watt | None = None
        self._look_again_s = 0.0

    @property
    def held_w(self) -> Watt | None:
        """The set-point that the device was seen to hold [W]; None for none that is known."""
        return None if self._written is None else self._written.held_w

    def put(self, power_w: Watt, now_s: float) -> Applied | None:
        """Have the device hold a power; None when it does already and needs no refresh.

        Raises:
            ForeignWriteError: It obeys somebody else.
            WriteBudgetSpentError: Its registers were written too often today.
            JournalWriteError: The disk takes nothing, so nothing was written.
        """
        steering = self._steered()
        power_w = self._within_ratings(power_w)
        written, before_w = self._written, None
        if written is None:
            held = steering.read_back()
            if held.power_w is not None and not self._journal.is_ours(held):
                raise ForeignWriteError(held, None)
            before_w = held.power_w
        elif power_w == written.asked_w and now_s < written.again_s:
            return None
        self._journal.writes(power_w, None if written is None else written.held_w, before_w)
        self._written = None  # until the device has been seen to hold it
        applied = steering.setpoint(power_w, self._revert_s)  # not held: the caller lets go
        # The device may have granted less time than was asked; two writes may be lost in any case.
        every_s = min(self._refresh_s, applied.revert_s / 3, applied.renew_s or self._refresh_s)
        again_s = now_s + every_s
        self._written = _Written(again_s, power_w, applied.power_w)
        return applied

    def other_w(self, now_s: float) -> Watt | None:
        """Return a set-point that stands in the device while we hold nothing [W].

        Looked at now and then only; a device that cannot be asked tells none.
        """
        if now_s < self._look_again_s:
            return self._other_w
        self._look_again_s, self._other_w = now_s + _LOOK_S, None
        self._steering = self._steering or self._find()
        if self._steering is not None:
            with suppress(RegistersRefusedError):
                self._other_w = self._steering.read_back().power_w
        return self._other_w

    def check(self) -> None:
        """Look whether the device still holds what we wrote; what it lost is written again.

        Raises:
            ForeignWriteError: It holds something else.
        """
        if self._written is None:
            return
        held = self._steered().read_back()
        if held.power_w is None:
            self._written = None
        elif abs(held.power_w - self._written.held_w) > _SAME_W:
            raise ForeignWriteError(held, self._written.held_w)

    def release(self) -> None:
        """End our set-point, if it is there.

        Raises:
            ForeignWriteError: It holds something else, which stays.
            WriteBudgetSpentError: Its registers were written too often today.
        """
        steering = self._steered()
        held = steering.read_back()
        if held.power_w is not None and not self._is_ours(held):
            raise ForeignWriteError(held, self.held_w)
        if held.power_w is not None:
            steering.release()
        self.forget()
        self._journal.released()

    def forget(self) -> None:
        """Count on nothing in the device: the next set-point is written in any case."""
        self._written = None

    def disown(self) -> None:
        """Note that nothing of ours is in the device."""
        self.forget()
        self._journal.released()

    def _is_ours(self, held: Held) -> bool:
        if self._written is not None and held.power_w is not None:
            return abs(held.power_w - self._written.held_w) <= _SAME_W
        return self._journal.is_ours(held)

    def _steered(self) -> Steering:
        if self._steering is None:
            self._steering = self._find()
        if self._steering is None:
            raise NoRevertTimerError("the battery has no model to steer it by (704 or 124)")
        return self._steering

    def _within_ratings(self, power_w: Watt) -> Watt:
        """Return the power within what the device says it can do, asked once."""
        if self._ratings is None:
            self._ratings = self._steered().ratings()
        charge_w, discharge_w = self._ratings.charge_max_w, self._ratings.discharge_max_w
        if charge_w is not None:
            power_w = min(power_w, charge_w)
        return power_w if discharge_w is None else max(power_w, -discharge_w)
