"""What a step shows, without a word of any language: keys, numbers, and what can be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.commission.book import Step

Value = int | float | str | None
Facts = Mapping[str, Value]


class Tone(StrEnum):
    """How it stands."""

    GOOD = "good"
    WAIT = "wait"
    """It is under way, or comes later by itself."""
    STOP = "stop"
    """Somebody has to do something."""
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was measured.

    Attributes:
        key: Of its words, ``.label`` and ``.value``.
        facts: The numbers in them.
        tone: How it stands.
    """

    key: str
    facts: Facts
    tone: Tone = Tone.QUIET


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that can be done.

    Attributes:
        do: What the form sends.
        key: Of the button's words.
        facts: In its words.
        fields: What is asked with it.
        second: Whether it is not the way on.
        here: Whether only somebody who stands at the box can do it, where it is shown elsewhere.
    """

    do: str
    key: str
    facts: Facts = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    second: bool = True
    here: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """One step, as it stands now.

    Attributes:
        step: Which.
        key: Of the headline's words; the remedy's are ``key.do``.
        facts: The numbers in both.
        tone: How it stands.
        lines: What was measured.
        acts: What can be done.
        moving: Whether it changes by itself.
    """

    step: Step
    key: str
    facts: Facts
    tone: Tone
    lines: tuple[Line, ...] = ()
    acts: tuple[Act, ...] = ()
    moving: bool = False
