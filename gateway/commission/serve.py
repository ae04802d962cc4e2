"""``kwartier gateway wizard``: bring a home on the air from a phone in the same network."""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path

from kwartier.errors import InputError, LinkDownError, UsageError
from kwartier.host_port import host_and_port

PORT = 8080


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the word takes."""
    parser.add_argument(
        "--listen", default=f"0.0.0.0:{PORT}", metavar="HOST:PORT", help="where to serve"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path(), help="of the gateway: its key and settings"
    )
    parser.add_argument(
        "--server", default="", metavar="URL", help="where it enrols; the card's own if left out"
    )
    parser.add_argument("--ca", type=Path, metavar="FILE", help="who vouches for that server")
    parser.add_argument(
        "--cable", action="append", default=[], metavar="PATH", help="a P1 cable that is not found"
    )
    parser.add_argument(
        "--device",
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="ask only here for devices, instead of looking through the network",
    )
    parser.add_argument(
        "--leave-after-s",
        type=float,
        default=600.0,
        metavar="S",
        help="when all is handed over and nobody says that it is done, end after so long, so that "
        "the gateway can begin (%(default)g)",
    )


def run(chosen: argparse.Namespace) -> int:
    """Serve until all is handed over, or until SIGTERM or Ctrl-C.

    Raises:
        InputError: A file in the folder, or the folder itself, cannot be used.
        LinkDownError: The port is taken.
    """
    from gateway.commission.bench import Bench, cables
    from gateway.commission.door import Door
    from gateway.commission.homewizard_seen import HomeWizardsSeen
    from gateway.commission.search import places
    from gateway.commission.serial_lines import lines_beside
    from gateway.commission.server import WizardServer
    from gateway.commission.wizard import LOOK_EVERY_S, Wizard
    from gateway.enrol.site import read_site
    from kwartier.clock import SystemClock
    from kwartier.log import begin_log
    from kwartier.stopping import stopped_by_signals

    begin_log("wizard")
    host, port = _place(chosen.listen)
    asked = [_place(one) for one in chosen.device]
    folder: Path = chosen.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made: {error.strerror}") from error
    clock, site = SystemClock(), read_site(folder)
    named: list[str] = chosen.cable
    meters = HomeWizardsSeen()
    wizard = Wizard(
        folder,
        clock,
        lambda take: Bench(clock, lambda: named or [*cables(), *meters.addresses()], take),
        lambda: asked or places(),
        chosen.server or ("" if site is None else site.server),
        chosen.ca,
        lambda meter: () if asked else lines_beside(meter),
    )
    wizard.leave_after_s = chosen.leave_after_s
    door = Door(folder, wizard.book, clock)
    try:
        server = WizardServer(host, port, wizard, door)
    except OSError as error:
        raise LinkDownError(f"cannot listen on {chosen.listen}: {error.strerror}") from error
    with stopped_by_signals() as stop:
        wizard.start()
        serving = threading.Thread(target=server.serve_forever, name="pages", daemon=True)
        serving.start()
        sys.stdout.write(
            f"Open http://{_shown(host)}:{server.server_port}/ on a phone in the same network.\n"
            f"Code of the box: {door.code}\n"
        )
        sys.stdout.flush()
        while not (wizard.over.is_set() or stop.wait(LOOK_EVERY_S)):
            pass
        server.shutdown()
        server.server_close()
        wizard.stop()
        meters.close()
    return 0


def _place(written: str) -> tuple[str, int]:
    place = host_and_port(written, lowest=0)
    if place is None:
        raise UsageError(f"{written!r}: write HOST:PORT, such as 0.0.0.0:{PORT}")
    return place


def _shown(host: str) -> str:
    """Return the name by which the box is found: its own, where it listens everywhere."""
    import socket

    if host not in {"0.0.0.0", "::"}:  # noqa: S104 - it is compared, not bound
        return f"[{host}]" if ":" in host else host
    return f"{socket.gethostname()}.local"
