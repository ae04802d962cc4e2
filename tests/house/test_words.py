"""The words of the pages: all there, none too many, plain, and the same thing named the same."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.plurals import get_plural

from api.cooperative.checks.finding import Code
from api.cooperative.four_eyes import Matter
from api.cooperative.law.decision import DecisionKind
from api.cooperative.law.rule import Mark
from api.cooperative.officers import Role as OfficerRole
from api.cooperative.registry.party_book import PartyKind
from api.cooperative.registry.privacy import Hindrance, KeptKind
from api.cooperative.runs.states import State
from api.cooperative.statement import Charge, StatementState
from api.day import Kind as Known
from api.health.gateways import Link
from api.overview.band import Band
from api.overview.own import Standing
from api.overview.periods import Span
from api.pages.language import BEGUN, FIRST, LANGUAGES, SPOKEN, catalogues
from api.people.companions import CompanionState
from api.people.consents import Purpose
from api.people.passwords import Weakness
from api.people.wishes import Kind as Wish
from api.plans import MadeBecause
from api.post.outbox import State as Sending
from kwartier.events import EventKind
from optimizer.as_json.key_json import KeyType
from optimizer.explain import _WORDS as REASONS
from optimizer.forecasting.choose import Why
from optimizer.forecasting.names import Name
from optimizer.moment import Moment
from optimizer.plan import Action, Status
from tests.house.word_use import uses

RESIDENTS = (
    "battery",
    "common",
    "door",
    "help",
    "messages",
    "overview",
    "paper",
    "privacy",
    "statement",
    "today",
)
"""The catalogues of the pages a resident sees."""
BOARDS = re.compile(
    r"tab\.(runs|members|law|wijk|post|log|gateways|accounts|questions|work|home)"
    r"|(letter|wishes)\.(blocked|alert)(\..*)?|(title\.)?questions(\..*)?"
    r"|done\.(question\.answered|forgotten)|title\.privacy\.board|privacy\.board\..*"
)
"""Keys of those catalogues that only who works for the neighbourhood sees."""
COVERED = 0.95
"""What part of the residents' keys a language that is begun has at least."""
LONGEST_RESIDENT, LONGEST_BOARD = 15, 20
"""The longest sentence [words]."""
NOT_DUTCH = (
    r"saldo|saldi|allocatie\w*|injectie|soc|kwp|onjuist\w*|foutief|helaas"
    r"|je|jij|jou|jouw|jullie|uwer|hieromtrent|middels|desgewenst|reeds|tevens|indien|dient"
    r"|teruglever\w*|teruggelever\w*|invoeding|buurt|gateway\w*|gedeelde stroom|verrekening"
    r"|interval\w*|kwartaal|toegangssleutel|mislukking|verplicht"
)
"""Words the glossary has another word for, and words that are too hard or that blame."""
SHORTENED = (
    r"m\.b\.t\.|d\.m\.v\.|i\.v\.m\.|n\.v\.t\.|a\.u\.b\.|o\.a\.|z\.s\.m\.|t\.o\.v\.|t/m"
    r"|evt\.|incl\.|excl\.|bijv\.|nr\.|tel\.|max\.|min\.|ca\.|etc\.|enz\."
)
PASSIVE = r"word|wordt|worden|werd|werden"
NOT_ENGLISH = (
    r"allocation|injection|balance|soc|kwp|incorrect|invalid|prosumer|feed-in tariff|sorry"
    r"|e\.g\.|i\.e\.|etc\.|incl\.|excl\.|approx\."
)
ENUMS: tuple[tuple[str, type[StrEnum]], ...] = (
    ("signal.*", Moment),
    ("signal.*.why", Moment),
    ("tip.*", Moment),
    ("week.key.*", Moment),
    ("kind.*", Known),
    ("statement.state.*", StatementState),
    ("statement.charge.*", Charge),
    ("runs.charge.*", Charge),
    ("runs.state.*", State),
    ("runs.code.*", Code),
    ("runs.fix.*", Code),
    ("proposal.title.*", Matter),
    ("battery.made.*", MadeBecause),
    ("rules.decide.kind.*", DecisionKind),
    ("rules.mark.*", Mark),
    ("proposal.role.*", OfficerRole),
    ("member.kind.*", PartyKind),
    ("privacy.hinder.*", Hindrance),
    ("privacy.board.hinder.*", Hindrance),
    ("privacy.stays.*", KeptKind),
    ("help.broken.*", Link),
    ("ops.link.*", Link),
    ("ops.message.*", Sending),
    ("ops.plan.*", Status),
    ("ops.event.*", EventKind),
    ("ops.event.do.*", EventKind),
    ("ops.forecast.method.*", Name),
    ("ops.forecast.why.*", Why),
    ("overview.band.*", Band),
    ("overview.standing.*", Standing),
    ("overview.before.*", Span),
    ("companion.state.*", CompanionState),
    ("privacy.purpose.*", Purpose),
    ("password.*", Weakness),
    ("letter.*.title", Wish),
    ("letter.*.text", Wish),
    ("statement.key.*", KeyType),
    ("rules.key.type.*", KeyType),
)
"""Keys that end in each of some choices."""


