"""One battery, steered: schedules in, set-points with a revert timer out, readings back.

``turn`` does what is due; ``start`` runs it once a second. Silence is the fail-safe everywhere:
whatever goes wrong, nothing more is written, and the device falls back by its own timer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from gateway.steer.budget import WriteBudgetSpentError
from gateway.steer.control import RAMPING, Controller, Decision, Limits, Mode
from gateway.steer.control_loop import ControlLoop
from gateway.steer.hold import ForeignWriteError, Hold
from gateway.steer.inherited import Inherited
from gateway.steer.journal import JournalWriteError, SteerJournal
from gateway.steer.news import LONGEST_REASON, News
from gateway.steer.response_check import ResponseCheck
from gateway.steer.rhythm import Rhythm as Rhythm  # noqa: PLC0414 - a word of this file too
from gateway.steer.sane_time import SYNCHRONISED
from gateway.steer.sight import Sight
from gateway.steer.steering import (
    NoRevertTimerError,
    SetpointNotHeldError,
    SteeredUnit,
    UnsayableSetpointError,
)
from gateway.steer.team import Team
from gateway.steer.way import Way, sunspec_way
from hardware.registers import RegistersRefusedError
from kwartier.clock import Clock
from kwartier.errors import KwartierError, TemporaryError
from kwartier.events import Event
from kwartier.identity import DeviceId
from kwartier.reading import ClockSource, Reading, Schedule
from kwartier.schedule import Outcome, Response
from kwartier.units import Watt

_log = logging.getLogger(__name__)


class SteeredBattery:
    """Steers one battery; safe to call from several threads."""

    def __init__(
        self,
        unit: SteeredUnit,
        device: DeviceId,
        limits: Limits,
        clock: Clock,
        journal: Path,
        *,
        take: Callable[[Reading], None],
        tell: Callable[[Response], None],
        rhythm: Rhythm | None = None,
        way: Way | None = None,
        synchronised: Path = SYNCHRONISED,
        event: Callable[[Event], None] | None = None,
        team: Team | None = None,
    ) -> None:
        """Describe the battery; nothing is read or written before ``start`` or ``turn``.

        Args:
            unit: Its registers.
            device: Its name on this gateway.
            limits: What it and its connection can bear; the device's own ratings narrow them.
            clock: The gateway's clock.
            journal: The file that remembers what was commanded and written.
            take: Takes its readings.
            tell: Takes news of what was done with commands.
            rhythm: How often what is done.
            way: How it is looked at and steered; by SunSpec where none is given.
            synchronised: A file that is there while the machine's time is known to be right.
            event: Takes word of what somebody should look after; None where nobody hears it.
            team: Follows its meter with the others behind it; None where it is alone there.
        """
        self._device = device
        self._clock = clock
        self._take = take
        self._rhythm = rhythm or Rhythm()
        self._way = way or sunspec_way(unit, device, clock)
        self._journal = SteerJournal(journal)
        self._control = Controller(
            limits,
            newest_command=self._journal.command,
            wish_step_s=self._way.wish_step_s,
            team=team,
            name=device,
        )
        self._news = News(device, clock, tell, event, lambda: self._control.newest_command)
        self._plan = Inherited(
            self._journal,
            self._control,
            clock,
            resume_s=self._rhythm.resume_s,
            synchronised=synchronised,
        )
        self._hold = Hold(
            self._way.steering,
            self._journal,
            revert_s=self._rhythm.revert_s,
            refresh_s=self._rhythm.refresh_s,
        )
        rated_w = max(limits.charge_max_w, limits.discharge_max_w)
        self._check = ResponseCheck(rated_w, self._rhythm.follow_s)
        self._sight = Sight(self._way.poll, self._rhythm.poll_s)
        self._lock = threading.RLock()
        self._last_hold_s = clock.monotonic_s()
        self._paused_until_s = 0.0
        self._fresh = True
        self._unfit = False
        self._foreign = False
        self._mode = Mode.NEUTRAL
        self._loop = ControlLoop(f"battery {device}", self.turn)

    @property
    def mode(self) -> Mode:
        """Why it does what it does now."""
        return self._mode

    def count_turns(self) -> int:
        """Return how many turns came to their end, for whoever watches that the loop goes on."""
        return self._loop.count_turns()

    def start(self) -> None:
        """Take a turn every second on a thread of its own, neutral first."""
        self._loop.start()

    def stop(self) -> None:
        """Release what we wrote, and stop."""
        self._loop.stop()
        with self._lock:
            now_s = self._clock.monotonic_s()
            self._guarded(lambda: self._let_go("the gateway stops", now_s), now_s)

    def accept(self, schedule: Schedule) -> Response:
        """Put a schedule in force, or refuse it; the answer says which and why."""
        with self._lock:
            now_s = self._clock.now_s()
            refusal = self._control.refusal(schedule, now_s) or self._plan.refusal()
            if refusal is None:
                refusal = self._remembered(schedule)
            if refusal is None:
                self._control.accept(schedule, now_s, self._clock.monotonic_s())
        outcome = Outcome.ACCEPTED if refusal is None else Outcome.REFUSED
        told = refusal or f"plan {schedule.plan}"
        return self._news.response(outcome, told, schedule.command)

    def see_grid(self, reading: Reading) -> None:
        """Note what the connection's own meter says; never waits for the battery."""
        heard = self._sight.meter.hear(reading, self._clock.monotonic_s())
        if heard and reading.clock is ClockSource.METER:
            self._plan.time.meter_said(reading.at_s)

    def turn(self) -> None:
        """Do what is due now: look, decide, write or release."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            if self._guarded(lambda: self._step(now_s), now_s):
                self._news.found()

    def _step(self, now_s: float) -> None:
        if self._fresh:
            self._let_go("a set-point was left from before the start", now_s)
            self._fresh = False
        self._plan.go_on()
        if self._look(now_s):
            self._judge(now_s)
        steers = not self._unfit and now_s >= self._paused_until_s
        decision = self._control.decide(self._sight.seen(now_s), now_s, steers=steers)
        if steers or decision.power_w is None:
            self._act(decision, now_s)

    def _guarded(self, work: Callable[[], None], now_s: float) -> bool:
        """Do something with the battery; False when it went wrong, which was then told."""
        try:
            work()
        except JournalWriteError as error:
            self._fail(now_s, error)
        except TemporaryError as error:
            self._silent()
            self._news.lost(str(error))
        except RegistersRefusedError as error:
            self._fail(now_s, error, f"the battery refused: {error}")
        except (SetpointNotHeldError, UnsayableSetpointError, WriteBudgetSpentError) as error:
            self._fail(now_s, error)
        except ForeignWriteError as error:
            self._foreign = True
            self._hold.disown()
            self._fail(now_s, error)
        except NoRevertTimerError as error:
            self._unfit = True
            self._hold.disown()
            self._fail(now_s, error, f"{error}; it is not steered")
        else:
            return True
        return False

    def _remembered(self, schedule: Schedule) -> str | None:
        """Note a command on disk, or return why it cannot be obeyed."""
        try:
            self._plan.accepted(schedule)
        except JournalWriteError as error:
            return str(error)[:LONGEST_REASON]
        return None

    def _look(self, now_s: float) -> bool:
        reading = self._sight.look(now_s)
        if reading is None:
            return False
        self._take(reading)
        self._see_others(reading.values.get("setpoint_w"), now_s)
        return True

    def _see_others(self, setpoint_w: Watt | None, now_s: float) -> None:
        """Tell once when somebody else steers the battery while we do not."""
        if self._journal.holding:
            self._foreign = self._foreign and setpoint_w is not None
            return
        other_w = self._hold.other_w(now_s) if setpoint_w is None else setpoint_w
        if other_w is not None and not self._foreign:
            why = f"foreign write: the battery holds {other_w} W and we wrote nothing"
            self._fail(now_s, why, f"{why}: find the other program on its network")
        self._foreign = other_w is not None

    def _judge(self, now_s: float) -> None:
        """Compare what the battery holds and does with what it was told."""
        self._hold.check()
        held_w, does_w = self._hold.held_w, self._sight.battery_w
        if held_w is None:
            self._check.rest()
        elif self._check.strays(held_w, does_w, self._sight.soc_permille, now_s):
            self._check.rest()
            self._hold.release()
            does = f"does {does_w} W for {self._rhythm.follow_s:g} s"
            why = f"steering failed: told {held_w} W, it {does}: is it switched on?"
            self._fail(now_s, "does not follow", why)

    def _act(self, decision: Decision, now_s: float) -> None:
        if decision.power_w is None:
            self._let_go(self._plan.refusal() or decision.because, now_s)
            return
        applied = self._hold.put(decision.power_w, now_s)
        if applied is None:
            return
        self._last_hold_s = now_s
        self._check.told(applied.power_w, now_s)
        self._mode = decision.mode
        self._news.applied(applied.power_w, decision.because, moves=decision.because == RAMPING)

    def _let_go(self, because: str, now_s: float) -> None:
        """Release the battery if the set-point in it is ours; tried again until its own timer."""
        self._mode = Mode.NEUTRAL
        self._check.rest()
        if not self._journal.holding:
            return
        try:
            self._hold.release()
        except _LET_GO_ERRORS as error:
            its_timer_ran = now_s >= self._last_hold_s + self._rhythm.revert_s
            # One that is away is let go when it is back: registers may outlive its timer.
            waits = isinstance(error, TemporaryError) or not its_timer_ran
            if waits and not self._loop.is_stopping:
                raise
            _log.warning("battery %s: not released, its own timer will: %s", self._device, error)
            self._hold.forget()
            if not waits:
                self._hold.disown()
        self._news.neutral(because)

    def _fail(self, now_s: float, error: KwartierError | str, why: str | None = None) -> None:
        """Let go what is ours, and write nothing more for a while."""
        self._silent()
        self._paused_until_s = now_s + self._rhythm.pause_s
        kind = error if isinstance(error, str) else type(error).__name__
        self._news.failed(kind, why or str(error), self._paused_until_s)
        try:
            if self._journal.holding:
                self._hold.release()
        except KwartierError as second:
            _log.warning("battery %s: its own timer ends it: %s", self._device, second)

    def _silent(self) -> None:
        self._hold.forget()
        self._check.rest()
        self._control.nothing_told()
        self._news.unknown()
        self._mode = Mode.NEUTRAL


_LET_GO_ERRORS = (
    TemporaryError,
    RegistersRefusedError,
    SetpointNotHeldError,
    WriteBudgetSpentError,
)
