"""What the wizard shows, as it travels to the server: keys and numbers, no page, no reading.

Powers of this moment, addresses and people's names stay in the home: what is left may lie at the
broker until the next is told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.commission.book import STEPS, Book, Mark, Step
from gateway.commission.press import is_for_afar
from gateway.commission.view import Act, Facts, Line, Tone, Value, View
from kwartier.errors import ContractError
from kwartier.packing import VERSION, Json, choice, instant, integer, packed, unpacked
from kwartier.units import EpochS

MOST_LINES, MOST_ACTS, MOST_FACTS = 64, 32, 16
MOST_LETTERS = 2_000
"""The longest text in it, which the words of a neighbourhood's consent may be."""
_LONGEST_KEY = 80
_MOST_NUMBER = 2**53
_PASSING = ("meter.taken", "meter.given", "now.")
"""How lines of powers of this moment begin: the server has those from the live lane."""
_OF_PEOPLE = frozenset({"address", "name"})


class Stands(Protocol):
    """A wizard, as it stands."""

    @property
    def book(self) -> Book:
        """Return what came of the steps."""

    def view(self, step: Step) -> View:
        """Return how a step stands now."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One step as it stood.

    Attributes:
        view: What it showed; an act that only somebody at the box can do is among its acts.
        mark: How it ended; None while it is to do.
        done_s: When it ended, by the gateway's clock [s]; None while it is to do.
    """

    view: View
    mark: Mark | None
    done_s: EpochS | None

    @property
    def tone(self) -> Tone:
        """Return how it stands among the others: as it ended, or quiet."""
        if self.mark is None:
            return Tone.QUIET
        return Tone.GOOD if self.mark is Mark.GOOD else Tone.WAIT


@dataclass(frozen=True, slots=True)
class Mirror:
    """All steps as they stood.

    Attributes:
        at_s: When, by the gateway's clock [s].
        pressed: The number of the last press from afar that was taken.
        steps: Every step, in order.
    """

    at_s: EpochS
    pressed: int
    steps: tuple[Shown, ...]

    @property
    def next(self) -> Step:
        """Return the first step that is still to do; the last when none is."""
        return next((one.view.step for one in self.steps if one.mark is None), Step.HANDOVER)

    def of(self, step: Step) -> Shown:
        """Return one step."""
        return self.steps[STEPS.index(step)]


def mirror_of(wizard: Stands, at_s: EpochS) -> Mirror:
    """Return how a wizard stands, without what stays in the home."""
    steps = []
    for step in STEPS:
        outcome = wizard.book.outcome(step)
        mark, done_s = (None, None) if outcome is None else (outcome.mark, outcome.at_s)
        steps.append(Shown(_without_people(wizard.view(step)), mark, done_s))
    return Mirror(at_s, wizard.book.pressed, tuple(steps))


def encode_mirror(mirror: Mirror) -> bytes:
    """Return the payload of a mirror."""
    steps: list[Json] = [_step_json(one) for one in mirror.steps]
    return packed({"v": VERSION, "t": mirror.at_s, "pressed": mirror.pressed, "steps": steps})


def decode_mirror(payload: bytes) -> Mirror:
    """Return the mirror of a payload.

    Raises:
        ContractError: It is too large, no JSON, of another version, or a part is wrong.
    """
    body = unpacked(payload)
    told = body.get("steps")
    if not isinstance(told, list) or len(told) != len(STEPS):
        raise ContractError(f"mirror 'steps' must be a list of {len(STEPS)} steps")
    pairs = zip(STEPS, told, strict=True)
    steps = tuple(_shown_of(step, one) for step, one in pairs)
    pressed = integer(body, "pressed")
    if pressed < 0:
        raise ContractError("mirror 'pressed' must be 0 or more")
    return Mirror(instant(body, "t"), pressed, steps)