def test_every_word_that_is_said_is_there() -> None:
    missing = uses().spoken - _keys(FIRST)

    assert sorted(missing) == []


def test_no_key_is_left_over() -> None:
    used = uses()
    declared = {key for pattern, tails in _ranges().items() for key in _filled(pattern, tails)}

    assert sorted(_keys(FIRST) - used.spoken - used.written - declared) == []


def test_keys_that_are_put_together_are_declared() -> None:
    put_together = uses().patterns
    ranges = _ranges()
    # What starts with no known word is an address or a name of a file, and no key.
    known = {key.partition(".")[0] for key in _keys(FIRST)}
    heads = {pattern.partition("*")[0] for pattern in ranges}
    undeclared = {
        each
        for each in put_together - set(ranges)
        if each.partition(".")[0] in known
        and any(_matches(each, key) for key in _keys(FIRST))
        and each.partition("*")[0] not in heads
        and not any(head.startswith(each.partition("*")[0]) for head in heads)
    }

    assert sorted(set(ranges) - put_together) == [], "nothing puts these together any more"
    assert sorted(undeclared) == []


def test_what_is_declared_has_words() -> None:
    declared = {key for pattern, tails in _ranges().items() for key in _filled(pattern, tails)}

    assert sorted(declared - _keys(FIRST)) == []


@pytest.mark.parametrize(("pattern", "choices"), ENUMS, ids=[each for each, _ in ENUMS])
def test_each_choice_has_words(pattern: str, choices: type[StrEnum]) -> None:
    missing = {pattern.replace("*", each.value) for each in choices} - _keys(FIRST)

    assert sorted(missing) == []


@pytest.mark.parametrize(("place", "tag"), [(0, "nl"), (1, "en")])
def test_the_battery_gives_the_same_reasons_on_pages_and_in_the_plan(place: int, tag: str) -> None:
    told = {
        key: text for _, key, texts in _texts(tag) for text in texts if key.startswith("plan.why.")
    }

    assert told == {
        f"plan.why.{action}.{because}": words[place]
        for (action, because), words in REASONS.items()
        if action is not Action.HOLD
    }


def test_dutch_and_english_have_the_same_words() -> None:
    first, *others = ({name: set(_named(part)) for name, part in _all(tag)} for tag in LANGUAGES)

    assert all(other == first for other in others)


@pytest.mark.parametrize("tag", SPOKEN)
def test_a_language_fills_in_what_dutch_fills_in(tag: str) -> None:
    dutch = {key: texts for _, key, texts in _texts(FIRST)}
    wrong = [
        key
        for _, key, texts in _texts(tag)
        if len(texts) == 1 == len(dutch[key]) and _places(texts[0]) != _places(dutch[key][0])
    ]
    uncounted = [
        key
        for _, key, texts in _texts(tag)
        if len(dutch[key]) > 1 and any(_places(text) - {"n"} for text in texts)
    ]

    assert not wrong
    assert not uncounted


