"""A street's October goes from draft to closed and is corrected, and adds up at every step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from api.cooperative.books import trial_balance
from api.cooperative.database import Books, Desk
from api.cooperative.documents import Series, documents
from api.cooperative.officers import Officer
from api.cooperative.periods import is_locked
from api.cooperative.readings import store_day
from api.cooperative.runs import (
    State,
    approve,
    close,
    compute,
    correct,
    explain,
    invoice,
    post,
    propose,
    quarters,
    run_diff,
    run_document,
    run_of,
    statements,
    verify_runs,
)
from api.cooperative.runs.frozen import check
from api.cooperative.runs.frozen_days import BATTERY_ROW
from api.cooperative.statement import Charge, Statement, StatementState
from api.cooperative.verify import verify
from kwartier.clock import VirtualClock
from kwartier.wire import Json
from tests.api.cooperative.street import (
    LET,
    MOVE,
    NOVEMBER_S,
    OCTOBER,
    PERIOD,
    SETTINGS,
    one_day,
    set_up,
)

EARNED = (Charge.SELL, Charge.BATTERY)
READ_BY_HAND = "the meter's display was read by hand"


def test_october_is_signed_posted_invoiced_closed_and_corrected(
    books: Books, treasurer: Officer, board: Officer, clock: VirtualClock
) -> None:
    clock.advance(NOVEMBER_S - clock.now_s())
    set_up(books, treasurer, board)

    first = _begin(books, treasurer)
    before = _go_to_the_end(books, treasurer, board, first)
    with books.desk(treasurer) as desk:
        store_day(desk, one_day("home-5", MOVE, 60_000))
        second = correct(desk, SETTINGS, PERIOD, READ_BY_HAND)
    after = _go_to_the_end(books, treasurer, board, second)

    _check_the_first(before)
    _check_the_correction(before, after)
    with books.reading(treasurer) as desk:
        assert verify(desk, [verify_runs]) == []
        assert is_locked(desk, PERIOD)
        assert not is_locked(desk, "2026-11")
        _check_the_drill(desk, second)
        for run in (first, second):
            assert check(run_document(desk, run)).faults == ()
        changed = run_diff(desk, second)
        assert changed.other == first
        assert changed.changes[0].member == "lid-5"


def _begin(books: Books, treasurer: Officer) -> str:
    with books.desk(treasurer) as desk:
        run = compute(desk, SETTINGS, PERIOD)
        assert {each.state for each in statements(desk, SETTINGS, run)} == {
            StatementState.PROVISIONAL
        }
    return run


def _go_to_the_end(
    books: Books, treasurer: Officer, board: Officer, run: str
) -> dict[str, Statement]:
    """Take a computed run to its end; look at every step whether all sums are one."""
    with books.desk(treasurer) as desk:
        _adds_up(desk, run)
        proposal = propose(desk, run)
        _adds_up(desk, run)
    with books.desk(board) as desk:
        approve(desk, run, proposal.body_hash)
        _adds_up(desk, run)
    with books.desk(treasurer) as desk:
        held = trial_balance(desk)
        post(desk, run)
        _adds_up(desk, run)
        assert held != trial_balance(desk)
    with books.desk(treasurer) as desk:
        invoice(desk, SETTINGS, run)
        _adds_up(desk, run)
    with books.desk(treasurer) as desk:
        close(desk, run)
        _adds_up(desk, run)
        return {each.party.id: each for each in statements(desk, SETTINGS, run)}


def _adds_up(desk: Desk, run: str) -> None:
    """Assert quarters = days = lines = run = ledger = papers, as far as the run has come."""
    document = run_document(desk, run)
    told = statements(desk, SETTINGS, run)
    state = run_of(desk, run).state
    of_quarters = {
        name: sum(sum(_list(day[name])) for day in _days(document) if not _is_battery(day))
        for name in ("bought", "sold", "to_battery")
    }
    of_days = {
        name: sum(
            getattr(day, f"{name}_wh")
            for each in told
            for part in each.connections
            for day in part.days
        )
        for name in of_quarters
    }
    of_lines = {
        name: sum(
            line.energy_wh or 0 for each in told for line in each.lines if line.charge is charge
        )
        for name, charge in (
            ("bought", Charge.BUY),
            ("sold", Charge.SELL),
            ("to_battery", Charge.BATTERY),
        )
    }
    assert of_quarters == of_days == of_lines
    from_battery = sum(sum(_list(day["sold"])) for day in _days(document) if _is_battery(day))
    assert of_quarters["bought"] == of_quarters["sold"] + from_battery
    owed = sum(each.owed_cents for each in told)
    earned = sum(each.earned_gross_cents for each in told)
    assert owed - earned == sum(each.to_pay_cents for each in told)
    for each in told:
        assert each.net_cents == sum(
            line.amount_cents for line in each.lines if line.charge not in EARNED
        )
        assert each.earned_cents == sum(
            line.amount_cents for line in each.lines if line.charge in EARNED
        )
    if state in (State.POSTED, State.INVOICED, State.CLOSED):
        held = {account.name: cents for account, cents in trial_balance(desk).items()}
        for each in told:
            assert held.get(f"receivable:{each.party.id}", 0) == each.owed_cents
            assert held.get(f"payable:{each.party.id}", 0) == -each.earned_gross_cents
    if state in (State.INVOICED, State.CLOSED):
        series = {paper.number: paper.series for paper in documents(desk)}
        sums = {Series.INVOICE: 0, Series.PURCHASE: 0}
        for paper in documents(desk):
            about = paper.series
            if about is Series.CREDIT:
                about = series[paper.replaces]
            sums[about] += paper.amount_cents
        assert sums == {Series.INVOICE: owed, Series.PURCHASE: earned}


def _check_the_first(told: dict[str, Statement]) -> None:
    """Check what can be worked out by hand of the first version."""
    assert sorted(told) == ["corporatie", "lid-1", "lid-2", "lid-3", "lid-3b", "lid-4", "lid-5",
                            "lid-6", "lid-7", "lid-8"]  # fmt: skip
    leaver, comer, let = told["lid-3"], told["lid-3b"], told["corporatie"]
    assert (leaver.connections[0].first, leaver.connections[0].last) == (
        OCTOBER.first,
        date(2026, 10, 15),
    )
    assert comer.connections[0].first == MOVE
    assert (let.connections[0].first, let.connections[0].last) == (
        date(2026, 10, 6),
        date(2026, 10, 19),
    )
    long_day = next(
        day for day in told["lid-1"].connections[0].days if day.day == date(2026, 10, 25)
    )
    assert long_day.quarters == 100
    fees = [line for line in told["lid-4"].lines if line.charge is Charge.FEE]
    assert [(line.days, line.price_eur) for line in fees] == [(11, "2.50"), (20, "3.00")]
    assert [(line.days) for line in let.lines if line.charge is Charge.FEE] == [6, 8]
    assert told["lid-2"].earned_vat_cents > 0
    assert told["lid-1"].earned_vat_cents == 0
    assert {each.state for each in told.values()} == {StatementState.FINAL}
    # Numbered on 2 November, and paid 14 days later.
    assert {each.due for each in told.values()} == {date(2026, 11, 16)}
    assert told["corporatie"].invoice_number == "F2026-00001"
    assert told["lid-1"].purchase_number == "I2026-00001"


def _check_the_correction(before: dict[str, Statement], after: dict[str, Statement]) -> None:
    """Check that everybody's change is told, and that who has none keeps the old papers."""
    assert {each.state for each in after.values()} == {StatementState.CORRECTED}
    for name, now in after.items():
        then = before[name]
        assert now.correction is not None
        assert now.correction.reason == READ_BY_HAND
        assert now.correction.previous_cents == then.to_pay_cents
        assert now.correction.delta_cents == now.to_pay_cents - then.to_pay_cents
        papers = [
            (then.invoice_number, now.invoice_number, then.owed_cents, now.owed_cents),
            (
                then.purchase_number,
                now.purchase_number,
                then.earned_gross_cents,
                now.earned_gross_cents,
            ),
        ]
        for old, new, old_cents, new_cents in papers:
            assert (old == new) == (old_cents == new_cents)
    assert after["lid-5"].to_pay_cents > before["lid-5"].to_pay_cents


