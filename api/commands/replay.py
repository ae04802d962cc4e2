"""``kwartier replay``: somebody's measured quarter-hours through the real chain."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from api.commands.measured import add_meters
from kwartier.cli import Command, print_json
from kwartier.stopping import interrupted_by_signals
from kwartier.wire import Json


def _configure(parser: argparse.ArgumentParser) -> None:
    add_meters(parser)
    parser.add_argument(
        "--prices",
        type=Path,
        metavar="FILE",
        help="CSV, CSV.gz or Parquet with utc and eur_per_mwh; another year is matched by position",
    )
    parser.add_argument("--days", type=_positive, metavar="N", help="only the first N local days")
    parser.add_argument(
        "--limit", type=_positive, metavar="METERS", help="only the first METERS households"
    )
    parser.add_argument(
        "--broker",
        metavar="mqtt://HOST:PORT",
        help="a broker that runs; without it mosquitto is started where it is installed, and "
        "else messages stay inside this process",
    )


def _run(chosen: argparse.Namespace) -> int:
    from api.reckoning import BATTERY_KWH_PER_HOME, battery_for, plan_days, share
    from api.replay.chain import buses, community_of, deliver
    from api.replay.meters import read_meters
    from collectors.prices.file import read_prices
    from collectors.prices.match import match
    from collectors.sqlite_store import SqliteStore

    prices = None if chosen.prices is None else read_prices(chosen.prices)
    measured = read_meters(chosen.meters, days=chosen.days, limit=chosen.limit)
    community = community_of(measured)
    with (
        interrupted_by_signals(),
        tempfile.TemporaryDirectory(prefix="kwartier-replay-") as name,
    ):
        folder = Path(name)
        store = SqliteStore(folder / "record.db")
        try:
            with buses(chosen.broker, community.coop) as bus_of:
                delivered = deliver(measured, store, folder, bus_of, community.coop)
            shared = share(store, community, measured.start_s, measured.end_s)
            answer: dict[str, Json] = {
                "meters": len(measured.meters),
                "days": measured.days,
                "readings": delivered.readings,
                "lost": delivered.lost,
                "duplicated": delivered.duplicated,
                "quarters": delivered.quarters,
                "meter_quarters": delivered.meter_quarters,
                "import_wh_in": sum(m.total_import_wh for m in measured.meters.values()),
                "import_wh_stored": delivered.import_wh,
                "export_wh_in": sum(m.total_export_wh for m in measured.meters.values()),
                "export_wh_stored": delivered.export_wh,
                "shared_wh": shared.shared_wh,
                "ledger_sum_cents": shared.ledger_cents,
                "seconds": round(delivered.seconds, 3),
                "readings_per_second": round(delivered.readings / delivered.seconds),
            }
            if prices is not None:
                matched = match(prices, measured.start_s, measured.end_s)
                print(matched.said, file=sys.stderr)
                planned = plan_days(
                    store,
                    community,
                    matched.series,
                    measured.start_s,
                    measured.end_s,
                    battery_for(len(measured.meters)),
                )
                answer["plan"] = {
                    "days": planned.days,
                    "battery_kwh": BATTERY_KWH_PER_HOME * len(measured.meters),
                    "cost_eur": float(planned.cost_eur),
                    "cost_without_battery_eur": float(planned.without_eur),
                    "prices": matched.said,
                }
        finally:
            store.close()
    print_json(answer)
    return 0


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return number


REPLAY = Command(
    summary="play measured quarter-hours through meters, gateways, broker and record",
    example="kwartier replay --meters street.csv --prices day-ahead.csv --days 7",
    extra="serve",
    configure=_configure,
    run=_run,
)
