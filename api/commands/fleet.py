"""``kwartier fleet``: what is wished of gateways, and who takes a new program when."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kwartier.cli import Command, print_json
from kwartier.errors import InputError, SettingsError

if TYPE_CHECKING:
    from api.fleet.book import FleetBook
    from api.settings import ServeSettings
    from kwartier.broker import Broker
    from kwartier.configuration import Report


def _configure(parser: argparse.ArgumentParser) -> None:
    groups = parser.add_subparsers(dest="group", required=True, metavar="GROUP")
    config = groups.add_parser("config", help="settings from afar, signed and tried")
    words = config.add_subparsers(dest="word", required=True, metavar="WORD")
    setting = words.add_parser(
        "set",
        help="sign changes to a gateway's settings, keep them, and leave them at the broker",
        epilog="example:\n  kwartier fleet config set --config serve.toml --gateway gw-01 "
        "--file changes.toml --key board.key",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    setting.add_argument("--file", type=Path, required=True, help="the changes, TOML")
    setting.add_argument("--key", type=Path, required=True, help="the key that signs, mode 0400")
    send = words.add_parser("send", help="leave the newest wish at the broker once more")
    show = words.add_parser("show", help="every wish for a gateway, newest first")
    status = words.add_parser("status", help="what gateways tell about their settings")
    ring = groups.add_parser("ring", help="which gateways take a new program first")
    ring_words = ring.add_subparsers(dest="word", required=True, metavar="WORD")
    ring_show = ring_words.add_parser("show", help="the gateways of each ring")
    put = ring_words.add_parser("set", help="put a gateway in a ring")
    put.add_argument("--ring", type=int, required=True, choices=range(4), help="0 is the first")
    release = groups.add_parser("release", help="a new program, ring by ring: 1, 5, 25, all")
    steps = release.add_subparsers(dest="word", required=True, metavar="WORD")
    add = steps.add_parser("add", help="add an update that two people signed")
    add.add_argument("file", type=Path, metavar="FILE")
    add.add_argument("--key", type=Path, action="append", required=True, metavar="FILE.pub")
    advance = steps.add_parser("advance", help="let the next ring take a version")
    advance.add_argument("--anyway", metavar="WHY", help="also where a gateway does not run it")
    halt = steps.add_parser("halt", help="let nobody else take a version")
    halt.add_argument("--why", required=True, help="what is wrong with it")
    for each in (advance, halt):
        each.add_argument("version")
    told = steps.add_parser("show", help="how far each version came, and who may take it")
    for each in (setting, send, show, put):
        each.add_argument("--gateway", required=True)
    for each in (setting, send, show, status, ring_show, put, add, advance, halt, told):
        each.add_argument("--config", type=Path, required=True, help="the server's settings")
        each.add_argument(
            "--wait-s",
            type=float,
            default=10.0,
            metavar="S",
            help="how long to listen (%(default)s)",
        )


def _run(chosen: argparse.Namespace) -> int:
    from api.fleet.book import FleetBook
    from api.settings import read_serve_settings
    from api.state import make_state
    from kwartier.clock import SystemClock

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    settings = read_serve_settings(chosen.config)
    make_state(settings.state)
    book = FleetBook(settings.state, settings.community.coop, SystemClock())
    return _WORDS[chosen.group, chosen.word](chosen, settings, book)


def _set(chosen: argparse.Namespace, settings: ServeSettings, book: FleetBook) -> int:
    from gateway.care.keys import read_signing_key
    from kwartier.clock import SystemClock
    from kwartier.configuration import Wish, encode_wish

    _check_known(chosen.gateway, settings)
    try:
        changes = chosen.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{chosen.file}: cannot be read: {error}") from error
    _check_changes(chosen.file, changes)
    wish = Wish(
        settings.community.coop,
        chosen.gateway,
        book.next_version(chosen.gateway),
        int(SystemClock().now_s()),
        changes,
    )
    book.keep(wish, encode_wish(wish, read_signing_key(chosen.key)))
    return _send(chosen, settings, book)


def _check_changes(file: Path, changes: str) -> None:
    """Refuse at the desk what a gateway would refuse whatever its home says."""
    from gateway.care.overlay import batteries_named, laid_over

    try:
        laid_over({"battery": batteries_named(changes)}, changes)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error


def _send(chosen: argparse.Namespace, settings: ServeSettings, book: FleetBook) -> int:
    from api.fleet.ear import listening

    wishes = book.wishes(chosen.gateway)
    if not wishes:
        raise InputError(f"nothing was wished of {chosen.gateway}: 'kwartier fleet config set'")
    wish, payload = wishes[0]
    with listening(_broker(settings), settings.community.coop) as ear:
        ear.say(chosen.gateway, payload, chosen.wait_s)
    print_json({"gateway": wish.gateway, "version": wish.version, "sha256": wish.sha256})
    return 0


def _show(chosen: argparse.Namespace, settings: ServeSettings, book: FleetBook) -> int:  # noqa: ARG001 - the shape of a word
    from kwartier.interval import instant_text

    told = [
        {
            "version": wish.version,
            "made": instant_text(wish.made_s),
            "sha256": wish.sha256,
            "changes": wish.changes,
        }
        for wish, _ in book.wishes(chosen.gateway)
    ]
    print_json({"gateway": chosen.gateway, "wishes": told})
    return 0


def _status(chosen: argparse.Namespace, settings: ServeSettings, book: FleetBook) -> int:
    from api.fleet.ear import listening

    names = _gateways(settings)
    with listening(_broker(settings), settings.community.coop) as ear:
        ear.wait(lambda: names <= ear.reports.keys(), chosen.wait_s)
        reports = dict(ear.reports)
    told = []
    for name in sorted(names | reports.keys()):
        wishes = book.wishes(name)
        wished = wishes[0][0].version if wishes else None
        told.append({"gateway": name, "wished": wished, **_report(reports.get(name))})
    print_json({"gateways": told})
    return 0


def _report(report: Report | None) -> dict[str, object]:
    from kwartier.interval import instant_text

    if report is None:
        return {"state": None}
    return {
        "state": report.stage.value,
        "version": report.version,
        "in_force": report.in_force,
        "reason": report.reason,
        "at": instant_text(report.at_s),
    }


def _rings(chosen: argparse.Namespace, settings: ServeSettings, book: FleetBook) -> int:  # noqa: ARG001
    from api.fleet.rings import rings

    told = rings(_gateways(settings), book.places())
    print_json({"rings": [{"ring": place, "gateways": ring} for place, ring in enumerate(told)]})
    return 0


def _put(chosen: argparse.Namespace, settings: ServeSettings, book: FleetBook) -> int:
    _check_known(chosen.gateway, settings)
    book.put(chosen.gateway, chosen.ring)
    return _rings(chosen, settings, book)


def _add(chosen: argparse.Namespace, settings: ServeSettings, book: FleetBook) -> int:
    """Keep an update's file; the very same one may come again, as after a restore."""
    from api.fleet.releases import MOST_FILES, Releases
    from api.fleet.rings import released
    from gateway.care.keys import read_public_key

    releases = Releases(settings.state)
    manifest, sha256 = releases.keep(chosen.file, [read_public_key(file) for file in chosen.key])
    known = {one.version: one.sha256 for one in released(book.steps())}
    if manifest.version not in known:
        book.note(manifest.version, sha256, "added", "")
    releases.keep_only([one.sha256 for one in released(book.steps())[-MOST_FILES:]])
    if known.get(manifest.version, sha256) != sha256:
        raise InputError(f"version {manifest.version} was added before: make another version")
    return _releases(chosen, settings, book)


