"""The wizard on the server's pages: what a box shows, in the box's own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.enrolment.mirrors import Told
from api.pages.jobs import JobLine, JobStep
from api.pages.language import Language
from gateway.commission.book import STEPS, Step
from gateway.commission.mirror import Shown
from gateway.commission.view import Act, Facts, Line, Tone
from gateway.commission.words import LANGUAGES, Words
from kwartier.units import EpochS

_INSIDE = frozenset({JobStep.INSIDE, JobStep.HANDED})
_OPTIONAL = frozenset({"contact"})
"""Fields that may stay empty."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How far a gateway is on its way in, as the server knows it.

    Attributes:
        approved_s: When the board said yes [s]; None while it did not.
        drawn_s: When the newest code was drawn [s]; None for never.
        shown_s: When a box showed it [s]; None while none did.
        alive_s: When it last gave a sign of life [s]; None for never.
    """

    approved_s: EpochS | None
    drawn_s: EpochS | None
    shown_s: EpochS | None
    alive_s: EpochS | None


@dataclass(frozen=True, slots=True)
class Place:
    """One of the seven in the row of steps.

    Attributes:
        number: 1 to 7.
        name: In words.
        tone: How it ended; quiet while it is to do.
        said: The same in words; empty for quiet.
        is_open: Whether one can go there.
    """

    number: int
    name: str
    tone: Tone
    said: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was measured, in words; ``said`` is the tone."""

    label: str
    value: str
    tone: Tone
    said: str


@dataclass(frozen=True, slots=True)
class Entered:
    """One thing that is asked with a button."""

    name: str
    label: str
    hint: str
    is_tick: bool
    is_needed: bool


@dataclass(frozen=True, slots=True)
class Button:
    """One thing that can be done; where ``at_box``, only on the page of the box itself."""

    do: str
    text: str
    fields: tuple[Entered, ...]
    is_second: bool
    at_box: bool


@dataclass(frozen=True, slots=True)
class StepSheet:
    """One step as a page shows it.

    Attributes:
        number: 1 to 7.
        step: Which.
        title: Its name.
        tone: How it stands.
        head: That in a few words.
        todo: What to do about it.
        rows: What was measured.
        buttons: What can be done.
        moving: Whether it changes by itself.
    """

    number: int
    step: Step
    title: str
    tone: Tone
    head: str
    todo: str
    rows: tuple[Row, ...]
    buttons: tuple[Button, ...]
    moving: bool


class BoxWords:
    """Says what a box tells in keys; what a newer box says and we do not know, as far as we can."""

    def __init__(self, lang: Language) -> None:
        """Speak a reader's language, or the first where the box does not speak it."""
        self._lang = lang
        self._words = Words(lang.tag if lang.tag in LANGUAGES else LANGUAGES[0])

    def tell(self, key: str, facts: Facts | None = None) -> str:
        """Return the words of a key."""
        people = {"name": self._lang.say("wizard.resident")}
        known = {name: people.get(name, value) for name, value in (facts or {}).items()}
        try:
            return self._words.say(key, known)
        except KeyError:
            return self._lang.say("wizard.newer")

    def tone(self, tone: Tone) -> str:
        """Return how something stands; empty for quiet."""
        return self.tell(f"tone.{tone.value}")


def first_step(line: JobLine, entry: Entry, told: Told | None, lang: Language) -> StepSheet:
    """Return the first step, which the server judges itself."""
    words = BoxWords(lang)
    inside = line.step in _INSIDE
    tone = Tone.GOOD if inside else Tone.WAIT if line.step.is_on_its_way else Tone.STOP
    until = "" if line.until is None else lang.say("wizard.until", until=lang.full_date(line.until))
    rows = tuple(
        _known(name, said, lang, words)
        for name, said in (
            ("approved", _when(entry.approved_s, lang)),
            ("drawn", _when(entry.drawn_s, lang)),
            ("shown", _when(entry.shown_s, lang)),
            ("certified", until),
            ("alive", _when(entry.alive_s, lang)),
        )
    )
    shown = None if told is None else told.mirror.of(Step.ENROL)
    acts = () if shown is None or not inside else shown.view.acts
    return StepSheet(
        1,
        Step.ENROL,
        words.tell("step.enrol"),
        tone,
        lang.say(f"job.step.{line.step.value}"),
        lang.say(f"job.next.{line.step.value}"),
        rows,
        _buttons(acts, words),
        line.step.is_on_its_way or (inside and told is None and line.step is not JobStep.HANDED),
    )


