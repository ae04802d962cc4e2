"""A battery or a roof, tried over the books' months: both worlds steered alike, both settled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from api.cooperative.database import Books
from api.cooperative.errors import BooksError
from api.cooperative.keys import make_keys
from api.cooperative.runs.month import Month
from api.cooperative.schema import bring_up_to_date
from api.cooperative.whatif import (
    BatteryTerms,
    Candidate,
    Draft,
    RoofTerms,
    StreetTerms,
    Surroundings,
    Tryouts,
    replay_hash,
    replay_of,
    street_terms,
    told_of,
)
from api.cooperative.whatif.roofs import roof_made
from api.cooperative.whatif.steered import batteries_with
from api.cooperative.whatif.street_replay import replay_street
from api.pages.language import language
from api.pages.rules.street import street_notes
from kwartier.clock import VirtualClock
from kwartier.errors import ContractError, InputError
from kwartier.interval import QUARTER_S
from kwartier.units import EpochS
from optimizer.problem import FloatArray
from optimizer.settling.matrix import WhArray
from tests.api.cooperative.stages import BOARD, TREASURER, Stage
from tests.api.cooperative.street import NOVEMBER_S, set_up
from tests.api.town import Town, Towns

DAY_S = 96 * QUARTER_S


def day_and_night(start_s: EpochS, count: int) -> FloatArray:
    """Return a market that asks five cents by day and twenty in the evening [EUR/kWh]."""
    hours = (start_s + QUARTER_S * np.arange(count)) % DAY_S // 3600
    return np.where((hours >= 16) & (hours < 22), 0.20, 0.05)


def noon_sun(start_s: EpochS, count: int) -> WhArray:
    """Return roofs that make 500 Wh in each quarter from ten to fourteen by UTC."""
    hours = (start_s + QUARTER_S * np.arange(count)) % DAY_S // 3600
    return np.where((hours >= 10) & (hours < 14), 500, 0).astype(np.int64)


BATTERY = BatteryTerms(20_000, 10_000, "0.9", instead=False, price_cents=800_000, life_years=15)
ROOF = RoofTerms("home-4", 4_000, 900)
AROUND = Surroundings(
    buy_extra_eur_per_kwh=0.13,
    sell_less_eur_per_kwh=0.01,
    prices=day_and_night,
    roofs=noon_sun,
    sky=noon_sun,
)
OCTOBER_WH = 305_753
"""4 kWp times 900 kWh, for 31 of 365 days that are all as bright: 305.753 kWh."""


def tried(battery: BatteryTerms | None = None, roof: RoofTerms | None = None) -> Candidate:
    return Candidate(StreetTerms(battery, roof, "0.25", "0.05"))


@pytest.fixture(scope="module")
def closed(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town whose October is closed; read only."""
    with towns.at(Stage.CLOSED, tmp_path_factory.mktemp("street")) as town:
        yield town


def test_a_battery_lets_the_street_share_more_and_pay_less_outside(closed: Town) -> None:
    with closed.books.reading(TREASURER) as desk:
        found = replay_street(desk, tried(BATTERY), AROUND)

    street = found.street
    assert street is not None
    assert street.old.battery_wh == 0
    assert street.new.battery_wh > 0
    assert street.new.shared_wh > street.old.shared_wh
    assert street.new.cost_cents < street.old.cost_cents
    # One month of a year: twelve times what it saved.
    assert street.saved_cents == 12 * (street.old.cost_cents - street.new.cost_cents)
    # EUR 8,000 over what a year saves, in tenths of a year.
    assert street.payback_tenths is not None
    assert abs(street.payback_tenths * street.saved_cents - 8_000_000) <= street.saved_cents


def test_a_battery_gives_no_more_than_it_took_less_its_loss(closed: Town) -> None:
    with closed.books.reading(TREASURER) as desk:
        street = replay_street(desk, tried(BATTERY), AROUND).street

    assert street is not None
    old, new = street.old, street.new
    taken_more = (new.taken_wh - new.given_wh) - (old.taken_wh - old.given_wh)
    charged_wh = taken_more + new.battery_wh
    # Whole watt-hours a quarter: half a one is lost or won in each of 2,980 at most.
    assert new.battery_wh <= 0.9 * charged_wh + street.quarters


