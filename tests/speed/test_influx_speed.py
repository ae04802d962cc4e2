"""How fast a block becomes line protocol, beside the client's own point by point."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from influxdb_client.client.write.point import Point

from collectors.line_protocol import block_lines
from kwartier.reading import ClockSource
from kwartier.wire import Block

ROWS, ROUNDS = 3600, 5
NAMES = (
    "import_wh", "export_wh", "import_t1_wh", "import_t2_wh", "import_w", "export_w",
    "import_l1_w", "import_l2_w", "import_l3_w", "voltage_l1_dv", "voltage_l2_dv",
    "voltage_l3_dv", "current_l1_ma", "current_l2_ma", "current_l3_ma",
)  # fmt: skip


def block(*, gaps: bool) -> Block:
    at_s = tuple(range(ROWS))
    whole = {
        name: tuple(place * 1000 + row for row in range(ROWS)) for place, name in enumerate(NAMES)
    }
    thinned = {
        name: tuple(None if gaps and row % 7 == 0 else value for row, value in enumerate(column))
        for name, column in whole.items()
    }
    return Block("gw-01", "e", 1, "p1", "", ClockSource.METER, at_s, thinned)


def by_the_client(one: Block) -> list[str]:
    tags = {"site": "wijk", "gateway": one.gateway, "device": one.device}
    lines = []
    for reading in one.readings():
        body = {"measurement": "reading", "tags": tags, "fields": reading.values}
        lines.append(str(Point.from_dict({**body, "time": reading.at_s}).to_line_protocol()))
    return [line for line in lines if line]


def rows_per_second(write: Callable[[], list[str]]) -> float:
    best_s = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        write()
        best_s = min(best_s, time.perf_counter() - began)
    return ROWS / best_s


@pytest.mark.speed
@pytest.mark.parametrize("gaps", [False, True], ids=["whole rows", "rows with gaps"])
def test_a_block_becomes_lines_many_times_faster_than_point_by_point(gaps: bool) -> None:
    one = block(gaps=gaps)
    assert block_lines(one, "wijk") == by_the_client(one)

    client = rows_per_second(lambda: by_the_client(one))
    ours = rows_per_second(lambda: block_lines(one, "wijk"))

    print(f"\n{'15 fields a row':<28}{'rows/s':>12}{'ratio':>8}")
    print(f"{'influxdb-client Point':<28}{client:>12,.0f}{1:>8.1f}")
    print(f"{'kwartier, a block at a time':<28}{ours:>12,.0f}{ours / client:>8.1f}")
    assert ours > 4 * client
