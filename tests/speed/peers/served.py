"""A planner of somebody else, asked line by line: it runs in its own environment, we time it here.

Standard library and NumPy only, as it is imported where nothing of ours is installed. The first
line names a file with a problem, each line after it is ``cold`` (build, solve, read back) or
``warm`` (solve again what is built, every price a step later). Each gets one JSON line: seconds,
charge and discharge of each battery, curtailment, all in kW; the seconds alone where no plan came.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """A problem as plain arrays: T steps, B batteries; kW, kWh, EUR and h."""

    interval_h: float
    buy: Numbers
    sell: Numbers
    load: Numbers
    pv: Numbers
    curtailable: bool
    least: Numbers
    capacity: Numbers
    start: Numbers
    end: Numbers
    charge_max: Numbers
    discharge_max: Numbers
    into: Numbers
    out_of: Numbers
    import_limit: float
    export_limit: float
    peak_price: float
    exclusive: bool
    limit_s: float

    @property
    def steps(self) -> int:
        return self.buy.size

    @property
    def count(self) -> int:
        return self.capacity.size

    @property
    def most_kw(self) -> float:
        """More than the connection can ever exchange: a bound for those who must have one [kW]."""
        powers = self.charge_max.sum() + self.discharge_max.sum()
        return float(np.ceil(self.load.max() + self.pv.max() + powers))


@dataclass(frozen=True)
class Answered:
    """What a planner wants: charge and discharge ``(B, T)``, curtailment ``(T,)`` [kW]."""

    charge: Numbers
    discharge: Numbers
    curtailed: Numbers


class Planner(Protocol):
    """A planner of somebody else."""

    def cold(self, asked: Asked) -> Answered | None:
        """Build, solve and read back; None where it finds no plan."""
        ...

    def warm(self, asked: Asked) -> Answered | None:
        """Solve once more what was built, where the planner keeps it."""
        ...


def serve(name: str, planner: Planner, packages: tuple[str, ...], *, keeps: bool) -> None:
    """Answer lines on standard input until it ends; whatever else is printed goes nowhere."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    answers.write(json.dumps({"name": name, "versions": versions, "keeps": keeps}) + "\n")
    asked = later = _read(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        work, now = planner.cold, asked
        if line.strip() == "warm":
            # Another price for every step: what is solved again is another problem.
            later = replace(later, buy=np.roll(later.buy, 1), sell=np.roll(later.sell, 1))
            work, now = planner.warm, later
        started = time.perf_counter()
        answer = work(now)
        seconds = time.perf_counter() - started
        found: dict[str, object] = {"seconds": seconds}
        if answer is not None:
            found["charge_kw"] = answer.charge.tolist()
            found["discharge_kw"] = answer.discharge.tolist()
            found["curtailed_kw"] = answer.curtailed.tolist()
        answers.write(json.dumps(found) + "\n")


def _read(order: Mapping[str, object]) -> Asked:
    body = json.loads(Path(str(order["file"])).read_text(encoding="utf-8"))
    homes, batteries, grid = body["homes"], body["batteries"], body["grid"]

    def column(key: str) -> Numbers:
        return np.array([battery[key] for battery in batteries], dtype=np.float64)

    return Asked(
        interval_h=body["interval_hours"],
        buy=np.array(body["buy_eur_per_kwh"]),
        sell=np.array(body["sell_eur_per_kwh"]),
        load=np.array([home["load_kw"] for home in homes]).sum(axis=0),
        pv=np.array([home["pv_kw"] for home in homes]).sum(axis=0),
        curtailable=homes[0]["pv_curtailable"],
        least=column("soc_min_kwh"),
        capacity=column("soc_max_kwh"),
        start=column("soc_start_kwh"),
        end=column("soc_end_kwh"),
        charge_max=column("charge_max_kw"),
        discharge_max=column("discharge_max_kw"),
        into=column("charge_efficiency"),
        out_of=column("discharge_efficiency"),
        import_limit=grid.get("import_limit_kw", np.inf),
        export_limit=grid.get("export_limit_kw", np.inf),
        peak_price=grid["peak_price_eur_per_kw"],
        exclusive=body["exclusive"],
        limit_s=float(str(order["limit_s"])),
    )
