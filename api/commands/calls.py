"""``kwartier calls``: windows in which the grid carries less, put in, listed, and proven."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kwartier.cli import Command, print_json
from kwartier.errors import ContractError, InputError
from kwartier.wire import Json

if TYPE_CHECKING:
    from api.planning.calls import PutCall
    from api.settings import ServeSettings
    from kwartier.units import EpochS


def _configure(parser: argparse.ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    add = words.add_parser("add", help="write down a call of the grid's operator")
    add.add_argument("id", help="its name, such as the operator's reference")
    add.add_argument("--from", dest="start", required=True, metavar="INSTANT", help="its start")
    add.add_argument("--to", dest="end", required=True, metavar="INSTANT", help="its end")
    add.add_argument("--import-limit-w", type=int, metavar="W", help="the most that may be taken")
    add.add_argument("--export-limit-w", type=int, metavar="W", help="the most that may be given")
    add.add_argument("--group", help="the group it is for; the neighbourhood if not told")
    add.add_argument(
        "--reward",
        type=float,
        default=0.0,
        metavar="EUR",
        help="what is paid for each kWh of room that is left to others (%(default)g)",
    )
    drop = words.add_parser("drop", help="take a call back")
    drop.add_argument("id", help="its name")
    every = words.add_parser("list", help="show all calls, also those that were taken back")
    proof = words.add_parser("proof", help="show what was measured while a call held")
    proof.add_argument("id", help="its name")
    for word in (add, drop, every, proof):
        word.add_argument(
            "--config", type=Path, required=True, metavar="FILE", help="settings of kwartier serve"
        )


def _run(chosen: argparse.Namespace) -> int:
    from api.planning.calls import BOOK, CallBook
    from api.settings import read_serve_settings
    from kwartier.clock import SystemClock

    settings = read_serve_settings(chosen.config)
    book = CallBook(settings.state / BOOK)
    now_s = int(SystemClock().now_s())
    if chosen.word == "add":
        call = _call(chosen, settings, now_s)
        book.add(call)
        print_json(_told(call))
    elif chosen.word == "drop":
        book.drop(chosen.id, now_s)
    elif chosen.word == "list":
        print_json([_told(call) for call in book.every()])
    else:
        print_json(_proof(chosen.id, book.every(), settings, now_s))
    return 0


def _call(chosen: argparse.Namespace, settings: ServeSettings, now_s: int) -> PutCall:
    from api.planning.calls import PutCall

    group: str | None = chosen.group
    if group is not None and group not in settings.community.groups:
        raise InputError(f"--group {group[:60]!r} is not in the neighbourhood's file: add it there")
    return PutCall(
        chosen.id,
        _instant("--from", chosen.start),
        _instant("--to", chosen.end),
        chosen.import_limit_w,
        chosen.export_limit_w,
        group,
        chosen.reward,
        now_s,
    )


def _told(call: PutCall) -> dict[str, Json]:
    from kwartier.interval import instant_text

    return {
        "id": call.id,
        "from": instant_text(call.start_s),
        "to": instant_text(call.end_s),
        "import_limit_w": call.import_limit_w,
        "export_limit_w": call.export_limit_w,
        "group": call.group,
        "reward_eur_per_kwh": call.reward_eur_per_kwh,
        "entered": instant_text(call.entered_s),
        "in_time": call.is_in_time,
        "dropped": None if call.dropped_s is None else instant_text(call.dropped_s),
    }


def _instant(key: str, text: str) -> EpochS:
    from kwartier.interval import epoch_s, parse_instant

    try:
        return epoch_s(parse_instant(text))
    except ContractError as error:
        raise InputError(f"{key} {error}") from error


def _proof(
    name: str, calls: tuple[PutCall, ...], settings: ServeSettings, now_s: int
) -> dict[str, Json]:
    """Return a call with what was measured in each of its quarters that are over."""
    from api.planning.delivery import delivered
    from collectors.queries import Records
    from collectors.union_store import open_records
    from kwartier.clock import SystemClock
    from kwartier.interval import instant_text

    call = next((one for one in calls if one.id == name), None)
    if call is None:
        raise InputError(f"there is no call {name[:60]!r}: 'kwartier calls list' shows them")
    store = open_records(settings.records)
    try:
        records = Records(store, settings.community, SystemClock())
        quarters = delivered(settings.community, records, store, call, now_s)
    finally:
        store.close()
    return {
        **_told(call),
        "quarters": [
            {
                "start": instant_text(one.start_s),
                "exchange_w": one.exchange_w,
                "kept": one.kept,
            }
            for one in quarters
        ],
        "kept": sum(one.kept is True for one in quarters),
        "broken": sum(one.kept is False for one in quarters),
        "not_known": sum(one.kept is None for one in quarters),
    }


CALLS = Command(
    summary="write down when the grid carries less, and prove that it was kept to",
    example="kwartier calls add cbc-7 --from 2026-07-02T15:00:00Z --to 2026-07-02T18:00:00Z "
    "--import-limit-w 40000 --config serve.toml",
    extra="serve",
    configure=_configure,
    run=_run,
)
