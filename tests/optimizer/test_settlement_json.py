"""A quarter as JSON, to the letter of the published shape."""

from __future__ import annotations

import json

import pytest

from kwartier.errors import ContractError
from kwartier.wire import Json
from optimizer.as_json.settle_json import settle_quarter_text

KEY = '{"type": "proportional"}'


def answer(readings: str, key: str = KEY, more: str = "") -> dict[str, Json]:
    return settle_quarter_text(f'{{"readings": {readings}, "key": {key}{more}}}')


def test_an_answer_has_every_promised_key_and_fractions_are_text() -> None:
    # Supply 650 + 70 = 720 over 900: 240 each. P's 650 first, then 70 of the battery.
    # Claims: 70 / 0.7 = 100 of 225 + 75: P 75, of which 52.5 arrive; coop 25, of which 17.5.
    told = answer(
        """{"A": {"import": "0.300", "export": "0"}, "B": {"import": "0.3"},
            "C": {"import": {"value": "0.3", "quality": "estimated"}},
            "P": {"export": "0.650"}, "Q": {"export": null}}""",
        more=""", "self_rule": "no_self", "tie": "id", "qindex": 0, "source": "proportional",
            "battery": {"charge": "0", "discharge": "0.070"},
            "claims": {"P": "225", "coop": "75"}, "eta": "0.7" """,
    )

    assert told == {
        "status": "provisional",
        "missing": ["Q:export"],
        "estimated": ["C:import"],
        "supply": 720,
        "exact": {"A": "240", "B": "240", "C": "240", "P": "0", "Q": "0"},
        "allocated": {"A": 240, "B": 240, "C": 240, "P": 0, "Q": 0},
        "shared_total": 720,
        "shared_out": {"A": 0, "B": 0, "C": 0, "P": 650, "Q": 0},
        "supplier_import": {"A": 60, "B": 60, "C": 60, "P": 0, "Q": 0},
        "supplier_export": {"A": 0, "B": 0, "C": 0, "P": 0, "Q": 0},
        "self_consumption_rate": "720/720",
        "self_sufficiency_rate": "720/900",
        "battery": {
            "to_members": 70,
            "to_grid": 0,
            "delivered": {"P": "105/2", "coop": "35/2"},
            "loss": {"P": "45/2", "coop": "15/2"},
            "claims_after": {"P": "150", "coop": "50"},
        },
    }


@pytest.mark.parametrize(
    ("key", "exact"),
    [
        ('{"type": "equal", "participants": ["A", "B"], "rounds": "single"}', ["100", "300", "0"]),
        ('{"type": "equal", "participants": ["A", "B", "C"]}', ["100", "200", "200"]),
        ('{"type": "equal", "participants": ["C", "B"], "rounds": "fill"}', ["0", "300", "300"]),
        ('{"type": "static", "shares": {"A": "0.5", "B": "1/4"}}', ["100", "150", "0"]),
        ('{"type": "static", "shares": {"B": "1/4"}, "rounds": "fill"}', ["0", "600", "0"]),
        ('{"type": "hybrid", "shares": {"A": "1/2"}}', ["100", "250", "250"]),
        (
            '{"type": "cascade", "tiers": [["A"], ["B", "C"]], "within": "equal"}',
            ["100", "250", "250"],
        ),
        ('{"type": "cascade", "tiers": [["B"], ["A"]]}', ["0", "600", "0"]),
        (
            (
                '{"type": "solidarity", "share": "0.2", "beneficiaries": ["C"],'
                ' "base": {"type": "static", "shares": {"C": "1"}}}'
            ),
            ["0", "0", "600"],
        ),
    ],
)
def test_every_key_can_be_written(key: str, exact: list[str]) -> None:
    # S = 600; imports A 100, B 700, C 700.
    readings = (
        '{"A": {"import": "0.1"}, "B": {"import": "0.7"}, "C": {"import": "0.7"},'
        ' "P": {"export": "0.6"}}'
    )

    told = answer(readings, key)["exact"]

    assert isinstance(told, dict)
    assert [told[name] for name in "ABC"] == exact


def test_a_quarter_of_an_empty_neighbourhood_is_all_zero() -> None:
    told = answer("{}")

    assert (told["supply"], told["shared_total"], told["status"]) == (0, 0, "final")
    assert (told["self_consumption_rate"], told["self_sufficiency_rate"]) == ("0", "0")


