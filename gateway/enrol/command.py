"""``kwartier gateway enrol``: a gateway asks to be let in, from a terminal."""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from kwartier.errors import InputError, UsageError

if TYPE_CHECKING:
    from gateway.enrol.server import Server

PATIENCE_S = 3_600.0
"""How long it waits for the board, unless told [s]."""


class NotLetInError(InputError):
    """The gateway was not let in."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "--server",
        default="",
        metavar="URL",
        help="such as https://wijk.example; the card's own when it is left out",
    )
    parser.add_argument(
        "--code", default="", metavar="CODE", help="such as 7K2M-9QXF, or a QR's text"
    )
    parser.add_argument("--folder", type=Path, required=True, help="where key and certificate go")
    parser.add_argument("--ca-file", type=Path, help="who vouches for the server, if not the usual")
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE_S,
        metavar="SECONDS",
        help="how long to wait for the board (%(default)s)",
    )


def run(chosen: argparse.Namespace) -> int:
    """Ask, and wait until it is decided; without a code the question of before goes on.

    Raises:
        InputError: What was typed is no code; nothing was made.
        UsageError: There is no code and no question from before, or nobody says where to ask;
            nothing was made.
        SettingsError: The server's address is none; nothing was made.
        NotLetInError: It was refused, ran out, or nobody decided in time.
    """
    from gateway.enrol.claim import Claim, State, wait_for
    from gateway.enrol.identity import Identity
    from gateway.enrol.site import read_site

    site = read_site(chosen.folder)
    server = _asked(chosen, "" if site is None else site.server)
    identity = Identity(chosen.folder)
    _say(f"characters of this box, to compare: {identity.fingerprint}")
    if server is None:
        resumed = Claim.resumed(identity, chosen.ca_file)
        if resumed is None:
            raise _nothing_asked()
        claim, state = resumed, State.WAITING
    else:
        claim = Claim(server, chosen.code, identity)
        state = claim.begin()
    state = wait_for(claim, state, chosen.patience, threading.Event(), _say)
    if state is not State.APPROVED:
        raise NotLetInError(f"not let in ({state}): {claim.why}")
    assert claim.enrolled is not None
    if site is not None and site.gateway != claim.enrolled.gateway:
        _say(f"mind: this card was made for {site.gateway}; is this the right home?")
    sys.stdout.write(f"{claim.enrolled.gateway} is let in; its files are in {chosen.folder}\n")
    return 0


def _asked(chosen: argparse.Namespace, of_card: str) -> Server | None:
    """Return the server that a code is shown to, or None where the question of before goes on.

    Nothing is made on disk yet: what was called wrongly is refused here.
    """
    from gateway.enrol.claim import was_asked
    from gateway.enrol.code import read_code
    from gateway.enrol.server import Server

    if not chosen.code:
        if not was_asked(chosen.folder):
            raise _nothing_asked()
        return None
    read_code(chosen.code)
    address = chosen.server or of_card
    if not address:
        raise UsageError("no card says where to ask: give --server https://…")
    return Server(address, chosen.ca_file)


def _nothing_asked() -> UsageError:
    return UsageError("no question was asked before: give --code")


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
