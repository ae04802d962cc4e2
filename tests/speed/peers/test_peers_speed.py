"""How long other planners take for the same problem at the same cost, in one run with ours.

Each peer runs in its own process and its own environment: a folder of virtual environments named
by ``KWARTIER_PEERS``, such as ``KWARTIER_PEERS/emhass`` made with ``python -m venv`` and
``pip install emhass``. All planners take turns, so that a busy machine slows all of them; each cost
is reckoned afresh from the schedule; importing counts for nobody. ``cold`` is building, solving and
reading back; ``warm`` is solving once more what is built, at other
prices, where a planner keeps that.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import highspy
import numpy as np
import pytest

from optimizer.dispatch import plan
from optimizer.linear.directions import of_batteries, two_way_cells, with_directions
from optimizer.linear.programme import Programme, programme_of
from optimizer.problem import Problem
from optimizer.rolling import Rolling
from tests.optimizer.judge import judged_plan
from tests.speed.families import Family, document, family, parts, problem
from tests.speed.peers.asked import NAMES, VARIABLE, NoPlanError, Peer

ASKED = [
    ("P1", 9, 60.0),
    ("P1n", 5, 60.0),
    ("P2", 5, 60.0),
    ("P3-10", 3, 60.0),
    ("P3-100", 3, 120.0),
]
"""Family, how often each planner is asked, and what each solver may take [s]."""
GOALS = {
    ("P1", "EMHASS"): 100,
    ("P1", "FlexMeasures"): 20,
    ("P3-10", "EMHASS"): 200,
    ("P3-10", "FlexMeasures"): 80,
    ("P3-100", "FlexMeasures"): 100,
}
"""How many times as long as ours each takes cold."""
SLOW_S = 8.0
"""Who takes longer than this is asked once."""


@dataclass
class Row:
    """What one planner took: cold and warm [s], its cost [EUR], and why it has none."""

    name: str
    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    objective: float = np.nan
    excess: dict[str, float] = field(default_factory=dict)
    missing: str = ""

    @property
    def cold_s(self) -> float:
        return statistics.median(self.cold) if self.cold else np.nan

    @property
    def warm_s(self) -> float:
        return statistics.median(self.warm) if self.warm else np.nan


@pytest.fixture(scope="module")
def place() -> Path:
    """Where the environments of the peers are."""
    folder = os.environ.get(VARIABLE)
    if not folder or not any((Path(folder) / name / "bin" / "python").exists() for name in NAMES):
        pytest.skip(f"no peers are installed: set {VARIABLE} to a folder of virtual environments")
    return Path(folder)


@pytest.mark.speed
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("name", "rounds", "limit_s"), ASKED)
def test_others_take_many_times_as_long_for_the_same_cost(
    name: str, rounds: int, limit_s: float, place: Path, tmp_path: Path
) -> None:
    one = family(name)
    asked = problem(one)
    file = tmp_path / "problem.json"
    file.write_text(json.dumps(document(one)), encoding="utf-8")
    made = plan(asked, time_limit_s=limit_s)
    least = judged_plan(parts(one), made)
    programme = _programme(asked)
    own, raw = Row("kwartier", objective=least.objective_eur), Row("raw highspy")

    rolling, later = Rolling(time_limit_s=limit_s), _a_step_later(one)
    rolling.plan(asked)

    with contextlib.ExitStack() as open_peers:
        peers = list(_peers(open_peers, place, limit_s, file))
        rows = [Row(peer.name) for peer in peers]
        for _ in range(rounds):
            raw.objective = _timed(raw, lambda: _through_highs(programme, limit_s))
            _timed(own, lambda: plan(asked, time_limit_s=limit_s))
            own.warm.append(_once_more(rolling, later))
            later = _a_step_later(later)
            for peer, row in zip(peers, rows, strict=True):
                _ask(peer, row, one)
    table = [raw, own, *rows]
    _print(name, table, [f"{peer.name}: {peer.versions}" for peer in peers], limit_s)

    assert (least.laws, least.excess) == ({}, {})
    for row in table:
        if not row.missing:
            assert row.objective >= own.objective - 1e-6 * max(1.0, abs(own.objective))
    for row in rows:
        wanted = GOALS.get((name, row.name))
        if wanted is not None and row.cold:
            assert row.cold_s / own.cold_s >= wanted / 2, f"{row.name} is too near"


def _peers(opened: contextlib.ExitStack, place: Path, limit_s: float, file: Path) -> Iterator[Peer]:
    for folder in NAMES:
        if not (place / folder / "bin" / "python").exists():
            print(f"\n{folder} is not in {VARIABLE}: left out")
            continue
        peer = opened.enter_context(Peer(folder, place, limit_s))
        peer.give(file)
        yield peer


def _ask(peer: Peer, row: Row, one: Family) -> None:
    if row.missing or any(seconds > SLOW_S for seconds in row.cold):
        return
    try:
        told = peer.plan(one)
        row.cold.append(told.seconds)
        row.objective = told.verdict.objective_eur
        row.excess = {**told.verdict.laws, **told.verdict.excess}
        if peer.keeps:
            row.warm.append(peer.plan(one, warm=True).seconds)
    except NoPlanError as error:
        row.missing = str(error)


def _once_more(rolling: Rolling, one: Family) -> float:
    """Return how long our own planner takes that begins where it ended [s]."""
    asked = problem(one)
    started = time.perf_counter()
    rolling.plan(asked)
    return time.perf_counter() - started


def _a_step_later(one: Family) -> Family:
    return replace(one, buy=np.roll(one.buy, 1), sell=np.roll(one.sell, 1))


def _timed(row: Row, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    found = work()
    row.cold.append(time.perf_counter() - started)
    return found if isinstance(found, float) else np.nan


def _through_highs(programme: Programme, limit_s: float) -> float:
    """Return the cost that bare HiGHS finds, handed a finished matrix; whole numbers if asked."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy has no annotations
    for option, value in (("output_flag", False), ("time_limit", limit_s), ("threads", 1)):
        solver.setOptionValue(option, value)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = programme.cost.size, programme.row_low.size
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = programme.cost, programme.low, programme.high
    lp.row_lower_, lp.row_upper_ = programme.row_low, programme.row_high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = programme.matrix.indptr
    lp.a_matrix_.index_ = programme.matrix.indices
    lp.a_matrix_.value_ = programme.matrix.data
    if programme.integer:
        kinds = [highspy.HighsVarType.kContinuous] * programme.cost.size
        kinds[-programme.integer :] = [highspy.HighsVarType.kInteger] * programme.integer
        lp.integrality_ = kinds
    solver.passModel(lp)
    solver.run()
    return float(solver.getInfo().objective_function_value)


