"""Asks the planners of others: one process each, in the environment it was installed in."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from optimizer.problem import FloatArray
from tests.optimizer.judge import Verdict, judged
from tests.speed.families import Family, parts

ROOT = Path(__file__).resolve().parents[3]
VARIABLE = "KWARTIER_PEERS"
NAMES = ("emhass", "flexmeasures", "cvxpy", "linopy", "pyomo")
"""Folders of virtual environments, and of our ``run_NAME.py``."""
_ROOM_S = 60.0
"""What a process gets over its limit, to import, to build and to write."""


class NoPlanError(Exception):
    """A planner gave no plan; the message says why."""


@dataclass(frozen=True)
class Told:
    """A plan of a peer: how long it took, its cost and its excess by our own reckoning."""

    seconds: float
    verdict: Verdict


@dataclass
class Peer:
    """A planner of somebody else in a process of its own, while the ``with`` lasts.

    Attributes:
        folder: Its name among the environments.
        place: Where these are.
        limit_s: What its solver may take [s].
    """

    folder: str
    place: Path
    limit_s: float
    name: str = field(init=False, default="")
    versions: str = field(init=False, default="")
    keeps: bool = field(init=False, default=False)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [
                self.place / self.folder / "bin" / "python",
                "-m",
                f"tests.speed.peers.run_{self.folder}",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        hello = self._line()
        self.name, self.versions = str(hello["name"]), str(hello["versions"])
        self.keeps = bool(hello["keeps"])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def give(self, document: Path) -> None:
        """Hand it a problem as ``kwartier plan`` reads it."""
        self._say(json.dumps({"file": str(document), "limit_s": self.limit_s}))

    def plan(self, one: Family, *, warm: bool = False) -> Told:
        """Return its plan.

        Raises:
            NoPlanError: It found none, ended, or took far longer than its limit.
        """
        self._say("warm" if warm else "cold")
        answer = self._line()
        seconds = float(str(answer["seconds"]))
        if "charge_kw" not in answer:
            raise NoPlanError(f"no plan in {seconds:.0f} s")
        charge, discharge, cut = (
            np.array(answer[key]) for key in ("charge_kw", "discharge_kw", "curtailed_kw")
        )
        by_home = _by_home(one, cut)
        verdict = judged(parts(one), charge.tolist(), discharge.tolist(), by_home.tolist())
        return Told(seconds, verdict)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _line(self) -> dict[str, object]:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(self.limit_s + _ROOM_S):
                raise NoPlanError(f"no answer in {self.limit_s + _ROOM_S:.0f} s")
        line = self._process.stdout.readline()
        if not line:
            raise NoPlanError("its process ended")
        found: dict[str, object] = json.loads(line)
        return found


def _by_home(one: Family, cut: FloatArray) -> FloatArray:
    """Return curtailment shared by the homes that can cut: others plan them as one."""
    possible = one.pv * one.curtailable
    total = possible.sum(axis=0)
    part = np.divide(cut, total, out=np.zeros_like(total), where=total > 0)
    shared: FloatArray = possible * part
    return shared
