"""Statements as people ask for them: read from the books, kept as long as they cannot change.

What a run froze never changes, so how a line adds up is kept by the number of its computation. A
statement is kept once its papers are numbered; before that somebody may still waive or correct.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from api.cooperative.database import Desk
from api.cooperative.runs import explain, quarters, runs, statements
from api.cooperative.runs.drilling import QuarterRow
from api.cooperative.runs.explaining import Explanation
from api.cooperative.runs.frozen import owners_of
from api.cooperative.runs.month import RunName
from api.cooperative.runs.states import BOOKED, Run, State, run_of
from api.cooperative.runs.storing import computation_of, inputs_of
from api.cooperative.settings import CoopSettings
from api.cooperative.statement import Statement, StatementState
from api.papers.kept import Kept
from kwartier.errors import InputError
from kwartier.units import EpochS
from optimizer.as_json.strict_json import Part
from optimizer.settling.invoicing import Charge
from optimizer.settling.period import Ownership

AGE_S = 3_600.0
"""How long anything is kept: also what a person had taken out of the books [s]."""
_SETTLED = frozenset({State.INVOICED, State.CLOSED})
_IN_SIGHT = frozenset({State.COMPUTED, State.PROPOSED, State.APPROVED})
"""States in which the newest run of a month is shown as provisional."""


@dataclass(frozen=True, slots=True)
class Told:
    """A member's statement in the list of months.

    Attributes:
        name: The run's month and version.
        state: How sure it is.
        to_pay_cents: What the member pays; below zero is paid out.
        stands: Whether no later version took its place.
    """

    name: RunName
    state: StatementState
    to_pay_cents: int
    stands: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run froze besides the readings: who settled what, and how was shared.

    Attributes:
        owners: Who settled each connection, and when.
        keys: Each version of the key: from when on [s], its name, its kind and its decision.
    """

    owners: tuple[Ownership, ...]
    keys: tuple[tuple[EpochS, str, str, str], ...]

    def homes(self, at_s: EpochS) -> int:
        """Return how many connections took part at an instant [s]."""
        return len({each.connection for each in self.owners if each.holds(at_s)})

    def kind(self, key: str) -> str:
        """Return the kind of a version of the key, such as ``proportional``."""
        return next((kind for _, name, kind, _ in self.keys if name == key), "")


@dataclass(frozen=True, slots=True)
class _Sums:
    """What is kept of every run: what each member pays, and how many homes have each charge."""

    to_pay_cents: Mapping[str, int]
    homes: Mapping[Charge, int]


class Shelf:
    """Keeps what was read of the books; safe to share between threads."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._runs: Kept[tuple[str, int], _Sums] = Kept(64, AGE_S)
        self._statements: Kept[tuple[str, int, str], Statement] = Kept(256, AGE_S)
        self._explanations: Kept[tuple[str, int, str, int], Explanation] = Kept(128, AGE_S)
        self._quarters: Kept[tuple[str, int, str, date], tuple[QuarterRow, ...]] = Kept(256, AGE_S)
        self._terms: Kept[tuple[str, int], Terms] = Kept(32, AGE_S)

    def list(self, desk: Desk, party: str) -> list[Told]:
        """Return the statements a member may see, the newest month and version first."""
        every = runs(desk)
        return sorted(
            (
                Told(run.name, state_of(run), self.totals(desk, run)[party], _stands(run, every))
                for run in every
                if is_in_sight(run, every) and party in self.totals(desk, run)
            ),
            key=lambda told: told.name,
            reverse=True,
        )

    def run(self, desk: Desk, month: str, version: int, party: str) -> Run | None:
        """Return a run in which a member has a statement to look at, or None."""
        run = self.any_run(desk, month, version, party)
        if run is None or not is_in_sight(run, runs(desk, month)):
            return None
        return run

    def any_run(self, desk: Desk, month: str, version: int, party: str) -> Run | None:
        """Return a run in which a member has a result, however far it is; None without one."""
        try:
            run = run_of(desk, f"{month}/{version}")
        except InputError:
            return None
        if run.state in (State.DRAFT, State.WITHDRAWN):
            return None
        return run if party in self.totals(desk, run) else None

    def totals(self, desk: Desk, run: Run) -> Mapping[str, int]:
        """Return what each member pays in a run, in cents."""
        return self._sums(desk, run).to_pay_cents

    def homes_with(self, desk: Desk, run: Run, charge: Charge) -> int:
        """Return how many homes, or of the fee how many members, have a line of a charge."""
        return self._sums(desk, run).homes.get(charge, 0)

    def _sums(self, desk: Desk, run: Run) -> _Sums:
        def read() -> _Sums:
            invoices = computation_of(desk, run).invoices
            whose = {
                (line.priced.charge, line.priced.connection or name)
                for name, invoice in invoices.items()
                for line in invoice.lines
            }
            return _Sums(
                {name: invoice.to_pay for name, invoice in invoices.items()},
                Counter(charge for charge, _ in whose),
            )

        return self._runs.of((run.id, run.computation), read)

    def statement(self, desk: Desk, settings: CoopSettings, run: Run, party: str) -> Statement:
        """Return a member's statement; the member must have one in the run."""

        def read() -> Statement:
            return statements(desk, settings, run.id, party)[0]

        if run.state not in _SETTLED:
            return read()
        return self._statements.of((run.id, run.computation, party), read)

    def explanation(self, desk: Desk, run: Run, party: str, line: int) -> Explanation:
        """Return how a member's line adds up; the line must be there."""
        return self._explanations.of(
            (run.id, run.computation, party, line), lambda: explain(desk, run.id, party, line)
        )

    def quarters(self, desk: Desk, run: Run, connection: str, day: date) -> tuple[QuarterRow, ...]:
        """Return a connection's day in a run, quarter by quarter."""
        return self._quarters.of(
            (run.id, run.computation, connection, day),
            lambda: tuple(quarters(desk, run.id, connection, day)),
        )

    def terms(self, desk: Desk, run: Run) -> Terms:
        """Return what a run froze besides the readings."""

        def read() -> Terms:
            inputs = inputs_of(desk, run)
            keys = [part.names() for part in Part(inputs, "inputs").names()["keys"].list()]
            return Terms(
                owners_of(inputs),
                tuple(
                    (
                        each["from_s"].whole(0, 10**11),
                        each["id"].name(),
                        str(each["body"].names()["key"].names()["type"].value),
                        each["decision"].name(),
                    )
                    for each in keys
                ),
            )

        return self._terms.of((run.id, run.computation), read)


def is_in_sight(run: Run, of_month: list[Run]) -> bool:
    """Return whether members may see a run: it is booked, or the newest of its month."""
    if run.state in BOOKED:
        return True
    newest = max(each.name for each in of_month if each.name.month == run.name.month)
    return run.state in _IN_SIGHT and run.name == newest


def state_of(run: Run) -> StatementState:
    """Return how sure the statements of a run are."""
    if run.state not in BOOKED:
        return StatementState.PROVISIONAL
    return StatementState.FINAL if run.corrects is None else StatementState.CORRECTED


def _stands(run: Run, every: list[Run]) -> bool:
    """Return whether no later version of the month is booked."""
    return not any(
        later.name.month == run.name.month and later.name > run.name and later.state in BOOKED
        for later in every
    )
