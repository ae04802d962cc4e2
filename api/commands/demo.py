"""``kwartier demo``: a virtual street on the real protocols, in one process."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from api.commands.quiet import nothing_printed
from kwartier.cli import Command, print_json
from kwartier.stopping import interrupted_by_signals, stopped_by_signals


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--once",
        action="store_true",
        help="play one settled day at full speed, print one JSON summary, and stop",
    )
    parser.add_argument("--host", default="127.0.0.1", help="where the pages are (%(default)s)")
    parser.add_argument(
        "--port", type=_port, default=8000, help="the same; 0 takes a free one (%(default)s)"
    )
    parser.add_argument(
        "--homes",
        type=_homes,
        default=24,
        metavar="N",
        help="how many homes, 5 to 60 (%(default)s)",
    )


def _run(chosen: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    with (
        interrupted_by_signals(),
        tempfile.TemporaryDirectory(prefix="kwartier-demo-") as folder,
    ):
        if chosen.once:
            return _once(Path(folder), chosen.homes)
        return _live(Path(folder), chosen)


def _once(folder: Path, homes: int) -> int:
    from api.embedded.once import play_day

    with nothing_printed():
        day = play_day(folder, homes)
    print_json(
        {
            "readings": day.readings,
            "lost": day.lost,
            "duplicated": day.duplicated,
            "quarters": day.quarters,
            "solar_wh": day.energy_wh["produced_wh"],
            "import_wh": day.energy_wh["import_wh"],
            "export_wh": day.energy_wh["export_wh"],
            "shared_wh": day.shared.shared_wh,
            "battery_charged_wh": day.energy_wh["charged_wh"],
            "battery_discharged_wh": day.energy_wh["discharged_wh"],
            "plan_cost_eur": float(day.planned.cost_eur),
            "cost_without_battery_eur": float(day.planned.without_eur),
            "ledger_sum_cents": day.shared.ledger_cents,
            "homes": homes,
            "seconds": round(day.seconds, 3),
        }
    )
    return 0


def _live(folder: Path, chosen: argparse.Namespace) -> int:
    from api.embedded.neighbourhood import Neighbourhood

    street = Neighbourhood(folder, chosen.host, chosen.port, chosen.homes)
    try:
        street.start(lambda said: print(said, file=sys.stderr, flush=True))
        with stopped_by_signals() as stop:
            print(f"\n  De Zonnehof   {street.url}", flush=True)
            print(f"  kiosk         {street.url}/wijk")
            print(f"  API           {street.url}/openapi.json\n")
            for one in street.logins:
                print(f"  login {one.who:<14}  {one.card or one.password}")
                if one.codes:
                    print(f"  {'':<20}  then one of these codes, each once: {'  '.join(one.codes)}")
                    print(f"  {'':<20}  or an app with the secret {one.secret}")
            print(f"\n  letters       {street.letters}")
            print("\n  Ctrl-C ends it; nothing is kept.", flush=True)
            stop.wait()
    finally:
        street.stop()
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def _homes(text: str) -> int:
    if not text.isdecimal() or not 5 <= int(text) <= 60:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of homes from 5 to 60")
    return int(text)


DEMO = Command(
    summary="show a street that lives on this machine: meters, battery, plan and pages",
    example="kwartier demo --once",
    extra="serve",
    configure=_configure,
    run=_run,
)
