"""What a gateway splits in watts is what a backtest splits in arrays."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from kwartier.split import Part, split
from optimizer.tracking.filling import fill_kw


def fleet(dice: Random) -> list[Part]:
    return [
        Part(
            f"b{place}",
            dice.randrange(-6_000, 6_000),
            -dice.randrange(0, 5_000),
            dice.randrange(0, 5_000),
            dice.randrange(1, 9_000),
        )
        for place in range(dice.randrange(1, 60))
    ]


@pytest.mark.parametrize("seed", range(40))
def test_a_gateway_and_a_backtest_split_alike(seed: int) -> None:
    dice = Random(seed)  # noqa: S311 - cases, not secrets
    parts = fleet(dice)
    total_w = dice.randrange(-150_000, 150_000)

    at_gateway = split(total_w, parts)
    rows = [(part.base_w, part.least_w, part.most_w, part.weight) for part in parts]
    base_w, least_w, most_w, weight = np.array(rows, dtype=float).T
    in_backtest = fill_kw(total_w / 1000, base_w / 1000, least_w / 1000, most_w / 1000, weight)

    # Whole watts: each is at most one away.
    told = np.array([at_gateway[part.name] for part in parts])
    assert told == pytest.approx(1000 * in_backtest, abs=1.0)
