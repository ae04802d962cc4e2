"""A month settled again, on figures worked out by hand in the comments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

from kwartier.ledger import balances
from optimizer.balance import Registers
from optimizer.month import MemberInvoice, settle_month
from optimizer.settling.correction import correct_month
from tests.optimizer.months import JULY, midnight, month_of, quarter_at, readings_of, tariff

EARLY, LATE = quarter_at(date(2026, 7, 1), 12), quarter_at(date(2026, 7, 20), 12)
VERSIONS = [
    tariff("0.18", "0.12", vat="21/100", name="t1"),
    tariff("0.30", "0.20", vat="21/100", name="t2", start_s=midnight(date(2026, 7, 16))),
]


def invoices(early_wh: int, late_wh: int, b_wh: int = 0) -> Mapping[str, MemberInvoice]:
    """Return July's invoices, in which A took from P before and after the new tariff."""
    busy = {
        EARLY: {"A": Registers(import_wh=early_wh), "P": Registers(export_wh=early_wh + b_wh)},
        LATE: {"A": Registers(import_wh=late_wh), "P": Registers(export_wh=late_wh)},
    }
    busy[EARLY]["B"] = Registers(import_wh=b_wh)
    return settle_month(month_of(readings_of(JULY, busy), VERSIONS)).invoices


def test_corrected_energy_has_the_price_of_its_quarter() -> None:
    # 10 kWh more on the 1st: at 0.18 they are 1.80 and 0.38 VAT; P earns 1.20 more.
    # Before: 5.00 kWh at 0.18 = 0.90 and 0.189 VAT; 2 kWh at 0.30 = 0.60: VAT of 1.50 is 0.315,
    # so 32; after: 3.30 and 0.693, so 69. A pays 180 + 37 more.
    correction = correct_month(invoices(5_000, 2_000), invoices(15_000, 2_000))

    assert correction.delta_to_pay == {"A": 217, "P": -120}
    assert correction.delta_exact_eur == {"A": Fraction(180, 100), "P": Fraction(-120, 100)}
    assert not correction.under_a_cent


def test_only_members_whose_cents_changed_are_corrected() -> None:
    # B's 1 kWh was 0 before.
    old, new = invoices(5_000, 2_000), invoices(5_000, 2_000, b_wh=1_000)

    correction = correct_month(old, new)

    assert list(correction.reversals) == ["B", "P"]
    assert correction.reversals["B"] == ()
    assert [entry.reference for entry in correction.reversals["P"]] == ["reversal of payment P"]
    assert [entry.reference for entry in correction.replacements["B"]] == ["invoice B"]


def test_a_correction_is_the_old_reversed_whole_and_the_new() -> None:
    correction = correct_month(invoices(5_000, 2_000), invoices(15_000, 2_000))

    (reversal,) = correction.reversals["A"]
    (replacement,) = correction.replacements["A"]
    moved = balances([reversal, replacement])
    assert {account.name: cents for account, cents in moved.items()} == {
        "coop:energy_sales": -180,
        "receivable:A": 217,
        "tax:vat_due": -37,
    }


def test_a_correction_under_a_cent_is_told_as_such() -> None:
    # 1 Wh more is 0.018 cents for A and 0.012 for P.
    correction = correct_month(invoices(5_000, 2_000), invoices(5_001, 2_000))

    assert correction.under_a_cent
    assert correction.delta_to_pay == {}
    assert correction.delta_exact_eur == {
        "A": Fraction(18, 100_000),
        "P": Fraction(-12, 100_000),
    }


def test_a_whole_cent_of_both_together_is_not_under_a_cent() -> None:
    # 34 Wh more are 0.612 cents for A and 0.408 for P, together 1.02; 33 Wh are 0.99.
    before = invoices(5_000, 2_000)

    assert not correct_month(before, invoices(5_034, 2_000)).under_a_cent
    assert correct_month(before, invoices(5_033, 2_000)).under_a_cent


def test_a_member_who_should_not_have_been_billed_is_paid_back() -> None:
    old = invoices(5_000, 2_000)

    correction = correct_month(old, {name: each for name, each in old.items() if name != "A"})

    assert correction.delta_to_pay == {"A": -old["A"].to_pay}
    assert correction.replacements["A"] == ()
