"""Machines that run once and may wait: where each may start, and what it uses from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kwartier.errors import InputError
from optimizer.model.neighbourhood import FloatArray, RowArray, Run
from optimizer.model.nonsense import MAX_SIZE
from optimizer.model.spread import bounded_limit, step_of

MAX_RUNS = 500
"""The most machines in one plan."""
MAX_STARTS = 100_000
"""The most places to start, over all machines."""


@dataclass(frozen=True, slots=True, eq=False)
class Starts:
    """Every place where a machine may start, S of them, machine by machine.

    Attributes:
        run: The machine, shape ``(S,)``.
        step: The step it starts in, shape ``(S,)``.
        cell_start: The place that each used power belongs to, shape ``(N,)``.
        cell_step: The step it is used in, shape ``(N,)``.
        cell_kw: How much, shape ``(N,)`` [kW].
    """

    run: RowArray
    step: RowArray
    cell_start: RowArray
    cell_step: RowArray
    cell_kw: FloatArray

    def most_chosen(self, chosen: FloatArray) -> RowArray:
        """Return for each machine the place that most of it is in, the first of equals.

        Args:
            chosen: How much of a machine is in each place, shape ``(S,)``.
        """
        by_run = np.lexsort((self.step, -chosen.round(6), self.run))
        first = np.searchsorted(self.run[by_run], np.unique(self.run))
        places: RowArray = by_run[first]
        return places


def starts_of(runs: Sequence[Run]) -> Starts:
    """Return the places where machines may start."""
    lengths = np.array([len(run.power_kw) for run in runs], dtype=np.intp)
    counts = np.array(
        [run.latest_end - len(run.power_kw) - run.earliest + 1 for run in runs], dtype=np.intp
    )
    row = np.repeat(np.arange(len(runs)), counts)
    before = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.intp)
    first = np.array([run.earliest for run in runs], dtype=np.intp)
    step = np.arange(row.size) - before[row] + first[row]
    cell_start = np.repeat(np.arange(row.size), lengths[row])
    within = np.concatenate([np.arange(length) for length in lengths[row]])
    powers = [np.asarray(run.power_kw, dtype=np.float64) for run in runs]
    cell_kw = np.concatenate([powers[each] for each in row])
    return Starts(row, step, cell_start, step[cell_start] + within.astype(np.intp), cell_kw)


def runs_kw(runs: Sequence[Run], starts: Sequence[int], steps: int) -> FloatArray:
    """Return what each machine uses when it starts where it is told, shape ``(R, T)`` [kW]."""
    used = np.zeros((len(runs), steps))
    for row, (run, start) in enumerate(zip(runs, starts, strict=True)):
        used[row, start : start + len(run.power_kw)] = run.power_kw
    return used


def most_kw(runs: Sequence[Run], steps: int) -> FloatArray:
    """Return the most all machines can use in each step, shape ``(T,)`` [kW]."""
    most = np.zeros(steps)
    for run in runs:
        own = np.zeros(steps)
        for start in range(run.earliest, run.latest_end - len(run.power_kw) + 1):
            place = slice(start, start + len(run.power_kw))
            own[place] = np.maximum(own[place], run.power_kw)
        most += own
    return most


def refuse_odd_runs(runs: Sequence[Run], steps: int) -> None:
    """Refuse machines that cannot run between their earliest start and their latest end.

    Raises:
        InputError: The message names the key, the value and the remedy.
    """
    if len(runs) > MAX_RUNS:
        raise InputError(f"runs has {len(runs)} entries: at most {MAX_RUNS} are planned together")
    places = 0
    for run in runs:
        place = f"runs.{run.id}."
        power = np.asarray(run.power_kw, dtype=np.float64)
        if not 1 <= power.size <= steps:
            raise InputError(
                f"{place}power_kw has {power.size} values: give 1 to {steps}, one for each step "
                "it runs"
            )
        bounded_limit(place + "power_kw", power, power.size, low=0.0, high=MAX_SIZE, unit="kW")
        earliest = step_of(place + "earliest", run.earliest, low=0, high=steps - power.size)
        step_of(place + "latest_end", run.latest_end, low=earliest + power.size, high=steps)
        places += run.latest_end - earliest - power.size + 1
    if places > MAX_STARTS:
        raise InputError(
            f"runs may start in {places} places together: at most {MAX_STARTS}; narrow them "
            "between earliest and latest_end"
        )
