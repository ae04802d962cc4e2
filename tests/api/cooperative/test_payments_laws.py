"""Laws of money out and in: what is open is what is moved, and what is moved is not open."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from api.cooperative.books import trial_balance
from api.cooperative.database import Books, Desk
from api.cooperative.documents import Series
from api.cooperative.keys import make_keys
from api.cooperative.officers import Officer, Role
from api.cooperative.payments import (
    Direction,
    PaymentFile,
    check_items,
    draft,
    export,
    import_statement,
    open_items,
    release,
)
from api.cooperative.payments.camt import BankLine
from api.cooperative.payments.items import OpenItem, Part, account_lines, net, take
from api.cooperative.payments.matching import Sent, Standing
from api.cooperative.payments.planning import Payer, plan
from api.cooperative.payments.sepa import MandatePart, Sequence
from api.cooperative.payments.sepa_reading import read_order
from kwartier.clock import VirtualClock
from tests.api.cooperative.conftest import AUGUST_S
from tests.api.cooperative.paying import (
    BANK_DAY,
    EARNS,
    HOME,
    JULY_31,
    OWES,
    PAY_DAY,
    RUN,
    Company,
    camt,
    iban,
    issue_paper,
    settings,
)

HOUSES = (1, 2, 3)
TREASURER = Officer("treasurer", "anna", frozenset({Role.TREASURER}))
BOARD = Officer("board", "bram", frozenset({Role.BOARD}))
cents = st.integers(-100_000, 100_000).filter(bool)
papers = st.lists(
    st.tuples(st.sampled_from((OWES, EARNS)), st.sampled_from(HOUSES), st.integers(1, 100_000)),
    max_size=8,
)


@st.composite
def items_of_one(draw: st.DrawFn) -> list[OpenItem]:
    """Open items of one party on both of its accounts."""
    amounts = draw(st.lists(st.tuples(cents, st.booleans()), min_size=1, max_size=8))
    return [
        OpenItem(
            "huis-1",
            f"F{number}",
            "receivable:huis-1" if owed else "payable:huis-1",
            RUN,
            date(2026, 1, 1 + number),
            amount,
        )
        for number, (amount, owed) in enumerate(amounts)
    ]


@examples(max_examples=300)
@given(items=items_of_one(), share=st.integers(1, 100))
def test_what_is_taken_is_what_was_paid_and_never_more_than_is_open(
    items: list[OpenItem], share: int
) -> None:
    open_cents = net(items)
    paid = open_cents * share // 100
    if paid == 0:
        return

    parts = take(items, paid)

    assert sum(part.cents for part in parts) == paid
    assert all(0 < part.cents * part.item.rest <= part.item.rest**2 for part in parts)
    assert sum(line.amount for line in account_lines(parts)) == -paid
    if paid == open_cents:
        left = {part.item.document: part.item.rest - part.cents for part in parts}
        assert set(left) == {item.document for item in items}
        assert set(left.values()) == {0}


@examples(max_examples=300)
@given(
    items=items_of_one(),
    signed=st.none() | st.just(date(2026, 1, 5)),
    account=st.sampled_from(("", iban(1))),
)
def test_each_party_is_in_one_place_with_one_amount_above_zero(
    items: list[OpenItem], signed: date | None, account: str
) -> None:
    mandate = signed and MandatePart("M-1", signed, Sequence.FIRST)
    payer = Payer("huis-1", "A", HOME, mandate or None, iban(1) if mandate else "", account)

    found = plan(items, {"huis-1": payer}, {}, "Afrekening", PAY_DAY)

    planned = (*found.collect, *found.pay_out)
    assert len(planned) + len(found.by_hand) + len(found.set_off) == 1
    assert all(each.instruction.cents > 0 for each in planned)
    moved = [each.instruction.cents for each in found.collect]
    moved += [-each.instruction.cents for each in found.pay_out]
    moved += [each.cents for each in found.by_hand] + [0 for _ in found.set_off]
    assert moved == [net(items)]


@pytest.fixture(scope="module")
def company(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Three members with mandates and accounts, in books of SQLite."""
    folder = tmp_path_factory.mktemp("laws")
    shutil.copy(sqlite_template, folder / "books.db")
    url = f"sqlite:///{folder / 'books.db'}"
    books = Books(url, make_keys(folder / "keys"), VirtualClock(AUGUST_S))
    made = Company(books, settings(folder), TREASURER, BOARD)
    made.members(*HOUSES)
    yield made
    books.close()


class _UndoneError(Exception):
    """Takes a transaction back."""


@contextmanager
def undone(company: Company) -> Iterator[Desk]:
    """Give one transaction of which nothing is kept."""
    try:
        with company.books.desk(TREASURER) as desk:
            yield desk
            _undo()
    except _UndoneError:
        return


