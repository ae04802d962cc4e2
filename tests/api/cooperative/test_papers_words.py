"""The words of papers: the same in every language, none missing, none left over."""

from __future__ import annotations

import re
import string
import tomllib
from fractions import Fraction
from importlib.resources import files
from itertools import chain

import pytest

from api.cooperative.law.dutch import RULES
from api.cooperative.law.remarks import BELOW_REASONABLE_FEE, NO_REFERENCE
from api.cooperative.papers.wording import LOCALES, wording
from api.cooperative.statement import Charge, StatementState


def words_of(language: str) -> dict[str, str]:
    text = files("api.cooperative.papers").joinpath("words", f"{language}.toml").read_text("utf-8")
    return dict(tomllib.loads(text))


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_language_has_the_same_words_to_fill_in() -> None:
    dutch, english = words_of("nl"), words_of("en")

    assert dutch.keys() == english.keys()
    assert {key for key in dutch if blanks(dutch[key]) != blanks(english[key])} == set()


@pytest.mark.parametrize("language", LOCALES)
def test_every_remark_of_the_law_has_words(language: str) -> None:
    remarks = [rule.remark for rule in RULES if rule.remark]

    words = wording(language)
    for remark in (*remarks, BELOW_REASONABLE_FEE, NO_REFERENCE):
        assert words.knows(f"warning.{remark}"), remark
    for key in chain((f"charge.{each}" for each in Charge), (f"state.{s}" for s in StatementState)):
        assert words.knows(key), key


def test_no_word_is_left_over() -> None:
    folder = files("api.cooperative.papers")
    sources = "".join(
        each.read_text("utf-8")
        for place in (folder, folder / "templates")
        for each in place.iterdir()
        if each.name.endswith((".py", ".html"))
    )
    said = set(re.findall(r'"([a-z.-]+)"', sources))
    prefixes = (
        "charge.",
        "state.",
        "warning.",
        "without.",
        "how.",
        "questions.",
        "days.",
        "legal.",
        "waivers.",
    )
    endings = (".one", ".other", ".get")

    left = {
        key
        for key in words_of("nl")
        if key not in said and not key.startswith(prefixes) and not key.endswith(endings)
    }

    assert left == set()


def test_amounts_and_prices_are_written_as_the_reader_does() -> None:
    dutch, english = wording("nl"), wording("en")

    assert (dutch.euro(614), dutch.euro(-123456)) == ("€\xa06,14", "€\xa0-1.234,56")
    assert (english.euro(614), english.euro(-123456)) == ("€6.14", "-€1,234.56")
    assert (dutch.price("0.18"), dutch.price("0.1955")) == ("€\xa00,18", "€\xa00,1955")
    assert dutch.price("1/3") == "€\xa01/3"
    assert dutch.percent(Fraction(1, 100_000)) == "<\xa00,1 %"
    assert english.percent(Fraction(21, 100)) == "21%"
