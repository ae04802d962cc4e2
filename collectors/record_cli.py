"""``kwartier record``: what a record holds, whether it is sound, and one series out of it."""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kwartier.cli import Command, print_json
from kwartier.errors import InputError

if TYPE_CHECKING:
    from collectors.months.calendar import Month


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", type=Path, required=True, metavar="FILE", help="the record")
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    words.add_parser("months", help="list the files of closed months")
    words.add_parser(
        "verify", help="read all month files and the record; exit 1 when anything is off"
    )
    export = words.add_parser("export", help="one series as CSV: at_utc, at_s, value")
    export.add_argument("month", metavar="YYYY-MM", help="which month of UTC")
    export.add_argument("gateway")
    export.add_argument("device")
    export.add_argument("series", help="such as import_wh")
    copy = words.add_parser("copy", help="write a compact copy with its month files, while it runs")
    copy.add_argument("--to", type=Path, required=True, metavar="DIR", help="a folder elsewhere")
    final = words.add_parser(
        "final", help="note that settlements through a month are final; two years later they may go"
    )
    final.add_argument("month", metavar="YYYY-MM")


def _run(chosen: argparse.Namespace) -> int:
    record: Path = chosen.store
    if not record.is_file():
        raise InputError(f"{record}: there is no record: name its file with --store")
    word: str = chosen.word
    if word == "months":
        return _months(record)
    if word == "verify":
        return _verify(record)
    if word == "copy":
        return _copy(record, chosen.to)
    if word == "final":
        return _final(record, _month(chosen.month))
    return _export(record, _month(chosen.month), (chosen.gateway, chosen.device, chosen.series))


def _months(record: Path) -> int:
    from collectors.months.looking import months_told
    from collectors.sqlite_store import SqliteStore

    with SqliteStore(record, read_only=True) as store:
        print_json([asdict(told) for told in months_told(store)])
    return 0


def _verify(record: Path) -> int:
    from collectors.months.looking import verify
    from collectors.sqlite_store import SqliteStore

    with SqliteStore(record, read_only=True) as store:
        told = verify(store)
    print_json(asdict(told))
    return 1 if told.problems else 0


def _copy(record: Path, folder: Path) -> int:
    from collectors.months.looking import copy_record
    from collectors.sqlite_store import SqliteStore

    with SqliteStore(record, read_only=True) as store:
        print_json(asdict(copy_record(store, folder)))
    return 0


def _final(record: Path, month: Month) -> int:
    from collectors.finality import tell_final
    from kwartier.clock import SystemClock

    told = tell_final(record, month, int(SystemClock().now_s()))
    print_json({"final_through": str(month), "told_s": told[-1].told_s})
    return 0


def _export(record: Path, month: Month, series: tuple[str, str, str]) -> int:
    from collectors.sqlite_store import SqliteStore
    from collectors.store import DeviceKey

    gateway, device, name = series
    with SqliteStore(record, read_only=True) as store:
        points = store.points(DeviceKey(gateway, device), name, month.start_s, month.end_s)
    if not points:
        raise InputError(
            f"{month}: nothing is known of {gateway}/{device} {name}: see kwartier record months"
        )
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("at_utc", "at_s", "value"))
    for at_s, value in points:
        at = datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        writer.writerow((at, at_s, value))
    sys.stdout.flush()
    return 0


def _month(text: str) -> Month:
    from collectors.months.calendar import Month

    month = Month.told_by(text)
    if month is None:
        raise InputError(f"{text}: is no month: write it as 2026-10")
    return month


RECORD = Command(
    summary="what a record holds: closed months listed, checked, copied, exported",
    example="kwartier record --store record.db verify",
    extra="collect",
    configure=_arguments,
    run=_run,
)
