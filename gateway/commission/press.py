"""A press of a button from afar: what may be pressed, how it travels, and how it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.commission.book import STEPS, Step
from kwartier.errors import ContractError
from kwartier.packing import VERSION, choice, instant, plain, positive, text, unpacked
from kwartier.units import EpochS

LIFE_S = 60
"""How long after it was pressed it may still be done [s]."""
MOST_FIELDS = 8
AT_THE_BOX = "refused.at-the-box"
"""Why a press does nothing that only somebody in the home may do."""
_FROM_AFAR: Mapping[Step, frozenset[str]] = {
    Step.ENROL: frozenset({"next"}),
    Step.METER: frozenset({"next", "later", "anew"}),
    Step.DEVICES: frozenset({"next", "later", "search"}),
    Step.SIGNS: frozenset({"next", "later", "kettle", "turn"}),
    Step.LIVE: frozenset({"next", "later"}),
    Step.CONSENT: frozenset({"next"}),
    Step.HANDOVER: frozenset({"next", "leave"}),
}
"""What reads, counts and writes down (decision 0025); a trial moves a battery and is not here."""


class PressOutcome(StrEnum):
    """What came of a press."""

    DONE = "done"
    REFUSED = "refused"
    """The box does not do that now; it says why."""
    LATE = "late"
    """It was pressed longer ago than it holds, or the two clocks differ."""
    KNOWN = "known"
    """It, or a later one, was taken before."""


@dataclass(frozen=True, slots=True)
class Press:
    """One press.

    Attributes:
        number: Higher than that of every press before.
        at_s: When, by the server's clock [s].
        step: On which step's page.
        do: What the button says.
        form: What was filled in with it. Personal data.
    """

    number: int
    at_s: EpochS
    step: Step
    do: str
    form: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Press({self.number}, {self.step.value!r})"


@dataclass(frozen=True, slots=True)
class Pressed:
    """The answer to a press.

    Attributes:
        number: Of which press.
        outcome: What came of it.
        then: Which step to show then.
        why: The key of the words that say why it did nothing; empty when it did.
    """

    number: int
    outcome: PressOutcome
    then: Step
    why: str = ""


def is_for_afar(step: Step, do: str) -> bool:
    """Return whether a button may be pressed by somebody who does not stand at the box."""
    return do.partition(":")[0] in _FROM_AFAR[step]


def encode_press(press: Press) -> bytes:
    """Return the payload of a press."""
    return plain(
        {
            "v": VERSION,
            "number": press.number,
            "t": press.at_s,
            "step": press.step.value,
            "do": press.do,
            "form": dict(press.form),
        }
    )


def decode_press(payload: bytes) -> Press:
    """Return the press of a payload.

    Raises:
        ContractError: It is too large, no JSON, of another version, or a part is wrong.
    """
    body = unpacked(payload)
    form = body.get("form")
    if not isinstance(form, dict) or len(form) > MOST_FIELDS:
        raise ContractError(f"press 'form' must be an object of at most {MOST_FIELDS} fields")
    return Press(
        positive(body, "number"),
        instant(body, "t"),
        Step(choice(body, "step", [step.value for step in STEPS])),
        text(body, "do"),
        {name: text(form, name) for name in form},
    )


def encode_pressed(pressed: Pressed) -> bytes:
    """Return the payload of an answer."""
    return plain(
        {
            "v": VERSION,
            "number": pressed.number,
            "outcome": pressed.outcome.value,
            "then": pressed.then.value,
            "why": pressed.why,
        }
    )


def decode_pressed(payload: bytes) -> Pressed:
    """Return the answer of a payload.

    Raises:
        ContractError: It is too large, no JSON, of another version, or a part is wrong.
    """
    body = unpacked(payload)
    return Pressed(
        positive(body, "number"),
        PressOutcome(choice(body, "outcome", [each.value for each in PressOutcome])),
        Step(choice(body, "then", [step.value for step in STEPS])),
        text(body, "why"),
    )
