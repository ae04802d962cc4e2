"""What stood in an inverter before our first limit, on disk: noted once a limit, not once a write.

A limit is renewed every half minute and may move every second; a card would not bear a note of
each. So only two things are noted: that a limit of ours may be there, and what was there before.

A full or broken card ends no cap: then both are remembered in memory. What that may cost is that
after a crash a limit of ours counts as somebody else's until its own timer has ended it.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from kwartier.durable import replace_file

_log = logging.getLogger(__name__)


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
        return self.on == other.on and (self.on == 0 or self.raw == other.raw)


class LimitJournal:
    """Remembers what was there before a limit of ours, while one may be there."""

    def __init__(self, path: Path) -> None:
        """Read the file; after one that cannot be read, no limit counts as ours."""
        self._path = path
        self._prior, self._revert_s = self._read()

    @property
    def prior(self) -> Limit | None:
        """What stood there before our first limit; None while none of ours is there."""
        return self._prior

    @property
    def revert_s(self) -> int:
        """The longest timer that we gave it [s]; 0 while none of ours is there."""
        return self._revert_s

    def holds(self, prior: Limit, revert_s: int) -> None:
        """Note, before the first write, that a limit of ours may be there from now on.

        Args:
            prior: What stands there now.
            revert_s: The timer that ours is going to have [s].
        """
        if self._prior is None or revert_s > self._revert_s:
            self._note(self._prior or prior, revert_s)

    def released(self) -> None:
        """Note that none is left; where the disk takes nothing a restart looks once more."""
        if self._prior is not None:
            self._note(None, 0)

    def _note(self, prior: Limit | None, revert_s: int) -> None:
        self._prior, self._revert_s = prior, revert_s
        told = {"prior": None if prior is None else asdict(prior), "revert_s": revert_s}
        try:
            replace_file(self._path, json.dumps(told).encode())
        except OSError as error:
            _log.warning("%s cannot be written, so it is remembered only: %s", self._path, error)

    def _read(self) -> tuple[Limit | None, int]:
        try:
            told = json.loads(self._path.read_text())
            prior, revert_s = told["prior"], int(told["revert_s"])
            if prior is None:
                return None, 0
            return Limit(int(prior["raw"]), int(prior["revert_s"]), int(prior["on"])), revert_s
        except FileNotFoundError:
            return None, 0
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("%s cannot be read; no limit counts as ours: %s", self._path, error)
            return None, 0
