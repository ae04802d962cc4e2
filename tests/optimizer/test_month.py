"""A month's money, on figures worked out by hand in the comments."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from kwartier.errors import ContractError
from kwartier.interval import local_day
from kwartier.ledger import balances
from kwartier.units import EpochS
from optimizer.balance import Registers
from optimizer.month import FlaggedStretch, MonthCase, MonthResult, TariffVersion, settle_month
from optimizer.settlement import Status
from optimizer.settling.battery_models import BatteryAgreement, BatteryModel
from optimizer.settling.matrix import ReadingMatrix
from optimizer.settling.period import Rounding
from optimizer.tariff import CentRounding, Terms
from tests.optimizer.months import (
    JULY,
    midnight,
    month_of,
    own,
    quarter_at,
    readings_of,
    tariff,
)

FIRST, LAST = JULY
EVE = date(2026, 6, 30)


def took(energy_wh: int | None) -> Registers:
    return Registers(import_wh=energy_wh)


def gave(energy_wh: int | None) -> Registers:
    return Registers(export_wh=energy_wh)


def shared(*energies_wh: int) -> ReadingMatrix:
    """Return July, in which A took from P at noon of the 1st, the 2nd, and so on."""
    return readings_of(
        JULY,
        {
            quarter_at(date(2026, 7, 1 + day), 12): {"A": took(wh), "P": gave(wh)}
            for day, wh in enumerate(energies_wh)
        },
    )


def lines(result: MonthResult, member: str) -> list[tuple[str, str, int | None, str, int]]:
    """Return a member's lines: charge, connection, energy or days, price, cents."""
    return [
        (
            line.priced.charge.value,
            line.priced.connection,
            line.priced.days if line.priced.energy_wh is None else line.priced.energy_wh,
            line.price_text,
            line.cents,
        )
        for line in result.invoices[member].lines
    ]


def test_a_month_becomes_lines_invoices_and_entries() -> None:
    # 12.5 kWh at 0.18 is 2.25, the levy of 0.01 is 0.125, so 13 cents, the fee 2.50: 4.88; VAT
    # of 21 % is 1.0248. P earns 12.5 * 0.12 = 1.50 and pays its fee with VAT of 0.525: 3.03.
    result = settle_month(month_of(shared(12_500), [tariff(levy="0.01", fee="2.50", vat="21/100")]))

    assert lines(result, "A") == [
        ("buy", "A", 12_500, "0.18", 225),
        ("levy", "A", 12_500, "0.01", 13),
        ("fee", "", 31, "2.50", 250),
    ]
    assert lines(result, "P") == [("fee", "", 31, "2.50", 250), ("sell", "P", 12_500, "0.12", 150)]
    a, p = result.invoices["A"], result.invoices["P"]
    assert (a.net, a.vat_due, a.gross, a.to_pay) == (488, 102, 590, 590)
    assert (p.gross, p.earned, p.earned_gross, p.to_pay) == (303, 150, 150, 153)
    assert result.status is Status.FINAL
    held = {account.name: cents for account, cents in balances(result.entries).items()}
    assert held == {
        "coop:energy_purchase": 150,
        "coop:energy_sales": -225,
        "coop:fees": -750,
        "fund:levy": -13,
        "payable:P": -150,
        "receivable:A": 590,
        "receivable:B": 303,
        "receivable:P": 303,
        "tax:vat_due": -208,
    }


def test_a_price_holds_for_the_quarters_of_its_version() -> None:
    # 10 kWh on the 1st at 0.18 and 5 kWh on the 2nd at 0.20.
    versions = [
        tariff("0.20", "0.14", name="t2", start_s=midnight(date(2026, 7, 2))),
        tariff("0.18", "0.12", name="t1"),
    ]

    result = settle_month(month_of(shared(10_000, 5_000), versions))

    assert lines(result, "A") == [
        ("buy", "A", 10_000, "0.18", 180),
        ("buy", "A", 5_000, "0.20", 100),
    ]
    assert lines(result, "P") == [
        ("sell", "P", 10_000, "0.12", 120),
        ("sell", "P", 5_000, "0.14", 70),
    ]
    assert [line.priced.quarters for line in result.invoices["A"].lines] == [96, 30 * 96]


