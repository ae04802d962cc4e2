"""Numbers of banks, tax office and government: right ones are compact, wrong ones are not told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.cooperative.plain_text import checked_line
from api.cooperative.registry.calendar import months_later
from api.cooperative.registry.numbers import (
    checked_creditor_id,
    checked_iban,
    checked_kvk,
    checked_oin,
    checked_reference,
    checked_vat_number,
)
from kwartier.errors import ContractError

CHECKS = (checked_creditor_id, checked_iban, checked_kvk, checked_oin, checked_vat_number)


@pytest.mark.parametrize(
    ("check", "text", "compact"),
    [
        (checked_iban, "NL91 ABNA 0417 1643 00", "NL91ABNA0417164300"),
        (checked_vat_number, "NL 1234.56.782.B90", "NL123456782B90"),
        (checked_kvk, "12 34 56 78", "12345678"),
        (checked_oin, "0000 0001 823288444000", "00000001823288444000"),
        (checked_reference, "ZON/2026-12+a(b)", "ZON/2026-12+a(b)"),
    ],
)
def test_a_right_number_is_written_without_spaces(
    check: Callable[[str], str], text: str, compact: str
) -> None:
    assert check(text) == compact


def test_a_creditor_identifier_has_check_digits_over_country_and_national_part() -> None:
    # ISO 7064 modulo 97-10 over the national part, NL as 2321, and 00.
    national = "123456780000"
    digits = 98 - int(f"{national}232100") % 97

    right = f"NL{digits:02d}ZZZ{national}"

    assert checked_creditor_id(right) == right
    with pytest.raises(ContractError):
        checked_creditor_id(f"NL{digits % 97 + 1:02d}ZZZ{national}")


@given(st.sampled_from(CHECKS), st.text(max_size=40))
@settings(max_examples=200)
def test_anything_else_is_refused_without_being_told(
    check: Callable[[str], str], text: str
) -> None:
    try:
        taken = check(text)
    except ContractError as error:
        told = str(error)
        assert len(text) < 5 or text not in told
    else:
        assert taken.isascii()
        assert taken.isalnum()


@given(st.text(max_size=30))
@example("a\u00a0b")
@example("a\u202eb")
@settings(max_examples=200)
def test_a_line_that_is_taken_shows_all_of_itself_and_is_no_formula(text: str) -> None:
    try:
        checked_line(text, "name", 1, 30)
    except ContractError:
        return
    assert text.isprintable()
    assert text[0] not in "=+-@"
    assert text == text.strip()


def test_a_month_that_is_too_short_ends_on_its_last_day() -> None:
    assert months_later(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert months_later(date(2026, 8, 31), 18) == date(2028, 2, 29)
    assert months_later(date(2026, 12, 1), 1) == date(2027, 1, 1)
