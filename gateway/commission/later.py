"""What was left for later goes on by itself, while the gateway reads as always.

The signs are judged when the sun shines, from the readings that pass by; the live test when the
link comes, or was away; the handover is sent, and sent anew when a step was finished. All that is
known is on disk, so that a power cut loses an hour of sun at most.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from gateway.agent import Agent
from gateway.commission import live_step
from gateway.commission.book import BOOK, STEPS, Book, Mark, Outcome, Step
from gateway.commission.device_settings import is_steerable
from gateway.commission.handing import hand_over, keep_passed
from gateway.commission.link_watch import LinkSeen, LinkWatch
from gateway.commission.passing_signs import PassingSigns
from gateway.commission.signs import Sign, Slope
from gateway.commission.signs_step import slope_facts
from gateway.enrol.identity import Identity
from gateway.enrol.office import send_handover
from gateway.enrol.server import Server, ServerRefusedError
from gateway.settings import GatewaySettings
from kwartier.bus import Bus
from kwartier.clock import Clock
from kwartier.errors import KwartierError
from kwartier.events import Event, EventKind
from kwartier.identity import DeviceId
from kwartier.packing import Json
from kwartier.reading import Reading

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
JUDGE_EVERY_S = 60.0
_FIRST_SEND_S, _LONGEST_SEND_S = 10.0, 3600.0
_PATIENCE_S = 30.0


class Later:
    """Goes on with what bringing a home on the air left open."""

    def __init__(
        self, folder: Path, identity: Identity, meter: DeviceId, server: Server | None, clock: Clock
    ) -> None:
        """Read what was left; nothing moves before ``start``.

        Args:
            folder: Where the wizard kept what it found.
            identity: Whose key signs the handover.
            meter: The meter at the grid connection.
            server: Who gets the handover; None where nobody is known.
            clock: The gateway's clock.
        """
        self._clock, self._identity, self._server = clock, identity, server
        self._book = Book(folder / BOOK, clock.now_s())
        self._watched = tuple(one for one in self._book.devices if one.series)
        self._signs = PassingSigns(meter, self._watched, clock)
        live = _facts(self._book.outcome(Step.LIVE))
        self._link = LinkWatch(clock, _link_of(live))
        batteries = live.get("batteries")
        self._trials = live_step.Trials(clock, batteries if isinstance(batteries, dict) else {})
        self._agent: Agent | None = None
        self._judged_s = clock.monotonic_s()
        self._send_s, self._send_wait_s = 0.0, _FIRST_SEND_S
        self._sent = False
        self._stop = threading.Event()
        self._anew = threading.Event()
        self._thread = threading.Thread(target=self._run, name="later", daemon=True)

    @property
    def has_work(self) -> bool:
        """Return whether this home was handed over, and something is still open."""
        handed = self._book.outcome(Step.HANDOVER) is not None
        return handed and (not self._sent or self._open(Step.SIGNS) or self._open(Step.LIVE))

    def attach(self, agent: Agent, bus: Bus) -> None:
        """Listen to what passes by; before the link begins."""
        self._agent = agent
        agent.show(self._see)
        bus.watch_link(self._link.linked)

    def start(self) -> None:
        """Go on, on a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End; return once it has."""
        self._stop.set()
        self._thread.join(_PATIENCE_S)

    def wants_anew(self) -> bool:
        """Return whether the gateway is to begin anew: what may be steered has changed."""
        return self._anew.is_set()

    def tick(self) -> None:
        """Do what can be done now.

        Raises:
            KwartierError: The disk or the server refuses; it is tried again.
        """
        finished = [self._enrolled(), self._live(), self._judge()]
        if any(finished) or self._stale():
            hand_over(self._book, self._identity, self._clock)
            self._sent, self._send_s, self._send_wait_s = False, 0.0, _FIRST_SEND_S
        if keep_passed(self._book, self._identity, self._clock):
            self._anew.set()
        self._send()

    def _run(self) -> None:
        while self.has_work:
            try:
                self.tick()
            except KwartierError as error:
                _log.warning("what was left for later waits: %s", error)
            if self._stop.wait(LOOK_EVERY_S):
                return

    def _see(self, reading: Reading) -> None:
        self._link.took()
        if self._open(Step.SIGNS):
            self._signs.see(reading)

    def _open(self, step: Step) -> bool:
        done = self._book.outcome(step)
        return done is not None and done.mark is Mark.LATER

    def _enrolled(self) -> bool:
        """Close the first step: who runs here was let in."""
        if not self._open(Step.ENROL) or self._identity.enrolled() is None:
            return False
        self._put(Step.ENROL, Mark.GOOD, {"state": "approved"})
        return True

    def _live(self) -> bool:
        """Look at the link, and keep what was new; return whether the live test passed now."""
        agent = self._agent
        if agent is None or not self._open(Step.LIVE):
            return False
        if self._link.wants_blocks():
            agent.write_all()
            return False
        seen = self._link.look(agent.unacknowledged)
        told = live_step.facts(seen, self._trials)
        batteries = [one for one in self._book.devices if is_steerable(one) and not one.turned]
        if live_step.passed(seen, self._trials, batteries):
            self._put(Step.LIVE, Mark.GOOD, told)
            return True
        if told != _facts(self._book.outcome(Step.LIVE)):
            self._put(Step.LIVE, Mark.LATER, told)
        return False

    def _judge(self) -> bool:
        """Judge the signs now and then; return whether something was found."""
        now_s = self._clock.monotonic_s()
        if not self._open(Step.SIGNS) or now_s < self._judged_s + JUDGE_EVERY_S:
            return False
        self._judged_s = now_s
        slopes = self._signs.slopes()
        told = {**_facts(self._book.outcome(Step.SIGNS)), **slope_facts(self._watched, slopes)}
        if all(one.sign is Sign.GOOD for one in slopes):
            self._put(Step.SIGNS, Mark.GOOD, told)
            _log.info("plus and minus agree: judged from what passed by")
            return True
        reversed_now = self._reversed(slopes)
        if reversed_now:
            # Nothing is turned by itself: somebody has to look at it.
            self._put(Step.SIGNS, Mark.LATER, told)
        return reversed_now

    def _reversed(self, slopes: list[Slope]) -> bool:
        """Tell of devices whose signs are found reversed, each once."""
        found = False
        known = _facts(self._book.outcome(Step.SIGNS))
        for device, slope in zip(self._watched, slopes, strict=True):
            before = known.get(device.name)
            told = isinstance(before, dict) and before.get("sign") == Sign.TURNED.value
            if slope.sign is not Sign.TURNED or told:
                continue
            found = True
            words = "plus and minus of this device are the wrong way round: open the wizard again"
            _log.warning("%s: %s", device.name, words)
            if self._agent is not None:
                at_s = int(self._clock.now_s())
                event = Event(EventKind.SIGN_REVERSED, device.name, at_s, words)
                self._agent.tell_event(event)
        return found

    def _stale(self) -> bool:
        """Return whether a step was finished after the handover: the power went in between."""
        made = self._book.outcome(Step.HANDOVER)
        done = [self._book.outcome(step) for step in STEPS[:-1]]
        return made is not None and any(
            one is not None and one.mark is Mark.GOOD and one.at_s > made.at_s for one in done
        )

    def _put(self, step: Step, mark: Mark, facts: dict[str, Json]) -> None:
        self._book.put(step, Outcome(mark, int(self._clock.now_s()), facts))

    def _send(self) -> None:
        """Send the handover that waits, ever more seldom while the server does not take it."""
        now_s = self._clock.monotonic_s()
        if self._sent or now_s < self._send_s:
            return
        self._send_s = now_s + self._send_wait_s
        self._send_wait_s = min(2 * self._send_wait_s, _LONGEST_SEND_S)
        if self._server is None:
            self._sent = True
            return
        try:
            self._sent = send_handover(self._server, self._identity)
        except ServerRefusedError:
            self._send_s = now_s + _LONGEST_SEND_S


def later_of(settings: GatewaySettings, clock: Clock) -> Later | None:
    """Return what is to go on in a home that the wizard handed over; None where nothing is."""
    file = settings.commissioned_file
    if file is None or not (file.parent / BOOK).exists():
        return None
    identity, meters = settings.identity, settings.p1
    folder = file.parent if identity is None else identity.folder
    try:
        later = Later(
            file.parent,
            Identity(folder),
            meters[0].device if meters else "",
            None if identity is None else identity.server,
            clock,
        )
    except KwartierError as error:
        _log.warning("nothing goes on of what was left for later: %s", error)
        return None
    return later if later.has_work else None


def _facts(outcome: Outcome | None) -> dict[str, Json]:
    return {} if outcome is None else outcome.facts


def _link_of(facts: dict[str, Json]) -> LinkSeen:
    after, outage = facts.get("acknowledged_after_s"), facts.get("outage_s")
    return LinkSeen(
        acknowledged_after_s=float(after) if isinstance(after, int | float) else None,
        outage_s=float(outage) if isinstance(outage, int | float) else None,
    )
