"""``kwartier moment``: how often the signal was right, on somebody's measured quarter-hours."""

from __future__ import annotations

import argparse
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from api.commands.crowd import add_arguments, reckon_folder
from api.commands.measured import add_days, add_meters
from kwartier.cli import Command, print_json
from kwartier.wire import Json

if TYPE_CHECKING:
    from optimizer.moment_backtest import Hits, Judgement


def _configure(parser: argparse.ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    backtest = words.add_parser(
        "backtest",
        help="say the signal again over measured days, with what was known then",
        description="Say the signal again over measured days, with what was known at each moment, "
        "and hold it against the surplus that all households together really had.",
    )
    add_meters(backtest)
    add_days(backtest)
    many = words.add_parser(
        "many",
        help="the same for a folder of streets",
        description="The same for every file of a folder, a street each, by one process or by "
        "many; each answer is a file. Run again, only what is new or changed is judged.",
        epilog="example:\n  kwartier moment many streets/ --workers 4",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(many, "street")
    add_days(many)


def _run(chosen: argparse.Namespace) -> int:
    if chosen.word == "many":
        return _many(chosen)
    print_json(judgement_on(chosen.meters, chosen.first, chosen.last, shown=True))
    return 0


def _many(chosen: argparse.Namespace) -> int:
    """Judge a folder; return 1 where a street was refused."""
    from api.crowd.reckonings import judged

    work = partial(judged, first=chosen.first, last=chosen.last)
    endings = (".csv", ".csv.gz", ".parquet")
    return reckon_folder(chosen, endings, work, f"moment {chosen.first} {chosen.last}")


def judgement_on(
    meters: Path, first: date | None, last: date | None, *, shown: bool = False
) -> dict[str, Json]:
    """Return how often the signal was right on one street.

    Args:
        meters: The file of its measured quarter-hours.
        first: The first day that is judged; None for as early as can be.
        last: The last one; None for as late as can be.
        shown: Whether a bar tells how far it is.

    Raises:
        InputError: The file or the days cannot be used.
    """
    from api.replay.meters import read_meters
    from api.signals import SOLAR_SPREAD, rules_for
    from api.street_days import judged_days
    from kwartier.progress import Progress
    from optimizer.moment_backtest import judge

    measured = read_meters(meters)
    street = judged_days(measured, first, last)
    bar = Progress("judging", len(street.starts_s))
    try:
        found = judge(
            street,
            rules_for(len(measured.meters)),
            solar_spread=SOLAR_SPREAD,
            progress=bar.show if shown else lambda _: None,
        )
    finally:
        bar.end()
    return _answer(len(measured.meters), found)


def _answer(homes: int, found: Judgement) -> dict[str, Json]:
    return {
        "homes": homes,
        "days": found.days,
        "quarters": found.quarters,
        **_hits(found.signal),
        "brier": round(found.brier, 4),
        "changes_per_day": round(found.changes_per_day, 2),
        "good_moments": found.good_moments,
        "false_alarms": found.false_alarms,
        "surplus_moments": found.surplus_moments,
        "missed_moments": found.missed_moments,
        "lead_hours": found.lead_hours,
        "always_11_to_15": {**_hits(found.noon), "brier": round(found.brier_noon, 4)},
    }


def _hits(hits: Hits) -> dict[str, Json]:
    return {
        "said_good": hits.said_good,
        "right": hits.right,
        "precision": None if hits.precision is None else round(hits.precision, 3),
        "recall": None if hits.recall is None else round(hits.recall, 3),
    }


MOMENT = Command(
    summary="judge the signal 'now is a good moment' on measured quarter-hours",
    example="kwartier moment backtest --meters street.parquet --from 2016-04-01 --to 2016-09-30",
    extra="serve",
    configure=_configure,
    run=_run,
)
