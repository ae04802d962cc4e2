"""The last months once more: exact, from what was booked, and nothing said that is not known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.four_eyes import approve
from api.cooperative.law import KeyTerms, TariffTerms, add_tariff, tariff_records
from api.cooperative.runs import run_of
from api.cooperative.runs.month import Month
from api.cooperative.runs.storing import computation_of
from api.cooperative.whatif import (
    Against,
    Candidate,
    Distribution,
    Draft,
    MissingMonth,
    Tryouts,
    bars_of,
    groups_of,
    last_months,
    replay,
    replay_hash,
    replay_of,
    told_of,
)
from api.pages.language import language
from api.pages.rules.replay import missing_names
from kwartier.errors import ContractError
from kwartier.interval import local_day
from optimizer.settling.battery_models import BatteryModel
from tests.api.cooperative.stages import BOARD, RUN, TREASURER, Stage
from tests.api.cooperative.street import HOMES, NOVEMBER_S
from tests.api.town import Town, Towns

HELD = TariffTerms("0.195", "0.13", "0.01", fee_per_month="3.00", reference="0.10")
"""The street's second tariff, which holds since 12 October."""
EQUAL = KeyTerms(
    {"type": "equal", "participants": [*HOMES]},
    battery_model=BatteryModel.COOP_BUYS,
    efficiency="0.9",
)


