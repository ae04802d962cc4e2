"""A gateway asks to be let in: it shows a claim code once and waits for the board.

``Claim.begin`` sends the code with a request for a certificate, ``Claim.look`` asks how it
stands. Both may be called as often as one likes: only the gateway that showed the code first is
answered, by a ticket that it drew itself, so that a lost answer or a power cut loses nothing.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from gateway.enrol.code import read_code
from gateway.enrol.identity import Enrolled, Identity, IdentityError, enrolled_of
from gateway.enrol.kept import write_whole
from gateway.enrol.server import Server, ServerDownError, ServerRefusedError
from kwartier.errors import ContractError
from kwartier.packing import Json

CLAIM = "/api/v1/gateways/claim"
"""Where a code is shown."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0
"""How long until it asks again; twice as long each time [s]."""
LOOK = "/api/v1/gateways/claim/look"
"""Where a gateway asks how it stands."""
_FILE = "claim.json"


class State(StrEnum):
    """How it stands with a claim."""

    WAITING = "waiting"
    """The board has to approve it."""
    APPROVED = "approved"
    """The certificate is here."""
    REFUSED = "refused"
    """The code is wrong, was used, or the board refused."""
    EXPIRED = "expired"
    """The code ran out; the board makes a new one."""
    UNREACHABLE = "unreachable"
    """The server cannot be reached now: later by itself."""


@dataclass(slots=True)
class Claim:
    """One way in.

    Attributes:
        server: Where it asks.
        code: What somebody typed, or what a QR held; empty when the ticket goes on.
        identity: Who asks.
        ticket: What proves that it is the one who showed the code.
        why: The last answer in words, for who stands in front of it.
        enrolled: What the server told, once it is approved.
    """

    server: Server
    code: str
    identity: Identity
    ticket: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    why: str = ""
    enrolled: Enrolled | None = None

    def begin(self) -> State:
        """Show the code, and keep on disk that it was shown.

        Raises:
            InputError: What was typed is no code; nothing was sent.
            IdentityWriteError: The disk takes nothing; nothing was sent.
        """
        code = read_code(self.code)
        self._keep(shown=False)
        body: dict[str, Json] = {
            "mark": code.mark,
            "proof": code.proof,
            "ticket": self.ticket,
            "csr": self.identity.csr().decode(),
        }
        state = self._ask(CLAIM, body)
        if state is State.WAITING:
            self._keep(shown=True)
        return state

    def look(self) -> State:
        """Ask how it stands; once it is approved the certificate is kept.

        Raises:
            IdentityWriteError: The disk takes nothing; ask again later.
        """
        return self._ask(LOOK, {"ticket": self.ticket})

    @classmethod
    def resumed(cls, identity: Identity, ca_file: Path | None = None) -> Claim | None:
        """Return the claim that was begun before a restart; None when there is none.

        Raises:
            IdentityError: It cannot be read.
        """
        try:
            told = json.loads(_file(identity).read_bytes())
            server, ticket = told["server"], told["ticket"]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise IdentityError(f"{_file(identity)}: cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError):
            _file(identity).unlink(missing_ok=True)
            return None
        # A code that the server never saw is shown again: its ticket says nothing there.
        return cls(Server(str(server), ca_file), str(told.get("code", "")), identity, str(ticket))

    def forget(self) -> None:
        """Take away what was kept of it: it is over."""
        _file(self.identity).unlink(missing_ok=True)

    def _keep(self, *, shown: bool) -> None:
        told = {"server": self.server.url, "ticket": self.ticket}
        if not shown:
            told["code"] = self.code
        write_whole(_file(self.identity), json.dumps(told).encode(), 0o600)

    def _ask(self, path: str, body: dict[str, Json]) -> State:
        try:
            answer = self.server.post(path, body)
            return self._take(answer)
        except ServerDownError as error:
            self.why = str(error)
            return State.UNREACHABLE
        except ServerRefusedError as error:
            self.why = str(error)
            self.forget()
            return State.REFUSED
        except (ContractError, IdentityError) as error:
            self.why = f"the server's answer cannot be used: {error}"
            return State.UNREACHABLE

    def _take(self, answer: dict[str, Json]) -> State:
        if answer.get("state") == State.WAITING:
            self.why = "waiting for the board to approve this gateway"
            return State.WAITING
        if answer.get("state") in {State.REFUSED, State.EXPIRED}:
            self.forget()
            late = answer["state"] == State.EXPIRED
            self.why = "this code ran out: ask for a new one" if late else "the board said no"
            return State.EXPIRED if late else State.REFUSED
        if answer.get("state") != State.APPROVED:
            raise ContractError("'state' is no word we know")
        told, chain, roots = answer.get("enrolled"), answer.get("chain"), answer.get("roots")
        if not isinstance(told, dict) or not isinstance(chain, str) or not isinstance(roots, str):
            raise ContractError("'enrolled', 'chain' or 'roots' is away")
        enrolled = enrolled_of(told)
        self.identity.install(chain.encode(), roots.encode())
        self.identity.keep_enrolled(enrolled)
        self.enrolled = enrolled
        self.forget()
        self.why = f"this gateway is {enrolled.gateway}"
        return State.APPROVED


def was_asked(folder: Path) -> bool:
    """Return whether a gateway's folder keeps a question that was asked before."""
    return (folder / _FILE).exists()


def _file(identity: Identity) -> Path:
    return identity.folder / _FILE


def wait_for(
    claim: Claim,
    state: State,
    patience_s: float,
    stop: threading.Event,
    tell: Callable[[str], None] = lambda _: None,
) -> State:
    """Ask again and again, ever more seldom, until it is decided; return how it ended.

    Args:
        claim: The claim that was begun.
        state: How it stood then.
        patience_s: How long to wait [s].
        stop: Ends the wait.
        tell: Hears what is awaited, when that changes.

    Raises:
        IdentityWriteError: The disk takes nothing.
    """
    wait_s, left_s, told = FIRST_WAIT_S, patience_s, ""
    while state in {State.WAITING, State.UNREACHABLE} and left_s > 0:
        if claim.why != told:
            told = claim.why
            tell(told)
        wait_s = min(wait_s, left_s)
        if stop.wait(wait_s):
            return state
        left_s -= wait_s
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        # Showing the code again does no harm when the server never heard it the first time.
        state = claim.begin() if state is State.UNREACHABLE and claim.code else claim.look()
    return state