def _programme(asked: Problem) -> Programme:
    """Return the finished matrix: bare HiGHS is not charged for building it."""
    programme = programme_of(asked)
    if not asked.exclusive:
        return programme
    return with_directions(programme, asked, of_batteries(asked, two_way_cells(asked)))


def _print(name: str, table: list[Row], versions: list[str], limit_s: float) -> None:
    raw, own = table[0], table[1]
    print(f"\n{name}: highspy {highspy.Highs().version()}; {'; '.join(versions)}")  # type: ignore[no-untyped-call]
    print("       planner    cold ms    /raw   /ours  warm ms  /ours  cost")
    for row in table:
        if row.missing and not row.cold:
            ratio = limit_s / own.cold_s
            print(f"{row.name:>14} {row.missing}: more than {ratio:.0f} times as long as ours")
            continue
        dearer = (row.objective - own.objective) / max(1.0, abs(own.objective))
        told = "equal" if abs(dearer) <= 1e-6 else f"{dearer:+.1e} of ours"
        broken = "" if not row.excess else f", breaks {', '.join(row.excess)}"
        print(
            f"{row.name:>14} {row.cold_s * 1e3:10.1f} {row.cold_s / raw.cold_s:7.2f}"
            f" {row.cold_s / own.cold_s:7.1f} {row.warm_s * 1e3:8.1f}"
            f" {row.warm_s / own.cold_s:6.1f}  {told}{broken}"
            f"{', then ' + row.missing if row.missing else ''}"
        )
