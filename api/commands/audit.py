"""``kwartier audit``: a run as a parcel for the auditor, and the auditor's own check of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from kwartier.cli import Command, print_json


def _configure(parser: argparse.ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    verify = words.add_parser(
        "verify",
        help="reckon a parcel again, on any machine and without the books",
        description="Reckon a parcel again and compare every number; exit 1 when one differs.",
        epilog="example:\n  kwartier audit verify 2026-07-1.zip",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument("file", type=Path, metavar="FILE", help="the parcel")
    bundle = words.add_parser(
        "bundle",
        help="write a run, its rules, results, entries and approvals as one parcel",
        description="Write the parcel of a run: inputs, rules, outputs and hashes, under ids.",
        epilog="example:\n  kwartier audit bundle --books ./books --as piet --run 2026-07/1 "
        "--to 2026-07-1.zip",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    bundle.add_argument("--books", metavar="FOLDER", help="the books' folder (or KWARTIER_BOOKS)")
    bundle.add_argument("--as", dest="officer", metavar="OFFICER", help="who asks")
    bundle.add_argument("--secret-file", metavar="FILE", help="a file with the officer's secret")
    bundle.add_argument("--run", required=True, metavar="RUN", help="the run, such as 2026-07/1")
    bundle.add_argument("--to", required=True, type=Path, metavar="FILE", help="the parcel")


def _run(chosen: argparse.Namespace) -> int:
    return _verify(chosen.file) if chosen.word == "verify" else _bundle(chosen)


def _verify(file: Path) -> int:
    from api.cooperative.bundle.checking import verify_bundle

    look = verify_bundle(file)
    print_json(look.answer)
    return 1 if look.faults else 0


def _bundle(chosen: argparse.Namespace) -> int:
    from api.commands.coop.acting import recognised
    from api.cooperative.bundle.making import audit_bundle
    from api.cooperative.chain import record
    from api.cooperative.payments.file_out import write_whole

    to: Path = chosen.to
    with recognised(chosen) as (books, officer), books.desk(officer) as desk:
        parcel = audit_bundle(desk, chosen.run)
        record(desk, "run.bundle", chosen.run, {"bytes": len(parcel)})
        write_whole(to, parcel)
    print_json({"run": chosen.run, "file": str(to), "bytes": len(parcel)})
    return 0


AUDIT = Command(
    summary="make an auditor's parcel of a run, and check one without the books",
    example="kwartier audit verify 2026-07-1.zip",
    extra="serve",
    configure=_configure,
    run=_run,
)
