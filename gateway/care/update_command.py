"""``kwartier update``: make, sign and check an update; install and run it on a Pi."""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kwartier.cli import Command, print_json
from kwartier.errors import InputError, UsageError

if TYPE_CHECKING:
    from gateway.care.slots import Slots

_FILE = "the update, one file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    key = words.add_parser("key", help="make a key that signs, and beside it FILE.pub")
    key.add_argument("file", type=Path, metavar="FILE", help="where the key goes, mode 0400")
    make = words.add_parser("make", help="make an update of wheels; prints its fingerprint")
    make.add_argument("--wheel", type=Path, action="append", required=True, metavar="FILE")
    make.add_argument("--version", required=True, help="what it brings, such as 0.2.0")
    make.add_argument("--minimum", default="0.0", help="the lowest version it may follow")
    make.add_argument(
        "--target",
        action="append",
        metavar="MACHINE",
        help="for which machines, such as aarch64-cp313 (default: any)",
    )
    make.add_argument("--out", type=Path, required=True, metavar="FILE", help=_FILE)
    sign = words.add_parser("sign", help="add the second person's signature")
    check = words.add_parser("check", help="say what an update holds, once every byte is checked")
    install = words.add_parser("install", help="put an update in the free place; it runs next")
    for each in (sign, check, install):
        each.add_argument("file", type=Path, metavar="FILE", help=_FILE)
    for each in (make, sign):
        each.add_argument("--key", type=Path, action="append", required=True, metavar="FILE")
    for each in (check, install):
        each.add_argument(
            "--key",
            type=Path,
            action="append",
            required=True,
            metavar="FILE.pub",
            help="a key that must have signed it; give two",
        )
    first = words.add_parser("first", help="install the very first program, from a card's wheels")
    first.add_argument("--wheels", type=Path, required=True, metavar="FOLDER")
    inbox = words.add_parser(
        "inbox", help="install what arrived for a gateway, once; code 1 when nothing was installed"
    )
    inbox.add_argument(
        "--folder", type=Path, required=True, metavar="FOLDER", help="of the gateway"
    )
    fetch = words.add_parser(
        "fetch", help="ask the server for an update and lay it in the inbox, where root judges it"
    )
    fetch.add_argument(
        "--folder", type=Path, required=True, metavar="FOLDER", help="of the gateway"
    )
    fetch.add_argument(
        "--patience-s",
        type=float,
        default=1800.0,
        metavar="S",
        help="how long it may take; the next time it goes on where it was (%(default)s)",
    )
    status = words.add_parser("status", help="say which program runs and which is trusted")
    back = words.add_parser("back", help="take the trusted program back now")
    run = words.add_parser(
        "run",
        help="run the current program, and take it back when it does not prove itself",
        epilog="example:\n  kwartier update run --root /opt/kwartier -- gateway --config g.toml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("--trial-s", type=float, default=180.0, metavar="S", help="(%(default)s)")
    run.add_argument(
        "--trial-file",
        type=Path,
        metavar="FILE",
        help="where a trial is noted, when root moves the links ('inbox')",
    )
    for each in (install, first, inbox, fetch, status, back, run):
        each.add_argument("--root", type=Path, default=Path("/opt/kwartier"), metavar="FOLDER")
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="-- WORDS")


