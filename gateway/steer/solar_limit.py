"""A limit on what an inverter makes, by model 123, for a time that the inverter itself counts.

Somebody else's limit may stand in the same registers, such as the feed-in limit that a grid
operator asks for. Such a limit is left alone, whole: ours would take its place, and when this
gateway died the inverter's timer would end ours and leave none at all. So while another limit
stands there nothing is written, not even a tighter one, and the caller is told.

Source:
    SunSpec model 123 (immediate controls): WMaxLimPct to WMaxLim_Ena, five registers in a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from gateway.modbus.poll import NotSunSpecError
from gateway.steer.scale import exponent_of
from gateway.steer.solar_budget import SolarBudget
from gateway.steer.solar_journal import Limit, LimitJournal
from gateway.steer.steering import MAX_REVERT_S, NoRevertTimerError, SteeredUnit, towards_zero
from hardware.registers import Words, words_of
from hardware.sunspec import Place, Points, decode
from hardware.sunspec_models import models
from kwartier.errors import KwartierError

LEAST_PERCENT = Decimal(1)
"""A limit of nothing parks some inverters, which then come back only by hand."""
_WHOLE = Decimal(100)
_SCALE = "WMaxLimPct_SF"
_ON = 1
_OFF = 0


class LimitNotHeldError(KwartierError):
    """The inverter took the write, and holds another limit."""


class ForeignLimitError(KwartierError):
    """A limit stands there that we did not write."""


@dataclass(frozen=True, slots=True)
class HeldLimit:
    """A limit of ours that was seen in the inverter.

    Attributes:
        percent: Of its rating, as the inverter rounded it [%].
        revert_s: The time it was granted [s].
    """

    percent: Decimal
    revert_s: int


class SolarLimit:
    """Limits one inverter. Every call may raise what ``SteeredUnit`` raises.

    Every call may also raise ``NoRevertTimerError`` (no limit of ours is there),
    ``ScaleUnknownError`` (what stands there cannot be told now) and ``NotSunSpecError`` (another
    model stands where ours stood).
    """

    def __init__(
        self, unit: SteeredUnit, place: Place, journal: LimitJournal, budget: SolarBudget
    ) -> None:
        """Limit the inverter whose model 123 stands at this place."""
        self._unit = unit
        self._place = place
        self._journal = journal
        self._budget = budget
        self._group = models()[123]
        self._start = self._group.offset("WMaxLimPct")
        self._maybe: frozenset[int] = frozenset()
        self._is_timed = False

    def limit(self, percent: Decimal, revert_s: int, *, stop: bool = False) -> HeldLimit:
        """Hold the inverter to a part of its rating, and return what it became.

        Args:
            percent: Of its rating; at least 1 unless ``stop``.
            revert_s: When the inverter forgets the limit by itself [s].
            stop: Whether standing still is meant.

        Raises:
            ForeignLimitError: A limit stands there that is not ours; nothing was written.
            LimitNotHeldError: It acknowledged, and holds something else.
            NoRevertTimerError: It takes a limit without its timer; what was there was put back.
            LimitWritesSpentError: It was written too often today; nothing was written.
        """
        assert 1 <= revert_s <= MAX_REVERT_S, revert_s
        words, points = self._read()
        found, exponent = _found(points), exponent_of(points, _SCALE)
        self._refuse_foreign(found, exponent)
        least = Decimal(0) if stop else LEAST_PERCENT
        raw = towards_zero(max(least, min(_WHOLE, percent)), exponent, 1)
        wanted = Limit(raw, revert_s, _ON)
        self._journal.holds(found, revert_s)
        self._budget.spend()
        # A write that gets lost leaves what was there before it, so either may be there.
        self._maybe = self._maybe | {raw}
        self._write(words, wanted)
        held = _found(self._read()[1])
        if not held.same(wanted):
            raise LimitNotHeldError(
                f"the inverter holds {_said(held, exponent)}, not {_said(wanted, exponent)}: does "
                "another program limit it?"
            )
        if not 0 < held.revert_s <= revert_s:
            # Such a limit would stay for good when this gateway died, and nobody would end it.
            self._put_back(words)
            raise NoRevertTimerError(
                f"the inverter took a limit, and {held.revert_s} s instead of {revert_s} s as its "
                "time to end by itself: what was there was put back; keep the export cap in the "
                "inverter's own settings"
            )
        self._maybe, self._is_timed = frozenset({raw}), True
        return HeldLimit(Decimal(raw).scaleb(exponent), held.revert_s)

    def standing(self) -> HeldLimit | None:
        """Return the limit of ours that stands in the inverter now; None for none of ours."""
        points = self._read()[1]
        found = _found(points)
        if found.on == _OFF or not self._is_ours(found):
            return None
        return HeldLimit(Decimal(found.raw).scaleb(exponent_of(points, _SCALE)), found.revert_s)

    def release(self) -> None:
        """Put back what was there before our first write, if our limit still stands there.

        Raises:
            ForeignLimitError: Somebody has changed the limit since we wrote it; it stays.
            LimitNotHeldError: It acknowledged, and still holds our limit.
        """
        prior = self._journal.prior
        if prior is None:
            return
        words, points = self._read()
        found = _found(points)
        self._refuse_foreign(found, exponent_of(points, _SCALE))
        if found.same(prior):
            self._forget()
        else:
            self._put_back(words)

    @property
    def _address(self) -> int:
        return self._place.address + self._start

    def _put_back(self, words: Words) -> None:
        prior = self._journal.prior
        assert prior is not None
        self._budget.spend(release=True)
        self._write(words, prior)
        held = _found(self._read()[1])
        if not held.same(prior):
            raise LimitNotHeldError(f"the inverter still holds the limit {held.raw} (raw)")
        self._forget()

    def _refuse_foreign(self, found: Limit, exponent: int) -> None:
        limits = found.on == _ON and Decimal(found.raw).scaleb(exponent) < _WHOLE
        if limits and not self._is_ours(found):
            self._forget()
            raise ForeignLimitError(
                f"a limit of {_said(found, exponent)} stands in the inverter that this gateway did "
                "not write, and it stays: have whoever set it end it, or keep to it alone"
            )

    def _is_ours(self, found: Limit) -> bool:
        """Return whether a limit can be ours.

        What this process wrote it knows. The timer tells too: ours has the one we gave it, once the
        inverter was seen to take it, and a limit for good has none. After a restart there is only
        that; a stranger's that is as short is renewed by its owner.
        """
        if self._journal.prior is None or (self._maybe and found.raw not in self._maybe):
            return False
        is_our_timer = 0 < found.revert_s <= self._journal.revert_s
        return is_our_timer or (bool(self._maybe) and not self._is_timed)

    def _forget(self) -> None:
        self._maybe = frozenset()
        self._journal.released()

    def _read(self) -> tuple[Words, Points]:
        size = min(self._group.size, self._place.length + 2)
        words = self._unit.read(self._place.address, size)
        if words[0] != self._place.id:
            raise NotSunSpecError("another model stands where model 123 stood: looked up again")
        return words, decode(self._group, self._place.length, words)

    def _write(self, words: Words, limit: Limit) -> None:
        """Write value, times and enable in one request; window and ramp stay as they were."""
        window = words[self._start + 1]
        ramp = words[self._start + 3]
        frame = [*words_of(limit.raw, 1), window, limit.revert_s, ramp, limit.on]
        self._unit.write(self._address, frame)


def _found(points: Points) -> Limit:
    exponent = exponent_of(points, _SCALE)
    percent, timer = points["WMaxLimPct"], points["WMaxLimPct_RvrtTms"]
    if not isinstance(timer, int) or not isinstance(percent, int | Decimal):
        raise NoRevertTimerError("model 123 has no power limit with a revert timer")
    raw = int(Decimal(percent).scaleb(-exponent))
    return Limit(raw, timer, _ON if points["WMaxLim_Ena"] == _ON else _OFF)


def _said(limit: Limit, exponent: int) -> str:
    return f"{Decimal(limit.raw).scaleb(exponent):f} %" if limit.on == _ON else "no limit"