def test_a_roof_makes_in_october_what_the_sky_says_of_its_year(closed: Town) -> None:
    with closed.books.reading(TREASURER) as desk:
        found = replay_street(desk, tried(roof=ROOF), AROUND)

    street = found.street
    assert street is not None
    assert street.roof_wh == OCTOBER_WH
    assert street.roof_by == "roofs"
    assert street.payback_tenths is None
    more_wh = (street.old.taken_wh - street.old.given_wh) - (
        street.new.taken_wh - street.new.given_wh
    )
    assert more_wh == OCTOBER_WH
    own = found.of("lid-4")
    assert own is not None
    assert own.difference == min(each.difference for each in found.members) < 0


def test_a_bill_is_the_statement_and_what_an_own_supplier_is_paid(closed: Town) -> None:
    dearer = Candidate(StreetTerms(None, ROOF, "0.35", "0.05"))
    with closed.books.reading(TREASURER) as desk:
        one = replay_street(desk, tried(roof=ROOF), AROUND)
        other = replay_street(desk, dearer, AROUND)

    assert one.street is not None
    assert other.street is not None
    assert one.street.settled == other.street.settled
    # Ten cents more on what each takes from outside, and on nothing else.
    outside_wh = sum(each.old[0] for each in other.members) - sum(
        each.old[0] for each in one.members
    )
    assert outside_wh > 0


def test_at_one_price_all_day_a_battery_sells_nothing_that_it_bought(closed: Town) -> None:
    flat = replace(AROUND, prices=lambda _, count: np.full(count, 0.10))
    with closed.books.reading(TREASURER) as desk:
        street = replay_street(desk, tried(BATTERY), flat).street

    assert street is not None
    assert street.new.given_wh <= street.old.given_wh


def test_without_a_market_the_price_of_the_form_counts_and_it_is_told(closed: Town) -> None:
    with closed.books.reading(TREASURER) as desk:
        street = replay_street(desk, tried(BATTERY), Surroundings()).street

    assert street is not None
    assert street.fixed_price == street.quarters == 31 * 96 + 4
    assert street.unread == 0


def test_a_roof_without_any_sun_to_go_by_is_refused(closed: Town) -> None:
    with (
        closed.books.reading(TREASURER) as desk,
        pytest.raises(InputError, match="0 of 1 months have measured roofs, and nothing tells"),
    ):
        replay_street(desk, tried(roof=ROOF), Surroundings())


def test_a_measured_year_lays_a_roof_out_without_any_sky() -> None:
    year = [Month(2026, 10).plus(place) for place in range(12)]

    made, by = roof_made(ROOF, year, Surroundings(roofs=noon_sun))

    assert by == "roofs"
    # 4 kWp times 900 kWh, and of that what 28 of 365 days as bright make.
    assert sum(int(each.sum()) for each in made.values()) == 3_600_000
    assert abs(int(made[Month(2027, 2)].sum()) - 3_600_000 * 28 / 365) < 1


def test_measured_months_are_dark_and_bright_as_they_were() -> None:
    def darker_in_november(start_s: EpochS, count: int) -> WhArray:
        return noon_sun(start_s, count) // (2 if start_s == Month(2026, 11).start_s else 1)

    around = Surroundings(roofs=darker_in_november, sky=noon_sun)

    made, by = roof_made(ROOF, [Month(2026, 10), Month(2026, 11)], around)

    # 61 of 365 days, laid over 31 whole ones and 30 halves: 46 in all.
    both_wh = 3_600_000 * 61 / 365
    assert by == "roofs"
    assert abs(int(made[Month(2026, 10)].sum()) - both_wh * 31 / 46) < 2
    assert abs(int(made[Month(2026, 11)].sum()) - both_wh * 15 / 46) < 2


def test_without_measured_roofs_the_sky_lays_it_out_and_that_is_told(closed: Town) -> None:
    with closed.books.reading(TREASURER) as desk:
        street = replay_street(desk, tried(roof=ROOF), Surroundings(sky=noon_sun)).street

    assert street is not None
    assert (street.roof_wh, street.roof_by) == (OCTOBER_WH, "sky")


