"""A period settled in arrays, beside the exact engine."""

from __future__ import annotations

from hypothesis import given, settings

from optimizer.balance import QuarterReadings
from optimizer.listing import Listing
from optimizer.period import Agreement, Rounding, settle_period
from optimizer.period_volumes import PeriodVolumes, settle_listing
from optimizer.settlement import Source
from tests.optimizer.communities import agreements, array_keys, huge_wh, periods


def settled_exactly(quarters: list[QuarterReadings], agreement: Agreement) -> PeriodVolumes:
    exact = settle_period(quarters, agreement)
    return PeriodVolumes(
        exact.quarters, len(exact.missing), len(exact.estimated), exact.members, exact.orphan_wh
    )


@settings(max_examples=200)
@given(quarters=periods(gaps=True), agreement=agreements(sources=[*Source], roundings=[*Rounding]))
def test_arrays_and_exact_engine_give_every_member_the_same(
    quarters: list[QuarterReadings], agreement: Agreement
) -> None:
    told = settle_listing(Listing.of(quarters), agreement)

    assert told == settled_exactly(quarters, agreement)
    assert list(told.members) == sorted(told.members)


@settings(max_examples=200)
@given(
    quarters=periods(huge_wh, gaps=True), agreement=agreements(array_keys, roundings=[*Rounding])
)
def test_they_agree_where_products_leave_64_bits(
    quarters: list[QuarterReadings], agreement: Agreement
) -> None:
    assert settle_listing(Listing.of(quarters), agreement) == settled_exactly(quarters, agreement)
