"""``kwartier influx``: InfluxDB made ready, looked at, and filled again."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from kwartier.cli import Command, print_json


def _arguments(parser: argparse.ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    setup = words.add_parser(
        "setup", help="make organisation, buckets, tasks and tokens, or put them right"
    )
    setup.add_argument("--url", required=True, help="InfluxDB's address")
    setup.add_argument("--organisation", required=True, metavar="NAME")
    setup.add_argument(
        "--tokens",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="where the tokens go, each a file of mode 0600; admin.token in it opens the server",
    )
    setup.add_argument("--dry-run", action="store_true", help="only say what would be done")
    setup.add_argument(
        "--shorten",
        action="store_true",
        help="also shorten how long buckets keep points; what is older is deleted there",
    )
    status = words.add_parser("status", help="say what is there, and how far it is behind")
    rebuild = words.add_parser("rebuild", help="fill it again from the record; may be broken off")
    for each in (status, rebuild):
        each.add_argument(
            "--config", type=Path, required=True, help="the collector's settings, a TOML file"
        )
    rebuild.add_argument(
        "--tokens",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="the folder of `kwartier influx setup`, whose admin.token reads and writes all",
    )


def _run(chosen: argparse.Namespace) -> int:
    word: str = chosen.word
    return {"setup": _setup, "status": _status, "rebuild": _rebuild}[word](chosen)


def _setup(chosen: argparse.Namespace) -> int:
    from collectors.influx_setup import SetupPlace, set_up

    steps = set_up(
        SetupPlace(
            chosen.url,
            chosen.organisation,
            chosen.tokens,
            dry_run=chosen.dry_run,
            shorten=chosen.shorten,
        )
    )
    print_json([asdict(step) for step in steps])
    return 0


def _status(chosen: argparse.Namespace) -> int:
    from collectors.influx_status import status_of
    from collectors.settings import read_settings

    told = status_of(read_settings(chosen.config))
    print_json(asdict(told))
    return 0 if told.trouble is None else 1


def _rebuild(chosen: argparse.Namespace) -> int:
    from collectors.influx_rebuild import rebuild
    from collectors.settings import read_settings
    from kwartier.clock import SystemClock

    told = rebuild(read_settings(chosen.config), chosen.tokens, SystemClock())
    print_json(asdict(told))
    return 0 if told.is_whole else 1


INFLUX = Command(
    summary="make InfluxDB ready for charts, look at it, fill it again from the record",
    example="kwartier influx setup --url http://127.0.0.1:8086 --organisation zonnewijk"
    " --tokens /etc/kwartier/influx",
    extra="collect",
    configure=_arguments,
    run=_run,
)
