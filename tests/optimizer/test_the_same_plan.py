"""The same question gets the same answer, to the bit.

Who asks does not matter either: another process, another order of homes, another seed of hashes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest

from optimizer.dispatch import plan
from optimizer.plan import Plan, Status
from optimizer.problem import Battery
from tests.optimizer.judge import judged_plan
from tests.optimizer.streets import street
from tests.speed.families import family, problem

SEEDS = range(4)
FLEET = "P3-30"
Part = TypeVar("Part")
_CODE = "from tests.optimizer.test_the_same_plan import printed; printed()"


def fingerprint(made: Plan) -> str:
    """Return one number for all that a plan says, to the last bit."""
    parts = (made.charge_kw, made.discharge_kw, made.soc_kwh, made.import_kw, made.curtailed_kw)
    whole = hashlib.sha256()
    for part in parts:
        whole.update(np.ascontiguousarray(part).tobytes())
    whole.update(repr((made.cost_eur, made.status, made.violations, made.reasons)).encode())
    return whole.hexdigest()


def fingerprints() -> list[str]:
    found = [fingerprint(plan(street(seed).problem())) for seed in SEEDS]
    return [*found, fingerprint(plan(problem(family(FLEET))))]


def printed() -> None:
    """Print the fingerprints of this process."""
    sys.stdout.write("\n".join(fingerprints()))


def test_the_same_problem_gives_the_same_plan_to_the_bit_in_every_process() -> None:
    here = fingerprints()

    elsewhere = subprocess.run(
        [sys.executable, "-c", _CODE],
        capture_output=True,
        text=True,
        timeout=250,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "4242"},
    )
    again = fingerprints()

    assert again == here
    assert elsewhere.stdout.split() == here


@pytest.mark.parametrize("seed", range(40, 45))
def test_the_order_of_homes_and_batteries_changes_no_cost(seed: int) -> None:
    asked = street(seed)
    order = np.random.default_rng(seed)
    mixed = replace(
        asked,
        homes=_mixed(order, asked.homes),
        batteries=_mixed(order, asked.batteries),
        sessions=_mixed(order, asked.sessions),
        heat_pumps=_mixed(order, asked.heat_pumps),
    )

    one, other = plan(asked.problem()), plan(mixed.problem())

    assert one.status is other.status
    if one.status is Status.OPTIMAL:
        least, same = judged_plan(asked, one), judged_plan(mixed, other)
        assert same.objective_eur == pytest.approx(least.objective_eur, rel=2e-6, abs=2e-6)


@pytest.mark.parametrize("seed", range(60, 65))
def test_one_battery_more_never_costs_more(seed: int) -> None:
    asked = replace(street(seed), exclusive=False)
    one_more = Battery("extra", 0.0, 5.0, 0.0, 2.0, 2.0, 0.9, 0.9)

    without = plan(asked.problem())
    with_it = plan(replace(asked, batteries=[*asked.batteries, one_more]).problem())

    if not without.violations:
        least = judged_plan(asked, without).objective_eur
        more = judged_plan(replace(asked, batteries=[*asked.batteries, one_more]), with_it)
        assert more.excess == {}
        assert more.objective_eur <= least + 1e-6 * max(1.0, abs(least))


def _mixed(order: np.random.Generator, parts: Sequence[Part]) -> list[Part]:
    return [parts[int(row)] for row in order.permutation(len(parts))]