@pytest.mark.parametrize(
    ("readings", "message"),
    [
        ('{"A": {"import": 0.16}}', "readings.A.import: 0.16 is not text: write kWh"),
        ('{"A": {"import": 1}}', "readings.A.import: 1 is not text"),
        ('{"A": {"import": "-0.160"}}', "readings.A.import: energy '-0.160' is not kWh"),
        ('{"A": {"import": "0.1600"}}', "at most three decimals"),
        ('{"A": {"import": "1e3"}}', "readings.A.import: energy '1e3'"),
        ('{"A": {"import": NaN}}', "readings.A.import: NaN is not text"),
        ('{"A": {"imports": "1"}}', "readings.A: key 'imports' is not known here: use import, ex"),
        ('{"A": null}', "readings.A: null is not an object"),
        ('{"A": {}, "A": {}}', "key 'A' stands twice"),
        ('{"A": {"import": {"value": "1"}}}', "readings.A.import: key 'quality' is missing"),
        ('{"A": {"import": {"value": "1", "quality": "x"}}}', 'quality: "x" is not known: use'),
        ('{"": {}}', 'readings: "" is no name'),
        ('{"\\ud800": {}}', "readings: .* is no name: use a text of 1 to 200 printable"),
        ("[]", r"readings: \[\] is not an object"),
    ],
)
def test_readings_that_are_wrong_are_refused_by_place_value_and_remedy(
    readings: str, message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        answer(readings)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ('{"type": "fair"}', 'key.type: "fair" is not known: use "proportional"'),
        ("{}", "key: key 'type' is missing"),
        ('{"type": "equal"}', "key: key 'participants' is missing"),
        ('{"type": "static", "shares": {"A": 0.3}}', "key.shares.A: 0.3 is no exact number"),
        ('{"type": "static", "shares": {"A": "-0.3"}}', 'key.shares.A: "-0.3" is no exact'),
        ('{"type": "static", "shares": {"A": "1/0"}}', "key.shares.A: .* divides by zero"),
        ('{"type": "static", "shares": {"A": "0.6", "B": "1/2"}}', "key.shares: together 11/10"),
        ('{"type": "hybrid", "shares": {}, "second": "x"}', 'key.second: "x" is not known'),
        ('{"type": "cascade", "tiers": ["A"]}', r'key.tiers\[0\]: "A" is not a list'),
        (
            (
                '{"type": "solidarity", "share": "0.1", "beneficiaries": [],'
                ' "base": {"type": "static", "shares": {"A": "2"}}}'
            ),
            r"key.base.shares: together 2, more than 1",
        ),
    ],
)
def test_a_key_that_is_wrong_is_refused_by_place_value_and_remedy(key: str, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        answer('{"A": {"import": "1"}}', key)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (', "self_rule": "self"', 'self_rule: "self" is not known: use "no_self", "pool", "net"'),
        (', "selfrule": "net"', "key 'selfrule' is not known here"),
        (', "tie": 1', "tie: 1 is not known"),
        (', "qindex": -1', "qindex: -1 is no whole number"),
        (', "qindex": 1.5', "qindex: 1.5 is no whole number"),
        (', "eta": "0"', "eta: 0 is no efficiency"),
        (', "eta": 0.9', "eta: 0.9 is no exact number"),
        (', "claims": {"P": "-1"}', 'claims.P: "-1" is no exact number of 0 or more'),
        (', "battery": {"discharge": "0.1"}, "claims": {"P": "1"}', "eta: a discharge of claims"),
        (', "battery": {"discharged": "0.1"}', "battery: key 'discharged' is not known here"),
    ],
)
def test_a_case_that_is_wrong_is_refused_by_place_value_and_remedy(more: str, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        answer('{"A": {"import": "1"}}', more=more)


def test_what_need_not_be_told_may_be_null() -> None:
    readings = '{"A": {"import": "0.3"}, "P": {"export": "0.1"}}'
    nulls = ', "battery": null, "claims": null, "eta": null, "self_rule": null, "qindex": null'

    assert answer(readings, more=nulls) == answer(readings)


def test_fractions_too_long_to_print_are_refused() -> None:
    # Seven denominators of 901 digits without a common part: the sum has one of over 6,000.
    fractions = {
        name: f"{'9' * 902}/{place}{'7' * 899}1" for place, name in enumerate("PQRSTUV", 1)
    }
    claims = ", ".join(f'"{name}": "{fraction}"' for name, fraction in fractions.items())
    more = f', "battery": {{"discharge": "0.001"}}, "eta": "0.9", "claims": {{{claims}}}'
    with pytest.raises(ContractError, match="too long to print: use shorter ones"):
        answer("{}", more=more)


def test_keys_may_not_stand_in_each_other_without_end() -> None:
    key = KEY
    for _ in range(9):
        key = f'{{"type": "solidarity", "share": "0", "beneficiaries": [], "base": {key}}}'
    with pytest.raises(ContractError, match="more than 8 keys stand in each other"):
        answer("{}", key)


def test_a_text_that_is_no_json_is_refused_with_its_line() -> None:
    with pytest.raises(ContractError, match="line 2, column 1: is no JSON"):
        settle_quarter_text('{"readings": {},\n')
    with pytest.raises(ContractError, match="is no JSON that can be read"):
        settle_quarter_text("[" * 100_000)


def test_an_answer_can_be_printed_as_json() -> None:
    told = answer('{"A": {"import": "0.3"}, "P": {"export": "0.1"}}')

    assert json.loads(json.dumps(told, allow_nan=False)) == told