def _advance(chosen: argparse.Namespace, settings: ServeSettings, book: FleetBook) -> int:
    from api.fleet.ear import listening
    from api.fleet.rings import check_advance, may_have, release_of, rings

    release = release_of(book.steps(), chosen.version)
    told = rings(_gateways(settings), book.places())
    running: dict[str, str] = {}
    reached = set(may_have(release, told))
    if reached and not chosen.anyway:
        with listening(_broker(settings), settings.community.coop) as ear:
            ear.wait(lambda: reached <= ear.running.keys(), chosen.wait_s)
            running = dict(ear.running)
    if chosen.anyway:
        running = dict.fromkeys(_gateways(settings), release.version)
    check_advance(release, told, running)
    book.note(release.version, release.sha256, "advanced", chosen.anyway or "")
    return _releases(chosen, settings, book)


def _halt(chosen: argparse.Namespace, settings: ServeSettings, book: FleetBook) -> int:
    from api.fleet.rings import release_of

    release = release_of(book.steps(), chosen.version)
    book.note(release.version, release.sha256, "halted", chosen.why)
    return _releases(chosen, settings, book)


def _releases(chosen: argparse.Namespace, settings: ServeSettings, book: FleetBook) -> int:  # noqa: ARG001
    from api.fleet.releases import Releases
    from api.fleet.rings import may_have, released, rings

    told, releases = rings(_gateways(settings), book.places()), Releases(settings.state)
    print_json(
        {
            "releases": [
                {
                    "version": one.version,
                    "sha256": one.sha256,
                    "kept": releases.holds(one.sha256),
                    "ring": one.ring,
                    "halted": one.halted,
                    "gateways": may_have(one, told),
                }
                for one in released(book.steps())
            ]
        }
    )
    return 0


def _gateways(settings: ServeSettings) -> set[str]:
    from api.fleet.rings import gateways_of

    return gateways_of(settings.community)


def _check_known(gateway: str, settings: ServeSettings) -> None:
    if gateway not in _gateways(settings):
        raise InputError(f"no home or battery of the neighbourhood has a gateway {gateway!r}")


def _broker(settings: ServeSettings) -> Broker:
    if settings.broker is None:
        raise SettingsError("there is no [broker] in the server's settings: add it")
    return settings.broker


_WORDS: dict[tuple[str, str], Callable[[argparse.Namespace, ServeSettings, FleetBook], int]] = {
    ("config", "set"): _set,
    ("config", "send"): _send,
    ("config", "show"): _show,
    ("config", "status"): _status,
    ("ring", "show"): _rings,
    ("ring", "set"): _put,
    ("release", "add"): _add,
    ("release", "advance"): _advance,
    ("release", "halt"): _halt,
    ("release", "show"): _releases,
}

FLEET = Command(
    summary="wish settings of gateways, and release programs to them ring by ring",
    example="kwartier fleet config status --config serve.toml",
    extra="serve",
    configure=_configure,
    run=_run,
)