def test_a_price_may_change_inside_a_day() -> None:
    # The quarter of 12:00 is the first at the new price.
    noon = quarter_at(FIRST, 12)
    busy = {noon - 900: {"A": took(1000), "P": gave(1000)}, noon: {"A": took(500), "P": gave(500)}}
    versions = [tariff("0.10", name="t1"), tariff("1.00", name="t2", start_s=noon)]

    result = settle_month(month_of(readings_of(JULY, busy), versions))

    assert lines(result, "A") == [("buy", "A", 1000, "0.10", 10), ("buy", "A", 500, "1.00", 50)]


def test_the_fee_is_paid_by_the_day() -> None:
    # 3.10 over 31 days is ten cents a day. A was a's for ten days, nobody's for one, then b's.
    owners = [
        own("A", "a", date(2026, 1, 1), date(2026, 7, 10)),
        own("A", "b", date(2026, 7, 12)),
    ]

    result = settle_month(month_of(shared(), [tariff(fee="3.10")], ownership=owners))

    assert lines(result, "a") == [("fee", "", 10, "3.10", 100)]
    assert lines(result, "b") == [("fee", "", 20, "3.10", 200)]


def test_a_day_of_february_is_a_28th_of_the_fee() -> None:
    days = date(2027, 2, 1), date(2027, 2, 28)

    result = settle_month(
        month_of(
            readings_of(days, {}),
            [tariff(fee="2.80")],
            ownership=[own("A", "a", date(2027, 2, 25)), own("B", "b", FIRST)],
        )
    )

    assert lines(result, "a") == [("fee", "", 4, "2.80", 40)]
    assert lines(result, "b") == [("fee", "", 28, "2.80", 280)]


def test_a_member_of_two_connections_pays_one_fee() -> None:
    owners = [
        own("A", "a", FIRST, date(2026, 7, 10)),
        own("B", "a", date(2026, 7, 6), date(2026, 7, 20)),
    ]

    result = settle_month(month_of(shared(), [tariff(fee="3.10")], ownership=owners))

    assert lines(result, "a") == [("fee", "", 20, "3.10", 200)]


def test_the_fee_of_each_day_is_that_of_its_version() -> None:
    # Fifteen days at 3.10 are 1.50, sixteen at 6.20 are 3.20.
    versions = [
        tariff(fee="3.10", name="t1"),
        tariff(fee="6.20", name="t2", start_s=midnight(date(2026, 7, 16))),
    ]

    result = settle_month(month_of(shared(), versions, ownership=[own("A", "a", FIRST)]))

    assert lines(result, "a") == [("fee", "", 15, "3.10", 150), ("fee", "", 16, "6.20", 320)]


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_day_of_23_or_25_hours_is_one_day_of_the_fee(day: date) -> None:
    result = settle_month(month_of(readings_of((day, day), {}), [tariff(fee="3.10")]))

    assert lines(result, "A") == [("fee", "", 1, "3.10", 10)]


def test_cents_of_a_charge_add_up_over_members_and_lines() -> None:
    # 25 Wh at 0.18 are 0.45 cents. Six of them are 2.7, so 3 cents: a has four, exactly 1.8,
    # and b two, 0.9: floors 1 and 0, and both get one more. Of a's 2 cents its first two
    # connections get one each, and b's cent goes to the first.
    names = ["a1", "a2", "a3", "a4", "b1", "b2", "P"]
    busy = {quarter_at(FIRST, 12): {**{name: took(25) for name in names[:6]}, "P": gave(150)}}
    owners = [own(name, name[0], FIRST) for name in names]

    result = settle_month(
        month_of(readings_of(JULY, busy, names=names), [tariff()], ownership=owners)
    )

    assert [line[-1] for line in lines(result, "a")] == [1, 1, 0, 0]
    assert [line[-1] for line in lines(result, "b")] == [1, 0]


def test_a_price_below_zero_turns_the_sides() -> None:
    # A is paid 0.05 a kWh for taking 10 kWh, P pays 0.02 for giving it.
    result = settle_month(month_of(shared(10_000), [tariff("-0.05", "-0.02", vat="21/100")]))

    assert (result.invoices["A"].net, result.invoices["A"].to_pay) == (-50, -61)
    assert (result.invoices["P"].earned, result.invoices["P"].to_pay) == (-20, 20)


