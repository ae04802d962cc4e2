"""A limit on what an inverter makes, by model 123, for a time that the inverter itself counts.

Somebody else's limit may stand in the same registers, such as the feed-in limit that a grid
operator asks for. So it is noted before the first write, is never raised, and is put back at the
end; and where something stands there that neither of us wrote, nothing is touched.

Source:
    SunSpec model 123 (immediate controls): WMaxLimPct to WMaxLim_Ena, five registers in a row.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

from gateway.steer.journal import JournalWriteError
from gateway.steer.steering import MAX_REVERT_S, NoRevertTimerError, SteeredUnit, towards_zero
from hardware.registers import Words, words_of
from hardware.sunspec import Chain, Place, Points, decode
from hardware.sunspec_models import models
from kwartier.durable import replace_file
from kwartier.errors import KwartierError

_log = logging.getLogger(__name__)

LEAST_PERCENT = Decimal(1)
"""A limit of nothing parks some inverters, which then come back only by hand."""
_ON = 1
_OFF = 0


class LimitNotHeldError(KwartierError):
    """The inverter took the write, and holds another limit."""


class ForeignLimitError(KwartierError):
    """A limit stands there that we did not write."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What stands in the registers, raw.

    Attributes:
        raw: WMaxLimPct before scaling.
        revert_s: WMaxLimPct_RvrtTms [s].
        on: WMaxLim_Ena.
    """

    raw: int
    revert_s: int
    on: int

    def same(self, other: Limit) -> bool:
        """Return whether both limit alike; the timer may have been counted down."""
        return self.on == other.on and (self.on == _OFF or self.raw == other.raw)


class SolarLimit:
    """Limits one inverter. Every call may raise what ``SteeredUnit`` raises."""

    def __init__(self, unit: SteeredUnit, place: Place, journal: Path) -> None:
        """Limit the inverter whose model 123 stands at this place; ``journal`` is its memory."""
        self._unit = unit
        self._place = place
        self._journal = journal
        self._group = models()[123]
        self._start = self._group.offset("WMaxLimPct")
        self._prior, self._ours = self._read_journal()

    @classmethod
    def of_chain(cls, unit: SteeredUnit, chain: Chain, journal: Path) -> SolarLimit | None:
        """Return how a device is limited; None where it has no model for that."""
        place = chain.first(123)
        return None if place is None else cls(unit, place, journal)

    def limit(self, percent: Decimal, revert_s: int, *, stop: bool = False) -> Decimal:
        """Hold the inverter to a part of its rating, and return what it became [%].

        Args:
            percent: Of its rating; at least 1 unless ``stop``, and never above a limit that was
                there before.
            revert_s: When the inverter forgets the limit by itself [s].
            stop: Whether standing still is meant.

        Raises:
            NoRevertTimerError: The inverter has no timer for it; nothing was written.
            ForeignLimitError: Somebody has changed the limit since we wrote it.
            LimitNotHeldError: It acknowledged, and holds something else.
            JournalWriteError: What was there cannot be noted; nothing was written.
        """
        assert 1 <= revert_s <= MAX_REVERT_S, revert_s
        words, points = self._read()
        found = self._found(points)
        if self._ours is None:
            self._prior = found
        elif found.on == _ON and not found.same(self._ours) and not found.same(self._kept()):
            raise ForeignLimitError(f"the limit is {found.raw} and we wrote {self._ours.raw}")
        prior = self._kept()
        scale = points["WMaxLimPct_SF"]
        exponent = scale if isinstance(scale, int) else 0
        least = Decimal(0) if stop else LEAST_PERCENT
        raw = towards_zero(max(least, min(Decimal(100), percent)), exponent, 1)
        if prior.on == _ON:
            raw = min(raw, prior.raw)
        self._note(prior, Limit(raw, revert_s, _ON))
        self._write(words, Limit(raw, revert_s, _ON))
        _, after = self._read()
        held = self._found(after)
        if not held.same(Limit(raw, revert_s, _ON)) or not 0 < held.revert_s <= revert_s:
            raise LimitNotHeldError(
                f"the inverter holds {held.raw} for {held.revert_s} s, not {raw}"
            )
        return Decimal(raw).scaleb(exponent)

    def release(self) -> None:
        """Put back what was there before our first write, if our limit still stands there.

        Raises:
            ForeignLimitError: Somebody has changed the limit since we wrote it; it stays.
            LimitNotHeldError: It acknowledged, and still holds our limit.
        """
        if self._ours is None:
            return
        words, points = self._read()
        found, prior = self._found(points), self._kept()
        if found.on == _ON and not found.same(self._ours) and not found.same(prior):
            raw = self._ours.raw
            self._note(None, None)
            raise ForeignLimitError(f"the limit is {found.raw} and we wrote {raw}: it stays")
        if not found.same(prior):
            self._write(words, prior)
            held = self._found(self._read()[1])
            if not held.same(prior):
                raise LimitNotHeldError(f"the inverter still holds the limit {held.raw}")
        self._note(None, None)

    def _kept(self) -> Limit:
        assert self._prior is not None
        return self._prior

    def _read(self) -> tuple[Words, Points]:
        size = min(self._group.size, self._place.length + 2)
        words = self._unit.read(self._place.address, size)
        return words, decode(self._group, self._place.length, words)

    def _found(self, points: Points) -> Limit:
        scale, percent = points["WMaxLimPct_SF"], points["WMaxLimPct"]
        timer, on = points["WMaxLimPct_RvrtTms"], points["WMaxLim_Ena"]
        if not isinstance(timer, int) or not isinstance(percent, int | Decimal):
            raise NoRevertTimerError("model 123 has no power limit with a revert timer")
        raw = int(Decimal(percent).scaleb(-(scale if isinstance(scale, int) else 0)))
        return Limit(raw, timer, _ON if on == _ON else _OFF)

    def _write(self, words: Words, limit: Limit) -> None:
        """Write value, times and enable in one request; window and ramp stay as they were."""
        window = words[self._start + 1]
        ramp = words[self._start + 3]
        frame = [*words_of(limit.raw, 1), window, limit.revert_s, ramp, limit.on]
        self._unit.write(self._place.address + self._start, frame)

    def _note(self, prior: Limit | None, ours: Limit | None) -> None:
        told = {
            "prior": None if prior is None else asdict(prior),
            "ours": None if ours is None else asdict(ours),
        }
        try:
            replace_file(self._journal, json.dumps(told).encode())
        except OSError as error:
            raise JournalWriteError(self._journal, error) from error
        self._prior, self._ours = prior, ours

    def _read_journal(self) -> tuple[Limit | None, Limit | None]:
        try:
            told = json.loads(self._journal.read_text())
            return _limit(told["prior"]), _limit(told["ours"])
        except FileNotFoundError:
            return None, None
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("%s cannot be read; no limit counts as ours: %s", self._journal, error)
            return None, None


def _limit(told: Mapping[str, int] | None) -> Limit | None:
    return None if told is None else Limit(int(told["raw"]), int(told["revert_s"]), int(told["on"]))
