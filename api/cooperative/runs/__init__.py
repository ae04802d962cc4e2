"""Settlement runs: a month from its readings to signed, posted, invoiced and closed; corrections.

The names of the room are looked up when somebody asks for them, so that an auditor's machine can
recompute a frozen run (``api.cooperative.runs.frozen``) without a database package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.cooperative.runs.assembling import statements
    from api.cooperative.runs.closing import close
    from api.cooperative.runs.comparing import RunDiff, run_diff
    from api.cooperative.runs.computing import compute
    from api.cooperative.runs.correcting import correct
    from api.cooperative.runs.document import run_document
    from api.cooperative.runs.drilling import QuarterRow, quarters
    from api.cooperative.runs.explaining import DaySum, Explanation, explain
    from api.cooperative.runs.invoicing import invoice
    from api.cooperative.runs.posting import post
    from api.cooperative.runs.proposing import approve, propose, reject, run_body
    from api.cooperative.runs.states import Run, State, Step, run_of, runs
    from api.cooperative.runs.verifying import verify_runs
    from api.cooperative.runs.waiving import FoundInRun, findings, waive
    from api.cooperative.runs.withdrawing import withdraw

__all__ = (
    "DaySum",
    "Explanation",
    "FoundInRun",
    "QuarterRow",
    "Run",
    "RunDiff",
    "State",
    "Step",
    "approve",
    "close",
    "compute",
    "correct",
    "explain",
    "findings",
    "invoice",
    "post",
    "propose",
    "quarters",
    "reject",
    "run_body",
    "run_diff",
    "run_document",
    "run_of",
    "runs",
    "statements",
    "verify_runs",
    "waive",
    "withdraw",
)

_ROOMS = {
    "closing": ("close",),
    "comparing": ("RunDiff", "run_diff"),
    "computing": ("compute",),
    "correcting": ("correct",),
    "document": ("run_document",),
    "drilling": ("QuarterRow", "quarters"),
    "explaining": ("DaySum", "Explanation", "explain"),
    "waiving": ("FoundInRun", "findings", "waive"),
    "invoicing": ("invoice",),
    "posting": ("post",),
    "proposing": ("approve", "propose", "reject", "run_body"),
    "states": ("Run", "State", "Step", "run_of", "runs"),
    "assembling": ("statements",),
    "verifying": ("verify_runs",),
    "withdrawing": ("withdraw",),
}


def __getattr__(name: str) -> object:
    """Return a name of the room from the file it stands in."""
    for file, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{file}"), name)
    raise AttributeError(f"module {__name__!r} has no name {name!r}")
