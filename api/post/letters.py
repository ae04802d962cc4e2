"""What messages say: a few short sentences and one link, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from api.pages.language import FIRST, SPOKEN, Language, language
from api.people.wishes import Kind
from kwartier.interval import HOME_ZONE
from kwartier.wire import Json

_PATHS: Mapping[Kind, str] = {
    Kind.STATEMENT: "/afrekening/{run}",
    Kind.CORRECTED: "/afrekening/{run}",
    Kind.METER: "/hulp",
    Kind.SUN: "/",
    Kind.ANSWER: "/afrekening/vraag/{question}",
    Kind.BLOCKED: "/bestuur/runs/{run}",
    Kind.ALERT: "/ops",
    Kind.TEST: "/hulp/berichten",
}
"""Where each kind leads."""
_PRIVATE = frozenset({Kind.STATEMENT, Kind.CORRECTED, Kind.BLOCKED, Kind.ANSWER})
"""Kinds of which another machine only gets the title."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in words.

    Attributes:
        title: What it is about, in one line, without amounts.
        sentences: What it says.
        invitation: What is behind the link.
        path: Where the link leads, in our own pages.
        private: Whether only the reader may see the sentences.
    """

    title: str
    sentences: tuple[str, ...]
    invitation: str
    path: str
    private: bool


def letter_of(kind: Kind, facts: Mapping[str, Json], lang: Language) -> Letter:
    """Return a message's words."""
    filled = _filled(facts, lang)
    return Letter(
        lang.say(f"letter.{kind}.title", **filled),
        tuple(_sentences(kind, facts, filled, lang)),
        lang.say(f"letter.{kind}.link"),
        _PATHS[kind].format(**filled),
        kind in _PRIVATE,
    )


def whole_text(letter: Letter, lang: Language, public_url: str, name: str, stop_url: str) -> str:
    """Return the text of a mail: words, one link, who sends it, and how to end it."""
    lines = [
        lang.say("letter.hello"),
        "",
        *letter.sentences,
        "",
        letter.invitation,
        f"{public_url}{letter.path}",
        "",
        name,
    ]
    if stop_url:
        lines += ["", "-- ", lang.say("letter.why"), lang.say("letter.stop"), stop_url]
    return "\n".join(lines) + "\n"


def spoken(tag: str) -> Language:
    """Return the language of a reader's letters; Dutch where it is none of ours."""
    return language(tag if tag in SPOKEN else FIRST)


def _filled(facts: Mapping[str, Json], lang: Language) -> dict[str, str]:
    """Return facts as a reader reads them, by the name they have in the words."""
    filled: dict[str, str] = {}
    for name, value in facts.items():
        if isinstance(value, str):
            filled[name] = lang.month_name(date.fromisoformat(value)) if name == "month" else value
        elif isinstance(value, int) and name.endswith("_cents"):
            filled["amount"] = lang.cents(abs(value))
        elif isinstance(value, int) and name.endswith("_s"):
            filled[name.removesuffix("_s")] = lang.moment(value)
            filled[name.removesuffix("_s") + "_hour"] = str(_hour(value))
    return filled


def _sentences(
    kind: Kind, facts: Mapping[str, Json], filled: Mapping[str, str], lang: Language
) -> list[str]:
    told = [lang.say(f"letter.{kind}.text", **filled)]
    if kind is Kind.STATEMENT:
        told.append(lang.say(f"letter.statement.{_side(facts, 'to_pay_cents')}", **filled))
    elif kind is Kind.CORRECTED:
        told.append(lang.say(f"letter.corrected.{_side(facts, 'delta_cents')}", **filled))
        told.append(lang.say("letter.corrected.reason", **filled))
    elif kind in (Kind.BLOCKED, Kind.ALERT):
        told.append(lang.count(f"letter.{kind}.count", _whole(facts, "count")))
        told.append(lang.say(f"letter.{kind}.first", **filled))
    return told


def _side(facts: Mapping[str, Json], name: str) -> str:
    cents = _whole(facts, name)
    return "pay" if cents > 0 else "get" if cents < 0 else "nothing"


def _whole(facts: Mapping[str, Json], name: str) -> int:
    value = facts[name]
    assert isinstance(value, int), name
    return value


def _hour(at_s: int) -> int:
    return datetime.fromtimestamp(at_s, UTC).astimezone(HOME_ZONE).hour
