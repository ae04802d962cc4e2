"""Law as data: nothing holds without a decision and a second person, and nothing is edited."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from sqlalchemy import delete, update

from api.cooperative.database import Books
from api.cooperative.errors import BooksError, ConflictError, NotAllowedError
from api.cooperative.law import (
    Decision,
    DecisionKind,
    KeyTerms,
    Mark,
    Result,
    TariffTerms,
    VatCode,
    add_key,
    add_tariff,
    add_vat_code,
    key_versions,
    parameter,
    parameters,
    rate_on_sales,
    record_decision,
    set_parameter,
    tariff_records,
    tariff_versions,
    vat_code,
    warnings_at,
)
from api.cooperative.officers import Officer
from api.cooperative.registry import VatStatus
from api.cooperative.tables.law import (
    DecisionRow,
    KeyVersionRow,
    ParameterRow,
    TariffVersionRow,
    VatCodeRow,
)
from kwartier.clock import VirtualClock
from kwartier.errors import ContractError
from kwartier.wire import Json
from optimizer.settling.battery_models import BatteryModel
from optimizer.settling.period import Rounding
from optimizer.sharing import Equal, Proportional
from tests.api.cooperative.neighbours import approve_all, decide, midnight_s

JULY = midnight_s("2026-07-01"), midnight_s("2026-08-01")
PROPORTIONAL: Json = {"type": "proportional"}
EQUAL: Json = {"type": "equal", "participants": ["a", "b"], "rounds": "fill"}
TERMS = TariffTerms("0.18", "0.12", "0.01", fee_per_month="2.50", reference="0.13")


def test_net_metering_ends_at_local_midnight_of_2027(books: Books, treasurer: Officer) -> None:
    # 1970 to 2026 are 57 years with 14 leap days; local midnight in winter is 1 h before UTC's.
    end_s = (57 * 365 + 14) * 86400 - 3600

    with books.reading(treasurer) as desk:
        before = parameter(desk, "net_metering", end_s - 1)
        after = parameter(desk, "net_metering", end_s)

    assert end_s == midnight_s("2027-01-01")
    assert (before.value, after.value, after.mark) == ("yes", "no", Mark.SOURCE)


def test_a_version_holds_only_once_a_second_person_approved_it(
    books: Books, treasurer: Officer, board: Officer
) -> None:
    with books.desk(treasurer) as desk:
        decide(desk)
        add_key(desk, "k1", "2026-07", JULY[0], KeyTerms(PROPORTIONAL))
        add_tariff(desk, "t1", "2026-07", JULY[0], TERMS)
        with pytest.raises(BooksError, match="let a second officer approve k1"):
            key_versions(desk, *JULY)
        with pytest.raises(BooksError, match="let a second officer approve t1"):
            tariff_versions(desk, *JULY)
    approve_all(books, board)

    with books.reading(treasurer) as desk:
        (key,) = key_versions(desk, *JULY)
        (tariff,) = tariff_versions(desk, *JULY)

    assert (key.id, key.decision, key.key) == ("k1", "2026-07", Proportional())
    assert (tariff.terms.buy_eur_per_kwh, tariff.terms.vat) == (
        Fraction(18, 100),
        Fraction(21, 100),
    )
    assert (tariff.terms.fee_eur, tariff.version.terms) == (Fraction(5, 2), tariff.terms)


def test_who_proposed_a_key_cannot_approve_it(books: Books, board: Officer) -> None:
    with books.desk(board) as desk:
        decide(desk)
        add_key(desk, "k1", "2026-07", JULY[0], KeyTerms(PROPORTIONAL))

    with pytest.raises(NotAllowedError):
        approve_all(books, board)


def test_a_bookkeeper_proposes_neither_keys_nor_tariffs(books: Books, bookkeeper: Officer) -> None:
    with books.desk(bookkeeper) as desk, pytest.raises(NotAllowedError):
        add_key(desk, "k1", "2026-07", JULY[0], KeyTerms(PROPORTIONAL))


def test_a_key_without_a_decision_that_holds_is_refused(books: Books, treasurer: Officer) -> None:
    whys = {
        "": "key k1 has no decision",
        "2026-99": "decision '2026-99' is not recorded",
        "rejected": "decision rejected was rejected",
        "later": "begins 2026-06-30T22:00:00Z, before decision later holds",
    }
    first_s = midnight_s("2026-01-01")
    with books.desk(treasurer) as desk:
        decide(desk, "later", "2026-07-02")
        record_decision(
            desk,
            Decision(
                "rejected",
                DecisionKind.KEY,
                "Nee",
                "0" * 64,
                date(2026, 1, 1),
                3,
                3,
                Result.REJECTED,
                first_s,
            ),
        )

        for number, why in whys.items():
            with pytest.raises(BooksError, match=why):
                add_key(desk, "k1", number, JULY[0], KeyTerms(PROPORTIONAL))
            with pytest.raises(BooksError):
                add_tariff(desk, "t1", number, JULY[0], TERMS)


def test_versions_follow_one_another_and_the_one_before_the_period_still_holds(
    books: Books, treasurer: Officer, board: Officer
) -> None:
    with books.desk(treasurer) as desk:
        decide(desk)
        for name, day, key in (
            ("old", "2026-01-01", PROPORTIONAL),
            ("new", "2026-07-15", EQUAL),
            ("later", "2026-08-01", PROPORTIONAL),
        ):
            add_key(desk, name, "2026-07", midnight_s(day), KeyTerms(key))
            add_tariff(desk, name, "2026-07", midnight_s(day), TERMS)
    approve_all(books, board)

    with books.reading(treasurer) as desk:
        keys = key_versions(desk, *JULY)
        tariffs = tariff_versions(desk, *JULY)
        with pytest.raises(BooksError, match="no key holds at 2025-12-31T22:45:00Z: decide"):
            key_versions(desk, midnight_s("2026-01-01") - 900, midnight_s("2026-01-01"))

    assert [key.id for key in keys] == [tariff.id for tariff in tariffs] == ["old", "new"]
    assert keys[1].from_s == midnight_s("2026-07-15")
    assert isinstance(keys[1].key, Equal)


def test_of_two_versions_from_one_instant_the_one_written_later_holds(
    books: Books, treasurer: Officer, board: Officer, clock: VirtualClock
) -> None:
    with books.desk(treasurer) as desk:
        decide(desk)
        add_key(desk, "wrong", "2026-07", JULY[0], KeyTerms(EQUAL))
    approve_all(books, board)
    clock.advance(60)
    with books.desk(treasurer) as desk:
        add_key(desk, "right", "2026-07", JULY[0], KeyTerms(PROPORTIONAL))
    approve_all(books, board)

    with books.reading(treasurer) as desk:
        assert [key.id for key in key_versions(desk, *JULY)] == ["right"]


def test_a_version_that_is_there_is_never_said_otherwise(
    books: Books, treasurer: Officer, board: Officer
) -> None:
    with books.desk(treasurer) as desk:
        decide(desk)
        add_key(desk, "k1", "2026-07", JULY[0], KeyTerms(PROPORTIONAL))
        add_tariff(desk, "t1", "2026-07", JULY[0], TERMS)
        with pytest.raises(ConflictError):
            add_key(desk, "k1", "2026-07", JULY[0], KeyTerms(EQUAL))
        with pytest.raises(ConflictError):
            add_tariff(desk, "t1", "2026-07", JULY[0], replace(TERMS, buy="0.19"))
        with pytest.raises(ConflictError):
            decide(desk, day="2026-02-01")


def test_the_database_itself_refuses_to_edit_or_delete_what_was_decided(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        decide(desk)
        add_key(desk, "k1", "2026-07", JULY[0], KeyTerms(PROPORTIONAL))
        add_tariff(desk, "t1", "2026-07", JULY[0], TERMS)
        add_vat_code(
            desk, VatCode("high", JULY[0], Fraction(22, 100), Mark.SOURCE, "besluit", "2026-07")
        )
        set_parameter(desk, "correction_months", "6", JULY[0], "2026-07")

    for table in (DecisionRow, KeyVersionRow, TariffVersionRow, VatCodeRow, ParameterRow):
        for change in (update(table).values(recorded_by="x"), delete(table)):
            with pytest.raises(BooksError), books.desk(treasurer) as desk:
                desk.session.execute(change)


def test_a_change_of_the_vat_rate_splits_a_tariff_at_its_instant(
    books: Books, treasurer: Officer, board: Officer
) -> None:
    change_s = midnight_s("2026-07-10")
    with books.desk(treasurer) as desk:
        decide(desk)
        add_tariff(desk, "t1", "2026-07", midnight_s("2026-01-01"), TERMS)
        code = VatCode("high", change_s, Fraction(22, 100), Mark.SOURCE, "besluit", "2026-07")
        add_vat_code(desk, code)
        assert vat_code(desk, "high", change_s).rate == Fraction(21, 100)
    approve_all(books, board)

    with books.reading(treasurer) as desk:
        before, after = tariff_versions(desk, *JULY)
        (in_june,) = tariff_versions(desk, midnight_s("2026-06-01"), JULY[0])
        (in_august,) = tariff_versions(desk, JULY[1], midnight_s("2026-09-01"))
        assert vat_code(desk, "high", change_s - 1).rate == Fraction(21, 100)
        assert vat_code(desk, "high", change_s).rate == Fraction(22, 100)

    assert (before.terms.vat, before.from_s) == (Fraction(21, 100), midnight_s("2026-01-01"))
    assert (after.terms.vat, after.from_s) == (Fraction(22, 100), change_s)
    assert (in_june.terms.vat, in_august.terms.vat) == (Fraction(21, 100), Fraction(22, 100))


def test_a_sell_price_under_the_reasonable_fee_is_remarked_until_2030(
    books: Books, treasurer: Officer
) -> None:
    below, unknown = {"below_reasonable_fee"}, {"reference_unknown"}
    # Half of 0.26 is 0.13: 0.12 is below, 0.13 is not.
    cases: tuple[tuple[str, str, str, set[str]], ...] = (
        ("0.12", "0.26", "2027-01-01", below),
        ("0.13", "0.26", "2027-01-01", set()),
        ("0.12", "0.26", "2029-12-31", below),
        ("0.12", "0.26", "2030-01-01", set()),
        ("0.12", "0", "2027-01-01", unknown),
        ("-0.01", "0.26", "2027-01-01", below),
    )
    with books.desk(treasurer) as desk:
        decide(desk)
        for number, (sell, reference, _, _) in enumerate(cases):
            terms = replace(TERMS, sell=sell, reference=reference)
            add_tariff(desk, f"t{number}", "2026-07", JULY[0], terms)

        for tariff, (_, _, day, remarks) in zip(tariff_records(desk), cases, strict=True):
            found = set(warnings_at(desk, tariff, midnight_s(day)))
            assert found - {"tax_unconfirmed", "organiser_unconfirmed"} == remarks


def test_what_nobody_confirmed_stands_on_the_paper_until_somebody_does(
    books: Books, treasurer: Officer, board: Officer
) -> None:
    with books.desk(treasurer) as desk:
        decide(desk)
        add_tariff(desk, "t1", "2026-07", JULY[0], TERMS)
    approve_all(books, board)
    with books.desk(treasurer) as desk:
        (tariff,) = tariff_versions(desk, *JULY)
        assert warnings_at(desk, tariff, JULY[0]) == ("tax_unconfirmed", "organiser_unconfirmed")

        confirmed_s = midnight_s("2026-07-20")
        set_parameter(
            desk, "tax_treatment", "Belastingdienst, 2026-07-18, map 4", confirmed_s, "2026-07"
        )

        assert "tax_unconfirmed" in warnings_at(desk, tariff, confirmed_s - 1)
        assert "tax_unconfirmed" not in warnings_at(desk, tariff, confirmed_s)


def test_a_rule_takes_only_values_of_its_kind(books: Books, treasurer: Officer) -> None:
    wrong = (
        ("correction_months", "vier"),
        ("correction_months", "-1"),
        ("net_metering", "maybe"),
        ("minimum_reasonable_fee", "1/0"),
        ("sharing_supplier", "Green Choice"),
        ("tax_treatment", ""),
        ("tax_treatment", "x" * 300),
        ("nothing", "1"),
    )
    with books.desk(treasurer) as desk:
        decide(desk)
        for rule, value in wrong:
            with pytest.raises((BooksError, ContractError)):
                set_parameter(desk, rule, value, JULY[0], "2026-07")


def test_a_rule_changes_by_decision_from_its_day_on(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        decide(desk)
        set_parameter(desk, "correction_months", "6", JULY[0], "2026-07")

        assert parameter(desk, "correction_months", JULY[0] - 1).value == "4"
        assert parameter(desk, "correction_months", JULY[0]).value == "6"
        assert parameter(desk, "correction_months", JULY[0]).decision == "2026-07"


def test_every_rule_says_where_it_comes_from_and_how_sure_it_is(
    books: Books, treasurer: Officer
) -> None:
    with books.reading(treasurer) as desk:
        found = parameters(desk)

    assert {"net_metering", "minimum_reasonable_fee", "correction_months", "retention_years",
            "energy_tax_eur_per_kwh", "tax_treatment"} <= {rule.name for rule in found}  # fmt: skip
    assert all(rule.source for rule in found)
    tax = next(rule for rule in found if rule.name == "energy_tax_eur_per_kwh")
    # 0.09160 with 21 % VAT is the published 0.1108.
    assert round(Fraction(tax.value) * Fraction(121, 100), 4) == Fraction("0.1108")


def test_only_who_is_registered_charges_vat_on_sales(books: Books, treasurer: Officer) -> None:
    with books.reading(treasurer) as desk:
        rates = {status: rate_on_sales(desk, status, "high", JULY[0]) for status in VatStatus}

    assert rates == {
        VatStatus.NONE: 0,
        VatStatus.KOR: 0,
        VatStatus.REGISTERED: Fraction(21, 100),
        VatStatus.REVERSE_CHARGE: 0,
    }


def test_a_run_rounds_per_quarter_only_and_says_so() -> None:
    with pytest.raises(ContractError, match='use "quarter"'):
        KeyTerms(PROPORTIONAL, rounding=Rounding.PERIOD)


@pytest.mark.parametrize(
    ("definition", "place"),
    [
        ({"type": "magic"}, "key.type"),
        ({"type": "static", "shares": {"a": "0.7", "b": "0.4"}}, "key.shares"),
        ({"type": "equal", "participants": []}, "key.participants"),
        ({"type": "proportional", "more": 1}, "more"),
        (3, "key"),
    ],
)
def test_a_key_that_cannot_be_applied_is_refused_at_its_place(definition: Json, place: str) -> None:
    with pytest.raises(ContractError, match=place):
        KeyTerms(definition)


@pytest.mark.parametrize("efficiency", ["", "0", "1.01", "high"])
def test_a_battery_needs_an_efficiency_of_more_than_0_and_at_most_1(efficiency: str) -> None:
    with pytest.raises(ContractError):
        KeyTerms(PROPORTIONAL, battery_model=BatteryModel.COOP_BUYS, efficiency=efficiency)


@pytest.mark.parametrize(
    ("name", "buy", "sell", "levy", "fee"),
    [
        ("buy", "0,18", "0.12", "0", "0"),
        ("buy", "", "0.12", "0", "0"),
        ("sell", "0.18", "1e3", "0", "0"),
        ("levy", "0.18", "0.12", "-0.01", "0"),
        ("fee_per_month", "0.18", "0.12", "0", "9999"),
    ],
)
def test_a_price_that_is_none_is_refused_by_name(
    name: str, buy: str, sell: str, levy: str, fee: str
) -> None:
    with pytest.raises(ContractError, match=name):
        TariffTerms(buy, sell, levy, fee_per_month=fee)


def test_more_may_not_vote_than_have_a_vote() -> None:
    with pytest.raises(ContractError, match="4 of 3 voted"):
        Decision("x", DecisionKind.KEY, "x", "0" * 64, date(2026, 1, 1), 3, 4, Result.ADOPTED, 0)
