"""A schedule outlives the process and the line: on disk, and laid on a clock that can be trusted.

In the same life of the machine the monotonic count says when each step begins. After a start of
the machine only the wall's time can, and then something must have said that it is right.
"""

from __future__ import annotations

import logging
from pathlib import Path

from gateway.steer.control import Controller
from gateway.steer.journal import Accepted, SteerJournal
from gateway.steer.sane_time import MOST_JUMP_S, SaneTime, boot_id
from kwartier.clock import Clock
from kwartier.reading import Schedule

_log = logging.getLogger(__name__)

JUMPED = "the clock jumped: nothing is steered until its time is known"


class Inherited:
    """Keeps the schedule of one controller in step with its journal and with the time."""

    def __init__(
        self,
        journal: SteerJournal,
        control: Controller,
        clock: Clock,
        *,
        resume_s: float,
        synchronised: Path,
    ) -> None:
        """Begin neutral; an earlier schedule goes on after ``resume_s`` [s]."""
        self.time = SaneTime(clock, synchronised)
        self._journal = journal
        self._control = control
        self._clock = clock
        self._boot = boot_id()
        self._resume_at_s = clock.monotonic_s() + resume_s
        self._waits = journal.accepted is not None
        self._sane = True

    def refusal(self) -> str | None:
        """Return why nothing is accepted now, or None."""
        return None if self.time.is_sane() else JUMPED

    def accepted(self, schedule: Schedule) -> None:
        """Note a schedule that is about to be put in force.

        Raises:
            JournalWriteError: The disk takes nothing; it is not to be obeyed.
        """
        self._journal.commanded(Accepted(schedule, self.time.zero_s, self._boot))
        self._waits = False

    def go_on(self) -> None:
        """Drop the leases when the clock has jumped, and lay them anew when that can be done."""
        sane = self.time.is_sane()
        if self._sane and not sane:
            _log.error(JUMPED)
            self._control.drop()
        kept = self._journal.accepted
        if sane and not self._sane and kept is not None and not self._waits:
            _log.warning("the time is known again; plan %s goes on", kept.schedule.plan)
            self._control.resume(kept.schedule, self.time.zero_s)
        self._sane = sane
        if self._waits and sane and self._clock.monotonic_s() >= self._resume_at_s:
            self._inherit(kept)

    def _inherit(self, kept: Accepted | None) -> None:
        assert kept is not None
        zero_s = self.time.zero_s
        same_life = bool(self._boot) and kept.boot == self._boot
        same = same_life and abs(kept.zero_s - zero_s) <= MOST_JUMP_S
        if same or self.time.proved:
            _log.info("plan %s goes on after the start", kept.schedule.plan)
            self._control.resume(kept.schedule, kept.zero_s if same else zero_s)
            self._waits = False
