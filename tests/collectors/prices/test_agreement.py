"""Two sources that agree, one alone, two that differ, and prices that the auction cannot give."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from collectors.prices.agreement import (
    CENT,
    Agreement,
    Known,
    Limits,
    PriceOutOfBoundsError,
    PricesDisagreeError,
    Standing,
    agree,
)
from collectors.prices.model import PriceQuarter, PriceSeries
from kwartier.interval import Quarter

NOON = Quarter.parse("2026-07-01T10:00:00Z")


def of(*prices: str | None) -> PriceSeries:
    return PriceSeries.of(
        PriceQuarter(NOON.next(place), Decimal(price))
        for place, price in enumerate(prices)
        if price is not None
    )


def at(agreement: Agreement, place: int) -> Known | None:
    return agreement.known.get(NOON.next(place).start_s)


def test_what_two_sources_tell_alike_is_agreed_and_the_first_is_taken() -> None:
    found = agree({"a": of("80.006", "-3"), "b": of("80", "-3.01")})

    assert at(found, 0) == Known(Decimal("80.006"), Standing.AGREED, ("a", "b"))
    assert at(found, 1) == Known(Decimal(-3), Standing.AGREED, ("a", "b"))
    assert found.problems == ()


def test_what_one_source_alone_tells_is_used_and_marked() -> None:
    found = agree({"a": of("80", None), "b": of(None, "70")})

    assert at(found, 0) == Known(Decimal(80), Standing.SINGLE, ("a",))
    assert at(found, 1) == Known(Decimal(70), Standing.SINGLE, ("b",))


def test_where_two_sources_differ_nobody_is_believed() -> None:
    found = agree({"a": of("80", "70"), "b": of("80.02", "70")})

    assert at(found, 0) is None
    assert at(found, 1) == Known(Decimal(70), Standing.AGREED, ("a", "b"))
    (problem,) = found.problems
    assert isinstance(problem, PricesDisagreeError)
    assert "disagree on 1 quarters, first 2026-07-01T10:00:00Z: a 80, b 80.02" in str(problem)


def test_of_three_sources_two_outvote_one() -> None:
    found = agree({"a": of("800"), "b": of("80"), "c": of("80")})

    assert at(found, 0) == Known(Decimal(80), Standing.AGREED, ("b", "c"))


def test_a_source_of_hours_confirms_the_quarters_whose_mean_it_tells() -> None:
    quarters, hours = of("10", "20", "30", "40"), of("25", "25", "25", "25")

    found = agree({"hours": hours, "quarters": quarters})

    assert [at(found, place) for place in range(4)] == [
        Known(Decimal(price), Standing.AGREED, ("hours", "quarters")) for price in (10, 20, 30, 40)
    ]


def test_a_source_of_hours_whose_mean_is_another_is_a_dispute() -> None:
    found = agree({"hours": of("26", "26", "26", "26"), "quarters": of("10", "20", "30", "40")})

    assert found.known == {}
    assert len(found.disputed) == 4


def test_a_price_that_the_auction_cannot_give_is_not_used() -> None:
    found = agree({"a": of("4000.01", "-500"), "b": of("90", "-500")})

    assert at(found, 0) == Known(Decimal(90), Standing.SINGLE, ("b",))
    assert at(found, 1) == Known(Decimal(-500), Standing.AGREED, ("a", "b"))
    (problem,) = found.problems
    assert isinstance(problem, PriceOutOfBoundsError)
    assert "a tells 1 prices outside -500 to 4000 EUR/MWh, first 4000.01" in str(problem)


def test_limits_move_with_the_auction() -> None:
    wider = Limits(Decimal(-600), Decimal(5000))

    assert at(agree({"a": of("4999")}, wider), 0) is not None


prices = st.decimals(-1000, 10_000, places=2)


@given(st.lists(st.tuples(prices, prices), max_size=12))
def test_nothing_is_called_agreed_that_differs_by_more_than_a_cent(
    told: list[tuple[Decimal, Decimal]],
) -> None:
    series = [
        PriceSeries.of(PriceQuarter(NOON.next(p), pair[side]) for p, pair in enumerate(told))
        for side in (0, 1)
    ]
    found = agree({"a": series[0], "b": series[1]})

    for known in found.known.values():
        assert -500 <= known.eur_per_mwh <= 4000
    for at_s, known in found.known.items():
        if known.standing is Standing.AGREED and len(told) % 4:
            assert abs(series[0].eur_per_mwh[at_s] - series[1].eur_per_mwh[at_s]) <= CENT


def test_who_tells_a_part_of_the_hour_is_not_passed_over_for_who_tells_the_hour() -> None:
    found = agree({"hours": of("25", "25", "25", "25"), "part": of("900", "900", "900", None)})

    assert [at(found, place) for place in range(3)] == [None, None, None]
    assert at(found, 3) == Known(Decimal(25), Standing.SINGLE, ("hours",))
    assert len(found.disputed) == 3
