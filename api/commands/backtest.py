"""``kwartier backtest``: how steering would have done on somebody's measured quarters."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from api.commands.measured import add_days, add_meters
from kwartier.cli import Command, print_json
from kwartier.errors import InputError, MissingExtraError
from kwartier.progress import Progress
from kwartier.stopping import interrupted_by_signals

if TYPE_CHECKING:
    from api.backtest.inputs import Asked
    from api.crowd.workers import Crowd

_DASK = "dask"


def _configure(parser: argparse.ArgumentParser) -> None:
    _add_files(parser)
    _add_tariff(parser)
    parser.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="NAME",
        help="a way of steering, repeatable: none, self-use, daily, rolling, tracking, perfect "
        "(all these if not told), daily-tracking, exchange, scenarios, cautious, reserve, "
        "bound",
    )
    parser.add_argument(
        "--forecast",
        choices=("usual", "blend"),
        help="what is expected: the usual at that time of day, or a blend that learns (slower; "
        "the one that is taken with --weather)",
    )
    parser.add_argument(
        "--what-if",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="play it with this otherwise too, repeatable; join with commas what goes together: "
        "battery=KWH:KW, sun=FACTOR, roof=KWH_A_YEAR, tax, mark-up, sell-less, peak-price, "
        "import-limit, export-limit",
    )
    parser.add_argument("--report", type=Path, metavar="FILE.html", help="a page with plots")
    parser.add_argument("--lang", choices=("nl", "en"), default="nl", help="of that page")
    parser.add_argument(
        "--work",
        type=Path,
        metavar="FOLDER",
        help="keeps what is played: a run that was broken off goes on there",
    )
    parser.add_argument(
        "--workers",
        default="1",
        metavar="N|dask",
        help="so many processes of this machine, or Dask's (needs kwartier[fleet]); the answer "
        "is the same",
    )
    parser.add_argument(
        "--scheduler",
        metavar="URL",
        help="with --workers dask: a scheduler on a network of your own, as tcp://HOST:8786; its "
        "workers see the --work folder at the same place",
    )


def _add_files(parser: argparse.ArgumentParser) -> None:
    add_meters(parser)
    parser.add_argument(
        "--prices",
        type=Path,
        required=True,
        metavar="FILE",
        help="CSV, CSV.gz or Parquet with utc and eur_per_mwh",
    )
    parser.add_argument(
        "--prices-shift",
        type=int,
        metavar="WEEKS",
        help="take the prices of so many weeks later; found by itself if not told",
    )
    parser.add_argument(
        "--weather",
        type=Path,
        metavar="FILE",
        help="CSV or CSV.gz with utc, sun_w_per_m2 and optionally outside_c, as it was forecast",
    )
    add_days(parser)
    parser.add_argument(
        "--households", default="", metavar="A,B", help="only these; all together if not told"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N households")
    parser.add_argument(
        "--battery",
        action="append",
        default=[],
        metavar="KWH:KW[:EFF]",
        help="a battery to steer, repeatable; EFF is what comes out of what is put in; 4 kWh and "
        "2 kW a household if none is told",
    )
    parser.add_argument(
        "--batteries", type=Path, metavar="FILE", help="a JSON list, as in 'kwartier plan'"
    )


def _add_tariff(parser: argparse.ArgumentParser) -> None:
    def number(name: str, default: float, told: str) -> None:
        parser.add_argument(
            name, type=float, default=default, metavar="EUR", help=f"{told} ({default:g})"
        )

    number("--tax", 0.1108, "energy tax on a kWh taken, VAT included")
    number("--mark-up", 0.02, "the supplier's mark-up on a kWh taken")
    number("--sell-less", 0.01, "what the supplier keeps of a kWh given")
    number("--peak-price", 0.0, "price of a kW of the month's highest quarter")
    limits = (("--import-limit", "taken"), ("--export-limit", "given"))
    for name, what in limits:
        parser.add_argument(name, type=float, metavar="KW", help=f"the most that may be {what}")


def _run(chosen: argparse.Namespace) -> int:
    from api.backtest.inputs import question_of
    from api.backtest.question import WorkFolder
    from api.backtest.run import answer_of, pieces_of, play
    from api.backtest.variants import MOST_VARIANTS, play_variants, variant_of
    from optimizer.backtest.policies import USUAL, policies_named

    policies = policies_named(tuple(chosen.policy) or USUAL)
    if len(chosen.what_if) > MOST_VARIANTS:
        raise InputError(f"--what-if: at most {MOST_VARIANTS} at a time")
    if chosen.report is not None and not chosen.report.parent.is_dir():
        raise InputError(f"--report {chosen.report}: there is no such folder: name another file")
    if chosen.report is not None and chosen.report.is_dir():
        raise InputError(f"--report {chosen.report}: is a folder: name a file in it")
    begun_s = time.monotonic()
    with interrupted_by_signals(), _folder(chosen.work) as path:
        asked = _asked(chosen)
        question = question_of(asked)
        variants = [variant_of(text, asked.tariff, question) for text in chosen.what_if]
        print(question.told["prices"], file=sys.stderr)
        folder = WorkFolder(path)
        folder.take(question)
        pieces = len(pieces_of(question, policies))
        bar = Progress("playing", pieces * (1 + len(variants)))
        try:
            with _crowd(chosen.workers, chosen.scheduler) as crowd:
                play(folder, question, policies, crowd, bar.show)
                what_if = play_variants(
                    folder, question, variants, policies, crowd, lambda n: bar.show(pieces + n)
                )
        finally:
            bar.end()
        answer = answer_of(folder, question, policies)
        if variants:
            answer["what_if"] = what_if
        answer["elapsed_seconds"] = round(time.monotonic() - begun_s, 3)
        print_json(answer)
        if chosen.report is not None:
            from api.backtest.report import write_report

            write_report(chosen.report, folder, question, policies, answer, chosen.lang)
    return 0


def _asked(chosen: argparse.Namespace) -> Asked:
    from api.backtest.inputs import Asked, Tariff, batteries_in, battery_of
    from optimizer.backtest.walk import Connection

    for name in ("tax", "mark_up", "sell_less", "peak_price", "import_limit", "export_limit"):
        value = getattr(chosen, name)
        least = 0.0 if name in {"peak_price", "import_limit", "export_limit"} else -10.0
        if value is not None and not least <= value <= 1e6:
            raise InputError(f"--{name.replace('_', '-')} {value}: give {least:g} to 1000000")
    batteries = tuple(battery_of(text, place) for place, text in enumerate(chosen.battery, 1))
    if chosen.batteries is not None:
        batteries += batteries_in(chosen.batteries)
    names = [battery.id for battery in batteries]
    if len(set(names)) < len(names):
        raise InputError("two batteries have one id: give each in --batteries its own")
    if chosen.limit is not None and chosen.limit < 1:
        raise InputError(f"--limit {chosen.limit}: give 1 or more")
    if chosen.weather is not None and chosen.forecast == "usual":
        raise InputError("--forecast usual does not look at weather: leave one of the two out")
    unlimited = float("inf")
    return Asked(
        meters=chosen.meters,
        prices=chosen.prices,
        first=chosen.first,
        last=chosen.last,
        households=tuple(name.strip() for name in chosen.households.split(",") if name.strip()),
        limit=chosen.limit,
        batteries=batteries,
        connection=Connection(
            unlimited if chosen.import_limit is None else chosen.import_limit,
            unlimited if chosen.export_limit is None else chosen.export_limit,
            chosen.peak_price,
        ),
        tariff=Tariff(chosen.tax, chosen.mark_up, chosen.sell_less),
        weeks=chosen.prices_shift,
        forecast=chosen.forecast or ("usual" if chosen.weather is None else "blend"),
        weather=chosen.weather,
    )


@contextmanager
def _folder(work: Path | None) -> Iterator[Path]:
    if work is not None:
        yield work
        return
    with tempfile.TemporaryDirectory(prefix="kwartier-backtest-") as name:
        yield Path(name)


@contextmanager
def _crowd(workers: str, scheduler: str | None) -> Iterator[Crowd]:
    """Give who plays the pieces.

    Raises:
        InputError: There is no such crowd.
    """
    from api.backtest.pool import MOST_WORKERS, Pool
    from api.crowd.workers import Alone

    if workers != _DASK:
        count = int(workers) if workers.isdecimal() else 0
        if not 1 <= count <= MOST_WORKERS:
            raise InputError(f"--workers {workers}: give 1 to {MOST_WORKERS}, or dask")
        if scheduler is not None:
            raise InputError("--scheduler goes with --workers dask")
        yield Alone() if count == 1 else Pool(count)
        return
    try:
        from api.crowd.dask import crowd_at, local_crowd
    except ModuleNotFoundError as error:
        raise MissingExtraError("backtest --workers dask", "fleet", error.name or "") from error
    with local_crowd(_cores()) if scheduler is None else crowd_at(scheduler) as crowd:
        yield crowd


def _cores() -> int:
    import os

    return os.cpu_count() or 1


BACKTEST = Command(
    summary="play steering again over measured quarters, with only what was known then",
    example="kwartier backtest --meters street.parquet --prices day-ahead.csv --battery 150:75 "
    "--report report.html",
    extra="serve",
    configure=_configure,
    run=_run,
)
