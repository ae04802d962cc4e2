"""``kwartier shards``: hand gateways over when a neighbourhood gets more or fewer collectors."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from kwartier.cli import Command, print_json
from kwartier.wire import Json


def _arguments(parser: argparse.ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    move = words.add_parser(
        "move",
        help="put every gateway into the record of the shard that keeps it",
        description="Put every gateway into the record of the shard that keeps it: readings, "
        "quarters and how far they reach. All collectors of these records must be stopped; "
        "gateways keep what they read meanwhile. A run that was broken off is run again.",
        epilog="example:\n  kwartier shards move shard-0.db shard-1.db",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    move.add_argument(
        "records",
        nargs="+",
        type=Path,
        metavar="RECORD",
        help="the record of shard 0, of shard 1 and so on; one that is not there is made",
    )
    move.add_argument(
        "--of",
        type=int,
        metavar="N",
        help="how many shards there will be; records beyond them are emptied; all of them if "
        "not told",
    )
    move.add_argument("--check", action="store_true", help="only tell how many gateways would move")


def _run(chosen: argparse.Namespace) -> int:
    from collectors.shard import MOST_SHARDS
    from kwartier.errors import InputError

    records: list[Path] = chosen.records
    of: int = len(records) if chosen.of is None else chosen.of
    if not 1 <= of <= min(len(records), MOST_SHARDS):
        raise InputError(f"--of {of}: name a record for each shard, of 1 to {MOST_SHARDS} shards")
    if len({path.resolve() for path in records}) != len(records):
        raise InputError("a record is named twice: name each once, in the order of the shards")
    print_json(_told(records, of) if chosen.check else _moved(records, of))
    return 0


def _told(records: list[Path], of: int) -> dict[str, Json]:
    from collectors.shard import owner_of
    from collectors.shard_move import gateways_in
    from collectors.sqlite_store import SqliteStore

    held: list[set[str]] = []
    for path in records:
        if not path.exists():
            held.append(set())
            continue
        with SqliteStore(path, read_only=True) as store:
            held.append(gateways_in(store))
    moving = sum(
        owner_of(gateway, of) != place
        for place, held_here in enumerate(held)
        for gateway in held_here
    )
    return {"shards": of, "would_move": moving, "gateways": [len(each) for each in held]}


def _moved(records: list[Path], of: int) -> dict[str, Json]:
    """Move all that has to; a record stays locked from the first step to the last."""
    from collectors.shard import owner_of
    from collectors.shard_move import Moved, gateways_in, hand_over
    from collectors.sqlite_store import SqliteStore
    from kwartier.progress import Progress

    with ExitStack() as opened:
        stores = [opened.enter_context(SqliteStore(path)) for path in records]
        due = sorted(
            (gateway, place)
            for place, store in enumerate(stores)
            for gateway in gateways_in(store)
            if owner_of(gateway, of) != place
        )
        moved, bar = Moved(), Progress("moving", len(due))
        for done, (gateway, place) in enumerate(due):
            moved.add(hand_over(gateway, stores[place], stores[owner_of(gateway, of)]))
            bar.show(done + 1)
        bar.end()
        held: list[Json] = [len(gateways_in(store)) for store in stores]
        return {"shards": of, "moved": asdict(moved), "gateways": held}


SHARDS = Command(
    summary="hand gateways over between the records of several collectors",
    example="kwartier shards move shard-0.db shard-1.db",
    extra="collect",
    configure=_arguments,
    run=_run,
)
