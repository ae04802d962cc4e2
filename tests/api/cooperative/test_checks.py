"""The board's checks: each finds its planted fault with the effect worked out by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from api.cooperative.checks import (
    CheckCase,
    CheckLimits,
    Code,
    Finding,
    MeterCase,
    PastMonth,
    Prices,
    RegisterPoint,
    Severity,
    Window,
    check_all,
    place_text,
    sentence,
)
from api.cooperative.checks.sentences import SENTENCES
from kwartier.interval import QUARTER_S, Quarter
from optimizer.settling.period import Ownership
from tests.api.cooperative.check_cases import (
    DAYS,
    HOMES,
    QUARTERS,
    START_S,
    clean_case,
    clean_readings,
    meter,
    settled,
    with_bought,
    with_export,
    with_gap,
    with_import,
)

CLEAN = clean_case()
PRICES = Prices(Fraction("0.20"), Fraction("0.10"))


def of(case: CheckCase, code: Code) -> list[Finding]:
    """Return what one check found."""
    return [finding for finding in check_all(case) if finding.code is code]


def only(case: CheckCase, code: Code) -> Finding:
    """Return the one thing that one check found."""
    found = of(case, code)
    assert len(found) == 1, found
    return found[0]


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert check_all(CLEAN) == []


def test_missing_quarters_are_told_with_place_and_price() -> None:
    readings = with_gap(with_import(CLEAN.readings, 5, np.full(QUARTERS, 250)), 5, 100, 3)
    case = replace(CLEAN, readings=readings, prices=PRICES, meters=())

    finding = only(case, Code.MISSING)

    # 3 quarters x 250 Wh x 0.20 EUR/kWh = 15 cents.
    assert (finding.severity, finding.effect_cents) == (Severity.WARNING, 15)
    assert (finding.connection, finding.first, finding.last) == (
        "huis-06",
        Quarter(START_S + 100 * QUARTER_S),
        Quarter(START_S + 102 * QUARTER_S),
    )
    assert dict(finding.facts) == {"missing": 3, "expected": QUARTERS, "gaps": 1, "longest": 3}


@pytest.mark.parametrize(
    ("quarters", "limits", "severity"),
    [
        (26, CheckLimits(), Severity.WARNING),  # 26 of 1344 is 19.3 permille
        (27, CheckLimits(), Severity.BLOCKER),  # 27 of 1344 is 20.1 permille
        (31, CheckLimits(missing_permille=500), Severity.WARNING),
        (32, CheckLimits(missing_permille=500), Severity.BLOCKER),  # 8 hours in a row
    ],
)
def test_gaps_block_from_their_limits_on(
    quarters: int, limits: CheckLimits, severity: Severity
) -> None:
    case = replace(CLEAN, readings=with_gap(CLEAN.readings, 0, 0, quarters), limits=limits)
    assert only(case, Code.MISSING).severity is severity


def test_a_connection_that_was_never_read_is_missing_whole_and_priced_by_its_past() -> None:
    silent = Ownership("huis-99", "lid-99", START_S + 96 * QUARTER_S)
    past = PastMonth("2026-06", 1000, 100_000, 0)
    case = replace(
        CLEAN,
        ownership=(*CLEAN.ownership, silent),
        contracts=None,
        history={"huis-99": (past,)},
        prices=PRICES,
    )
    finding = only(case, Code.MISSING)
    assert finding.facts["missing"] == finding.facts["expected"] == QUARTERS - 96
    # 1248 quarters x 100 Wh x 0.20 EUR/kWh = 24.96 EUR.
    assert finding.effect_cents == 2496


def test_what_nobody_owned_is_not_missing() -> None:
    readings = with_gap(CLEAN.readings, 0, 0, 96)
    windows = [window for window in CLEAN.ownership if window.connection != "huis-01"]
    mine = Ownership("huis-01", "lid-huis-01", START_S + 96 * QUARTER_S)
    case = replace(CLEAN, readings=readings, ownership=(mine, *windows), meters=())
    assert of(case, Code.MISSING) == []


def registers(*points: tuple[int, int], **changes: object) -> MeterCase:
    """Return a meter whose import stood at ``wh`` after some quarters."""
    told = tuple(RegisterPoint("import", START_S + at * QUARTER_S, wh) for at, wh in points)
    standing = MeterCase("huis-01", "…6724", START_S, None, None, told)
    return replace(standing, **changes)  # type: ignore[arg-type]  # fields by name


def test_a_register_that_goes_back_blocks() -> None:
    case = replace(CLEAN, meters=(registers((0, 5000), (96, 4000)),))
    finding = only(case, Code.REGISTER)
    assert (finding.kind, finding.severity) == ("went_back", Severity.BLOCKER)
    assert (finding.facts["before_wh"], finding.facts["after_wh"]) == (5000, 4000)


def test_a_register_may_begin_again_when_its_meter_declares_digits() -> None:
    day_wh = int(CLEAN.readings.taken.energy_wh[0, :96].sum())
    rolls = registers((0, 9_999_000), (96, day_wh - 1000), digits=4)
    assert of(replace(CLEAN, meters=(rolls,)), Code.REGISTER) == []


def swap(at_s: int, *, closing: bool = True, opening: bool = True) -> tuple[MeterCase, ...]:
    """Return two meters of the first home that changed places five minutes into a quarter."""
    taken = CLEAN.readings.taken.energy_wh[0]
    place = (at_s - START_S) // QUARTER_S
    before, after = int(taken[:place].sum()), int(taken[place:].sum())
    inside = int(taken[place]) // 3
    old = [RegisterPoint("import", START_S, 1000)]
    new = [RegisterPoint("import", START_S + QUARTERS * QUARTER_S, 7000 + after - inside)]
    if closing:
        old.append(RegisterPoint("import", at_s, 1000 + before + inside))
    if opening:
        new.insert(0, RegisterPoint("import", at_s, 7000))
    return (
        MeterCase("huis-01", "…6724", 0, at_s, None, tuple(old)),
        MeterCase("huis-01", "…9913", at_s, None, None, tuple(new)),
    )


SWAPPED_S = START_S + 500 * QUARTER_S + 300


def test_a_swap_with_both_ends_adds_up_within_its_quarter() -> None:
    assert of(replace(CLEAN, meters=swap(SWAPPED_S)), Code.REGISTER) == []


@pytest.mark.parametrize(
    ("closing", "opening", "kind"),
    [(False, True, "no_closing"), (True, False, "no_opening")],
)
def test_a_swap_without_an_end_blocks(closing: bool, opening: bool, kind: str) -> None:
    case = replace(CLEAN, meters=swap(SWAPPED_S, closing=closing, opening=opening))
    finding = only(case, Code.REGISTER)
    assert (finding.kind, finding.severity) == (kind, Severity.BLOCKER)
    assert finding.effect_cents > 0


def test_quarters_that_are_not_their_registers_difference_block() -> None:
    day_wh = int(CLEAN.readings.taken.energy_wh[0, :96].sum())
    case = replace(CLEAN, meters=(registers((0, 0), (96, day_wh + 700)),), prices=PRICES)
    finding = only(case, Code.REGISTER)
    # 0.7 kWh x 0.20 EUR.
    assert (finding.kind, finding.effect_cents) == ("off_register", 14)
    assert finding.facts["difference_wh"] == -700
    assert finding.last == Quarter(START_S + 95 * QUARTER_S)


def test_a_gap_may_hide_energy_but_not_make_any() -> None:
    readings = with_gap(CLEAN.readings, 0, 10, 2)
    known_wh = int(readings.taken.energy_wh[0, :96].sum())
    hides = replace(CLEAN, readings=readings, meters=(registers((0, 0), (96, known_wh + 50)),))
    makes = replace(CLEAN, readings=readings, meters=(registers((0, 0), (96, known_wh - 50)),))
    assert of(hides, Code.REGISTER) == []
    assert only(makes, Code.REGISTER).kind == "off_register"


def test_a_quarter_above_the_connection_is_told() -> None:
    energy_wh = CLEAN.readings.taken.energy_wh[0].copy()
    energy_wh[50] = 4_500  # 18 kW on 17.25 kW, which carries 4312.5 Wh a quarter
    readings = with_import(CLEAN.readings, 0, energy_wh)
    finding = only(replace(CLEAN, readings=readings, meters=(), prices=PRICES), Code.LIMIT)
    assert (finding.severity, finding.facts["highest_w"]) == (Severity.WARNING, 18_000)
    # 188 Wh above x 0.20 EUR/kWh = 3.76 cents.
    assert finding.effect_cents == 4


@pytest.mark.parametrize("what", ["bought_wh", "sold_wh", "to_battery_wh"])
def test_statements_that_are_not_the_community_block(what: str) -> None:
    assert CLEAN.members is not None
    name, total = next(iter(CLEAN.members.items()))
    wrong = replace(total, **{what: getattr(total, what) + 1000})
    case = replace(CLEAN, members={**CLEAN.members, name: wrong}, prices=PRICES)
    finding = only(case, Code.SUM)
    assert (finding.kind, finding.severity) == ("statements", Severity.BLOCKER)
    assert finding.effect_cents == (20 if what == "bought_wh" else 10)


def test_what_charged_an_owners_own_claim_stands_on_no_statement_and_is_not_missed() -> None:
    members = {
        name: replace(each, to_battery_wh=None) for name, each in (CLEAN.members or {}).items()
    }
    assert check_all(replace(CLEAN, members=members)) == []


def test_bought_that_is_not_sold_plus_battery_blocks() -> None:
    assert CLEAN.allocation is not None
    sold_wh = CLEAN.allocation.sold_wh.copy()
    place = tuple(np.argwhere(sold_wh > 10)[0])
    sold_wh[place] -= 10
    case = replace(CLEAN, allocation=replace(CLEAN.allocation, sold_wh=sold_wh))
    assert {finding.kind for finding in of(case, Code.SUM)} == {"run", "quarter"}


def test_more_allocated_than_used_blocks() -> None:
    used_wh = int(CLEAN.readings.taken.energy_wh[4, 60])
    assert CLEAN.allocation is not None
    extra_wh = used_wh - int(CLEAN.allocation.bought_wh[4, 60]) + 500
    case = replace(with_bought(CLEAN, 4, 60, extra_wh), prices=PRICES)
    finding = next(each for each in of(case, Code.ALLOCATION) if each.kind == "bought")
    assert (finding.connection, finding.severity) == ("huis-05", Severity.BLOCKER)
    assert (finding.facts["excess_wh"], finding.effect_cents) == (500, 10)


def test_swapped_registers_are_told_of_a_roof() -> None:
    readings = CLEAN.readings
    swapped = with_export(
        with_import(readings, 0, readings.given.energy_wh[0]), 0, readings.taken.energy_wh[0]
    )
    finding = only(settled(swapped), Code.SIGN)
    assert (finding.connection, finding.severity) == ("huis-01", Severity.WARNING)
    assert (finding.first, finding.last) == (
        Quarter(START_S),
        Quarter(START_S + (QUARTERS - 1) * QUARTER_S),
    )


def test_a_sign_that_turned_in_the_second_week_is_told_for_that_week() -> None:
    readings, week = CLEAN.readings, 7 * 96
    taken = readings.taken.energy_wh[1].copy()
    given = readings.given.energy_wh[1].copy()
    taken[week:], given[week:] = given[week:].copy(), taken[week:].copy()
    finding = only(settled(with_export(with_import(readings, 1, taken), 1, given)), Code.SIGN)
    assert finding.first == Quarter(START_S + week * QUARTER_S)


def test_a_home_copied_to_another_is_told() -> None:
    readings = with_import(CLEAN.readings, 4, CLEAN.readings.taken.energy_wh[3])
    finding = only(settled(readings), Code.LIKENESS)
    assert (finding.kind, finding.connection) == ("twice", "huis-05")
    assert dict(finding.facts) == {"direction": "import", "other": "huis-04", "days": DAYS}


def test_a_copy_an_hour_off_is_told() -> None:
    readings = with_import(CLEAN.readings, 4, np.roll(CLEAN.readings.taken.energy_wh[3], 4))
    finding = only(settled(readings), Code.LIKENESS)
    assert (finding.kind, finding.connection) == ("hour_off", "huis-05")


def test_a_day_that_came_again_is_told() -> None:
    energy_wh = CLEAN.readings.taken.energy_wh[3].copy()
    energy_wh[96:192] = energy_wh[:96]
    finding = only(settled(with_import(CLEAN.readings, 3, energy_wh)), Code.LIKENESS)
    assert (finding.kind, finding.facts["days"]) == ("repeated", 1)
    assert finding.first == Quarter(START_S + 96 * QUARTER_S)


@pytest.mark.parametrize("quarters", [4, -4, 2])
def test_a_roof_whose_clouds_come_late_is_told(quarters: int) -> None:
    readings = CLEAN.readings
    shifted = with_export(
        with_import(readings, 2, np.roll(readings.taken.energy_wh[2], quarters)),
        2,
        np.roll(readings.given.energy_wh[2], quarters),
    )
    finding = only(settled(shifted), Code.LIKENESS)
    assert (finding.kind, finding.connection) == ("shifted", "huis-03")
    assert finding.facts["quarters_off"] == quarters
    side = "achter" if quarters > 0 else "voor"
    assert f"loopt {abs(quarters) * 15} minuten {side}" in sentence(finding)


def test_a_date_without_tariff_or_key_blocks() -> None:
    begins = (Window("later", START_S + 3 * QUARTER_S),)
    for case, kind in (
        (replace(CLEAN, tariffs=begins), "no_tariff"),
        (replace(CLEAN, keys=begins), "no_key"),
    ):
        finding = only(case, Code.IN_FORCE)
        assert (finding.kind, finding.severity) == (kind, Severity.BLOCKER)
        assert finding.facts["quarters"] == 3
        assert finding.last == Quarter(START_S + 2 * QUARTER_S)


def test_a_connection_without_a_contract_blocks_while_it_is_owned() -> None:
    assert CLEAN.contracts is not None
    ends = Window("leverancier", 0, START_S + (QUARTERS - 96) * QUARTER_S)
    case = replace(CLEAN, contracts={**CLEAN.contracts, "huis-02": (ends,)})
    finding = only(case, Code.IN_FORCE)
    assert (finding.connection, finding.facts["quarters"]) == ("huis-02", 96)


def test_whoever_moves_within_the_period_is_told_once() -> None:
    at_s = START_S + 5 * 96 * QUARTER_S
    rest = [window for window in CLEAN.ownership if window.connection != "huis-06"]
    moves = Ownership("huis-06", "oud", 0, at_s), Ownership("huis-06", "nieuw", at_s)
    energy_wh = np.full(QUARTERS, 100)
    case = replace(
        CLEAN,
        readings=with_import(CLEAN.readings, 5, energy_wh),
        ownership=(*rest, *moves),
        meters=(),
        prices=PRICES,
    )
    finding = only(case, Code.MOVE)
    assert (finding.kind, finding.severity) == ("handed_over", Severity.WARNING)
    assert dict(finding.facts) == {"day": "2026-07-06", "leaving": "oud", "coming": "nieuw"}
    # A week of 672 quarters x 100 Wh x 0.20 EUR/kWh = 13.44 EUR.
    assert finding.effect_cents == 1344


def test_a_use_far_above_its_own_past_is_told() -> None:
    past = PastMonth("2026-06", QUARTERS, 100_000, 0)
    energy_wh = np.full(QUARTERS, 300)  # 403.2 kWh where 100 kWh is usual
    case = replace(
        CLEAN,
        readings=with_import(CLEAN.readings, 5, energy_wh),
        history={"huis-06": (past,)},
        meters=(),
        prices=PRICES,
    )
    finding = only(case, Code.HISTORY)
    assert (finding.kind, finding.facts["usual_wh"]) == ("use", 100_000)
    assert finding.effect_cents == 6064  # 303.2 kWh x 0.20 EUR


def test_a_month_with_gaps_is_not_a_low_past() -> None:
    past = PastMonth("2026-06", QUARTERS // 10, 30_000, 0)
    energy_wh = np.full(QUARTERS, 300)
    case = replace(
        CLEAN,
        readings=with_import(CLEAN.readings, 5, energy_wh),
        history={"huis-06": (past,)},
        meters=(),
    )
    assert of(case, Code.HISTORY) == []


@pytest.mark.parametrize("cents", [60_001, -60_001])
def test_a_large_amount_is_told_of_either_sign(cents: int) -> None:
    assert CLEAN.members is not None
    name, total = next(iter(CLEAN.members.items()))
    case = replace(CLEAN, members={**CLEAN.members, name: replace(total, to_pay_cents=cents)})
    finding = only(case, Code.HISTORY)
    assert (finding.kind, finding.member, finding.effect_cents) == ("amount", name, 10_001)


def test_the_largest_effect_stands_first() -> None:
    readings = with_gap(with_gap(CLEAN.readings, 0, 0, 3), 1, 200, 90)
    found = check_all(replace(CLEAN, readings=readings, allocation=None))
    effects = [finding.effect_cents for finding in found]
    assert len(found) == 2
    assert effects == sorted(effects, reverse=True)


def test_a_waiver_holds_while_the_finding_is_the_same() -> None:
    gap = replace(CLEAN, readings=with_gap(CLEAN.readings, 0, 100, 40))
    longer = replace(CLEAN, readings=with_gap(CLEAN.readings, 0, 100, 41))
    key = only(gap, Code.MISSING).key
    assert only(replace(gap, prices=PRICES), Code.MISSING).key == key
    assert only(longer, Code.MISSING).key != key


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_finding_speaks_plainly(language: str) -> None:
    cases = [
        replace(CLEAN, readings=with_gap(CLEAN.readings, 0, 0, 40)),
        replace(CLEAN, meters=swap(SWAPPED_S, closing=False)),
        replace(CLEAN, tariffs=()),
        with_bought(CLEAN, 1, 50, 100_000),
    ]
    told = [sentence(finding, language) for case in cases for finding in check_all(case)]
    assert told
    assert not [text for text in told if re.search(r"[{}_]", text)]


def test_every_sentence_stands_in_both_languages_with_the_same_facts() -> None:
    for words in SENTENCES.values():
        named = [set(re.findall(r"{(\w+)}", words[language])) for language in ("nl", "en")]
        assert named[0] == named[1]


def test_a_finding_says_what_and_where_in_dutch() -> None:
    case = replace(CLEAN, readings=with_gap(CLEAN.readings, 0, 100, 40))
    finding = only(case, Code.MISSING)
    assert sentence(finding) == (
        "Bij huis-01 ontbreken 40 van 1344 kwartieren (aantal gaten: 1). "
        "Het langste gat duurt 40 kwartieren."
    )
    assert place_text(finding) == "2026-07-02 01:00+0200 - 2026-07-02 10:45+0200"


def test_the_meters_of_the_clean_case_are_read_three_times() -> None:
    standing = meter(clean_readings(), 0, HOMES[0], START_S)
    assert len(standing.points) == 6
