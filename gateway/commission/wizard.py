"""The seven steps: what each shows now, and what a press of a button does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from gateway.commission import (
    consent_step,
    devices_step,
    enrol_step,
    handover_step,
    live_step,
    meter_step,
    signs_step,
)
from gateway.commission.afar import TELL_EVERY_S, Afar
from gateway.commission.bench import Bench
from gateway.commission.book import BOOK, STEPS, Book, Mark, Outcome, Step
from gateway.commission.consent_step import consent_of
from gateway.commission.device_settings import is_steerable
from gateway.commission.devices_step import Search
from gateway.commission.finish import settings_text, write_settings
from gateway.commission.found import Found
from gateway.commission.handing import hand_over, keep_passed
from gateway.commission.link_watch import LinkSeen
from gateway.commission.reach import steering_of
from gateway.commission.refusal import Refusal
from gateway.commission.search import Place, identify
from gateway.commission.uplink import Uplink
from gateway.commission.view import Tone, View
from gateway.enrol.identity import Identity
from gateway.enrol.office import send_handover
from gateway.enrol.server import Server, ServerRefusedError
from kwartier.bus import Bus
from kwartier.clock import Clock
from kwartier.errors import KwartierError
from kwartier.packing import Json
from kwartier.reading import Reading

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
SETTINGS = "gateway.toml"
LEAVE_AFTER_S = 600.0
"""Once all is handed over it ends by itself when nobody presses anything for so long [s]."""
_LAST_PAGE_S = 5.0
"""The last page is shown before it ends [s]."""
_SEND_EVERY_S = 60.0


class Wizard:
    """Brings one home on the air."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        bench: Callable[[Callable[[Reading], None]], Bench],
        places: Callable[[], Sequence[Place]],
        server_url: str = "",
        ca_file: Path | None = None,
        lines: Callable[[str], Sequence[str]] = lambda _meter: (),
    ) -> None:
        """Open the folder; nothing is measured before ``start``.

        Args:
            folder: Of the gateway: identity, outbox and ``gateway.toml`` stand there.
            clock: The gateway's clock.
            bench: Makes the bench, which hands each reading on.
            places: Finds where devices may be.
            server_url: Where to enrol; empty when it is not known.
            ca_file: Who vouches for the server; None for the machine's own list.
            lines: Finds serial lines with devices beside the meter's cable; that is empty while
                no telegram came.

        Raises:
            SettingsError: The server's address is none.
            IdentityError: The key in the folder cannot be read.
        """
        self.folder, self.clock = folder, clock
        self.identity = Identity(folder)
        self.book = Book(folder / BOOK, clock.now_s())
        self.server = Server(server_url, ca_file) if server_url else None
        self.enrolment = enrol_step.Enrolment(self.identity, self.server, clock, ca_file)
        self.signs = signs_step.Signs(clock)
        live = self.book.outcome(Step.LIVE)
        tried = None if live is None else live.facts.get("batteries")
        self.trials = live_step.Trials(clock, tried if isinstance(tried, dict) else None)
        self.over = threading.Event()
        self.leave_after_s = LEAVE_AFTER_S
        self._ends_s: float | None = None
        self._pressed_s = clock.monotonic_s()
        self.bench = bench(self._take)
        self._places, self._lines = places, lines
        self._uplink: Uplink | None = None
        self._uplink_refused = False
        self.tell_every_s = TELL_EVERY_S
        self._afar: Afar | None = None
        self._search: threading.Thread | None = None
        self._searched = (0, 0)
        self._turn = threading.RLock()
        self._sent_s = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wizard", daemon=True)

    def start(self) -> None:
        """Measure from now on."""
        self.bench.start()
        self.bench.watch(_watched(self.book.devices))
        self._thread.start()

    def stop(self) -> None:
        """Let go of cable, devices and broker."""
        self._stop.set()
        self.trials.stop()
        self._thread.join()
        self.wait_for_search()
        self.bench.stop()
        if self._afar is not None:
            self._afar.stop()
        if self._uplink is not None:
            self._uplink.close()

    def view(self, step: Step) -> View:
        """Return how a step stands now."""
        match step:
            case Step.ENROL:
                return enrol_step.view(self.enrolment)
            case Step.METER:
                return meter_step.view(self.bench, self.clock, self._contract_meter())
            case Step.DEVICES:
                return devices_step.view(self.book.devices, self._searched, self._searching_now())
            case Step.SIGNS:
                return self.signs.view(self.bench, _watched(self.book.devices))
            case Step.LIVE:
                return live_step.view(self._link(), self.trials, self._batteries())
            case Step.CONSENT:
                enrolled = self.identity.enrolled()
                words = "" if enrolled is None else enrolled.owner_words
                done = self.book.outcome(step)
                return consent_step.view(done, words, battery=bool(self._batteries()))
            case Step.HANDOVER:
                return handover_step.view(self.book, self.state)

    def act(self, step: Step, do: str, form: Mapping[str, str]) -> Step:
        """Do what a button says, and return the step to show then.

        Raises:
            Refusal: That cannot be done now.
            KwartierError: The disk or the far side refuses.
        """
        with self._turn:
            self._pressed_s = self.clock.monotonic_s()
            word, _, name = do.partition(":")
            if word == "begin" and step is Step.ENROL:
                self.enrolment.begin(form.get("code", ""))
            elif word == "anew" and step is Step.METER:
                self.bench.count_anew()
            elif word == "search" and step is Step.DEVICES:
                self._begin_search()
            elif word == "turn" and step is Step.SIGNS:
                self._turn_round(name)
            elif word == "kettle" and step is Step.SIGNS:
                self.signs.press()
            elif word == "trial" and step is Step.LIVE:
                self._begin_trial(name)
            elif word == "leave" and step is Step.HANDOVER:
                self._leave()
            elif word in {"next", "later"}:
                return self._go_on(step, form, later=word == "later")
            else:
                raise Refusal("refused.unknown")
            return step

    @property
    def is_over(self) -> bool:
        """Return whether everything is done, and the gateway begins."""
        return self.over.is_set()

    @property
    def state(self) -> handover_step.State:
        """Return whether the gateway can begin."""
        if self._ends_s is not None:
            return handover_step.State.LEAVING
        if self.book.outcome(Step.HANDOVER) is None or not (self.folder / SETTINGS).exists():
            return handover_step.State.WAITING
        return handover_step.State.READY

    def wait_for_search(self) -> None:
        """Wait until the search that was begun is over."""
        if self._search is not None:
            self._search.join()

    def record(self) -> dict[str, Json] | None:
        """Return the handover that was made; None before it was."""
        made = self.book.outcome(Step.HANDOVER)
        record = None if made is None else made.facts.get("record")
        return record if isinstance(record, dict) else None

    def signed(self) -> dict[str, Json] | None:
        """Return the handover as it was signed; None before it was made."""
        made = self.book.outcome(Step.HANDOVER)
        signed = None if made is None else made.facts.get("signed")
        return signed if isinstance(signed, dict) else None

    def tick(self) -> None:
        """Do what goes on by itself: ask the server, judge the signs when the sun shines, send."""
        with self._turn:
            self.enrolment.look()
            self._connect()
            link = self._link()
            changed = False
            for step, passed in (
                (Step.ENROL, self.enrolment.enrolled),
                (Step.SIGNS, self.signs.passed(self.bench, _watched(self.book.devices))),
                (Step.LIVE, live_step.passed(link, self.trials, self._batteries())),
            ):
                done = self.book.outcome(step)
                if done is not None and done.mark is Mark.LATER and passed:
                    self._put(step, Mark.GOOD)
                    changed = True
            self._keep_trials(link)
            if self.book.outcome(Step.HANDOVER) is not None:
                if changed:
                    self._hand_over()
                elif self.state is handover_step.State.WAITING:
                    self._write_settings()
            self._end_when_due()
            if self.clock.monotonic_s() >= self._sent_s + _SEND_EVERY_S:
                self._sent_s = self.clock.monotonic_s()
                self._send()

    def _keep_trials(self, link: LinkSeen | None) -> None:
        """Keep what was seen of the live test that goes on later."""
        done = self.book.outcome(Step.LIVE)
        if done is not None and done.mark is Mark.LATER:
            facts = live_step.facts(link, self.trials)
            if facts != done.facts:
                self._put(Step.LIVE, Mark.LATER)

    def _leave(self) -> None:
        """End soon, so that the gateway can begin; the page that says so is shown first."""
        if self.state is handover_step.State.WAITING:
            raise Refusal("refused.not-yet")
        self._ends_s = self.clock.monotonic_s() + _LAST_PAGE_S

    def _end_when_due(self) -> None:
        now_s = self.clock.monotonic_s()
        left_alone = now_s >= self._pressed_s + self.leave_after_s
        if self.state is handover_step.State.READY and left_alone:
            self._ends_s = now_s
        if self._ends_s is not None and now_s >= self._ends_s:
            self.over.set()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            try:
                self.tick()
            except KwartierError as error:
                _log.warning("the wizard goes on without: %s", error)

    def _take(self, reading: Reading) -> None:
        uplink = self._uplink
        if uplink is not None:
            uplink.take(reading)

    def _connect(self) -> None:
        enrolled = self.identity.enrolled()
        if enrolled is None or self._uplink is not None or self._uplink_refused:
            return
        try:
            self._uplink = Uplink(enrolled, self.identity, self.folder, self.clock, meet=self._meet)
        except KwartierError as error:
            self._uplink_refused = True
            _log.warning("nothing can be sent to the broker: %s", error)

    def _meet(self, bus: Bus) -> None:
        """Let the server see how it stands, and press what may be pressed from afar."""
        enrolled = self.identity.enrolled()
        assert enrolled is not None
        self._afar = Afar(self, bus, enrolled.coop, enrolled.gateway, self.clock, self.tell_every_s)
        self._afar.start()

    def _link(self) -> LinkSeen | None:
        return None if self._uplink is None else self._uplink.look()

    def _contract_meter(self) -> str:
        enrolled = self.identity.enrolled()
        return "" if enrolled is None else enrolled.meter

    def _batteries(self) -> tuple[Found, ...]:
        """Return the batteries that would be steered: these are tried."""
        return tuple(one for one in self.book.devices if is_steerable(one) and not one.turned)

    def _go_on(self, step: Step, form: Mapping[str, str], *, later: bool) -> Step:
        if step is Step.CONSENT:
            self.book.put(step, Outcome(Mark.GOOD, self._now(), consent_of(form)))
            keep_passed(self.book, self.identity, self.clock)
        elif step is Step.HANDOVER:
            missing = [one for one in STEPS[:-1] if self.book.outcome(one) is None]
            if missing:
                raise Refusal("refused.missing")
            self._hand_over()
            return step
        else:
            shown = self.view(step)
            if later and not any(one.do == "later" for one in shown.acts):
                raise Refusal("refused.not-later")
            if not later and shown.tone is not Tone.GOOD:
                raise Refusal("refused.not-yet")
            waits = later and step not in (Step.METER, Step.DEVICES)
            self._put(step, Mark.LATER if waits else Mark.GOOD)
        return STEPS[STEPS.index(step) + 1]

    def _put(self, step: Step, mark: Mark) -> None:
        self.book.put(step, Outcome(mark, self._now(), self._facts(step)))
        keep_passed(self.book, self.identity, self.clock)

    def _facts(self, step: Step) -> dict[str, Json]:
        if step is Step.METER:
            return meter_step.facts(self.bench)
        if step is Step.SIGNS:
            return self.signs.facts(self.bench, _watched(self.book.devices))
        if step is Step.LIVE:
            return live_step.facts(self._link(), self.trials)
        if step is Step.DEVICES:
            return {"found": len(self.book.devices)}
        return {"state": self.enrolment.state.value}

    def _searching_now(self) -> Search:
        if self._search is None:
            return Search.NOT_YET
        return Search.RUNS if self._search.is_alive() else Search.OVER

    def _begin_search(self) -> None:
        if self._search is not None and self._search.is_alive():
            return
        self.bench.watch(())  # many devices take one connection only
        self._searched = (0, 0)
        self._search = threading.Thread(target=self._searching, name="search", daemon=True)
        self._search.start()

    def _searching(self) -> None:
        def tell(done: int, every: int) -> None:
            self._searched = (done, every)

        try:
            lines = self._lines(self.bench.cable if self.bench.meter else "")
            self._keep_found(identify(self._places(), tell, lines))
        except KwartierError as error:
            _log.warning("the search broke off: %s", error)

    def _keep_found(self, found: Sequence[Found]) -> None:
        before = {one.place: one.turned for one in self.book.devices}
        kept = tuple(one.as_turned(turned=before.get(one.place, False)) for one in found)
        self.book.put_devices(kept)
        self.book.drop(Step.SIGNS, Step.LIVE)
        self.bench.watch(_watched(kept))

    def _turn_round(self, name: str) -> None:
        if not any(one.name == name for one in _watched(self.book.devices)):
            raise Refusal("refused.unknown")
        turned = {one.name: one for one in self.bench.turn(name)}
        self.book.put_devices(tuple(turned.get(one.name, one) for one in self.book.devices))

    def _begin_trial(self, name: str) -> None:
        for battery in self._batteries():
            if battery.name == name:
                unit, folder = self.bench.unit(battery), self.folder
                self.trials.begin(name, partial(steering_of, battery, unit, self.clock, folder))
                return
        raise Refusal("refused.unknown")

    def _hand_over(self) -> None:
        hand_over(self.book, self.identity, self.clock)
        self._write_settings()

    def _write_settings(self) -> None:
        """Leave the gateway its settings, once it is known who it is and where its meter is."""
        enrolled = self.identity.enrolled()
        if enrolled is None or not self.bench.cable:
            return
        text = settings_text(
            enrolled,
            self.identity,
            self.bench.cable,
            self.bench.line_name,
            self.book.devices,
            self.server,
        )
        write_settings(self.folder / SETTINGS, text)

    def _send(self) -> None:
        if self.server is None or self.identity.enrolled() is None:
            return
        try:
            send_handover(self.server, self.identity)
        except ServerRefusedError as error:
            _log.warning("the handover is refused: %s", error)

    def _now(self) -> int:
        return int(self.clock.now_s())


def _watched(devices: Sequence[Found]) -> tuple[Found, ...]:
    return tuple(one for one in devices if one.series)
