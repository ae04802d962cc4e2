"""Where a run stands: draft, computed, proposed, approved, posted, invoiced, closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import insert, select

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, StateError
from api.cooperative.runs.month import RunName
from api.cooperative.tables.runs import RunRow, RunStepRow
from kwartier.units import EpochS


class State(StrEnum):
    """Where a run stands."""

    DRAFT = "draft"
    """Begun, or sent back: nothing counts yet."""
    COMPUTED = "computed"
    """Inputs are frozen, and everybody's result is there to look at."""
    PROPOSED = "proposed"
    """The first person stands for it."""
    APPROVED = "approved"
    """A second person does too."""
    POSTED = "posted"
    """Its entries are in the books."""
    INVOICED = "invoiced"
    """Every member's papers have their numbers."""
    CLOSED = "closed"
    """Everything adds up, and the month is locked."""
    WITHDRAWN = "withdrawn"
    """Given up before it was posted."""


MOVES: Mapping[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.COMPUTED, State.WITHDRAWN}),
    State.COMPUTED: frozenset({State.COMPUTED, State.PROPOSED, State.WITHDRAWN}),
    State.PROPOSED: frozenset({State.APPROVED, State.DRAFT}),
    State.APPROVED: frozenset({State.POSTED, State.WITHDRAWN}),
    State.POSTED: frozenset({State.INVOICED}),
    State.INVOICED: frozenset({State.CLOSED}),
    State.CLOSED: frozenset(),
    State.WITHDRAWN: frozenset(),
}
"""What may follow what; the database keeps the same order by itself."""
BOOKED = frozenset({State.POSTED, State.INVOICED, State.CLOSED})
"""The states in which a run's entries are in the books."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run.

    Attributes:
        number: Its place, from 1.
        state: Where the run stood after it.
        computation: The computation it is about; None before the first.
        proposal: The proposal it is about; None without one.
        body_hash: The hash that is proposed or approved; empty otherwise.
        reason: Why, where somebody gave a reason.
        at_s: When [s].
        officer: By whom.
    """

    number: int
    state: State
    computation: int | None
    proposal: int | None
    body_hash: str
    reason: str
    at_s: EpochS
    officer: str


@dataclass(frozen=True, slots=True)
class Run:
    """A version of a month's settlement, and every step it took.

    Attributes:
        name: Its month and version.
        corrects: The run it takes the place of, or None.
        reason: Why it does.
        decision: The decision that allowed it, when it is late.
        steps: Its steps; there is at least one.
    """

    name: RunName
    corrects: str | None
    reason: str
    decision: str
    steps: tuple[Step, ...]

    @property
    def id(self) -> str:
        """Its name as text, such as ``2026-07/1``."""
        return str(self.name)

    @property
    def last(self) -> Step:
        """The last step."""
        return self.steps[-1]

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.last.state

    @property
    def computation(self) -> int:
        """The id of the computation that counts.

        Raises:
            StateError: There is none yet.
        """
        for step in reversed(self.steps):
            if step.computation is not None:
                return step.computation
        raise StateError(f"run {self.id} was not computed yet: compute it first")

    def need(self, *states: State) -> None:
        """Refuse a run that stands elsewhere.

        Raises:
            StateError: It does.
        """
        if self.state not in states:
            raise StateError(
                f"run {self.id} is {self.state}: this needs a run that is {' or '.join(states)}"
            )


def run_of(desk: Desk, run: str) -> Run:
    """Return a run by its name.

    Raises:
        BooksError: There is no such run.
    """
    name = RunName.parse(run)
    found = desk.session.get(RunRow, str(name))
    if found is None:
        raise BooksError(f"run {name}: there is none: compute {name.month} first")
    return _run(desk, found)


def runs(desk: Desk, period: str | None = None) -> list[Run]:
    """Return all runs, or those of one month, in order of month and version."""
    wanted = select(RunRow).order_by(RunRow.period, RunRow.version)
    if period is not None:
        wanted = wanted.where(RunRow.period == period)
    return [_run(desk, row) for row in desk.session.scalars(wanted)]


def latest(desk: Desk, period: str) -> Run | None:
    """Return the newest run of a month, or None."""
    found = runs(desk, period)
    return found[-1] if found else None


def booked(desk: Desk, period: str) -> Run | None:
    """Return the run whose entries stand in the books for a month, or None."""
    found = [run for run in runs(desk, period) if run.state in BOOKED]
    return found[-1] if found else None


def begin(desk: Desk, name: RunName, corrects: str | None, reason: str, decision: str) -> Run:
    """Add a run that stands at its first step."""
    row = RunRow(
        id=str(name),
        period=str(name.month),
        version=name.version,
        corrects=corrects,
        reason=reason,
        decision=decision,
        recorded_at_s=desk.at_s,
        recorded_by=desk.officer.id,
    )
    desk.session.add(row)
    desk.session.flush()
    _add(desk, str(name), Step(1, State.DRAFT, None, None, "", reason, desk.at_s, desk.officer.id))
    return _run(desk, row)


def take(
    desk: Desk,
    run: Run,
    state: State,
    *,
    computation: int | None = None,
    proposal: int | None = None,
    body_hash: str = "",
    reason: str = "",
) -> Run:
    """Take a step; it is about the same computation unless another is named.

    Raises:
        StateError: It may not follow the last one.
    """
    if state not in MOVES[run.state]:
        raise StateError(
            f"run {run.id} is {run.state}: {state} cannot follow; "
            f"what can is {', '.join(sorted(MOVES[run.state])) or 'nothing'}"
        )
    about = run.last.computation if computation is None else computation
    number = run.last.number + 1
    step = Step(number, state, about, proposal, body_hash, reason, desk.at_s, desk.officer.id)
    _add(desk, run.id, step)
    return Run(run.name, run.corrects, run.reason, run.decision, (*run.steps, step))


def _add(desk: Desk, run: str, step: Step) -> None:
    desk.session.execute(
        insert(RunStepRow).values(
            run=run,
            number=step.number,
            state=step.state.value,
            computation=step.computation,
            proposal=step.proposal,
            body_hash=step.body_hash,
            reason=step.reason,
            recorded_at_s=step.at_s,
            recorded_by=step.officer,
        )
    )


def _run(desk: Desk, row: RunRow) -> Run:
    steps = desk.session.scalars(
        select(RunStepRow).where(RunStepRow.run == row.id).order_by(RunStepRow.number)
    )
    return Run(
        RunName.parse(row.id),
        row.corrects,
        row.reason,
        row.decision,
        tuple(
            Step(
                step.number,
                State(step.state),
                step.computation,
                step.proposal,
                step.body_hash,
                step.reason,
                step.recorded_at_s,
                step.recorded_by,
            )
            for step in steps
        ),
    )
