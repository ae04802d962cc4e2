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

from gateway.modbus.poll import Role, SunSpecPoll
from gateway.steer.control import Controller, Decision, Limits, Mode, Seen
from gateway.steer.journal import JournalWriteError, SteerJournal
from gateway.steer.steering import (
    NoRevertTimerError,
    Ratings,
    SetpointNotHeldError,
    SteeredUnit,
    Steering,
    find_steering,
)
from hardware.registers import RegistersRefusedError
from kwartier.clock import Clock
from kwartier.errors import TemporaryError
from kwartier.identity import DeviceId
from kwartier.reading import Reading, Schedule
from kwartier.units import Watt
from kwartier.wire import Outcome, Response

_log = logging.getLogger(__name__)

_TURN_S = 1.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often what is done.

    Attributes:
        poll_s: Between two looks at the battery [s].
        revert_s: When the device falls back by itself [s].
        refresh_s: Between two writes of the same set-point [s]; two may be lost.
        pause_s: After a set-point that was not held, nothing is written for so long [s].
    """

    poll_s: float = 5.0
    revert_s: int = 90
    refresh_s: float = 30.0
    pause_s: float = 60.0


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
        """
        self._unit = unit
        self._device = device
        self._clock = clock
        self._take, self._tell = take, tell
        self._rhythm = rhythm or Rhythm()
        self._journal = SteerJournal(journal)
        self._control = Controller(limits, newest_command=self._journal.command)
        self._poll = SunSpecPoll(unit, device, Role.BATTERY, clock)
        self._steering: Steering | None = None
        self._ratings: Ratings | None = None
        self._lock = threading.RLock()
        self._polled_s: float | None = None
        self._written: tuple[float, Watt] | None = None
        self._paused_until_s = 0.0
        self._fresh = True
        self._unfit = False
        self._away = False
        self._seen = Seen()
        self._grid: tuple[float, Watt] | None = None
        self._grid_at_look: tuple[float, Watt] | None = None
        self._mode = Mode.NEUTRAL
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def mode(self) -> Mode:
        """Why it does what it does now."""
        return self._mode

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
            self._let_go("the gateway stops")

    def accept(self, schedule: Schedule) -> Response:
        """Put a schedule in force, or refuse it; the answer says which and why."""
        with self._lock:
            now_s = self._clock.now_s()
            refusal = self._control.refusal(schedule, now_s)
            if refusal is None:
                refusal = self._remembered(schedule.command)
            if refusal is None:
                self._control.accept(schedule, now_s, self._clock.monotonic_s())
        outcome = Outcome.ACCEPTED if refusal is None else Outcome.REFUSED
        return self._response(outcome, refusal or f"plan {schedule.plan}", schedule.command)

    def see_grid(self, reading: Reading) -> None:
        """Note what the connection's own meter says; positive takes from the grid."""
        taken, given = reading.values.get("import_w"), reading.values.get("export_w")
        if taken is not None and given is not None:
            with self._lock:
                self._grid = self._clock.monotonic_s(), taken - given

    def turn(self) -> None:
        """Do what is due now: look, decide, write or release."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            try:
                if self._fresh:
                    self._let_go("a set-point was left from before the start")
                    self._fresh = False
                self._look(now_s)
                self._act(self._control.decide(self._seen_at(now_s), now_s), now_s)
            except JournalWriteError as error:
                self._fail(now_s, str(error))
            except TemporaryError as error:
                self._lost(str(error))
            except RegistersRefusedError as error:
                self._fail(now_s, f"the battery refused: {error}")
            except SetpointNotHeldError as error:
                self._fail(now_s, str(error))
            except NoRevertTimerError as error:
                self._unfit = True
                self._journal.released()
                self._fail(now_s, f"{error}; it is not steered")
            else:
                self._found()

    def _remembered(self, command: int) -> str | None:
        """Note a command on disk, or return why it cannot be obeyed."""
        try:
            self._journal.commanded(command)
        except JournalWriteError as error:
            return str(error)[:180]
        return None

    def _look(self, now_s: float) -> None:
        if self._polled_s is not None and now_s < self._polled_s + self._rhythm.poll_s:
            return
        reading = self._poll.read()
        self._polled_s = now_s
        values = reading.values
        self._seen = Seen(values.get("soc_permille"), values.get("battery_w"))
        # What others take is the difference of two powers, so both must be of one moment.
        self._grid_at_look = self._grid
        self._take(reading)

    def _seen_at(self, now_s: float) -> Seen:
        """Return what was last seen; a battery that was silent too long is unknown."""
        fresh = self._polled_s is not None and now_s < self._polled_s + 3 * self._rhythm.poll_s
        seen = self._seen if fresh else Seen()
        if self._grid_at_look is None:
            return seen
        at_s, grid_w = self._grid_at_look
        return Seen(seen.soc_permille, seen.battery_w, grid_w, now_s - at_s)

    def _act(self, decision: Decision, now_s: float) -> None:
        if decision.power_w is None:
            self._let_go(decision.because)
            return
        if self._unfit or now_s < self._paused_until_s:
            return
        power_w = self._within_ratings(decision.power_w)
        if self._written is not None:
            written_s, written_w = self._written
            if power_w == written_w and now_s < written_s + self._rhythm.refresh_s:
                return
        if not self._journal.holding:
            self._journal.wrote()
        applied = self._steered().setpoint(power_w, self._rhythm.revert_s)
        is_news = self._written is None or self._written[1] != power_w
        self._written = now_s, power_w
        self._mode = decision.mode
        if is_news:
            self._tell(self._response(Outcome.APPLIED, decision.because, None, applied.power_w))

    def _let_go(self, because: str) -> None:
        """Release the battery if the set-point in it is ours."""
        self._mode = Mode.NEUTRAL
        if not self._journal.holding:
            return
        try:
            self._steered().release()
        except (TemporaryError, RegistersRefusedError, SetpointNotHeldError) as error:
            _log.warning("battery %s: not released, its own timer will: %s", self._device, error)
        self._written = None
        self._journal.released()
        self._tell(self._response(Outcome.NEUTRAL, because, None))

    def _steered(self) -> Steering:
        if self._steering is None:
            self._steering = find_steering(self._unit, self._poll.chain)
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

    def _fail(self, now_s: float, why: str) -> None:
        """Write nothing more for a while; the device's own timer makes it neutral."""
        self._written = None
        self._mode = Mode.NEUTRAL
        self._paused_until_s = now_s + self._rhythm.pause_s
        _log.error("battery %s: %s", self._device, why)
        self._tell(self._response(Outcome.FAILED, why[:180], None))

    def _lost(self, why: str) -> None:
        self._written = None
        self._mode = Mode.NEUTRAL
        if not self._away:
            _log.warning("battery %s is away: %s", self._device, why)
        self._away = True

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
