"""FlexMeasures: its device scheduler with the direct HiGHS builder, which is its default."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
from flask import Flask  # type: ignore[import-not-found]  # in an environment of its own
from flexmeasures.data.models.planning import (  # type: ignore[import-not-found]  # the same
    FlowCommitment,
)
from flexmeasures.data.models.planning.linear_optimization import (  # type: ignore[import-not-found]  # the same
    device_scheduler,
)
from flexmeasures.data.models.planning.storage import (  # type: ignore[import-not-found]  # the same
    StorageScheduler,
)
from flexmeasures.data.models.planning.utils import (  # type: ignore[import-not-found]  # the same
    initialize_df,
    initialize_series,
)

from tests.speed.peers.served import Answered, Asked, Numbers, serve

_START = datetime(2025, 6, 1, tzinfo=UTC)


class FlexMeasures:
    """Kilowatts in place of its megawatts: its rows are then better scaled and solved sooner."""

    def __init__(self) -> None:
        self.app = Flask("peers")
        self.app.config.update(FLEXMEASURES_LP_SOLVER="highspy", LOGGING_LEVEL="INFO")

    def cold(self, asked: Asked) -> Answered | None:
        with self.app.app_context():
            return _planned(asked)

    def warm(self, asked: Asked) -> Answered | None:
        return self.cold(asked)


def _planned(asked: Asked) -> Answered | None:
    step = timedelta(hours=asked.interval_h)
    span = (_START, _START + asked.steps * step, step)

    cuttable = asked.pv * asked.curtailable
    fixed = asked.load - asked.pv + cuttable
    connection = initialize_df(["derivative min", "derivative max"], *span)
    connection["derivative max"] = _or_none(asked.import_limit)
    connection["derivative min"] = _or_none(-asked.export_limit)
    homes, panels = (initialize_df(StorageScheduler.COLUMNS, *span) for _ in range(2))
    homes["derivative equals"] = fixed
    panels["derivative min"], panels["derivative max"] = -cuttable, 0.0
    batteries = [initialize_df(StorageScheduler.COLUMNS, *span) for _ in range(asked.count)]
    for row, battery in enumerate(batteries):
        for name, values in _battery(asked, row).items():
            battery[name] = values
    powers, _, results, _ = device_scheduler(
        [homes, panels, *batteries],
        connection,
        commitments=_commitments(asked, lambda values: initialize_series(values, *span)),
        initial_stock=[0.0, 0.0, *(asked.start / asked.interval_h)],
    )
    if "optimal" not in str(results.solver.termination_condition):
        return None
    found = np.array([power.to_numpy() for power in powers])
    return Answered(np.maximum(found[2:], 0.0), np.maximum(-found[2:], 0.0), cuttable + found[1])


def _battery(asked: Asked, row: int) -> dict[str, Numbers | float]:
    """Return a battery's limits; stock counts in power times steps, from what is stored first."""
    start, dt = float(asked.start[row]), asked.interval_h
    ends = np.full(asked.steps, np.nan)
    ends[-1] = (float(asked.end[row]) - start) / dt
    return {
        "min": (float(asked.least[row]) - start) / dt,
        "max": (float(asked.capacity[row]) - start) / dt,
        "equals": ends,
        "derivative min": -float(asked.discharge_max[row]),
        "derivative max": float(asked.charge_max[row]),
        "derivative up efficiency": float(asked.into[row]),
        "derivative down efficiency": float(asked.out_of[row]),
    }


def _commitments(asked: Asked, series: Callable[[Numbers | float], object]) -> list[object]:
    """Return what energy costs a step, and the highest import, where that has a price."""
    nothing = series(0.0)
    energy = FlowCommitment(
        name="energy",
        quantity=nothing,
        upwards_deviation_price=series(asked.buy * asked.interval_h),
        downwards_deviation_price=series(asked.sell * asked.interval_h),
    )
    if asked.peak_price == 0:
        return [energy]
    peak = FlowCommitment(
        name="peak",
        _type="any",
        quantity=nothing,
        upwards_deviation_price=series(asked.peak_price),
        downwards_deviation_price=nothing,
    )
    return [energy, peak]


def _or_none(limit: float) -> float:
    """Return a limit, or its sign for none."""
    return limit if np.isfinite(limit) else np.nan


if __name__ == "__main__":
    serve("FlexMeasures", FlexMeasures(), ("flexmeasures", "highspy"), keeps=False)
