"""How long the server takes for the day of forty homes: asked again, and reckoned anew."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import httpx
import pytest

from collectors.store import DeviceKey
from tests.api.conftest import log_in, served
from tests.api.street import Street, street

ROUNDS = 25
GOAL_P95_MS = 100.0


def p95_ms(client: httpx.Client, address: str, made: Street, step_s: float) -> float:
    """Return the time that 19 of 20 answers stay below, the clock moved before each [ms]."""
    taken = []
    for _ in range(ROUNDS):
        made.clock.advance(step_s)
        began = time.perf_counter()
        assert client.get(address).status_code == 200
        taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken)[int(0.95 * ROUNDS) - 1]


@pytest.mark.speed
def test_the_day_of_forty_homes_is_served_within_a_tenth_of_a_second(tmp_path: Path) -> None:
    print("\n| page | asked again, p95 [ms] | reckoned anew, p95 [ms] | packed [kB] |")
    print("|---|---|---|---|")
    slowest = 0.0
    with street(tmp_path) as made, served(made) as client:
        log_in(made, client, "huis-02")
        for address in ("/healthz", "/", "/wijk", "/api/v1/day", "/api/v1/now"):
            kilobytes = len(gzip.compress(client.get(address).content)) / 1000
            again = p95_ms(client, address, made, 0.0)
            anew = p95_ms(client, address, made, 6.0)
            slowest = max(slowest, again)
            print(f"| {address} | {again:.1f} | {anew:.1f} | {kilobytes:.1f} |")
        began = time.perf_counter()
        meter = DeviceKey("gw-01", "p1")
        start_s = int(made.clock.now_s()) - 3600
        for _ in range(ROUNDS):
            made.house.store.quarters(["import_wh"], start_s - start_s % 900, start_s, [meter])
        print(
            f"baseline, one store question: {(time.perf_counter() - began) / ROUNDS * 1000:.2f} ms"
        )

    assert slowest < GOAL_P95_MS