def test_vat_is_taken_by_rate_on_the_cents_of_each() -> None:
    # 9 % on 1.80 is 0.162, so 16 cents; 21 % on 1.00 is 21.
    versions = [
        tariff("0.18", vat="9/100", name="t1"),
        tariff("0.20", vat="21/100", name="t2", start_s=midnight(date(2026, 7, 2))),
    ]

    vat = settle_month(month_of(shared(10_000, 5_000), versions)).invoices["A"].vat

    assert [(each.rate, each.base_cents, each.vat_cents) for each in vat] == [
        (Fraction(9, 100), 180, 16),
        (Fraction(21, 100), 100, 21),
    ]


def test_a_member_charges_vat_only_by_its_own_status() -> None:
    # Both sell 5 kWh, 0.60; only P is registered: 0.126, so 13 cents.
    busy = {quarter_at(FIRST, 12): {"A": took(10_000), "B": gave(5_000), "P": gave(5_000)}}

    result = settle_month(
        month_of(readings_of(JULY, busy), [tariff()], sell_vat={"P": Fraction(21, 100)})
    )

    assert result.invoices["B"].to_pay == -60
    assert result.invoices["P"].to_pay == -73
    held = {account.name: cents for account, cents in balances(result.entries).items()}
    assert held["tax:vat_input"] == 13


def test_a_connection_without_an_owner_is_an_orphan_and_takes_no_part() -> None:
    busy = {quarter_at(FIRST, 12): {"A": took(300), "B": took(400), "P": gave(500)}}
    owners = [own("A", "a", FIRST), own("P", "p", FIRST)]

    result = settle_month(month_of(readings_of(JULY, busy), [tariff()], ownership=owners))

    assert result.orphan_wh == {"B": 400}
    assert lines(result, "a") == [("buy", "A", 300, "0.18", 5)]
    assert sorted(result.invoices) == ["a", "p"]


def test_what_is_missing_or_estimated_is_told_by_stretches() -> None:
    noon = quarter_at(FIRST, 12)
    gap = {noon + 900 * place: {"A": took(None)} for place in range(3)}
    guess = {noon + 9000: {"P": Registers(export_wh=500, export_estimated=True)}}
    owners = [own("A", "a", EVE), own("P", "p", EVE), own("X", "x", LAST)]

    result = settle_month(
        month_of(readings_of(JULY, {**gap, **guess}), [tariff(fee="1")], ownership=owners)
    )

    assert result.status is Status.PROVISIONAL
    assert result.missing == (
        FlaggedStretch("A:import", noon, 3),
        FlaggedStretch("X", midnight(LAST), 96),
    )
    assert result.estimated == (FlaggedStretch("P:export", noon + 9000, 1),)


def test_a_gap_while_nobody_owns_a_connection_is_none() -> None:
    busy = {quarter_at(FIRST, 12): {"A": took(None)}}

    result = settle_month(
        month_of(readings_of(JULY, busy), [tariff()], ownership=[own("A", "a", date(2026, 7, 2))])
    )

    assert (result.missing, result.status) == ((), Status.FINAL)


def test_a_line_tells_how_many_of_its_quarters_were_unsure() -> None:
    noon = quarter_at(FIRST, 12)
    busy = {
        noon: {"A": took(1000), "P": gave(1000)},
        noon + 900: {"A": Registers(import_wh=1000, import_estimated=True), "P": gave(1000)},
        noon + 1800: {"A": took(None)},
    }

    (line,) = settle_month(month_of(readings_of(JULY, busy), [tariff()])).invoices["A"].lines

    assert (line.priced.energy_wh, line.priced.quarters, line.priced.estimated) == (2000, 2976, 2)
    assert (line.priced.start_s, line.priced.end_s) == (midnight(FIRST), local_day(LAST)[1])


def test_a_member_who_comes_back_has_one_line_for_a_connection() -> None:
    owners = [
        own("A", "a", FIRST, FIRST),
        own("A", "b", date(2026, 7, 2), date(2026, 7, 2)),
        own("A", "a", date(2026, 7, 3)),
        own("P", "p", FIRST),
    ]

    result = settle_month(month_of(shared(1000, 2000, 3000), [tariff()], ownership=owners))

    assert lines(result, "a") == [("buy", "A", 4000, "0.18", 72)]
    assert lines(result, "b") == [("buy", "A", 2000, "0.18", 36)]


