"""Closing a run: everything adds up, and the month is locked."""

from __future__ import annotations

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import TamperedError
from api.cooperative.officers import DECIDERS
from api.cooperative.periods import lock
from api.cooperative.runs.states import State, run_of, take
from api.cooperative.runs.storing import hashes_of
from api.cooperative.runs.verifying import faults_of


def close(desk: Desk, run: str) -> None:
    """Close an invoiced run and lock its month; a closed one stays as it is.

    Raises:
        StateError: It is not invoiced.
        TamperedError: Quarters, lines, run, entries or papers do not agree.
    """
    desk.officer.need(*DECIDERS)
    known = run_of(desk, run)
    if known.state is State.CLOSED:
        return
    known.need(State.INVOICED)
    faults = faults_of(desk, known.id)
    if faults:
        told = "; ".join(map(str, faults[:5]))
        raise TamperedError(f"run {known.id} does not add up, so it is not closed: {told}")
    take(desk, known, State.CLOSED)
    lock(desk, str(known.name.month))
    record(
        desk, "run.close", known.id, {"result_hash": hashes_of(desk, known.computation).result_hash}
    )