def _undo() -> NoReturn:
    raise _UndoneError


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(20, id="twenty"),
        pytest.param(200, id="two hundred", marks=pytest.mark.nightly),
    ],
)
def test_a_full_statement_leaves_nothing_open_whatever_comes_twice_or_first(
    company: Company, again: int
) -> None:
    @examples(max_examples=again)
    @given(papers=papers, data=st.data())
    def law(papers: list[tuple[Series, int, int]], data: st.DataObject) -> None:
        with undone(company) as desk:
            files = _sent(desk, company, papers)
            shown = [line for file in files for line in _bank_lines(desk, file)]
            twice = data.draw(st.lists(st.sampled_from(shown), max_size=3)) if shown else []
            for line in data.draw(st.permutations([*shown, *twice])):
                import_statement(desk, company.settings, camt([line], name=line.reference))
            _check_nothing_is_open(desk, papers)

    law()


def _check_nothing_is_open(desk: Desk, papers: list[tuple[Series, int, int]]) -> None:
    assert open_items(desk) == []
    assert check_items(desk) == []
    held = {account.name: amount for account, amount in trial_balance(desk).items() if amount}
    total = sum(amount if side is OWES else -amount for side, _, amount in papers)
    assert held.get("bank:main", 0) == total
    assert not [name for name in held if name.partition(":")[0] in _EMPTY]
    assert "bank:unmatched" not in held


@examples(max_examples=300)
@given(amounts=st.lists(cents, min_size=1, max_size=8), data=st.data())
def test_every_line_of_a_file_clears_it_once(amounts: list[int], data: st.DataObject) -> None:
    state = _standing(amounts)
    shown = [BankLine(BANK_DAY, amount, f"E{number}") for number, amount in enumerate(amounts)]
    twice = data.draw(st.lists(st.sampled_from(shown), max_size=4))
    back = [
        replace(line, cents=-line.cents, returned=True)
        for line in data.draw(st.lists(st.sampled_from(shown), max_size=4))
    ]
    cleared: list[str] = []
    returned: list[str] = []

    for line in data.draw(st.permutations([*shown, *twice, *back])):
        match = state.decide(line, "")
        if match is not None:
            state.accept(match)
            assert match.cents == line.cents
            (returned if match.returns else cleared).append(line.end_to_end)

    assert sorted(cleared) == [f"E{number}" for number in range(len(amounts))]
    assert sorted(returned) == sorted({line.end_to_end for line in back})
    assert set(state.uncleared.values()) == {0}
    for number, amount in enumerate(amounts):
        (item,) = state.items[f"huis-{number}"]
        assert item.rest == (amount if f"E{number}" in returned else 0)


def _standing(amounts: list[int]) -> Standing:
    """Return two files, one each way, that hold one instruction per amount and were released."""
    state = Standing(files={"in": 1, "out": 2}, uncleared={1: 0, 2: 0})
    for number, amount in enumerate(amounts):
        party, file = f"huis-{number}", 1 if amount > 0 else 2
        account = f"receivable:{party}"
        item = OpenItem(party, f"F{number}", account, RUN, JULY_31, amount, amount)
        direction = Direction.COLLECT if amount > 0 else Direction.PAY_OUT
        parts = (Part(item, amount),)
        state.items[party] = [item]
        state.sent[f"E{number}"] = Sent(
            number, file, party, direction, f"E{number}", "", abs(amount), parts
        )
        state.uncleared[file] += amount
    return state


_EMPTY = ("receivable", "payable", "transit")


def _sent(
    desk: Desk, company: Company, papers: list[tuple[Series, int, int]]
) -> tuple[PaymentFile, ...]:
    """Issue papers and send the files that pay them; the files hold what is open."""
    for series, number, amount in papers:
        issue_paper(desk, series, f"huis-{number}", amount, RUN, JULY_31)
    if not papers:
        return ()
    by_party = {
        number: sum(a if s is OWES else -a for s, n, a in papers if n == number)
        for number in HOUSES
    }
    made = draft(desk, company.settings, RUN, PAY_DAY)
    assert made.by_hand == ()
    found = {file.direction: file.cents for file in made.files}
    assert found.get(Direction.COLLECT, 0) == sum(c for c in by_party.values() if c > 0)
    assert found.get(Direction.PAY_OUT, 0) == -sum(c for c in by_party.values() if c < 0)
    board = replace(desk, officer=BOARD)
    return tuple(release(board, file.number) for file in made.files)


def _bank_lines(desk: Desk, file: PaymentFile) -> list[BankLine]:
    sign = 1 if file.direction is Direction.COLLECT else -1
    return [
        BankLine(
            BANK_DAY,
            sign * line.cents,
            line.end_to_end,
            reference=line.end_to_end,
            name="A",
            iban=line.iban,
        )
        for line in read_order(export(desk, file.number)).lines
    ]
