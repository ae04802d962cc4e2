"""How far a little noise on what is known moves the set-point that is sent first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.dispatch import plan
from optimizer.problem import FloatArray
from tests.speed.families import Family, family, problem

NOISE = 0.01
MOST_MOVED = 0.05
"""By how much of its power a first set-point may move at the median."""
STARTS = range(0, 96, 12)
"""Where the day begins: every three hours, so that first set-points are those of all hours."""


@pytest.mark.speed
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("name", "draws"), [("P1", 20), ("P2", 8), ("P3-10", 5), ("P3-100", 3)])
def test_a_little_noise_moves_the_first_setpoint_a_little(name: str, draws: int) -> None:
    moved = np.concatenate([_moved(_begun_at(family(name), start), draws) for start in STARTS])

    print(
        f"\n{name}: 1 % noise moves the first set-point by {np.median(moved):.2%} of power at the"
        f" median, {moved.mean():.2%} on average; {np.mean(moved > MOST_MOVED):.0%} of them by more"
        f" than {MOST_MOVED:.0%}"
    )
    assert np.median(moved) < MOST_MOVED


def _moved(one: Family, draws: int) -> FloatArray:
    """Return by how much of its power each battery's first set-point moves, once a draw."""
    chance = np.random.default_rng(5)
    first = _first_kw(one)
    found = []
    for _ in range(draws):
        noisy = replace(
            one,
            buy=_noisy(chance, one.buy),
            sell=_noisy(chance, one.sell),
            load=_noisy(chance, one.load),
            pv=_noisy(chance, one.pv),
        )
        found.append(np.abs(_first_kw(noisy) - first) / one.power)
    return np.concatenate(found)


def _noisy(chance: np.random.Generator, values: FloatArray) -> FloatArray:
    noisy: FloatArray = values * (1 + NOISE * chance.standard_normal(values.shape))
    return noisy


def _first_kw(one: Family) -> FloatArray:
    made = plan(problem(one))
    first: FloatArray = made.charge_kw[:, 0] - made.discharge_kw[:, 0]
    return first


def _begun_at(one: Family, start: int) -> Family:
    """Return the same days begun at another step."""
    return replace(
        one,
        buy=np.roll(one.buy, -start),
        sell=np.roll(one.sell, -start),
        load=np.roll(one.load, -start, axis=1),
        pv=np.roll(one.pv, -start, axis=1),
    )
