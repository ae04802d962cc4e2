"""Lines, cents and prices of an invoice, on figures worked out by hand in the comments."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.settling.invoicing import (
    Charge,
    MemberInvoice,
    PricedLine,
    VatAmount,
    entries_of,
    invoices_of,
    price_text,
)
from tests.optimizer.naive_month import half_away


def line(
    member: str,
    exact_eur: str,
    charge: Charge = Charge.BUY,
    connection: str = "X",
    vat: str = "0",
    start_s: int = 0,
) -> PricedLine:
    """Return a line of which only what becomes cents matters."""
    return PricedLine(
        member,
        charge,
        connection,
        "t",
        1000,
        None,
        Fraction(exact_eur),
        Fraction(exact_eur),
        Fraction(vat),
        1,
        0,
        start_s,
        start_s + 900,
    )


amounts = st.tuples(st.integers(-9999, 9999), st.sampled_from([1, 3, 700, 10_000])).map(
    lambda parts: str(Fraction(*parts))
)
some_lines = st.lists(
    st.builds(
        line,
        st.sampled_from("abc"),
        amounts,
        st.sampled_from(Charge),
        st.sampled_from("XYZ"),
        st.sampled_from(["0", "9/100", "21/100"]),
        st.integers(0, 3),
    ),
    max_size=12,
)


def test_a_members_cents_are_divided_over_its_lines() -> None:
    # 0.4 + 0.4 + 0.4 = 1.2 of a and 0.9 of b, together 2.1, so 2: one each. Of a's lines, all
    # equal, the first connection's gets the cent.
    lines = [line("a", "0.004", connection=name) for name in "ZXY"] + [line("b", "0.009")]

    invoices = invoices_of(lines, "ab", {})

    assert [(each.priced.connection, each.cents) for each in invoices["a"].lines] == [
        ("X", 1),
        ("Y", 0),
        ("Z", 0),
    ]
    assert [each.cents for each in invoices["b"].lines] == [1]


def test_lines_of_both_signs_add_up_to_the_members_cents() -> None:
    # 2.6 - 1.3 = 1.3 cents, so 1: floors 2 and -2 leave one, and -1.3 has the larger remainder.
    lines = [line("a", "0.026"), line("a", "-0.013", start_s=900)]

    assert [each.cents for each in invoices_of(lines, "a", {})["a"].lines] == [2, -1]


def test_a_half_of_a_cent_goes_away_from_zero_on_either_side() -> None:
    assert invoices_of([line("a", "0.005")], "a", {})["a"].net == 1
    assert invoices_of([line("a", "-0.005")], "a", {})["a"].net == -1


def test_a_member_without_lines_has_an_invoice_of_nothing() -> None:
    assert invoices_of([], "a", {})["a"] == MemberInvoice((), ())
    assert entries_of("a", MemberInvoice((), ())) == ()


def test_vat_is_told_by_side_and_rate() -> None:
    # 21 % of 1.00 and 9 % of 0.50, 4.5, so 5; on 2.00 sold 42.
    lines = [
        line("a", "1", vat="21/100"),
        line("a", "0.50", charge=Charge.LEVY, vat="9/100"),
        line("a", "2", charge=Charge.SELL),
    ]

    invoice = invoices_of(lines, "a", {"a": Fraction(21, 100)})["a"]

    assert invoice.vat == (
        VatAmount(Fraction(9, 100), 50, 5, earned=False),
        VatAmount(Fraction(21, 100), 100, 21, earned=False),
        VatAmount(Fraction(21, 100), 200, 42, earned=True),
    )
    assert (invoice.gross, invoice.earned_gross, invoice.to_pay) == (176, 242, -66)


@pytest.mark.parametrize(
    ("price", "text"),
    [
        ("0.18", "0.18"),
        ("2.5", "2.50"),
        ("-0.0501", "-0.0501"),
        ("0", "0.00"),
        ("1/8", "0.125"),
        ("1/3", "1/3"),
        ("-40", "-40.00"),
        ("1/1024", "0.0009765625"),
        ("1/1048576", "1/1048576"),
    ],
)
def test_a_price_is_written_exactly(price: str, text: str) -> None:
    assert price_text(Fraction(price)) == text


@settings(max_examples=200)
@given(price=st.fractions())
def test_a_price_that_is_read_again_is_the_same(price: Fraction) -> None:
    assert Fraction(price_text(price)) == price


@settings(max_examples=200)
@given(lines=some_lines)
def test_cents_add_up_whatever_the_signs(lines: list[PricedLine]) -> None:
    invoices = invoices_of(lines, "abc", {})

    told = [each for invoice in invoices.values() for each in invoice.lines]
    for charge in Charge:
        of_charge = [each for each in told if each.priced.charge is charge]
        exact = 100 * sum((each.priced.exact_eur for each in of_charge), Fraction())
        assert sum(each.cents for each in of_charge) == half_away(exact)
    assert all(-1 < each.cents - 100 * each.priced.exact_eur < 1 for each in told)
    assert sorted(map(str, lines)) == sorted(str(each.priced) for each in told)


@settings(max_examples=200)
@given(lines=some_lines)
def test_the_order_of_members_does_not_matter(lines: list[PricedLine]) -> None:
    distinct = {
        (each.member, each.charge, each.connection, each.start_s): each for each in lines
    }.values()

    one = invoices_of(distinct, "abc", {})
    other = invoices_of(reversed(list(distinct)), "cba", {})

    assert one == other
