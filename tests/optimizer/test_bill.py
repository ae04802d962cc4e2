"""Bills to the cent, on figures worked out by hand in the comments."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kwartier.errors import ContractError
from kwartier.ledger import balances
from optimizer.as_json.bill_json import bill_text, resettle_text
from optimizer.bill import Volume, bill, correct
from optimizer.settling.rounding import half_away_from_zero
from optimizer.tariff import CentRounding, Terms
from tests.optimizer.naive_month import half_away, plain_cents

TARIFF = '{"buy": "0.18", "sell": "0.12", "levy": "0.01", "fee": "2.50", "vat": "21/100"}'
JULY = (
    '{"volumes": [{"member": "A", "bought": "120.500", "sold": "0"},'
    ' {"member": "B", "bought": "0", "sold": "120.500"}], "tariff": ' + TARIFF + "}"
)

prices = st.tuples(st.integers(-2000, 2000), st.sampled_from([3, 7, 100, 1000, 1999])).map(
    lambda parts: Fraction(*parts)
)
rates = st.sampled_from([Fraction(), Fraction(9, 100), Fraction(21, 100), Fraction(1, 3)])
terms = st.builds(Terms, prices, prices, prices, prices, rates, rates)
volumes = st.lists(
    st.builds(
        Volume,
        st.sampled_from("ABCD"),
        st.integers(0, 10**6),
        st.integers(0, 10**6),
        st.none() | prices,
        st.none() | prices,
    ),
    max_size=8,
)


def bought(price: str, rounding: CentRounding = CentRounding.LARGEST_REMAINDER) -> list[int]:
    """Return the cents of three members who bought 25 Wh each."""
    agreed = Terms(Fraction(price), Fraction(0), rounding=rounding)
    invoices = bill([Volume(name, 25, 0) for name in "ABC"], agreed).invoices
    return [invoices[name].buy for name in "ABC"]


def test_a_bill_has_every_promised_key() -> None:
    # A: 120.5 kWh at 0.18 is 21.69; levy 1.205, so 120.5 cents, rounded 121; fee 250.
    # Net 2540, VAT 533.4, so 533. B: fee 250, VAT 52.5, so 53; sold for 14.46.
    told = bill_text(JULY)

    assert told == {
        "invoices": {
            "A": {
                "buy": 2169,
                "levy": 121,
                "fee": 250,
                "net": 2540,
                "vat": 533,
                "gross": 3073,
                "sell": 0,
                "sell_vat": 0,
                "sell_gross": 0,
                "to_pay": 3073,
            },
            "B": {
                "buy": 0,
                "levy": 0,
                "fee": 250,
                "net": 250,
                "vat": 53,
                "gross": 303,
                "sell": 1446,
                "sell_vat": 0,
                "sell_gross": 1446,
                "to_pay": -1143,
            },
        },
        "totals": {"buy": 2169, "sell": 1446, "levy": 121, "fee": 500},
        "margin": 723,
        "entries": [
            {
                "receivable:A": 3073,
                "coop:energy_sales": -2169,
                "fund:levy": -121,
                "coop:fees": -250,
                "tax:vat_due": -533,
            },
            {"receivable:B": 303, "coop:fees": -250, "tax:vat_due": -53},
            {"coop:energy_purchase": 1446, "payable:B": -1446},
        ],
        "balances": {
            "coop:energy_purchase": 1446,
            "coop:energy_sales": -2169,
            "coop:fees": -500,
            "fund:levy": -121,
            "payable:B": -1446,
            "receivable:A": 3073,
            "receivable:B": 303,
            "tax:vat_due": -586,
            "tax:vat_input": 0,
        },
    }


def test_members_cents_add_up_to_the_communitys() -> None:
    # 0.45 cents each, together 1.35, rounded 1: equal remainders, so it is A's.
    assert bought("0.18") == [1, 0, 0]


def test_prices_below_zero_round_by_the_same_rule() -> None:
    # -0.45 each, together -1.35, rounded -1: floors of -1 are two too low; A and B get one.
    assert bought("-0.18") == [0, 0, -1]


def test_rounding_line_by_line_loses_the_cent() -> None:
    assert bought("0.18", CentRounding.PER_LINE_HALF_UP) == [0, 0, 0]


def test_vat_on_what_is_sold_is_input_tax() -> None:
    # 1446 * 0.21 = 303.66.
    told = bill_text(JULY.replace('"vat":', '"vat_sell": "0.21", "vat":'))

    assert isinstance(told["balances"], dict)
    assert told["balances"]["tax:vat_input"] == 304
    assert told["balances"]["payable:B"] == -1750


def test_rows_of_one_member_add_up_each_at_its_own_price() -> None:
    # 10 kWh at 0.30 and 10 kWh at the tariff's 0.18: 4.80. One fee.
    rows = '[{"member": "A", "bought": "10", "buy_price": "0.30"}, {"member": "A", "bought": "10"}]'

    told = bill_text(f'{{"volumes": {rows}, "tariff": {TARIFF}}}')

    assert isinstance(told["totals"], dict)
    assert (told["totals"]["buy"], told["totals"]["fee"]) == (480, 250)


def test_a_correction_takes_the_old_bill_back_whole() -> None:
    # A bought 100 kWh instead of 120.5: 18.00 + 1.00 + 2.50 = 21.50, VAT 4.515, so 452: 2602.
    # B sold 100: 12.00. A pays 471 less; B, who was owed 1143, is owed 897: 246 more to pay.
    told = resettle_text(f'{{"old": {JULY}, "new": {JULY.replace("120.500", "100")}}}')

    assert told["reversal_entries"] == 3
    assert told["journal_entries"] == 9
    assert told["delta_to_pay"] == {"A": -471, "B": 246}
    assert told["balances"] == bill_text(JULY.replace("120.500", "100"))["balances"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"120.500"', "120.5", r"volumes\[0\].bought: 120.5 is not text"),
        ('"120.500"', '"-1"', r"volumes\[0\].bought: energy '-1' is not kWh"),
        ('"120.500"', "null", r"volumes\[0\].bought: null is not text"),
        ('"0.18"', "0.18", "tariff.buy: 0.18 is no exact number: use text"),
        ('"0.18"', '"--1"', 'tariff.buy: "--1" is no exact number: use text'),
        ('"buy": "0.18", ', "", "tariff: key 'buy' is missing"),
        ('"fee"', '"fees"', "tariff: key 'fees' is not known"),
        ('"21/100"', '"-1"', 'tariff.vat: "-1" is no exact number of 0 or more'),
        ('"21/100"', '"21"', 'tariff.vat: 21 times the price: write 21 percent as "21/100"'),
        ('"A"', "7", r"volumes\[0\].member: 7 is no name"),
    ],
)
def test_a_bill_that_is_wrong_is_refused_by_place_value_and_remedy(
    old: str, new: str, message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        bill_text(JULY.replace(old, new))


def test_prices_whose_fractions_grow_too_long_together_are_refused() -> None:
    # 7**999 has 845 digits, and 3 ** 999 and 11**950 have 477 and 990: together over 2000.
    rows = ", ".join(
        f'{{"member": "A", "bought": "1", "buy_price": "1/{prime**power}"}}'
        for prime, power in ((7, 999), (3, 999), (11, 950))
    )

    with pytest.raises(ContractError, match=r"^volumes\[2\]: its price and those before it make"):
        bill_text(f'{{"volumes": [{rows}], "tariff": {TARIFF}}}')


def test_thousands_of_long_decimals_are_billed() -> None:
    # Each pays 1 kWh at a price of 900 decimals, all but 0.
    rows = ", ".join(
        f'{{"member": "m{place}", "bought": "1", "buy_price": "0.{place:0900d}"}}'
        for place in range(2000)
    )

    told = bill_text(f'{{"volumes": [{rows}], "tariff": {TARIFF}}}')

    assert isinstance(told["totals"], dict)
    assert (told["totals"]["buy"], told["totals"]["fee"]) == (0, 500_000)


def test_the_largest_energy_at_a_long_price_is_exact() -> None:
    # 999,999,999,999.999 kWh at 0.123456789 EUR is 12,345,678,899,999.987654... cents.
    told = bill_text(
        '{"volumes": [{"member": "A", "bought": "999999999999.999"}],'
        ' "tariff": {"buy": "0.123456789", "sell": "0"}}'
    )

    assert isinstance(told["totals"], dict)
    assert told["totals"]["buy"] == 12_345_678_900_000


def test_a_bill_of_nobody_is_empty() -> None:
    told = bill_text(f'{{"volumes": [], "tariff": {TARIFF}}}')

    assert (told["invoices"], told["entries"], told["margin"]) == ({}, [], 0)
    assert told["totals"] == {"buy": 0, "sell": 0, "levy": 0, "fee": 0}


def test_amounts_that_cancel_out_still_move_between_accounts() -> None:
    # 1 kWh at 0.05 and a levy of -0.05: nothing to pay, and the fund pays the cooperative.
    told = bill_text(
        '{"volumes": [{"member": "A", "bought": "1"}],'
        ' "tariff": {"buy": "0.05", "sell": "0", "levy": "-0.05", "vat": "21/100"}}'
    )

    assert told["entries"] == [{"coop:energy_sales": -5, "fund:levy": 5}]


def test_vat_on_a_net_below_zero_is_given_back() -> None:
    # -0.50 net: 21 % is -10.5, half away from zero -11.
    told = bill_text(
        '{"volumes": [{"member": "A", "bought": "10"}],'
        ' "tariff": {"buy": "-0.05", "sell": "0", "vat": "0.21"}}'
    )

    assert told["entries"] == [{"receivable:A": -61, "coop:energy_sales": 50, "tax:vat_due": 11}]


def test_a_member_who_left_is_paid_back_and_one_who_joined_is_billed() -> None:
    one = JULY.replace('"B"', '"C"')

    told = resettle_text(f'{{"old": {JULY}, "new": {one}}}')

    assert told["delta_to_pay"] == {"A": 0, "B": 1143, "C": -1143}
    assert isinstance(told["balances"], dict)
    assert (told["balances"]["receivable:B"], told["balances"]["payable:B"]) == (0, 0)


@settings(max_examples=300)
@given(volumes=volumes, terms=terms, rounding=st.sampled_from(CentRounding))
def test_a_second_opinion_agrees_to_the_cent(
    volumes: list[Volume], terms: Terms, rounding: CentRounding
) -> None:
    terms = replace(terms, rounding=rounding)

    invoices = bill(volumes, terms).invoices

    for charge in ("buy", "levy", "fee", "sell"):
        exact = plain_charge(charge, volumes, terms)
        told = {name: getattr(invoice, charge) for name, invoice in invoices.items()}
        if rounding is CentRounding.PER_LINE_HALF_UP:
            assert told == {name: half_away(amount) for name, amount in exact.items()}
        else:
            assert told == plain_cents(exact)
    for invoice in invoices.values():
        net = invoice.buy + invoice.levy + invoice.fee
        assert invoice.vat == half_away(net * terms.vat)
        assert invoice.sell_vat == half_away(invoice.sell * terms.vat_sell)
        assert invoice.to_pay == net + invoice.vat - invoice.sell - invoice.sell_vat


@settings(max_examples=200)
@given(volumes=volumes, terms=terms)
def test_a_bill_turned_over_is_the_bill_at_the_opposite_prices(
    volumes: list[Volume], terms: Terms
) -> None:
    turned = replace(
        terms,
        buy_eur_per_kwh=-terms.buy_eur_per_kwh,
        sell_eur_per_kwh=-terms.sell_eur_per_kwh,
        levy_eur_per_kwh=-terms.levy_eur_per_kwh,
        fee_eur=-terms.fee_eur,
    )
    opposite = [
        replace(
            row,
            buy_eur_per_kwh=None if row.buy_eur_per_kwh is None else -row.buy_eur_per_kwh,
            sell_eur_per_kwh=None if row.sell_eur_per_kwh is None else -row.sell_eur_per_kwh,
        )
        for row in volumes
    ]

    up, down = bill(volumes, terms), bill(opposite, turned)

    for charge in ("buy", "levy", "fee", "sell"):
        assert sum(getattr(each, charge) for each in up.invoices.values()) == -sum(
            getattr(each, charge) for each in down.invoices.values()
        )


def plain_charge(charge: str, volumes: list[Volume], terms: Terms) -> dict[str, Fraction]:
    """Return the exact cents of one charge by member."""
    exact = {row.member: Fraction() for row in volumes}
    for row in volumes:
        bought, sold = Fraction(row.bought_wh, 10), Fraction(row.sold_wh, 10)
        own_buy, own_sell = row.buy_eur_per_kwh, row.sell_eur_per_kwh
        if charge == "fee":
            exact[row.member] = 100 * terms.fee_eur
        elif charge == "levy":
            exact[row.member] += bought * terms.levy_eur_per_kwh
        elif charge == "buy":
            exact[row.member] += bought * (terms.buy_eur_per_kwh if own_buy is None else own_buy)
        else:
            exact[row.member] += sold * (terms.sell_eur_per_kwh if own_sell is None else own_sell)
    return exact


@settings(max_examples=200)
@given(volumes=volumes, terms=terms)
def test_every_bill_balances_and_its_cents_add_up(volumes: list[Volume], terms: Terms) -> None:
    billed = bill(volumes, terms)

    exact_eur = sum(
        Fraction(row.bought_wh, 1000)
        * (terms.buy_eur_per_kwh if row.buy_eur_per_kwh is None else row.buy_eur_per_kwh)
        for row in volumes
    )
    buy = sum(invoice.buy for invoice in billed.invoices.values())
    sell = sum(invoice.sell for invoice in billed.invoices.values())
    assert buy == half_away_from_zero(100 * exact_eur)
    assert buy == sell + billed.margin
    assert sum(balances(billed.entries).values()) == 0


@settings(max_examples=200)
@given(volumes=volumes, terms=terms)
def test_a_correction_with_the_same_figures_changes_nothing(
    volumes: list[Volume], terms: Terms
) -> None:
    billed = bill(volumes, terms)

    correction = correct(billed, billed)

    assert set(correction.delta_to_pay.values()) <= {0}
    assert balances(correction.journal) == balances(billed.entries)
