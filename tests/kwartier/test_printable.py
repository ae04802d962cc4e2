"""A stranger's words in a message are short and can be printed."""

from __future__ import annotations

from kwartier.printable import columns_shown


def test_columns_stand_as_they_are() -> None:
    assert columns_shown(["utc", "price"]) == "'utc, price'"


def test_a_file_of_zero_bytes_is_told_in_one_short_line() -> None:
    assert columns_shown(["\x00" * 3000]) == f"'{'?' * 117}...'"