def _without_people(view: View) -> View:
    lines = tuple(
        replace(line, facts=_cut(line.facts))
        for line in view.lines
        if not line.key.startswith(_PASSING)
    )
    return replace(view, facts=_cut(view.facts), lines=lines[:MOST_LINES])


def _cut(facts: Facts) -> Facts:
    return {
        name: ""
        if name in _OF_PEOPLE
        else value[:MOST_LETTERS]
        if isinstance(value, str)
        else value
        for name, value in facts.items()
    }


def _step_json(one: Shown) -> Json:
    view = one.view
    return {
        "step": view.step.value,
        "key": view.key,
        "facts": dict(view.facts),
        "tone": view.tone.value,
        "moving": view.moving,
        "lines": [
            {"key": line.key, "facts": dict(line.facts), "tone": line.tone.value}
            for line in view.lines
        ],
        "acts": [
            {
                "do": act.do,
                "key": act.key,
                "facts": dict(act.facts),
                "fields": list(act.fields),
                "second": act.second,
                "afar": is_for_afar(view.step, act.do),
            }
            for act in view.acts
        ],
        "mark": None if one.mark is None else one.mark.value,
        "done_t": one.done_s,
    }


def _shown_of(step: Step, told: Json) -> Shown:
    body = _object(told, f"step {step.value!r}")
    choice(body, "step", [step.value])
    mark = None
    if body.get("mark") is not None:
        mark = Mark(choice(body, "mark", [each.value for each in Mark]))
    view = View(
        step,
        _key(body, "key"),
        _facts(body),
        _tone(body),
        tuple(_line_of(one) for one in _list(body, "lines", MOST_LINES)),
        tuple(_act_of(one) for one in _list(body, "acts", MOST_ACTS)),
        moving=body.get("moving") is True,
    )
    return Shown(view, mark, None if mark is None else instant(body, "done_t"))


def _line_of(told: Json) -> Line:
    body = _object(told, "a line")
    return Line(_key(body, "key"), _facts(body), _tone(body))


def _act_of(told: Json) -> Act:
    body = _object(told, "an act")
    fields = tuple(_letters(one, "a field") for one in _list(body, "fields", MOST_FACTS))
    second, here = body.get("second") is True, body.get("afar") is not True
    facts = _facts(body)
    return Act(_key(body, "do"), _key(body, "key"), facts, fields, second=second, here=here)


def _facts(body: Mapping[str, Json]) -> Facts:
    told = _object(body.get("facts"), "'facts'")
    if len(told) > MOST_FACTS:
        raise ContractError(f"mirror 'facts' holds {len(told)}: at most {MOST_FACTS}")
    return {_letters(name, "a fact's name"): _value(value) for name, value in told.items()}


def _value(told: Json) -> Value:
    if told is None or (type(told) is str and len(told) <= MOST_LETTERS):
        return told
    if type(told) is int and abs(told) <= _MOST_NUMBER:
        return told
    if type(told) is float and math.isfinite(told):
        return told
    raise ContractError("mirror 'facts' holds something else than numbers and short texts")


def _tone(body: Mapping[str, Json]) -> Tone:
    return Tone(choice(body, "tone", [tone.value for tone in Tone]))


def _key(body: Mapping[str, Json], name: str) -> str:
    return _letters(body.get(name), repr(name))


def _letters(told: Json, name: str) -> str:
    if not isinstance(told, str) or not 0 < len(told) <= _LONGEST_KEY or not told.isprintable():
        raise ContractError(f"mirror {name} must be a text of 1 to {_LONGEST_KEY} characters")
    return told


def _list(body: Mapping[str, Json], name: str, most: int) -> Sequence[Json]:
    told = body.get(name)
    if not isinstance(told, list) or len(told) > most:
        raise ContractError(f"mirror {name!r} must be a list of at most {most}")
    return told


def _object(told: Json, name: str) -> Mapping[str, Json]:
    if not isinstance(told, dict):
        raise ContractError(f"mirror: {name} is no object")
    return told