@pytest.mark.parametrize("tag", SPOKEN)
def test_a_language_counts_in_all_its_forms(tag: str) -> None:
    rule = get_plural(tag)
    counted = {key for _, key, texts in _texts(FIRST) if len(texts) > 1}
    for name, part in _all(tag):
        assert (part.num_plurals, part.plural_expr) == (rule.num_plurals, rule.plural_expr), name
        for key, texts in _named(part).items():
            assert len(texts) == (rule.num_plurals if key in counted else 1), key
            assert all(texts), key


@pytest.mark.parametrize("tag", BEGUN)
def test_a_language_that_is_begun_covers_the_residents_pages(tag: str) -> None:
    wanted = {
        key for name, key, _ in _texts(FIRST) if name in RESIDENTS and not BOARDS.fullmatch(key)
    }
    there = {key for _, key, _ in _texts(tag)}

    assert not there - _keys(FIRST), "these are words of no page"
    assert len(wanted & there) >= COVERED * len(wanted), sorted(wanted - there)


@pytest.mark.parametrize("tag", BEGUN)
def test_a_language_that_is_begun_says_that_nobody_read_it(tag: str) -> None:
    folder = Path(__file__).parents[2] / "api" / "pages" / "words" / tag

    for path in folder.glob("*.po"):
        assert "No native speaker has read this yet." in path.read_text().partition("\n")[0]


@pytest.mark.parametrize("tag", LANGUAGES)
def test_sentences_are_short(tag: str) -> None:
    long = [
        (key, sentence)
        for name, key, texts in _texts(tag)
        for text in texts
        for sentence in re.split(r"(?<=[.!?:;])\s+|\n+", text)
        if len(sentence.split()) > (LONGEST_RESIDENT if name in RESIDENTS else LONGEST_BOARD)
    ]

    assert not long


def test_dutch_is_plain() -> None:
    hard = re.compile(rf"\b({NOT_DUTCH}|{PASSIVE})\b|(?<![\w.])({SHORTENED})", re.IGNORECASE)

    assert not _found(hard, "nl")


def test_english_is_plain() -> None:
    hard = re.compile(rf"\b({NOT_ENGLISH})(?!\w)", re.IGNORECASE)

    assert not _found(hard, "en")


def test_a_resident_gets_a_statement_and_the_board_a_settlement() -> None:
    found = [
        key
        for name, key, texts in _texts("en")
        if name in RESIDENTS and not BOARDS.fullmatch(key)
        if any("settlement" in text.lower() for text in texts)
    ]

    assert not found


@pytest.mark.parametrize("tag", SPOKEN)
def test_apostrophes_and_quotes_are_curled(tag: str) -> None:
    assert not _found(re.compile("['\"]"), tag)


def _found(hard: re.Pattern[str], tag: str) -> list[tuple[str, str]]:
    return [(key, text) for _, key, texts in _texts(tag) for text in texts if hard.search(text)]


@cache
def _all(tag: str) -> tuple[tuple[str, Catalog], ...]:
    return tuple(catalogues(tag).items())


def _texts(tag: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield catalogue, key and words; words of a count in all their forms."""
    yield from _read(tag)


@cache
def _read(tag: str) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return tuple(
        (name, key, texts) for name, part in _all(tag) for key, texts in _named(part).items()
    )


def _named(part: Catalog) -> dict[str, tuple[str, ...]]:
    named: dict[str, tuple[str, ...]] = {}
    for message in part:
        key = message.id if isinstance(message.id, str) else message.id[0]
        if key:
            text = message.string
            named[key] = (text,) if isinstance(text, str) else tuple(text)
    return named


@cache
def _keys(tag: str) -> frozenset[str]:
    return frozenset(key for _, key, _ in _texts(tag))


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@cache
def _ranges() -> dict[str, str]:
    text = Path(__file__).with_name("word_ranges.toml").read_text()
    return {pattern: str(tails) for pattern, tails in tomllib.loads(text).items()}


def _filled(pattern: str, tails: str) -> set[str]:
    return {pattern.partition("*")[0] + tail for tail in tails.split()}


def _matches(pattern: str, key: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", r"[\w.-]+"), key) is not None
