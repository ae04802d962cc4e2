"""One battery, steered: schedules in, set-points with a revert timer out, readings back.

``turn`` does what is due; ``start`` runs it once a second. Silence is the fail-safe everywhere:
whatever goes wrong, nothing more is written, and the device falls back by its own timer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.steer.budget import WriteBudgetSpentError
from gateway.steer.control import Controller, Decision, Limits, Mode, Seen
from gateway.steer.hold import ForeignWriteError, Hold
from gateway.steer.inherited import Inherited
from gateway.steer.journal import JournalWriteError, SteerJournal
from gateway.steer.meter_view import MeterView
from gateway.steer.response_check import FOLLOW_WITHIN_S, ResponseCheck
from gateway.steer.sane_time import SYNCHRONISED
from gateway.steer.steering import NoRevertTimerError, SetpointNotHeldError, SteeredUnit
from gateway.steer.way import Way, sunspec_way
from hardware.registers import RegistersRefusedError
from kwartier.clock import Clock
from kwartier.errors import TemporaryError
from kwartier.identity import DeviceId
from kwartier.reading import ClockSource, Reading, Schedule
from kwartier.units import Watt
from kwartier.wire import Outcome, Response

_log = logging.getLogger(__name__)

_TURN_S = 1.0
_LONGEST_REASON = 180


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often what is done.

    Attributes:
        poll_s: Between two looks at the battery [s].
        revert_s: When the device falls back by itself [s].
        refresh_s: Between two writes of the same set-point [s]; two may be lost.
        pause_s: After a set-point that was not held, nothing is written for so long [s].
        follow_s: The battery has so long to move towards a set-point that stays [s].
        resume_s: After a start it stays neutral for so long before an earlier plan goes on [s].
    """

    poll_s: float = 5.0
    revert_s: int = 90
    refresh_s: float = 30.0
    pause_s: float = 60.0
    follow_s: float = FOLLOW_WITHIN_S
    resume_s: float = 60.0


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
        """
        self._device = device
        self._clock = clock
        self._take, self._tell = take, tell
        self._rhythm = rhythm or Rhythm()
        self._way = way or sunspec_way(unit, device, clock)
        self._journal = SteerJournal(journal)
        self._control = Controller(limits, newest_command=self._journal.command)
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
        self._meter = MeterView()
        self._lock = threading.RLock()
        self._polled_s: float | None = None
        self._soc_permille: int | None = None
        self._battery_w: Watt | None = None
        self._told_w: Watt | None = None
        self._last_hold_s = clock.monotonic_s()
        self._paused_until_s = 0.0
        self._fresh = True
        self._unfit = False
        self._away = False
        self._foreign = False
        self._mode = Mode.NEUTRAL
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._turns = 0

    @property
    def mode(self) -> Mode:
        """Why it does what it does now."""
        return self._mode

    def count_turns(self) -> int:
        """Return how many turns came to their end, for whoever watches that the loop goes on."""
        return self._turns

    def start(self) -> None:
        """Take a turn every second on a thread of its own, neutral first."""
        self._thread = threading.Thread(target=self._run, name=f"battery {self._device}")
        self._thread.daemon = True
        self._thread.start()

    def stop(self) -> None:
        """Release what we wrote, and stop."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
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
        return self._response(outcome, refusal or f"plan {schedule.plan}", schedule.command)

    def see_grid(self, reading: Reading) -> None:
        """Note what the connection's own meter says; positive takes from the grid."""
        with self._lock:
            heard = self._meter.hear(reading, self._clock.monotonic_s())
            if heard and reading.clock is ClockSource.METER:
                self._plan.time.meter_said(reading.at_s)

    def turn(self) -> None:
        """Do what is due now: look, decide, write or release."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            if self._guarded(lambda: self._step(now_s), now_s):
                self._found()
            self._turns += 1

    def _step(self, now_s: float) -> None:
        if self._fresh:
            self._let_go("a set-point was left from before the start", now_s)
            self._fresh = False
        self._plan.go_on()
        if self._look(now_s):
            self._judge(now_s)
        self._act(self._control.decide(self._seen_at(now_s), now_s), now_s)

    def _guarded(self, work: Callable[[], None], now_s: float) -> bool:
        """Do something with the battery; False when it went wrong, which was then told."""
        try:
            work()
        except JournalWriteError as error:
            self._fail(now_s, str(error))
        except TemporaryError as error:
            self._lost(str(error))
        except RegistersRefusedError as error:
            self._fail(now_s, f"the battery refused: {error}")
        except (SetpointNotHeldError, WriteBudgetSpentError) as error:
            self._fail(now_s, str(error))
        except ForeignWriteError as error:
            self._foreign = True
            self._hold.disown()
            self._fail(now_s, str(error))
        except NoRevertTimerError as error:
            self._unfit = True
            self._hold.disown()
            self._fail(now_s, f"{error}; it is not steered")
        else:
            return True
        return False

    def _remembered(self, schedule: Schedule) -> str | None:
        """Note a command on disk, or return why it cannot be obeyed."""
        try:
            self._plan.accepted(schedule)
        except JournalWriteError as error:
            return str(error)[:_LONGEST_REASON]
        return None

    def _look(self, now_s: float) -> bool:
        if self._polled_s is not None and now_s < self._polled_s + self._rhythm.poll_s:
            return False
        reading = self._way.poll.read()
        self._polled_s = now_s
        self._soc_permille = reading.values.get("soc_permille")
        self._battery_w = reading.values.get("battery_w")
        self._meter.look()
        self._take(reading)
        self._see_others(reading.values.get("setpoint_w"), now_s)
        return True

    def _see_others(self, setpoint_w: Watt | None, now_s: float) -> None:
        """Tell once when somebody else steers the battery while we do not."""
        if setpoint_w is None:
            self._foreign = False
        elif not self._journal.holding and not self._foreign:
            self._foreign = True
            why = f"foreign write: the battery holds {setpoint_w} W and we wrote nothing"
            self._fail(now_s, f"{why}: find the other program on its network")

    def _judge(self, now_s: float) -> None:
        """Compare what the battery holds and does with what it was told."""
        self._hold.check()
        held_w = self._hold.held_w
        if held_w is None:
            self._check.rest()
        elif self._check.strays(held_w, self._battery_w, self._soc_permille, now_s):
            self._check.rest()
            self._hold.release()
            does = f"does {self._battery_w} W for {self._rhythm.follow_s:g} s"
            self._fail(now_s, f"steering failed: told {held_w} W, it {does}: is it switched on?")

    def _seen_at(self, now_s: float) -> Seen:
        """Return what was last seen; a battery that was silent too long is unknown."""
        fresh = self._polled_s is not None and now_s < self._polled_s + 3 * self._rhythm.poll_s
        soc_permille, battery_w = (self._soc_permille, self._battery_w) if fresh else (None, None)
        return self._meter.seen(soc_permille, battery_w, now_s)

    def _act(self, decision: Decision, now_s: float) -> None:
        if decision.power_w is None:
            self._let_go(self._plan.refusal() or decision.because, now_s)
            return
        if self._unfit or now_s < self._paused_until_s:
            self._control.nothing_told()
            return
        applied = self._hold.put(decision.power_w, now_s)
        if applied is None:
            return
        self._last_hold_s = now_s
        self._mode = decision.mode
        if applied.power_w != self._told_w:
            self._told_w = applied.power_w
            self._tell(self._response(Outcome.APPLIED, decision.because, None, applied.power_w))

    def _let_go(self, because: str, now_s: float) -> None:
        """Release the battery if the set-point in it is ours; tried again until its own timer."""
        self._mode = Mode.NEUTRAL
        self._check.rest()
        if not self._journal.holding:
            return
        try:
            self._hold.release()
        except (TemporaryError, RegistersRefusedError, SetpointNotHeldError) as error:
            its_timer_ran = now_s >= self._last_hold_s + self._rhythm.revert_s
            if not self._stopping.is_set() and not its_timer_ran:
                raise
            _log.warning("battery %s: not released, its own timer will: %s", self._device, error)
            self._hold.forget()
            if its_timer_ran:
                self._hold.disown()
        self._told_w = None
        self._tell(self._response(Outcome.NEUTRAL, because, None))

    def _fail(self, now_s: float, why: str) -> None:
        """Write nothing more for a while; the device's own timer makes it neutral."""
        self._silent()
        self._paused_until_s = now_s + self._rhythm.pause_s
        _log.error("battery %s: %s", self._device, why)
        self._tell(self._response(Outcome.FAILED, why[:_LONGEST_REASON], None))

    def _lost(self, why: str) -> None:
        self._silent()
        if not self._away:
            _log.warning("battery %s is away: %s", self._device, why)
        self._away = True

    def _silent(self) -> None:
        self._hold.forget()
        self._check.rest()
        self._control.nothing_told()
        self._told_w = None
        self._mode = Mode.NEUTRAL

    def _found(self) -> None:
        if self._away:
            _log.warning("battery %s is back", self._device)
        self._away = False

    def _response(
        self, outcome: Outcome, why: str, command: int | None, power_w: Watt | None = None
    ) -> Response:
        number = self._control.newest_command if command is None else command
        return Response(self._device, number, outcome, why, int(self._clock.now_s()), power_w)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.turn()
            self._stopping.wait(_TURN_S)