CHARGE_S, DISCHARGE_S = quarter_at(FIRST, 12), quarter_at(FIRST, 20)


def with_battery(model: BatteryModel, **claims: int) -> MonthCase:
    """Return July with a battery of 90 %: at noon charged by A and P, in the evening emptied.

    A gives 600 and P 300 Wh, of which B takes 300; 400 Wh are charged. In the evening it gives
    360 Wh, of which B takes 270.
    """
    busy = {
        CHARGE_S: {"A": gave(600), "P": gave(300), "B": took(300)},
        DISCHARGE_S: {"B": took(270)},
    }
    battery = {CHARGE_S: took(400), DISCHARGE_S: gave(360)}
    return month_of(
        readings_of(JULY, busy, battery),
        [tariff("1.00", "0.50", grid="0.10")],
        battery=BatteryAgreement(model, Fraction(9, 10), claims),
    )


def test_the_cooperative_buys_what_charges_its_battery() -> None:
    # A sold 200 and left 400, P sold 100 and left 200: of the 400 charged 267 and 133.
    # B buys 300 and, from the battery, 270 at 1.00. 360 / 0.9 = 400 use up the claim.
    result = settle_month(with_battery(BatteryModel.COOP_BUYS))

    assert lines(result, "A") == [("sell", "A", 200, "0.50", 10), ("battery", "A", 267, "0.50", 13)]
    assert lines(result, "P") == [("sell", "P", 100, "0.50", 5), ("battery", "P", 133, "0.50", 7)]
    assert lines(result, "B") == [("buy", "B", 570, "1.00", 57)]
    held = {account.name: cents for account, cents in balances(result.entries).items()}
    assert held["coop:battery_energy"] == 20
    assert result.battery is not None
    coop = result.battery.owners["coop"]
    assert (coop.charged_wh, coop.used_milliwh, coop.to_members_wh, coop.to_grid_wh) == (
        400,
        400_000,
        270,
        90,
    )
    assert (coop.loss_milliwh, result.battery.claims_after_milliwh) == (40_000, {})


def test_an_owner_is_paid_when_the_battery_gives() -> None:
    # Claims of 267 and 133 Wh; 360 delivers 240.3 and 119.7, so 240 and 120. Of the 270 that
    # went to members 180 and 90 are theirs at 0.50, of the 90 to the grid 60 and 30 at 0.10.
    result = settle_month(with_battery(BatteryModel.OWNER_CARRY))

    # Exactly 9.6 and 4.8 cents, together 14: the one that is over has the larger remainder, P.
    assert lines(result, "A") == [
        ("sell", "A", 200, "0.50", 10),
        ("battery", "", 180, "0.50", 9),
        ("battery", "", 60, "0.10", 0),
    ]
    assert lines(result, "P") == [
        ("sell", "P", 100, "0.50", 5),
        ("battery", "", 90, "0.50", 5),
        ("battery", "", 30, "0.10", 0),
    ]
    assert lines(result, "B") == [("buy", "B", 570, "1.00", 57)]
    assert result.battery is not None
    a, p = result.battery.owners["A"], result.battery.owners["P"]
    assert (a.used_milliwh, a.delivered_wh, a.loss_milliwh) == (267_000, 240, 27_000)
    assert (p.used_milliwh, p.delivered_wh, p.loss_milliwh) == (133_000, 120, 13_000)


def test_a_member_who_left_is_paid_what_its_claim_still_gives() -> None:
    # Z claims 400 of 800 Wh: of the 360 Wh, 180 are Z's, 135 of them to members.
    result = settle_month(with_battery(BatteryModel.OWNER_CARRY, Z=400_000))

    assert lines(result, "Z") == [("battery", "", 135, "0.50", 7), ("battery", "", 45, "0.10", 0)]


