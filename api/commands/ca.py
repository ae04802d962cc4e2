"""``kwartier ca``: the small authority that vouches for gateways and for the broker."""

from __future__ import annotations

import argparse
import getpass
import sys
from datetime import UTC, datetime
from pathlib import Path

from kwartier.cli import Command, print_json
from kwartier.errors import InputError, UsageError

_ADVICE = """The root is made. Now put it away:
  1. Copy {folder}/root.key and {folder}/root.crt to two sticks; check that they can be read.
  2. Take root.key off this machine: shred -u {folder}/root.key
  3. Keep the sticks in two places, the passphrase on paper in a third.
You need it again in five years, for 'kwartier ca intermediate', or when this machine is stolen."""

_ADVICE_ANEW = """Give chain.crt to the broker as ca.crt, and start the server anew.
What was signed before holds on. Was this machine stolen? Then end all of it:
  rm {folder}/issuing-*"""


def _configure(parser: argparse.ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    init = words.add_parser("init", help="make the root and what signs day by day below it")
    init.add_argument("--organisation", required=True, metavar="NAME", help="whose it is")
    between = words.add_parser(
        "intermediate", help="make a new authority that signs day by day; needs the root's key"
    )
    server = words.add_parser("server", help="make a key and certificate for the broker")
    server.add_argument(
        "--host",
        action="append",
        required=True,
        metavar="HOST",
        help="a name or address of the broker; may be given again",
    )
    service = words.add_parser("service", help="make a key and certificate for one of our services")
    service.add_argument("name", choices=("collector", "planner", "server"))
    crl = words.add_parser("crl", help="write the list of revoked certificates, from the book")
    crl.add_argument("--config", type=Path, required=True, help="the server's settings")
    crl.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="the broker's folder")
    show = words.add_parser("show", help="say what there is and until when it holds")
    for each in (init, between, server, service, show):
        each.add_argument("--folder", type=Path, required=True, help="the authority's folder")
    for each in (init, between):
        each.add_argument(
            "--passphrase-file", type=Path, metavar="FILE", help="the root's; asked for when absent"
        )
    for each in (server, service):
        each.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where they go")


def _run(chosen: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    match chosen.word:
        case "init":
            return _init(chosen, now)
        case "intermediate":
            return _intermediate(chosen, now)
        case "server" | "service":
            return _leaf(chosen, now)
        case "crl":
            return _crl(chosen)
        case _:
            return _show(chosen.folder)


def _init(chosen: argparse.Namespace, now: datetime) -> int:
    from api.enrolment.ca_folder import init

    folder: Path = chosen.folder
    init(folder, chosen.organisation, _passphrase(chosen.passphrase_file, twice=True), now)
    print(_ADVICE.format(folder=folder), file=sys.stderr)
    return _show(folder)


def _intermediate(chosen: argparse.Namespace, now: datetime) -> int:
    from api.enrolment.ca_folder import renew_issuing

    renew_issuing(chosen.folder, _passphrase(chosen.passphrase_file, twice=False), now)
    print(_ADVICE_ANEW.format(folder=chosen.folder), file=sys.stderr)
    return _show(chosen.folder)


def _leaf(chosen: argparse.Namespace, now: datetime) -> int:
    from api.enrolment.authority import certify_server, certify_service
    from api.enrolment.ca_folder import (
        ISSUING,
        ROOT,
        key_pem,
        make_folder,
        pem,
        read_certificate,
        read_signer,
    )
    from gateway.enrol.kept import write_whole

    issuing = read_signer(chosen.folder, ISSUING)
    is_server = chosen.word == "server"
    name = "broker" if is_server else str(chosen.name)
    made = (
        certify_server(issuing, chosen.host, now)
        if is_server
        else certify_service(issuing, name, now)
    )
    to: Path = chosen.to
    make_folder(to)
    write_whole(to / f"{name}.key", key_pem(made.key), 0o600)
    write_whole(to / f"{name}.crt", pem(made.certificate, issuing.certificate))
    write_whole(to / "ca.crt", pem(issuing.certificate, read_certificate(chosen.folder, ROOT)))
    until = made.certificate.not_valid_after_utc.isoformat()
    print_json(
        {"certificate": str(to / f"{name}.crt"), "key": str(to / f"{name}.key"), "until": until}
    )
    return 0


def _crl(chosen: argparse.Namespace) -> int:
    from api.commands.serve import office_of
    from api.enrolment.ca_folder import ISSUING, read_older, read_signer
    from api.enrolment.certificates import revoked
    from api.enrolment.cutting import write_list
    from api.people.opening import open_people
    from api.settings import read_serve_settings
    from kwartier.clock import SystemClock

    settings, clock = read_serve_settings(chosen.config), SystemClock()
    if settings.enrolment is None:
        raise UsageError(f"{chosen.config}: has no [gateways]: name the authority there")
    office = None if settings.books is None else office_of(settings.books)
    people = open_people(settings.state, clock, office)
    try:
        with people.reading() as desk:
            found = revoked(desk)
        ca = settings.enrolment.ca
        issuers = [read_signer(ca, ISSUING), *read_older(ca)]
        path = write_list(chosen.to, issuers, found, clock)
    finally:
        people.close()
        if office is not None:
            office.close()
    print_json({"file": str(path), "revoked": len(found)})
    return 0


def _show(folder: Path) -> int:
    from api.enrolment.ca_folder import ISSUING, ROOT, read_certificate

    found = {each: read_certificate(folder, each) for each in (ROOT, ISSUING)}
    print_json(
        {
            name: {
                "subject": one.subject.rfc4514_string(),
                "from": one.not_valid_before_utc.isoformat(),
                "until": one.not_valid_after_utc.isoformat(),
                "key_here": (folder / f"{name}.key").exists(),
            }
            for name, one in found.items()
        }
    )
    return 0


def _passphrase(file: Path | None, *, twice: bool) -> str:
    """Return the root's passphrase, from a file or from whoever sits at the terminal.

    Raises:
        InputError: The file cannot be read, or both did not match.
    """
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{file}: the passphrase cannot be read") from error
    typed = getpass.getpass("Passphrase of the root: ")
    if twice and getpass.getpass("The same once more: ") != typed:
        raise InputError("these are two different passphrases: try again")
    return typed


CA = Command(
    summary="keep the small authority that vouches for gateways and the broker",
    example="kwartier ca init --folder ca --organisation 'De Zonnewijk'",
    extra="serve",
    configure=_configure,
    run=_run,
)
