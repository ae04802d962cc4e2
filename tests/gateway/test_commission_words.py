"""Everything the wizard can say is said in both languages, with the same numbers in it."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from gateway.commission.book import Step
from gateway.commission.found import Kind
from gateway.commission.kettle import Kettle
from gateway.commission.signs import Sign
from gateway.commission.view import Tone
from gateway.commission.wiring import Wiring
from gateway.commission.words import LANGUAGES, Words, chosen_language
from gateway.enrol.claim import State
from hardware.profile import Status


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_the_same_words_with_the_same_numbers() -> None:
    dutch, english = (Words(tag).texts for tag in LANGUAGES)

    assert dutch.keys() == english.keys()
    assert [key for key in dutch if fields(dutch[key]) != fields(english[key])] == []


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_verdict_has_its_words_and_its_remedy(tag: str) -> None:
    words = Words(tag).texts
    needed = [
        *(f"{key}{end}" for one in Wiring for key in [f"meter.{one}"] for end in ("", ".do")),
        *(f"{key}{end}" for one in State for key in [f"enrol.{one}"] for end in ("", ".do")),
        *(f"{key}{end}" for one in Sign for key in [f"sign.{one}"] for end in (".label", ".value")),
        *(f"{key}{end}" for one in Sign for key in [f"signs.{one}"] for end in ("", ".do")),
        *(f"kettle.{one}{end}" for one in Kettle for end in (".label", ".value")),
        *(f"device.{one}{end}" for one in Kind for end in (".label", ".value")),
        *(f"profile.{one}{end}" for one in Status for end in (".label", ".value")),
        *(f"step.{one}" for one in Step),
        *(f"tone.{one}" for one in Tone),
    ]

    assert [key for key in needed if key not in words] == []


@pytest.mark.parametrize("tag", LANGUAGES)
def test_sentences_are_short_enough_to_read_on_a_phone(tag: str) -> None:
    long = {
        key: len(sentence.split())
        for key, text in Words(tag).texts.items()
        for sentence in re.split(r"[.:;!?] ", text)
        if len(sentence.split()) > 25
    }

    assert long == {}


def test_numbers_are_written_as_people_of_the_language_write_them() -> None:
    dutch, english = Words("nl"), Words("en")

    assert [dutch.number(one) for one in (1918, -0.97, None)] == ["1.918", "−0,97", "–"]  # noqa: RUF001 - a minus, a dash
    assert [english.number(one) for one in (1918, -0.97)] == ["1,918", "−0.97"]  # noqa: RUF001 - a minus
    assert dutch.device("inverter-2") == "omvormer 2"


def test_dutch_is_spoken_first_and_who_asks_for_english_gets_it() -> None:
    assert chosen_language("", "") == "nl"
    assert chosen_language("", "pl, en-GB;q=0.8") == "en"
    assert chosen_language("nl", "en") == "nl"
    assert chosen_language("xx", "*") == "nl"