@pytest.fixture(scope="module")
def closed(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town whose October is closed; read only."""
    with towns.at(Stage.CLOSED, tmp_path_factory.mktemp("closed")) as town:
        yield town


def test_what_was_is_the_statement_to_the_cent(closed: Town) -> None:
    with closed.books.reading(TREASURER) as desk:
        found = replay(desk, Candidate(EQUAL))
        booked = computation_of(desk, run_of(desk, RUN)).invoices

    assert {each.member: each.old for each in found.members} == {
        name: (invoice.to_pay,) for name, invoice in booked.items()
    }
    assert [(each.month, each.source) for each in found.months] == [("2026-10", RUN)]


def test_what_holds_now_changes_nothing_against_now(closed: Town) -> None:
    with closed.books.reading(TREASURER) as desk:
        found = replay(desk, Candidate(HELD, Against.NOW))

    assert {each.difference for each in found.members} == {0}
    assert found.distribution.same == 10


def test_a_month_without_a_run_comes_from_its_readings(
    towns: Towns, closed: Town, tmp_path: Path
) -> None:
    with closed.books.reading(TREASURER) as desk:
        booked = replay(desk, Candidate(EQUAL))
    with towns.at(Stage.READY, tmp_path) as town, town.books.reading(TREASURER) as desk:
        read = replay(desk, Candidate(EQUAL))

    assert read.members == booked.members
    assert read.months[0].source == "readings"


def test_months_nobody_knows_are_named_with_the_reason(closed: Town) -> None:
    with closed.books.reading(TREASURER) as desk:
        found = replay(desk, Candidate(HELD))

    assert [each.month for each in found.missing] == [
        *(f"2025-{number}" for number in (11, 12)),
        *(f"2026-{number:02}" for number in range(1, 10)),
    ]
    assert {each.why for each in found.missing} == {"the books hold no readings of it"}


def test_months_before_the_first_reading_are_told_in_the_reader_s_words(closed: Town) -> None:
    with closed.books.reading(TREASURER) as desk:
        found = replay(desk, Candidate(HELD))
    odd = replace(found, missing=(found.missing[0], MissingMonth("2026-01", "its sums are torn")))

    assert missing_names(odd, language("nl")) == [
        ("november 2025", "er zijn nog geen metingen van", "nl"),
        ("januari 2026", "its sums are torn", "en"),
    ]


def test_a_fee_of_one_euro_more_costs_each_resident_one_euro_and_its_vat(closed: Town) -> None:
    dearer = TariffTerms("0.195", "0.13", "0.01", fee_per_month="4.00", reference="0.10")
    with closed.books.reading(TREASURER) as desk:
        found = replay(desk, Candidate(dearer, Against.NOW))

    # Who lived there the whole month pays EUR 1.00 and 21 % VAT; on a net of whole cents the VAT
    # is rounded, so it is 121 cents, give or take the cent that was rounded before.
    whole = [found.of(f"lid-{number}") for number in (4, 5, 6, 7)]
    assert {121 - each.difference for each in whole if each is not None} <= {-1, 0, 1}
    assert len([each for each in whole if each is not None]) == 4


def test_a_replay_read_back_is_the_same_and_has_no_float(closed: Town) -> None:
    with closed.books.reading(TREASURER) as desk:
        found = replay(desk, Candidate(EQUAL))
    told = told_of(found)

    assert replay_of(told) == found
    assert len(replay_hash(told)) == 64  # a float in it would have been refused
    assert sum(each.difference for each in found.members) == sum(
        each.new_cents - each.old_cents for each in found.months
    )


def test_a_key_that_names_an_unknown_home_is_refused(closed: Town) -> None:
    strange = KeyTerms({"type": "equal", "participants": ["home-1", "home-99"]})
    with (
        closed.books.reading(TREASURER) as desk,
        pytest.raises(BooksError, match="'home-99' is not known"),
    ):
        replay(desk, Candidate(strange))


def test_a_key_without_a_word_about_the_battery_is_refused(closed: Town) -> None:
    silent = KeyTerms({"type": "proportional"})
    with (
        closed.books.reading(TREASURER) as desk,
        pytest.raises(ContractError, match="give its model and efficiency"),
    ):
        replay(desk, Candidate(silent))


def test_a_version_bears_the_hash_of_its_replay_and_one_without_is_as_before(
    towns: Towns, tmp_path: Path
) -> None:
    start_s, digest = local_day(Month(2027, 1).first)[0], "a" * 64
    with towns.at(Stage.READY, tmp_path) as town:
        with town.books.desk(TREASURER) as desk:
            plain = add_tariff(desk, "plain", "2026-02", start_s, TariffTerms("0.17", "0.12"))
            seen = TariffTerms("0.17", "0.12", replay=digest)
            signed = add_tariff(desk, "signed", "2026-02", start_s, seen)
        with town.books.desk(BOARD) as desk:
            approve(desk, signed.id, signed.body_hash)
            kept = {each.id: each.body for each in tariff_records(desk)}

    assert isinstance(plain.body, dict)
    assert "replay" not in plain.body
    assert kept["signed"] == signed.body
    assert isinstance(signed.body, dict)
    assert signed.body["replay"] == digest


def test_what_is_no_hash_is_refused_as_one() -> None:
    with pytest.raises(ContractError, match="replay"):
        TariffTerms("0.17", "0.12", replay="seen")


def test_a_draft_is_reckoned_in_the_background_and_once(closed: Town) -> None:
    tries = Tryouts(lambda: closed.books.reading(TREASURER))
    draft = Draft("t-2027", "2026-02", local_day(Month(2027, 1).first)[0], Candidate(HELD))

    key = tries.begin(draft)
    first = tries.wait(key, 60)
    again = tries.wait(tries.begin(draft), 60)

    assert first is not None
    assert first.replay is not None
    assert again is not None
    assert again.replay is first.replay
    assert tries.look("0" * 32) is None


def test_what_a_draft_breaks_is_told_on_its_own_page(closed: Town) -> None:
    tries = Tryouts(lambda: closed.books.reading(TREASURER))
    silent = Candidate(KeyTerms({"type": "proportional"}))

    tryout = tries.wait(tries.begin(Draft("k", "2026-01", NOVEMBER_S, silent)), 60)

    assert tryout is not None
    assert tryout.replay is None
    assert "give its model and efficiency" in tryout.problem


def test_a_replay_that_breaks_says_so_and_the_next_one_is_reckoned(closed: Town) -> None:
    pictures = iter((True, False, True, True))

    @contextmanager
    def reading() -> Iterator[Desk]:
        if not next(pictures):
            raise ValueError("nobody thought of this")
        with closed.books.reading(TREASURER) as desk:
            yield desk

    tries = Tryouts(reading)
    first, second = (Draft(name, "2026-02", NOVEMBER_S, Candidate(HELD)) for name in ("a", "b"))

    broken = tries.wait(tries.begin(first), 60)
    good = tries.wait(tries.begin(second), 60)

    assert broken is not None
    assert "a mistake of ours" in broken.problem
    assert good is not None
    assert good.replay is not None


def test_twelve_whole_months_lie_before_now() -> None:
    assert [str(each) for each in last_months(NOVEMBER_S)][0::11] == ["2025-11", "2026-10"]


def test_a_distribution_by_hand() -> None:
    spread = Distribution.of([300, -100, -100, 0, 700, 200, -50, -50, 100, 400])

    assert (spread.less, spread.same, spread.more) == (4, 1, 5)
    assert (spread.least, spread.most, spread.total) == (-100, 700, 1400)
    # In order: -100 -100 -50 -50 0 100 200 300 400 700: the middle is (0 + 100) / 2.
    assert spread.median == 50
    assert (spread.quarter, spread.three_quarters) == (-50, 300)
    assert spread.worst_tenth == 700


@given(st.lists(st.integers(-(10**7), 10**7), max_size=60))
def test_every_member_stands_in_one_bar_and_one_class_of_five_or_more(effects: list[int]) -> None:
    bars, groups = bars_of(effects), groups_of(effects)

    assert sum(bar.members for bar in bars) == len(effects)
    assert len(bars) < 40
    assert all(group.members >= 5 for group in groups)
    assert sum(group.members for group in groups) == (len(effects) if len(effects) >= 5 else 0)
    for effect in effects:
        assert any(
            effect == bar.low == bar.high
            or bar.low < effect <= bar.high
            or (effect < 0 and bar.low <= effect < bar.high)
            for bar in bars
        )


@given(st.lists(st.integers(-5000, 5000), min_size=5, max_size=60))
def test_the_classes_tell_no_end_of_the_range(effects: list[int]) -> None:
    groups = groups_of(effects)

    assert groups[0].low is None
    assert groups[-1].high is None
    edges = [group.high for group in groups[:-1]]
    assert edges == [group.low for group in groups[1:]]
