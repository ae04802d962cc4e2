"""Several collectors share a street as real processes: killed, and made more and fewer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from api.broker import mosquitto_program
from collectors.shard import owner_of
from collectors.shard_move import gateways_in
from collectors.sqlite_store import SqliteStore
from tests.faults.meters import ROWS, good_blocks
from tests.faults.sharded_street import ShardedStreet

_log = logging.getLogger(__name__)

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(mosquitto_program() is None, reason="mosquitto is not installed"),
]

NewStreet = Callable[[int, int, int], ShardedStreet]


@pytest.fixture
def new_street(tmp_path: Path) -> Iterator[NewStreet]:
    """Make a street of so many gateways, blocks of each, and collectors; closed in the end."""
    with ExitStack() as opened:

        def make(gateways: int, blocks: int, shards: int) -> ShardedStreet:
            street = ShardedStreet(tmp_path, gateways=gateways, blocks=blocks, shards=shards)
            opened.callback(street.close)
            return street

        yield make


def reach(street: ShardedStreet, part: float) -> None:
    """Wait until a part of all readings is stored."""
    total = len(street.gateways) * good_blocks(street.blocks) * ROWS
    street.wait_until(partial(street.holds, int(part * total)))


def test_two_shards_lose_and_double_nothing_when_one_is_killed(new_street: NewStreet) -> None:
    street = new_street(2, 120, 2)
    assert {owner_of("gw-1", 2), owner_of("gw-2", 2)} == {0, 1}
    street.start()
    reach(street, 0.1)

    street.kill_shard(1)
    street.start_shard(1)
    street.wait_until(street.gateways_are_done)
    verdict = street.finish()

    assert verdict.is_clean, f"{verdict}\n{street.last_words()}"
    held = []
    for record in street.records:
        with SqliteStore(record, read_only=True) as store:
            held.append(gateways_in(store))
    assert held == [{f"gw-{n}" for n in (1, 2) if owner_of(f"gw-{n}", 2) == k} for k in (0, 1)]


@pytest.mark.nightly
def test_a_street_that_grows_and_shrinks_under_kills_loses_and_doubles_nothing(
    new_street: NewStreet,
) -> None:
    street = new_street(6, 900, 1)
    street.start()
    for number, shards in enumerate([2, 3, 5, 2, 1, 4]):
        reach(street, (number + 0.5) / 7)
        street.kill_shard(victim := number % street.shards)
        if number % 2:
            street.broker.kill()
            street.broker.start()
        street.start_shard(victim)
        reach(street, (number + 1) / 7)
        street.reshard(shards)
    street.wait_until(street.gateways_are_done)
    verdict = street.finish()

    _log.info("%s", verdict)
    assert verdict.sent >= 300_000
    assert verdict.is_clean, f"{verdict}\n{street.last_words()}"
