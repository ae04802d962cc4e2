"""One quarter and one day, on figures worked out by hand in the comments."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from kwartier.errors import ContractError
from kwartier.interval import Quarter, quarters_of_day
from kwartier.ledger import balances
from kwartier.model import Tariff
from optimizer.balance import QuarterReadings, Registers, SelfRule
from optimizer.settlement import (
    MemberDay,
    QuarterSettlement,
    Rules,
    Source,
    Status,
    settle_day,
    settle_quarter,
)
from optimizer.settling.rounding import Tie

NOON = Quarter.parse("2026-07-01T10:00:00Z")
NO_BATTERY = Registers()


def settled(
    rules: Rules | None = None, battery: Registers = NO_BATTERY, **homes: Registers
) -> QuarterSettlement:
    """Settle one quarter of some homes; proportional unless other rules are given."""
    return settle_quarter(QuarterReadings(NOON, homes, battery), rules or Rules())


def uses(energy_wh: int) -> Registers:
    return Registers(import_wh=energy_wh)


def gives(energy_wh: int) -> Registers:
    return Registers(export_wh=energy_wh)


def test_a_watt_hour_that_cannot_be_divided_goes_to_the_first_id() -> None:
    # 650 / 3 = 216 2/3 each: three floors of 216 leave 2 Wh, for A and B.
    quarter = settled(A=uses(300), B=uses(300), C=uses(300), P=gives(650))

    assert quarter.exact["A"] == Fraction(650, 3)
    assert quarter.allocated_wh == {"A": 217, "B": 217, "C": 216, "P": 0}
    assert quarter.shared_out_wh == {"A": 0, "B": 0, "C": 0, "P": 650}
    assert quarter.status is Status.FINAL


def test_the_rotating_tie_begins_with_another_id_every_quarter() -> None:
    # Four ids; quarter number 2 begins with C, then P (no remainder), A, B: C and A get one.
    homes = {"A": uses(300), "B": uses(300), "C": uses(300), "P": gives(650)}

    quarter = settle_quarter(QuarterReadings(Quarter(2 * 900), homes), Rules(tie=Tie.ROTATE))

    assert quarter.allocated_wh == {"A": 217, "B": 216, "C": 217, "P": 0}


def test_a_home_is_not_served_by_its_own_export() -> None:
    # S = 300, all of it P's: P may receive 300 - 300 = 0, and A gets everything.
    quarter = settled(A=uses(400), P=Registers(100, 300))

    assert quarter.allocated_wh == {"A": 300, "P": 0}
    assert quarter.supplier_import_wh == {"A": 100, "P": 100}


def test_under_pool_a_home_shares_in_its_own_export() -> None:
    # 300 over imports 400 and 100: 240 and 60.
    quarter = settled(Rules(self_rule=SelfRule.POOL), A=uses(400), P=Registers(100, 300))

    assert quarter.allocated_wh == {"A": 240, "P": 60}
    assert quarter.shared_out_wh == {"A": 0, "P": 300}


def test_under_net_import_and_export_of_a_home_are_offset_first() -> None:
    # P: import 0, export 200; A gets those 200. Rates are of 200 and of 400.
    quarter = settled(Rules(self_rule=SelfRule.NET), A=uses(400), P=Registers(100, 300))

    assert quarter.balance.supply_wh == 200
    assert quarter.allocated_wh == {"A": 200, "P": 0}
    assert quarter.supplier_import_wh == {"A": 200, "P": 0}
    assert str(quarter.self_consumption) == "200/200"
    assert str(quarter.self_sufficiency) == "200/400"


def test_whose_export_was_shared_leaves_room_for_what_a_home_received() -> None:
    # S = 400; caps: P min(500, 400 - 300) = 100, A 100: all at the cap, 200 shared.
    # P may give 200 - 100 = 100 and Q 100: P by weight 150, so full at 100, and Q 100.
    quarter = settled(A=uses(100), P=Registers(500, 300), Q=gives(100))

    assert quarter.allocated_wh == {"A": 100, "P": 100, "Q": 0}
    assert quarter.shared_out_wh == {"A": 0, "P": 100, "Q": 100}
    assert quarter.supplier_export_wh == {"A": 0, "P": 200, "Q": 0}


def test_export_is_drawn_on_alike_and_rounded_alike() -> None:
    # 100 of 200 + 100: P 66 2/3, Q 33 1/3; the spare watt-hour is P's.
    quarter = settled(A=uses(100), P=gives(200), Q=gives(100))

    assert quarter.shared_out_wh == {"A": 0, "P": 67, "Q": 33}


def test_a_sequential_source_draws_on_the_first_listed_first() -> None:
    rules = Rules(source=Source.SEQUENTIAL)

    quarter = settled(rules, Q=gives(60), P=gives(200), A=uses(100))

    assert quarter.shared_out_wh == {"Q": 60, "P": 40, "A": 0}


def test_the_battery_serves_what_the_members_export_does_not() -> None:
    # S = 100 + 70; A and B use 300: 170 shared, 100 from P and all 70 from the battery.
    quarter = settled(battery=gives(70), A=uses(100), B=uses(200), P=gives(100))

    assert quarter.shared_total_wh == 170
    assert quarter.battery_to_members_wh == 70
    assert quarter.battery_to_grid_wh == 0


def test_what_the_battery_gives_beyond_demand_goes_to_the_grid() -> None:
    # 120 used: 100 from P, 20 of the 70 from the battery.
    quarter = settled(battery=gives(70), A=uses(120), P=gives(100))

    assert quarter.battery_to_members_wh == 20
    assert quarter.battery_to_grid_wh == 50


def test_a_missing_register_counts_zero_is_named_and_makes_it_provisional() -> None:
    quarter = settled(A=uses(100), B=Registers(None, 40), P=Registers(0, None))

    assert quarter.missing == ("B:import", "P:export")
    assert quarter.allocated_wh == {"A": 40, "B": 0, "P": 0}
    assert quarter.status is Status.PROVISIONAL


def test_an_estimate_takes_part_and_makes_it_provisional() -> None:
    quarter = settled(A=Registers(100, import_estimated=True), P=gives(40))

    assert quarter.estimated == ("A:import",)
    assert quarter.allocated_wh == {"A": 40, "P": 0}
    assert quarter.status is Status.PROVISIONAL


def test_a_battery_that_was_not_read_makes_it_provisional() -> None:
    quarter = settled(battery=Registers(0, None), A=uses(100))

    assert quarter.missing == ("battery:discharge",)
    assert quarter.status is Status.PROVISIONAL


def test_a_rate_of_nothing_is_zero() -> None:
    quarter = settled(A=Registers())

    assert (str(quarter.self_consumption), str(quarter.self_sufficiency)) == ("0", "0")


def test_energy_below_zero_is_refused() -> None:
    with pytest.raises(ContractError, match="import -1: energy is whole watt-hours"):
        Registers(import_wh=-1)


def test_a_day_writes_who_owes_who_is_owed_and_the_levy() -> None:
    # Two quarters. First: A and B 500 each from P's 1000. Second: A 250 from P's 600, of
    # which the battery takes 300. Tariff 0.18, 0.12, 0.01 a kWh.
    # Bought: A 750, B 500. Buy: 13.5 and 9 cents, together 22.5, rounded 23: A 14, B 9.
    # Levy: 0.75 and 0.5 cents, together 1.25, rounded 1: A 1. Sold: P 1000 + 250 + 300 = 1550
    # Wh: 18.6 cents, rounded 19.
    day = settle_day(
        [
            QuarterReadings(NOON, {"A": uses(500), "B": uses(500), "P": gives(1000)}),
            QuarterReadings(
                NOON.next(), {"A": uses(250), "B": uses(0), "P": gives(600)}, uses(300)
            ),
        ],
        Rules(),
        Tariff(Decimal("0.18"), Decimal("0.12"), Decimal("0.01")),
    )

    assert day.members == {
        "A": MemberDay(import_wh=750, bought_wh=750),
        "B": MemberDay(import_wh=500, bought_wh=500),
        "P": MemberDay(export_wh=1600, sold_wh=1250, to_battery_wh=300),
    }
    assert {account.name: cents for account, cents in balances(day.entries).items()} == {
        "coop:energy_purchase": 19,
        "coop:energy_sales": -23,
        "fund:levy": -1,
        "payable:P": -19,
        "receivable:A": 15,
        "receivable:B": 9,
    }
    assert (day.shared_wh, day.battery_charged_wh) == (1250, 300)
    assert day.status is Status.FINAL


@pytest.mark.parametrize(
    ("day", "count"),
    [(date(2026, 3, 29), 92), (date(2026, 7, 1), 96), (date(2026, 10, 25), 100)],
)
def test_a_local_day_is_settled_quarter_by_quarter(day: date, count: int) -> None:
    homes = {"A": uses(100), "P": gives(70)}

    settlement = settle_day(
        [QuarterReadings(quarter, homes) for quarter in quarters_of_day(day)], Rules(), Tariff()
    )

    assert len(settlement.quarters) == count
    assert settlement.members["A"].bought_wh == 70 * count


def test_a_day_names_the_quarter_in_which_a_register_is_missing() -> None:
    day = settle_day([QuarterReadings(NOON, {"A": Registers(None)})], Rules(), Tariff())

    assert day.missing == ("2026-07-01T10:00:00Z A:import",)
    assert day.status is Status.PROVISIONAL


def test_a_quarter_that_stands_there_twice_is_refused() -> None:
    readings = QuarterReadings(NOON, {"A": uses(1)})
    with pytest.raises(ContractError, match="2026-07-01T10:00:00Z stands there twice"):
        settle_day([readings, readings], Rules(), Tariff())
