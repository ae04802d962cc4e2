"""Step 1: the board lets this gateway in; without internet it comes later by itself."""

from __future__ import annotations

from pathlib import Path

from gateway.commission.book import Step
from gateway.commission.view import Act, Line, Tone, View
from gateway.enrol.claim import Claim, State
from gateway.enrol.identity import Identity
from gateway.enrol.server import Server
from kwartier.clock import Clock
from kwartier.errors import InputError

_FIRST_WAIT_S, _LONGEST_WAIT_S = 10.0, 60.0
"""How long until it asks again; half as long again each time [s]."""
_CODE = Act("begin", "act.enrol", fields=("code",), second=False)
_LATER = Act("later", "act.later")


class Enrolment:
    """How it stands with being let in."""

    def __init__(
        self, identity: Identity, server: Server | None, clock: Clock, ca_file: Path | None
    ) -> None:
        """Go on with a claim that was begun before a restart."""
        self.identity = identity
        self.server = server
        self.typed_wrong = False
        self._clock = clock
        self._claim = Claim.resumed(identity, ca_file)
        self._state: State | None = None
        if self._claim is not None:
            self._state = State.UNREACHABLE if self._claim.code else State.WAITING
        self._looked_s, self._wait_s = 0.0, 0.0

    @property
    def enrolled(self) -> bool:
        """Return whether the server let it in."""
        return self.identity.enrolled() is not None

    @property
    def state(self) -> State:
        """Return how it stands; unreachable when nothing was asked yet."""
        if self.enrolled:
            return State.APPROVED
        return State.UNREACHABLE if self._state is None else self._state

    @property
    def begun(self) -> bool:
        """Return whether a code was shown."""
        return self._state is not None

    def begin(self, code: str) -> None:
        """Show a code to the server."""
        if self.server is None:
            return
        self._claim = Claim(self.server, code.strip(), self.identity)
        self._looked_s, self._wait_s = self._clock.monotonic_s(), _FIRST_WAIT_S
        try:
            self._state = self._claim.begin()
            self.typed_wrong = False
        except InputError:
            self._claim, self._state, self.typed_wrong = None, None, True

    def look(self) -> None:
        """Ask how it stands, ever more seldom."""
        now_s = self._clock.monotonic_s()
        if self._claim is None or self.enrolled or now_s < self._looked_s + self._wait_s:
            return
        self._looked_s = now_s
        self._wait_s = min(max(1.5 * self._wait_s, _FIRST_WAIT_S), _LONGEST_WAIT_S)
        if self._state is State.UNREACHABLE:
            # Perhaps the code itself never arrived: then it is shown again.
            self._state = self._claim.begin() if self._claim.code else self._claim.look()
        elif self._state is State.WAITING:
            self._state = self._claim.look()


def view(enrolment: Enrolment) -> View:
    """Return how it stands."""
    lines = (Line("enrol.fingerprint", {"mark": enrolment.identity.fingerprint}),)
    if enrolment.enrolled:
        found = enrolment.identity.enrolled()
        assert found is not None
        facts = {"gateway": found.gateway, "address": found.address or found.home}
        go_on = Act("next", "act.next", second=False)
        return View(Step.ENROL, "enrol.approved", facts, Tone.GOOD, lines, (go_on,))
    if enrolment.server is None:
        on = Act("later", "act.later", second=False)
        return View(Step.ENROL, "enrol.no-server", {}, Tone.WAIT, lines, (on,))
    if enrolment.typed_wrong:
        return View(Step.ENROL, "enrol.typed-wrong", {}, Tone.STOP, lines, (_CODE, _LATER))
    if not enrolment.begun:
        return View(Step.ENROL, "enrol.begin", {}, Tone.STOP, lines, (_CODE, _LATER))
    key = f"enrol.{enrolment.state.value}"
    if enrolment.state is State.WAITING:
        return View(Step.ENROL, key, {}, Tone.WAIT, lines, (_LATER,), moving=True)
    tone = Tone.WAIT if enrolment.state is State.UNREACHABLE else Tone.STOP
    return View(Step.ENROL, key, {}, tone, lines, (_CODE, _LATER), moving=True)