def _check_the_drill(desk: Desk, run: str) -> None:
    """Check that every line of every member is the sum of its quarters."""
    for statement in statements(desk, SETTINGS, run):
        if statement.party.id not in {"lid-1", "lid-3b", "corporatie"}:
            continue
        for number, line in enumerate(statement.lines, 1):
            told = explain(desk, run, statement.party.id, number)
            assert told.energy_wh == line.energy_wh
            assert told.cents == line.amount_cents
            assert sum((day.exact_eur for day in told.days), Fraction()) == told.exact_eur
            for day in told.days:
                assert day.energy_wh == sum(wh for _, wh in day.quarters)
            if line.energy_wh is not None:
                assert sum(day.energy_wh for day in told.days) == line.energy_wh
                price = Fraction(line.price_eur)
                assert told.exact_eur == Fraction(line.energy_wh, 1000) * price
            cents = told.community_exact_eur * 100
            assert abs(cents - told.community_cents) <= Fraction(1, 2)
    rows = quarters(desk, run, "home-8", LET)
    assert {row.member for row in rows} == {"lid-8"}
    assert {row.member for row in quarters(desk, run, "home-8", date(2026, 10, 3))} == {""}
    assert len(quarters(desk, run, "home-1", date(2026, 10, 25))) == 100


def _days(document: Json) -> Iterator[dict[str, Json]]:
    assert isinstance(document, dict)
    days = document["days"]
    assert isinstance(days, list)
    for day in days:
        assert isinstance(day, dict)
        yield day


def _is_battery(day: dict[str, Json]) -> bool:
    return day["connection"] == BATTERY_ROW


def _list(value: Json) -> list[int]:
    assert isinstance(value, list)
    return [each for each in value if isinstance(each, int)]
