"""Step 7: everything on one paper, signed; then the gateway begins."""

from __future__ import annotations

from enum import Enum, auto

from gateway.commission.book import STEPS, Book, Mark, Step
from gateway.commission.record import has_passed
from gateway.commission.view import Act, Line, Tone, View


class State(Enum):
    """Whether the gateway can begin."""

    WAITING = auto()
    """The board has not let it in yet; it waits here for that."""
    READY = auto()
    LEAVING = auto()
    """Somebody said that all is done."""


def view(book: Book, state: State) -> View:
    """Return how much is good, and whether the handover was made."""
    lines = tuple(
        Line(
            f"step.{step.value}",
            {},
            Tone.STOP if one is None else Tone.GOOD if one.mark is Mark.GOOD else Tone.WAIT,
        )
        for step in STEPS[:-1]
        for one in [book.outcome(step)]
    )
    good = sum(line.tone is Tone.GOOD for line in lines)
    facts = {"good": good, "all": len(lines)}
    act = Act("next", "act.hand-over", second=False)
    if book.outcome(Step.HANDOVER) is None:
        missing = any(line.tone is Tone.STOP for line in lines)
        tone = Tone.STOP if missing else Tone.WAIT
        key = "handover.missing" if missing else "handover.ready"
        return View(Step.HANDOVER, key, facts, tone, lines, () if missing else (act,))
    if state is State.LEAVING:
        return View(Step.HANDOVER, "handover.leaving", facts, Tone.GOOD, lines)
    again = Act("next", "act.hand-over-again")
    if state is State.WAITING:
        return View(Step.HANDOVER, "handover.waits", facts, Tone.GOOD, lines, (again,))
    key = "handover.done" if has_passed(book) else "handover.open"
    leave = Act("leave", "act.leave", second=False)
    return View(Step.HANDOVER, key, facts, Tone.GOOD, lines, (leave, again))
