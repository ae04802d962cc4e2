"""A period settled in arrays, beside the exact engine."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings

from kwartier.interval import QUARTER_S, Quarter
from optimizer.balance import QuarterReadings, Registers, SelfRule
from optimizer.settlement import Rules, Source
from optimizer.settling.listing import Listing
from optimizer.settling.period import Agreement, KeyVersion, MemberVolume, Rounding, settle_period
from optimizer.settling.period_volumes import PeriodVolumes, settle_listing
from optimizer.sharing import Proportional, Static
from tests.optimizer.communities import FIRST, agreements, array_keys, huge_wh, periods


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


@pytest.mark.parametrize("self_rule", [*SelfRule])
def test_a_part_of_a_watt_hour_serves_too(self_rule: SelfRule) -> None:
    # A third of 100 Wh is 33 1/3, of which P serves 60 % and Q 40 %: 20 and 13 1/3. Three
    # quarters come to 100, 60 and 40.
    third = Static({"A": Fraction(1, 3)})
    homes = {
        "A": Registers(import_wh=500),
        "P": Registers(export_wh=60),
        "Q": Registers(export_wh=40),
    }
    quarters = [QuarterReadings(Quarter((FIRST + place) * QUARTER_S), homes) for place in range(3)]
    agreement = Agreement(
        (KeyVersion(0, third),), Rules(self_rule=self_rule), rounding=Rounding.PERIOD
    )

    told = settle_listing(Listing.of(quarters), agreement)

    assert told.members == {
        "A": MemberVolume(100, 0),
        "P": MemberVolume(0, 60),
        "Q": MemberVolume(0, 40),
    }


def test_an_own_share_in_parts_of_a_watt_hour_leaves_room_in_parts() -> None:
    # S = 100; P's third is 33 1/3 of its 50 Wh cap, A's tenth is 10: together 43 1/3. P may
    # serve all but its own share, 10 Wh of its 50, and Q 33 1/3 of its 50. Three quarters come
    # to 100 and 30 bought, 30 and 100 sold.
    parts = Static({"A": Fraction(1, 10), "P": Fraction(1, 3)})
    homes = {
        "A": Registers(import_wh=500),
        "P": Registers(import_wh=500, export_wh=50),
        "Q": Registers(export_wh=50),
    }
    quarters = [QuarterReadings(Quarter((FIRST + place) * QUARTER_S), homes) for place in range(3)]
    agreement = Agreement((KeyVersion(0, parts),), Rules(), rounding=Rounding.PERIOD)

    told = settle_listing(Listing.of(quarters), agreement)

    assert told == settled_exactly(quarters, agreement)
    assert told.members == {
        "A": MemberVolume(30, 0),
        "P": MemberVolume(100, 30),
        "Q": MemberVolume(0, 100),
    }


def test_sevenths_of_small_and_huge_quarters_add_up_to_a_whole() -> None:
    # 1 Wh in sevenths, in arrays A 2, B 2 and C 3, and beyond what arrays hold A 5 and B 2: so
    # A has 1, B 4/7 and C 3/7. The watt-hour over is B's.
    def quarter(place: int, *imports_wh: int) -> QuarterReadings:
        homes = {name: Registers(wh) for name, wh in zip("ABC", imports_wh, strict=True)}
        homes["P"] = Registers(export_wh=1)
        return QuarterReadings(Quarter((FIRST + place) * QUARTER_S), homes)

    quarters = [quarter(0, 2, 2, 3), quarter(1, 5 * 2**40, 2 * 2**40, 0)]
    agreement = Agreement((KeyVersion(0, Proportional()),), Rules(), rounding=Rounding.PERIOD)

    told = settle_listing(Listing.of(quarters), agreement)

    assert told.members == {
        "A": MemberVolume(1, 0),
        "B": MemberVolume(1, 0),
        "C": MemberVolume(0, 0),
        "P": MemberVolume(0, 2),
    }
