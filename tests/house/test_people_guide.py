"""The numbers in docs/people.md and docs/bewoners.md are those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.overview import band
from api.people import companions, grants, invitations, mail_links, passwords, rates, sessions
from api.people.recovery import CODES
from api.people.visitor import STRONG_S
from api.post.hours import DAY_ENDS, DAY_STARTS
from collectors.disclosure import DELAY_S, MIN_HOMES

DOCS = Path(__file__).resolve().parents[2] / "docs"
WORDS = {5: "vijf", 10: "ten", 15: "vijftien"}
DAY_LONG_S = 86_400
OPERATORS = (
    f"a password of {passwords.SHORTEST} characters or more",
    f"{passwords.SHORTEST} to {passwords.LONGEST} characters",
    f"opens for {mail_links.LIFE_S // 60} minutes",
    f"once, for {invitations.LIFE_S // DAY_LONG_S} days",
    f"1 to {companions.MOST_DAYS} days, one home",
    f"for one home and 1 to {grants.MOST_DAYS} days",
    f"{rates.MOST_PER_ACCOUNT} in a quarter of an hour for an account",
    f"{rates.MOST_PER_PLACE} for a place",
    f"{rates.MOST_OF_STRANGERS} wrong passwords in {WORDS[int(rates.STRANGERS_WINDOW_S // 60)]}",
    f"lasts {sessions.LIMIT_S // DAY_LONG_S} days, or {sessions.IDLE_S // DAY_LONG_S} without use",
    f"half an hour without use and {sessions.STRONG_LIMIT_S // 3_600} hours at most",
    f"in the last {WORDS[STRONG_S // 60]} minutes",
    f"the {WORDS[CODES]} codes",
    f"between {DAY_STARTS} and {DAY_ENDS} o'clock",
)
RESIDENTS = (
    f"van 1 tot {companions.MOST_DAYS} dagen",
    f"{WORDS[band.LEAST_HOMES]} huizen in de groep",
    f"sommen van {WORDS[MIN_HOMES]} huizen of meer",
)


@pytest.mark.parametrize(
    ("guide", "phrases"), [("people.md", OPERATORS), ("bewoners.md", RESIDENTS)]
)
def test_what_a_guide_promises_is_what_the_code_does(guide: str, phrases: tuple[str, ...]) -> None:
    text = " ".join((DOCS / guide).read_text().split())

    assert [phrase for phrase in phrases if phrase not in text] == []


def test_what_is_told_in_words_is_so() -> None:
    assert (rates.WINDOW_S, sessions.STRONG_IDLE_S, DELAY_S) == (900, 1_800, DAY_LONG_S)
