"""Names fit in a topic; an EAN proves itself."""

from __future__ import annotations

import pytest

from kwartier.errors import ContractError
from kwartier.identity import checked_ean, checked_name, short_id


def test_an_ean_with_its_check_digit_is_taken() -> None:
    # 8716871 is the Dutch grid operators' prefix; 3*(8+1+8+1) + (7+6+7) = 74
    assert checked_ean("871687100000000006") == "871687100000000006"


@pytest.mark.parametrize("text", ["871687100000000005", "87168710000000000", "87168710000000000x"])
def test_an_ean_that_is_wrong_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ContractError) as refused:
        checked_ean(text)

    assert text not in str(refused.value)


@pytest.mark.parametrize("text", ["", "Huis", "a/b", "+", "#", "x" * 33, "-a", "é"])
def test_a_name_that_does_not_fit_in_a_topic_is_refused(text: str) -> None:
    with pytest.raises(ContractError, match="use 1 to 32"):
        checked_name(text)


def test_a_short_id_hides_what_it_stands_for() -> None:
    assert short_id("4530303033") == short_id("4530303033")
    assert "4530303033" not in short_id("4530303033")
