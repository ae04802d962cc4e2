"""Both chains: whatever is changed, taken out, put in, moved or cut off is found."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import pytest
from sqlalchemy import select, text

from api.cooperative.books import post
from api.cooperative.chain import Head, head, heads, publish_head, record, verify_chains
from api.cooperative.database import Books
from api.cooperative.documents import Series, issue
from api.cooperative.keys import Keys
from api.cooperative.links import AUDIT_SIGNED, Chain, Link, broken_links, signed_text
from api.cooperative.officers import Officer
from api.cooperative.tables.ledger import AuditRow
from api.cooperative.verify import verify
from tests.api.cooperative.conftest import AUGUST_S
from tests.api.cooperative.journals import JULY_31, bill

Row: TypeAlias = tuple[int, int, str, str, str, str, str]
"""A row of the audit log as it is stored; its hash is the last."""
EDITS = 10_000
_ROWS = 50


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_ten_thousand_random_edits_of_the_audit_chain_are_all_found(
    books: Books, board: Officer
) -> None:
    with books.desk(board) as desk:
        for number in range(_ROWS):
            record(desk, "reading.look", f"c{number}", {"day": "2026-07-31", "n": number})
        chosen = select(*AUDIT_SIGNED, AuditRow.hash).order_by(AuditRow.id)
        rows = [_row(tuple(row)) for row in desk.session.execute(chosen)]
        kept = {head(desk).count: head(desk).hash}
    dice = random.Random(20261122)  # noqa: S311 - no secret
    assert faults(rows, books.keys, kept) == []

    missed = []
    for _ in range(EDITS):
        edit = dice.choice(EDITING)
        edited = edit(dice, rows)
        if edited != rows and not faults(edited, books.keys, kept):
            missed.append((edit.__name__, edited))

    assert missed == []


def change_a_field(dice: random.Random, rows: list[Row]) -> list[Row]:
    """Change one field of one row."""
    place, field = dice.randrange(len(rows)), dice.randrange(7)
    row: list[int | str] = list(rows[place])
    value = row[field]
    if isinstance(value, int):
        row[field] = value + dice.choice((-1, 1, 86_400))
    else:
        at = dice.randrange(len(value) + 1)
        row[field] = value[:at] + dice.choice("x0 \n") + value[at + dice.randrange(2) :]
    return sorted([*rows[:place], _row(tuple(row)), *rows[place + 1 :]])


def take_out(dice: random.Random, rows: list[Row]) -> list[Row]:
    """Take a row out, and sometimes close the gap in the numbers."""
    place = dice.randrange(len(rows))
    rest = [*rows[:place], *rows[place + 1 :]]
    return renumbered(rest) if dice.randrange(2) else rest


def put_in(dice: random.Random, rows: list[Row]) -> list[Row]:
    """Put a row in that looks like another one."""
    place, like = dice.randrange(len(rows) + 1), dice.choice(rows)
    return renumbered([*rows[:place], like, *rows[place:]])


def move(dice: random.Random, rows: list[Row]) -> list[Row]:
    """Let two rows change places."""
    one, other = dice.randrange(len(rows)), dice.randrange(len(rows))
    moved = list(rows)
    moved[one], moved[other] = moved[other], moved[one]
    return renumbered(moved)


def cut_off(dice: random.Random, rows: list[Row]) -> list[Row]:
    """Cut the end off."""
    return rows[: dice.randrange(len(rows))]


def cut_off_and_write_on(dice: random.Random, rows: list[Row]) -> list[Row]:
    """Cut the end off and fill up with rows that were there before."""
    stays = dice.randrange(len(rows))
    filled = [dice.choice(rows) for _ in range(len(rows) - stays)]
    return renumbered([*rows[:stays], *filled])


EDITING: tuple[Callable[[random.Random, list[Row]], list[Row]], ...] = (
    change_a_field,
    take_out,
    put_in,
    move,
    cut_off,
    cut_off_and_write_on,
)


def faults(rows: list[Row], keys: Keys, kept: dict[int, str]) -> list[tuple[int, str]]:
    """Return what the product finds wrong with rows as they would be stored."""
    links = (Link(row[0], signed_text(row[:-1]), row[-1]) for row in rows)
    return broken_links(links, keys.linker(Chain.AUDIT), kept)


def renumbered(rows: list[Row]) -> list[Row]:
    """Give rows the numbers from 1."""
    return [(number, *row[1:]) for number, row in enumerate(rows, 1)]


def _row(values: tuple[object, ...]) -> Row:
    first, second, *words = values
    assert isinstance(first, int)
    assert isinstance(second, int)
    officer, act, subject, body, link = (str(word) for word in words)
    return first, second, officer, act, subject, body, link


FORGERIES = (
    "UPDATE entry SET reason = 'nothing to see' WHERE id = 2",
    "UPDATE entry SET officer = 'board' WHERE id = 1",
    "UPDATE entry SET day = '2026-07-30' WHERE id = 3",
    "UPDATE posting SET amount = amount + 100 WHERE entry = 2 AND line IN (1)",
    "UPDATE posting SET amount = amount * 2 WHERE entry = 2",
    "UPDATE posting SET part = 'bram' WHERE entry = 1 AND line = 1",
    "UPDATE posting SET cost_centre = 'care' WHERE entry = 1",
    "UPDATE posting SET line = 9 WHERE entry = 1 AND line = 4",
    "DELETE FROM posting WHERE entry = 2",
    "DELETE FROM entry WHERE id = 2",
    "DELETE FROM entry WHERE id = 3",
    (
        "INSERT INTO posting SELECT 9, line, chart, part, unit, amount, cost_centre FROM posting"
        " WHERE entry = 1"
    ),
    "UPDATE audit SET body = replace(body, '1210', '121')",
    "UPDATE audit SET officer = 'board' WHERE id = 1",
    "DELETE FROM audit WHERE id = (SELECT MAX(id) FROM audit)",
    "DELETE FROM audit WHERE id = 1",
    "DELETE FROM head",
    "UPDATE head SET audit_hash = ledger_hash",
    "UPDATE document SET amount_cents = 1 WHERE number = 1",
    "UPDATE document SET body = '{\"amount_cents\":1}' WHERE number = 1",
    "DELETE FROM document WHERE number = 2",
)


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_whoever_writes_in_the_file_itself_is_found(books: Books, treasurer: Officer) -> None:
    fill(books, treasurer)
    for forgery in FORGERIES:
        with books.reading(treasurer) as desk:
            assert verify(desk) == []
            names = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            for name in desk.session.scalars(text(names)).all():
                desk.session.execute(text(f"DROP TRIGGER {name}"))
            desk.session.execute(text("PRAGMA defer_foreign_keys=ON"))
            desk.session.connection().exec_driver_sql(forgery)

            assert verify(desk), forgery


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_books_that_were_cut_back_whole_are_found_by_a_head_that_a_member_kept(
    books: Books, treasurer: Officer
) -> None:
    fill(books, treasurer)
    with books.desk(treasurer) as desk:
        letter = publish_head(desk).text()
    cut = ("entry WHERE id = 3", "posting WHERE entry = 3", "audit WHERE id > 5", "head")
    with books.reading(treasurer) as desk:
        names = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for name in desk.session.scalars(text(names)).all():
            desk.session.execute(text(f"DROP TRIGGER {name}"))
        desk.session.execute(text("DELETE FROM document WHERE number = 3"))
        for what in cut:
            desk.session.execute(text(f"DELETE FROM {what}"))  # noqa: S608

        found = verify_chains(desk, [Head.of_text(letter)])

    assert any("a head was kept" in fault.what for fault in found)


def test_a_head_covers_both_chains_and_can_be_kept_as_a_line(
    books: Books, treasurer: Officer
) -> None:
    fill(books, treasurer)
    with books.desk(treasurer) as desk:
        published = publish_head(desk)
        post(desk, bill("anna", "9"))

    with books.reading(treasurer) as desk:
        assert heads(desk)[-1] == published == Head.of_text(published.text())
        assert published.entries == 3
        assert verify_chains(desk, [published]) == []


def test_an_act_is_told_with_who_when_and_what_was_before(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        record(desk, "supplier.change", "c1", {"supplier": "b"}, {"supplier": "a"})

    with books.reading(treasurer) as desk:
        row = desk.session.get_one(AuditRow, 1)

        assert (row.officer, row.at_s) == ("treasurer", AUGUST_S)
        assert (row.act, row.subject) == ("supplier.change", "c1")
        assert row.body == '{"before":{"supplier":"a"},"facts":{"supplier":"b"}}'


def fill(books: Books, officer: Officer) -> None:
    """Post three bills with their papers, and keep a head."""
    with books.desk(officer) as desk:
        for number in ("1", "2", "3"):
            posted = post(desk, bill("anna", number))
            issue(desk, Series.INVOICE, "anna", JULY_31, {"amount_cents": 1210}, posted.id)
        publish_head(desk)


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_an_amount_that_was_changed_is_told_and_the_look_goes_on(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        post(desk, replace(bill("anna", "1"), source="manual"))
        desk.session.execute(text("DROP TRIGGER posting_no_update"))
        desk.session.execute(text("UPDATE posting SET amount = amount + 1 WHERE line = 1"))

        found = verify(desk)

    assert any("was changed in the database" in each.what for each in found)
    assert len(found) > 2
