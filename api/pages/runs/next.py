"""What comes next of a settlement: one sentence and one way to go, for whoever looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from api.cooperative.officers import Officer, Role
from api.cooperative.runs import FoundInRun, Run, State


class Act(StrEnum):
    """What a person does with a run; the value stands in the address."""

    PROPOSE = "voorstellen"
    APPROVE = "goedkeuren"
    REJECT = "afwijzen"
    POST = "boeken"
    INVOICE = "nummeren"
    CLOSE = "afsluiten"
    WITHDRAW = "intrekken"

    @property
    def word(self) -> str:
        """Its name among the words, such as ``propose``."""
        return self.name.lower()


class MonthAct(StrEnum):
    """What a person does with a month; it takes a while, so it is done beside the pages."""

    COMPUTE = "bereken"
    CORRECT = "verbeteren"

    @property
    def word(self) -> str:
        """Its name among the words, such as ``compute``."""
        return self.name.lower()


FROM: Mapping[Act, frozenset[State]] = {
    Act.PROPOSE: frozenset({State.COMPUTED}),
    Act.APPROVE: frozenset({State.PROPOSED}),
    Act.REJECT: frozenset({State.PROPOSED}),
    Act.POST: frozenset({State.APPROVED}),
    Act.INVOICE: frozenset({State.POSTED}),
    Act.CLOSE: frozenset({State.INVOICED}),
    Act.WITHDRAW: frozenset({State.DRAFT, State.COMPUTED, State.APPROVED}),
}
"""In which states a run must stand for an act."""
BECOMES: Mapping[Act, State] = {
    Act.PROPOSE: State.PROPOSED,
    Act.APPROVE: State.APPROVED,
    Act.REJECT: State.DRAFT,
    Act.POST: State.POSTED,
    Act.INVOICE: State.INVOICED,
    Act.CLOSE: State.CLOSED,
    Act.WITHDRAW: State.WITHDRAWN,
}
"""Where a run stands after an act."""
_PLAIN: Mapping[State, Act] = {
    State.APPROVED: Act.POST,
    State.POSTED: Act.INVOICE,
    State.INVOICED: Act.CLOSE,
}


@dataclass(frozen=True, slots=True)
class NextStep:
    """What comes next.

    Attributes:
        key: Which sentence, such as ``propose`` or ``blocked``.
        path: Where it is done; empty when this reader can do nothing now.
        count: The number in the sentence.
    """

    key: str
    path: str = ""
    count: int = 0


def next_step(
    run: Run,
    me: Officer | None,
    proposer: str,
    found: Sequence[FoundInRun],
    *,
    newest: bool = True,
) -> NextStep:
    """Return what comes next of a run.

    Args:
        run: The run.
        me: Who looks; None for who has no account in the books and may only look.
        proposer: The person who proposed it, while it waits; empty otherwise.
        found: What the checks found, the largest effect first.
        newest: Whether it is the newest version of its month.
    """
    step = _step(run, me, proposer, found) if newest else NextStep("older")
    own_step = me is not None or step.key in {"blocked", "deliver"}
    return step if own_step else NextStep(step.key, "", step.count)


def other_ways(run: Run, me: Officer | None, proposer: str) -> list[tuple[str, str]]:
    """Return what an officer may do besides with the newest version of a month.

    Args:
        run: The run.
        me: Who looks; None for who has no account in the books and may only look.
        proposer: The person who proposed it, while it waits; empty otherwise.

    Returns:
        The words of each way, and where it is.
    """
    if me is None:
        return []
    may_reject = me.person == proposer or Role.BOARD in me.roles
    here, month = path_of(run.id), f"/bestuur/maanden/{run.name.month}"
    withdraw = (Act.WITHDRAW.word, f"{here}/{Act.WITHDRAW}")
    again = ("recompute", f"{month}/{MonthAct.COMPUTE}")
    correct = (MonthAct.CORRECT.word, f"{month}/{MonthAct.CORRECT}")
    ways = {
        State.DRAFT: [withdraw],
        State.COMPUTED: [again, withdraw],
        State.PROPOSED: [(Act.REJECT.word, f"{here}/{Act.REJECT}")] if may_reject else [],
        State.APPROVED: [withdraw],
        State.INVOICED: [correct],
        State.CLOSED: [correct],
        State.WITHDRAWN: [correct] if run.corrects else [],
    }
    return ways.get(run.state, [])


def path_of(run: str) -> str:
    """Return where a run is shown."""
    return f"/bestuur/runs/{run}"


def _step(run: Run, me: Officer | None, proposer: str, found: Sequence[FoundInRun]) -> NextStep:
    here, month = path_of(run.id), run.name.month
    if run.state is State.COMPUTED:
        stopping = [each for each in found if each.stops]
        if stopping:
            return NextStep("blocked", f"{here}/bevinding/{stopping[0].finding.key}", len(stopping))
        return NextStep("propose", f"{here}/{Act.PROPOSE}")
    if run.state is State.PROPOSED:
        return _waiting(here, me, proposer)
    if run.state in _PLAIN:
        act = _PLAIN[run.state]
        return NextStep(act.word, f"{here}/{act}")
    if run.state is State.CLOSED:
        return NextStep("deliver", f"/bestuur/berichten?run={run.id}")
    if run.state is State.WITHDRAWN and run.corrects is not None:
        return NextStep("withdrawn")
    return NextStep("compute", f"/bestuur/maanden/{month}/{MonthAct.COMPUTE}")


def _waiting(here: str, me: Officer | None, proposer: str) -> NextStep:
    """Return what comes next of a run that waits for a second person."""
    if me is not None and me.person == proposer:
        return NextStep("wait_own")
    if me is None or Role.BOARD not in me.roles:
        return NextStep("wait_board")
    return NextStep("approve", f"{here}/{Act.APPROVE}")