def test_claims_from_before_the_cooperative_bought_are_still_paid() -> None:
    # Z's 400 of 800 Wh, as above; the cooperative's 400 were paid to A and P when charged.
    result = settle_month(with_battery(BatteryModel.COOP_BUYS, Z=400_000))

    assert lines(result, "Z") == [("battery", "", 135, "0.50", 7), ("battery", "", 45, "0.10", 0)]
    assert lines(result, "A")[1] == ("battery", "A", 267, "0.50", 13)


def test_measured_minus_nominal_loss_is_the_cooperatives() -> None:
    # 1000 Wh of coop's join A's 267 and P's 133: 1400, of which 360 / 0.9 = 400 are used. The
    # other 1000 should give 900, and 810 were measured: worth 900, so 100 Wh are lost.
    case = with_battery(BatteryModel.OWNER_CARRY)
    measured = BatteryAgreement(
        BatteryModel.OWNER_CARRY, Fraction(9, 10), {"coop": 1_000_000}, content_wh=810
    )

    battery = settle_month(replace(case, battery=measured)).battery

    assert battery is not None
    assert battery.true_up is not None
    assert (battery.true_up.excess_loss_milliwh, battery.true_up.uncovered_milliwh) == (100_000, 0)
    before, after = battery.owners["coop"].after_milliwh, battery.claims_after_milliwh["coop"]
    assert before - after == 100_000
    assert battery.claims_after_milliwh["A"] == battery.owners["A"].after_milliwh


def july_from(start_s: EpochS) -> MonthCase:
    """Return a July that is said to begin at another instant than its readings."""
    return replace(month_of(shared(1000), [tariff()]), start_s=start_s)


def test_a_month_that_begins_at_noon_is_refused() -> None:
    with pytest.raises(ContractError, match=r"month begins at 2026-07-01T10:00:00Z, which is no"):
        july_from(quarter_at(FIRST, 12))


def test_a_month_without_all_its_quarters_is_refused() -> None:
    with pytest.raises(ContractError, match=r"^readings: from 2026-06-30T22:00:00Z"):
        july_from(midnight(EVE))


def test_a_battery_about_which_nothing_was_agreed_is_refused() -> None:
    readings = readings_of(JULY, {}, {CHARGE_S: took(1)})

    with pytest.raises(ContractError, match=r"^battery: it took or gave energy"):
        month_of(readings, [tariff()])


@pytest.mark.parametrize(
    ("start_s", "name", "message"),
    [
        (0, "t2", "two are in force from 1970"),
        (900, "t1", "'t1' stands there twice"),
    ],
)
def test_two_tariffs_at_once_are_refused(start_s: int, name: str, message: str) -> None:
    versions = [tariff(), tariff(name=name, start_s=start_s)]

    with pytest.raises(ContractError, match=message):
        settle_month(month_of(shared(1000), versions))


def test_a_quarter_without_a_tariff_is_refused() -> None:
    with pytest.raises(ContractError, match=r"^tariffs: none is in force at 2026-06-30T22:00:00Z"):
        settle_month(month_of(shared(1000), [tariff(start_s=quarter_at(FIRST, 1))]))


def test_amounts_that_become_whole_once_a_period_have_no_price_by_quarter() -> None:
    case = month_of(shared(1000), [tariff()])
    once = replace(case.agreement, rounding=Rounding.PERIOD)

    with pytest.raises(ContractError, match=r"^rounding: "):
        settle_month(replace(case, agreement=once))


def test_a_member_named_as_the_cooperative_is_refused_where_owners_carry() -> None:
    case = with_battery(BatteryModel.OWNER_CARRY)
    owners = [own("A", "coop", FIRST)]

    with pytest.raises(ContractError, match=r"^member 'coop'"):
        settle_month(month_of(case.readings, case.tariffs, ownership=owners, battery=case.battery))


def test_a_tariff_with_everybodys_selling_vat_is_refused() -> None:
    terms = Terms(Fraction(1), Fraction(1), vat_sell=Fraction(21, 100))

    with pytest.raises(ContractError, match="vat_sell 21/100 would hold for everybody"):
        TariffVersion("t1", 0, terms)


def test_a_tariff_that_rounds_line_by_line_is_refused() -> None:
    terms = Terms(Fraction(1), Fraction(1), rounding=CentRounding.PER_LINE_HALF_UP)

    with pytest.raises(ContractError, match="per_line_half_up loses cents"):
        TariffVersion("t1", 0, terms)