def run(chosen: argparse.Namespace) -> int:
    """Do one word."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    return _WORDS[chosen.word](chosen)


def _key(chosen: argparse.Namespace) -> int:
    from gateway.care.keys import make_key

    public = make_key(chosen.file)
    print_json({"key": public.name, "public": f"{chosen.file}.pub"})
    return 0


def _make(chosen: argparse.Namespace) -> int:
    from gateway.care.bundle import ANY, make_bundle
    from gateway.care.keys import read_signing_key

    for wheel in chosen.wheel:
        name, _, rest = wheel.name.partition("-")
        if name == "kwartier" and rest.partition("-")[0] != chosen.version:
            raise InputError(f"{wheel}: is not of version {chosen.version}: gateways tell its own")
    keys = [read_signing_key(file) for file in chosen.key]
    bundle = make_bundle(chosen.wheel, chosen.version, chosen.minimum, chosen.target or [ANY], keys)
    return _written(chosen.out, bundle)


def _sign(chosen: argparse.Namespace) -> int:
    from gateway.care.bundle import signed_too
    from gateway.care.keys import read_signing_key

    for file in chosen.key:
        _written(chosen.file, signed_too(chosen.file, read_signing_key(file)))
    return 0


def _written(file: Path, bundle: bytes) -> int:
    from gateway.care.disk import RealDisk, replace_durably

    try:
        replace_durably(RealDisk(), file, bundle)
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror}") from error
    print_json({"file": str(file), "sha256": hashlib.sha256(bundle).hexdigest()})
    return 0


def _check(chosen: argparse.Namespace) -> int:
    from gateway.care.bundle import checked_bundle
    from gateway.care.keys import read_public_key

    manifest = checked_bundle(chosen.file, [read_public_key(file) for file in chosen.key]).manifest
    print_json(
        {
            "version": manifest.version,
            "minimum": manifest.minimum,
            "targets": list(manifest.targets),
            "wheels": [wheel.name for wheel in manifest.wheels],
        }
    )
    return 0


def _install(chosen: argparse.Namespace) -> int:
    from gateway.care.bundle import read_bundle, this_machine
    from gateway.care.first import compiled
    from gateway.care.keys import read_public_key
    from gateway.care.slots import Slots

    slots = Slots(chosen.root, prepare=compiled)
    bundle = read_bundle(chosen.file, [read_public_key(file) for file in chosen.key])
    slots.install(bundle, {this_machine()})
    return _told(slots)


def _first(chosen: argparse.Namespace) -> int:
    from gateway.care.first import Machine, card_wheels, compiled
    from gateway.care.slots import Slots

    slots = Slots(chosen.root, prepare=compiled)
    wheels = card_wheels(chosen.wheels, Machine.this())
    slots.install_first(wheels.version, wheels.contents())
    return _told(slots)


def _inbox(chosen: argparse.Namespace) -> int:
    from gateway.care.bundle import this_machine
    from gateway.care.first import compiled
    from gateway.care.inbox import look
    from gateway.care.slots import Slots

    slots = Slots(chosen.root, prepare=compiled)
    return 0 if look(slots, chosen.folder, {this_machine()}) else 1


def _fetch(chosen: argparse.Namespace) -> int:
    from gateway.care.fetch import Fetcher, server_of
    from gateway.care.slots import Slots
    from gateway.enrol.identity import Identity
    from kwartier.clock import SystemClock
    from kwartier.stopping import stopped_by_signals

    known = server_of(chosen.folder)
    with stopped_by_signals() as stop:
        fetched = Fetcher(
            known.server,
            Identity(known.folder),
            Slots(chosen.root),
            chosen.folder,
            SystemClock(),
            stop,
            chosen.patience_s,
        ).look()
    print_json({"fetched": None if fetched is None else fetched.version})
    return 0


def _status(chosen: argparse.Namespace) -> int:
    from gateway.care.slots import Slots

    return _told(Slots(chosen.root))


def _back(chosen: argparse.Namespace) -> int:
    from gateway.care.slots import Slots

    slots = Slots(chosen.root)
    if not slots.on_trial:
        raise InputError(f"{chosen.root}: no program is on trial, there is nothing to take back")
    try:
        slots.take_back("somebody asked for it")
    except OSError as error:
        raise InputError(f"{chosen.root}: cannot be written: {error.strerror}") from error
    return _told(slots)


def _told(slots: Slots) -> int:
    current, trusted = slots.current, slots.trusted
    print_json(
        {
            "current": None if current is None else slots.version(current),
            "trusted": None if trusted is None else slots.version(trusted),
            "on_trial": slots.on_trial,
            "highest": slots.highest,
        }
    )
    return 0


def _run(chosen: argparse.Namespace) -> int:
    from gateway.care.guard import run_current
    from gateway.care.trial import programs_at
    from kwartier.clock import SystemClock
    from kwartier.stopping import stopped_by_signals

    words = [word for place, word in enumerate(chosen.words) if place or word != "--"]
    if not words:
        raise UsageError("say what is to run after --, such as -- gateway --config gateway.toml")
    slots = programs_at(chosen.root, chosen.trial_file)
    managed = "NOTIFY_SOCKET" in os.environ
    with stopped_by_signals() as stop:
        return run_current(slots, words, SystemClock(), stop, chosen.trial_s, managed=managed)


_WORDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "key": _key,
    "make": _make,
    "sign": _sign,
    "check": _check,
    "install": _install,
    "first": _first,
    "inbox": _inbox,
    "fetch": _fetch,
    "status": _status,
    "back": _back,
    "run": _run,
}

UPDATE = Command(
    summary="make, sign and check an update; install and run it on a Pi",
    example="kwartier update check kwartier-0.2.0.update --key first.pub --key second.pub",
    extra="gateway",
    configure=add_arguments,
    run=run,
)
