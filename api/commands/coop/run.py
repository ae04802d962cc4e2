"""``kwartier coop run``: a month from its readings to signed, posted, invoiced and closed."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from api.commands.coop.acting import recognised
from api.commands.coop.choosing import chosen_proposal
from api.commands.coop.run_views import VIEWS, add_json, add_run, tell
from api.commands.coop.word import Word, books_folder
from api.cooperative import runs
from api.cooperative.database import Desk
from api.cooperative.four_eyes import Matter
from api.cooperative.settings import CoopSettings, read_settings
from kwartier.progress import Progress
from kwartier.units import wh_from_kwh


@contextmanager
def _acting(chosen: argparse.Namespace) -> Iterator[tuple[Desk, CoopSettings]]:
    settings = read_settings(books_folder(chosen))
    with recognised(chosen) as (books, officer), books.desk(officer) as desk:
        yield desk, settings


def _compute_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("period", help="the month, such as 2026-07")
    _content(parser)
    add_json(parser)


def _compute(chosen: argparse.Namespace) -> int:
    bar = Progress(f"computing {chosen.period}", 1)
    with _acting(chosen) as (desk, settings):
        try:
            run = runs.compute(
                desk,
                settings,
                chosen.period,
                content_wh=_content_wh(chosen),
                show=bar.show,
            )
        finally:
            bar.end()
        tell(chosen, desk, run)
    return 0


def _correct_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("period", help="the month, such as 2026-07")
    parser.add_argument("--reason", required=True, help="why, in words for the members")
    parser.add_argument(
        "--decision", default="", help="the board's decision, after the correction window"
    )
    _content(parser)
    add_json(parser)


def _correct(chosen: argparse.Namespace) -> int:
    with _acting(chosen) as (desk, settings):
        run = runs.correct(
            desk,
            settings,
            chosen.period,
            chosen.reason,
            chosen.decision,
            content_wh=_content_wh(chosen),
        )
        tell(chosen, desk, run)
    return 0


def _waive_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("key", help="the finding's key, as `kwartier coop run findings` tells it")
    parser.add_argument("--reason", required=True, help="why; it stands on the statement")


def _waive(chosen: argparse.Namespace) -> int:
    with _acting(chosen) as (desk, _):
        runs.waive(desk, chosen.run, chosen.key, chosen.reason)
        tell(chosen, desk, chosen.run)
    return 0


def _approve_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("--hash", help="first letters of the hash you looked at, eight or more")


def _approve(chosen: argparse.Namespace) -> int:
    with _acting(chosen) as (desk, _):
        found = chosen_proposal(desk, Matter.RUN, chosen.run, chosen.hash)
        runs.approve(desk, chosen.run, found.body_hash)
        tell(chosen, desk, chosen.run)
    return 0


def _reason_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("--reason", required=True, help="why, in a few words")


def _with_reason(act: Callable[[Desk, str, str], None]) -> Callable[[argparse.Namespace], int]:
    def run(chosen: argparse.Namespace) -> int:
        with _acting(chosen) as (desk, _):
            act(desk, chosen.run, chosen.reason)
            tell(chosen, desk, chosen.run)
        return 0

    return run


def _plainly(
    act: Callable[[Desk, CoopSettings, str], object],
) -> Callable[[argparse.Namespace], int]:
    def run(chosen: argparse.Namespace) -> int:
        with _acting(chosen) as (desk, settings):
            act(desk, settings, chosen.run)
            tell(chosen, desk, chosen.run)
        return 0

    return run


def _content(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--battery-content",
        metavar="KWH",
        help="what the battery could still give at the month's end, as measured, such as 12.500",
    )


def _content_wh(chosen: argparse.Namespace) -> int | None:
    return None if chosen.battery_content is None else wh_from_kwh(chosen.battery_content)


def _word(
    name: str,
    summary: str,
    example: str,
    configure: Callable[[argparse.ArgumentParser], None],
    run: Callable[[argparse.Namespace], int],
) -> Word:
    return Word("run", name, summary, f"kwartier coop run {name} {example}", configure, run)


WORDS = (
    _word(
        "compute",
        "settle a month and make the checks",
        "2026-07 --as treasurer",
        _compute_arguments,
        _compute,
    ),
    *VIEWS,
    _word(
        "waive",
        "answer for a finding, with a reason",
        '2026-07/1 A1-home-3-0123456789ab --reason "meter was off, resident agrees" --as treasurer',
        _waive_arguments,
        _waive,
    ),
    _word(
        "propose",
        "lay a computed run before a second person",
        "2026-07/1 --as treasurer",
        add_run,
        _plainly(lambda desk, _, run: runs.propose(desk, run)),
    ),
    _word(
        "approve",
        "approve a proposed run as the second person",
        "2026-07/1 --hash 1f2e3d4c --as board",
        _approve_arguments,
        _approve,
    ),
    _word(
        "reject",
        "send a proposed run back to draft",
        '2026-07/1 --reason "home-3 looks wrong" --as board',
        _reason_arguments,
        _with_reason(runs.reject),
    ),
    _word(
        "withdraw",
        "give a run up that is not posted",
        '2026-07/2 --reason "the old readings were right" --as treasurer',
        _reason_arguments,
        _with_reason(runs.withdraw),
    ),
    _word(
        "post",
        "write an approved run into the books",
        "2026-07/1 --as treasurer",
        add_run,
        _plainly(lambda desk, _, run: runs.post(desk, run)),
    ),
    _word(
        "invoice",
        "number a posted run's invoices and purchase notes",
        "2026-07/1 --as treasurer",
        add_run,
        _plainly(runs.invoice),
    ),
    _word(
        "close",
        "check that all of a run adds up, and lock its month",
        "2026-07/1 --as treasurer",
        add_run,
        _plainly(lambda desk, _, run: runs.close(desk, run)),
    ),
    _word(
        "correct",
        "begin a new version of a month that is in the books",
        '2026-07 --reason "meter of home-3 was read by hand" --as treasurer',
        _correct_arguments,
        _correct,
    ),
)