def test_the_page_tells_by_what_sun_a_roof_was_laid_out(closed: Town) -> None:
    with closed.books.reading(TREASURER) as desk:
        found = replay_street(desk, tried(roof=ROOF), AROUND)
    assert found.street is not None
    of_a_year = "Which part of a year that is follows from the sun without clouds on flat ground."

    short = street_notes(found, language("en"))
    whole = street_notes(replace(found, months=found.months * 12), language("en"))

    assert [each for each in short if "306 kWh" in each]
    assert of_a_year in short
    assert of_a_year not in whole


def test_a_roof_on_a_home_nobody_knows_is_refused(closed: Town) -> None:
    with (
        closed.books.reading(TREASURER) as desk,
        pytest.raises(BooksError, match="roof: connection 'home-99' is not known"),
    ):
        replay_street(desk, tried(roof=replace(ROOF, connection="home-99")), AROUND)


def test_a_street_read_back_is_the_same_and_the_same_again(closed: Town) -> None:
    with closed.books.reading(TREASURER) as desk:
        found = replay_street(desk, tried(BATTERY, ROOF), AROUND)
        again = replay_street(desk, tried(BATTERY, ROOF), AROUND)
    told = told_of(found)

    assert replay_of(told) == found
    assert replay_hash(told) == replay_hash(told_of(again))  # a float would have been refused
    assert street_terms(found.candidate["terms"]) == StreetTerms(BATTERY, ROOF, "0.25", "0.05")


def test_a_street_that_was_kept_before_agreements_were_counted_is_still_read(closed: Town) -> None:
    with closed.books.reading(TREASURER) as desk:
        found = replay_street(desk, tried(BATTERY), AROUND)
    told = told_of(found)
    kept = told["street"]
    assert isinstance(kept, dict)
    del kept["unagreed"]

    assert replay_of(told) == found


def test_a_month_without_a_word_about_a_battery_is_told(tmp_path: Path, closed: Town) -> None:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    bring_up_to_date(url)
    books = Books(url, make_keys(tmp_path / "keys"), VirtualClock(NOVEMBER_S))
    set_up(books, TREASURER, BOARD, model=None)

    with books.reading(TREASURER) as desk:
        battery, roof = (
            replay_street(desk, each, AROUND).street for each in (tried(BATTERY), tried(roof=ROOF))
        )
    books.close()
    with closed.books.reading(TREASURER) as desk:
        agreed = replay_street(desk, tried(BATTERY), AROUND)

    assert battery is not None
    assert roof is not None
    assert agreed.street is not None
    assert (battery.unagreed, roof.unagreed, agreed.street.unagreed) == (1, 0, 0)
    told = "In 1 maand was niets afgesproken over een batterij."
    said = street_notes(replace(agreed, street=battery), language("nl"))
    assert [each for each in said if each.startswith(told)] == [
        f"{told} Daar rekenen we zo: de coöperatie koopt wat erin gaat. Er komt 90 % weer uit."
    ]
    assert not [each for each in street_notes(agreed, language("nl")) if each.startswith(told)]


def test_a_battery_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ContractError, match="kWh"):
        replace(BATTERY, capacity_wh=0)
    with pytest.raises(ContractError, match=r"use 0.5 to 1"):
        replace(BATTERY, round_trip="1.2")
    with pytest.raises(ContractError, match="nothing is tried"):
        StreetTerms(None, None, "0.25", "0.05")


def test_a_battery_comes_beside_what_there_is_or_instead() -> None:
    had = batteries_with((), BATTERY)

    assert [each.id for each in batteries_with(had, BATTERY)] == ["tried", "tried-2"]
    assert [each.id for each in batteries_with(had, replace(BATTERY, instead=True))] == ["tried-2"]


def test_a_replay_that_is_stopped_ends_and_can_be_begun_anew(closed: Town) -> None:
    def stopping() -> Surroundings:
        tries.stop(key)
        return AROUND

    tries = Tryouts(lambda: closed.books.reading(TREASURER), stopping)
    draft = Draft("accu", "", date(2027, 1, 1).toordinal(), tried(BATTERY))
    key = draft.key
    tries.begin(draft)

    stopped = tries.wait(key, 60)

    assert stopped is not None
    assert stopped.replay is None
    assert "stopped" in stopped.problem
