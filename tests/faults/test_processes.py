"""Gateways, mosquitto and a collector as real processes, under kills, stalls and a full store."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.broker import mosquitto_program
from tests.faults.harness import PLAN, Fault, Street, plan_of, run

_log = logging.getLogger(__name__)

SEED = 20260101

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(mosquitto_program() is None, reason="mosquitto is not installed"),
]


@pytest.fixture
def streets(tmp_path: Path) -> Iterator[list[Street]]:
    """Streets to be closed whatever happens."""
    opened: list[Street] = []
    yield opened
    for street in opened:
        street.close()


def test_nothing_is_lost_or_counted_twice_under_twenty_faults(
    tmp_path: Path, streets: list[Street]
) -> None:
    plan = plan_of(PLAN, SEED)
    streets.append(Street(tmp_path, gateways=4, blocks=860))
    began_s = time.monotonic()

    verdict = run(streets[0], plan, SEED)

    _log.info(
        "seed %d: %d faults, %.1f s, %s", SEED, len(plan), time.monotonic() - began_s, verdict
    )
    assert len(plan) >= 20
    assert verdict.sent >= 200_000
    assert verdict.is_clean, f"seed {SEED}: {verdict}\n{streets[0].last_words()}"


def test_a_gateway_that_forgets_on_the_brokers_word_is_caught(
    tmp_path: Path, streets: list[Street]
) -> None:
    streets.append(Street(tmp_path, gateways=2, blocks=300, forget_on_puback=True))

    verdict = run(streets[0], [Fault.BLACKOUT], SEED)

    assert not verdict.is_clean
    assert verdict.lost > 0
    assert verdict.stored < verdict.sent