def later_step(shown: Shown, lang: Language) -> StepSheet:
    """Return a step as the box judged it."""
    view, words = shown.view, BoxWords(lang)
    return StepSheet(
        STEPS.index(view.step) + 1,
        view.step,
        words.tell(f"step.{view.step.value}"),
        view.tone,
        words.tell(view.key, view.facts),
        words.tell(f"{view.key}.do", view.facts),
        tuple(_row(line, words) for line in view.lines),
        _buttons(view.acts, words),
        view.moving,
    )


def unknown_step(step: Step, line: JobLine, lang: Language) -> StepSheet:
    """Return a step of which the box tells nothing: not yet, or not any more."""
    title, number = BoxWords(lang).tell(f"step.{step.value}"), STEPS.index(step) + 1
    if line.step is JobStep.HANDED:
        head, todo = lang.say("job.step.handed"), lang.say("job.next.handed")
        return StepSheet(number, step, title, Tone.GOOD, head, todo, (), (), moving=False)
    head, todo = lang.say("wizard.silent"), lang.say("wizard.silent.do")
    return StepSheet(number, step, title, Tone.QUIET, head, todo, (), (), moving=True)


def places_of(line: JobLine, told: Told | None, lang: Language) -> tuple[Place, ...]:
    """Return the row of steps; the first is what the server knows, the others what the box told."""
    words = BoxWords(lang)
    first = Tone.GOOD if line.step in _INSIDE else Tone.WAIT
    tones = [Tone.QUIET] * len(STEPS) if told is None else [one.tone for one in told.mirror.steps]
    furthest = 0 if told is None else STEPS.index(told.mirror.next)
    return tuple(
        Place(
            at + 1,
            words.tell(f"step.{step.value}"),
            tone,
            words.tone(tone),
            at <= furthest or tone is not Tone.QUIET,
        )
        for at, (step, tone) in enumerate(zip(STEPS, [first, *tones[1:]], strict=True))
    )


def problem_of(why: str, lang: Language) -> str:
    """Return why a press did nothing: a key of the box's own words."""
    return BoxWords(lang).tell(why)


def _when(at_s: EpochS | None, lang: Language) -> str:
    return "" if at_s is None else lang.moment(at_s)


def _known(name: str, said: str, lang: Language, words: BoxWords) -> Row:
    tone = Tone.GOOD if said else Tone.QUIET
    value = said or lang.say("wizard.not_yet")
    return Row(lang.say(f"wizard.first.{name}"), value, tone, words.tone(tone))


def _row(line: Line, words: BoxWords) -> Row:
    label = words.tell(f"{line.key}.label", line.facts)
    value = words.tell(f"{line.key}.value", line.facts)
    return Row(label, value, line.tone, words.tone(line.tone))


def _buttons(acts: Sequence[Act], words: BoxWords) -> tuple[Button, ...]:
    return tuple(
        Button(
            act.do,
            words.tell(act.key, act.facts),
            tuple(_entered(name, words) for name in act.fields),
            act.second,
            act.here,
        )
        for act in acts
    )


def _entered(name: str, words: BoxWords) -> Entered:
    is_tick = name.startswith("agree-")
    hint = "" if is_tick else words.tell(f"field.{name}.hint")
    needed = name not in _OPTIONAL and not is_tick
    return Entered(name, words.tell(f"field.{name}"), hint, is_tick, needed)
