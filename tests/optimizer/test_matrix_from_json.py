"""A period that arrives as JSON in pieces, beside the exact engine and the text read at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kwartier.errors import ContractError
from kwartier.interval import instant_text
from kwartier.units import kwh_text
from kwartier.wire import Json
from optimizer.as_json.period_json import MAX_QUARTERS, period_pieces, period_text
from optimizer.balance import QuarterReadings, Registers
from optimizer.settlement import Source
from optimizer.settling.period import Agreement, Rounding, settle_period
from optimizer.sharing import Proportional
from tests.optimizer.communities import agreements, huge_wh, periods

KEYS = '"keys": [{"from": "2020-01-01T00:00:00Z", "key": {"type": "proportional"}}]'
AT_NINE = '"ts": "2026-07-01T09:00:00Z"'


def cut(text: str, length: int) -> Iterator[str]:
    """Return a text in pieces of some length."""
    return (text[start : start + length] for start in range(0, len(text), length))


def registers_json(
    registers: Registers, names: tuple[str, str], way: int
) -> tuple[Registers, dict[str, Json]]:
    """Return registers as ``way`` writes them, and what that says: no estimate of a gap."""
    said = replace(
        registers,
        import_estimated=registers.import_estimated and registers.import_wh is not None,
        export_estimated=registers.export_estimated and registers.export_wh is not None,
    )
    written: dict[str, Json] = {}
    for name, energy_wh, estimated in (
        (names[0], said.import_wh, said.import_estimated),
        (names[1], said.export_wh, said.export_estimated),
    ):
        if energy_wh is None:
            written[name] = None
        elif estimated:
            written[name] = {"quality": "estimated", "value": kwh_text(energy_wh)}
        elif way % 3 == 0:
            written[name] = {"value": kwh_text(energy_wh), "quality": "measured"}
        elif energy_wh or way % 2:
            written[name] = kwh_text(energy_wh)
    return said, written


def quarter_json(readings: QuarterReadings, way: int) -> tuple[QuarterReadings, Json]:
    """Return a quarter as ``way`` writes it, and what that says."""
    homes = {
        name: registers_json(registers, ("import", "export"), way)
        for name, registers in readings.connections.items()
    }
    battery, battery_told = registers_json(readings.battery, ("charge", "discharge"), way)
    row: dict[str, Json] = {
        "readings": {name: told for name, (_, told) in homes.items()},
        "ts": instant_text(readings.quarter.start_s),
    }
    if battery_told or way % 2:
        row["battery"] = dict(battery_told)
    said = {name: registers for name, (registers, _) in homes.items()}
    return QuarterReadings(readings.quarter, said, battery), row


def agreement_json(agreement: Agreement) -> dict[str, Json]:
    """Return an agreement of proportional keys."""
    told: dict[str, Json] = {
        "keys": [
            {"from": instant_text(version.start_s), "key": {"type": "proportional"}}
            for version in agreement.keys
        ],
        "rounding": agreement.rounding.value,
        "self_rule": agreement.rules.self_rule.value,
        "tie": agreement.rules.tie.value,
        "source": agreement.rules.source.value,
    }
    if agreement.ownership is not None:
        told["ownership"] = [
            {
                "connection": window.connection,
                "member": window.member,
                "from": instant_text(window.start_s),
                "to": None if window.end_s is None else instant_text(window.end_s),
            }
            for window in agreement.ownership
        ]
    return told


@settings(max_examples=200)
@given(
    quarters=periods(huge_wh, gaps=True),
    agreement=agreements(st.just(Proportional()), [*Source], [*Rounding]),
    way=st.integers(0, 11),
    length=st.integers(1, 300),
    indent=st.sampled_from([None, 0, 3]),
    keys_last=st.booleans(),
)
def test_a_text_in_pieces_is_settled_as_the_exact_engine_settles_it(
    quarters: list[QuarterReadings],
    agreement: Agreement,
    way: int,
    length: int,
    indent: int | None,
    keys_last: bool,
) -> None:
    said = [quarter_json(readings, way) for readings in quarters]
    rows: dict[str, Json] = {"quarters": [row for _, row in said]}
    agreed = agreement_json(agreement)
    document = {**rows, **agreed} if keys_last else {**agreed, **rows}

    told = period_pieces(cut(json.dumps(document, indent=indent), length))

    exact = settle_period([readings for readings, _ in said], agreement)
    assert told == {
        "status": exact.status.value,
        "missing": len(exact.missing),
        "quarters": exact.quarters,
        "members": {
            name: {"bought": volume.bought_wh, "sold": volume.sold_wh}
            for name, volume in exact.members.items()
        },
        "orphan": dict(exact.orphan_wh),
    }


@pytest.mark.parametrize("length", [1, 7, 10_000])
def test_names_with_quotes_backslashes_and_accents_are_names(length: int) -> None:
    names = ['say "cheese"', "back\\slash", "Café", "…"]
    readings: dict[str, Json] = {name: {"import": "0.001"} for name in names}
    readings["P"] = {"export": "1"}
    row: Json = {"ts": "2026-07-01T09:00:00Z", "readings": readings}

    for ascii_only in (True, False):
        text = json.dumps({"quarters": [row]}, ensure_ascii=ascii_only)[:-1] + f", {KEYS}}}"
        told = period_pieces(cut(text, length))
        assert told["members"] == {
            **{name: {"bought": 1, "sold": 0} for name in names},
            "P": {"bought": 0, "sold": 4},
        }


WRONG = [
    f'{{"quarters": [{{{AT_NINE}, "readings": {{"A": {{}}, "A": {{}}}}}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, {AT_NINE}, "readings": {{}}}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{"A": {{"import": "1", "import": "2"}}}}}}]}}',
    f'{{"quarters": [], "quarters": [], {KEYS}}}',
    f'{{{KEYS}, {KEYS}, "quarters": []}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{"A": {{"imports": "1"}}}}}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{"A": {{"imports": null}}}}}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{"A": {{"imports": 1}}}}}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{"A": {{"import": 1}}}}}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{"A": {{"import": true}}}}}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{"A": {{"import": NaN}}}}}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{"A": {{"import": "1e3"}}}}}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{"A": {{"import": [1]}}}}}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{"A": {{"import": {{"value": "1"}}}}}}}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{"A": null}}}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{"A\\u0007": {{}}}}}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{"": {{}}}}}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": []}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{}}, "note": 1}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{}}, "battery": {{"charge": 1}}}}], {KEYS}}}',
    f'{{"quarters": [{{"ts": "2026-07-01\\u000009:00:00Z", "readings": {{}}}}], {KEYS}}}',
    f'{{"quarters": [{{"ts": null, "readings": {{}}}}], {KEYS}}}',
    f'{{"quarters": [12345, {{}}], {KEYS}}}',
    f'{{"quarters": [{{{AT_NINE}, "readings": {{}}}}, {{{AT_NINE}, "readings": {{}}}}], {KEYS}}}',
    f'{{"quarters": {{}}, {KEYS}}}',
    f'{{"quarters": null, {KEYS}}}',
    f'{{"quarters": [], {KEYS}, "note": 1}}',
    f'{{"quarters": [], {KEYS}, "local_day": "2026-07-01"}}',
    '{"quarters": []}',
    "{}",
    "[]",
    "12",
    '"text"',
    "",
    " \n\n ",
    f'{{"quarters": [\n{{{AT_NINE}, "readings": {{}}}} {{}}], {KEYS}}}',
    f'{{"quarters": [], {KEYS}',
    f'{{"quarters": [], {KEYS}}} more',
    f'\n\n{{"quarters": [], {KEYS}\n"rounding": 1}}',
    '{"quarters": [tru]}',
    '{"quarters": ["\\x"]}',
    '{"quarters": [{"ts": "no end',
    '{"quarters" []}',
    "{1: 2}",
]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_told_alike_in_pieces_and_at_once(text: str) -> None:
    with pytest.raises(ContractError) as at_once:
        period_text(text)

    for length in (1, 2, 16, 10_000):
        with pytest.raises(ContractError) as in_pieces:
            period_pieces(cut(text, length))
        assert str(in_pieces.value) == str(at_once.value)


def test_deep_brackets_and_endless_numbers_are_no_json_that_can_be_read() -> None:
    for text in ('{"keys": ' + "[" * 100_000, '{"keys": ' + "1" * 5_000 + "}"):
        with pytest.raises(ContractError, match="is no JSON that can be read"):
            period_pieces(cut(text, 100))


def test_more_quarters_than_a_year_has_are_refused_before_they_are_all_read() -> None:
    def pieces() -> Iterator[str]:
        yield '{"quarters": ['
        for _ in range(MAX_QUARTERS):
            yield f'{{{AT_NINE}, "readings": {{}}}},'
        yield f'{{{AT_NINE}, "readings": {{}}}},'
        raise AssertionError("read on")

    with pytest.raises(ContractError, match="more than 40000 quarters: settle it in parts"):
        period_pieces(pieces())


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "9999-12-31"])
def test_a_day_of_another_age_is_refused(day: str) -> None:
    text = f'{{"local_day": "{day}", "flat_readings": {{}}, {KEYS}}}'

    with pytest.raises(ContractError, match=f"local_day: {day}: use a day from 1970 to 9998"):
        period_text(text)
