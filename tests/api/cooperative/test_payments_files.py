"""Payment files: what is open and nothing else, once, released by two people."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from api.cooperative.books import trial_balance
from api.cooperative.chain import verify_chains
from api.cooperative.database import Books
from api.cooperative.documents import credit
from api.cooperative.errors import BooksError, NotAllowedError, StateError
from api.cooperative.officers import Officer
from api.cooperative.payments import (
    ByHand,
    Direction,
    FileState,
    check_items,
    collect,
    draft,
    export,
    open_items,
    pay_out,
    release,
    withdraw,
)
from api.cooperative.payments.sepa_reading import read_order
from kwartier.ledger import Account
from tests.api.cooperative.paying import (
    CREDITOR,
    EARNS,
    OWES,
    PAY_DAY,
    RUN,
    Company,
    iban,
    settings,
)

ON_SQLITE = pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
"""For what asks the database nothing that another test here does not ask of both."""


@pytest.fixture
def company(books: Books, treasurer: Officer, board: Officer, tmp_path: Path) -> Company:
    """A cooperative of three: one pays, one is paid, one pays by hand."""
    made = Company(books, settings(tmp_path), treasurer, board)
    made.members(1, 2, 3, without_mandate=(3,))
    made.papers((OWES, 1, 2412), (EARNS, 1, 812), (OWES, 2, 500), (EARNS, 2, 3105), (OWES, 3, 999))
    return made


def test_a_file_collects_what_is_open_and_another_pays_out_the_rest(company: Company) -> None:
    with company.books.desk(company.treasurer) as desk:
        made = draft(desk, company.settings, RUN, PAY_DAY)

    collected, paid = made.files
    assert (collected.direction, collected.count, collected.cents) == (Direction.COLLECT, 1, 1600)
    assert (paid.direction, paid.count, paid.cents) == (Direction.PAY_OUT, 1, 2605)
    assert made.by_hand == (ByHand("huis-3", 999, "no_mandate", "F2026-00003"),)


@ON_SQLITE
def test_the_bank_reads_in_the_file_what_the_books_have_open(company: Company) -> None:
    with company.books.desk(company.treasurer) as desk:
        file = collect(desk, company.settings, RUN, PAY_DAY)
    with company.books.desk(company.board) as desk:
        release(desk, file.number)
        read = read_order(export(desk, file.number))

    (line,) = read.lines
    assert (line.end_to_end, line.cents, line.iban) == ("F2026-00001", 1600, iban(1))
    assert (line.mandate, line.signed, line.sequence) == ("M-0001", "2026-01-05", "FRST")
    assert (line.name, line.town, line.country) == ("Fam. huis-1 + Zoe", "Utrecht", "NL")
    assert line.text == "Afrekening 2026-07 F2026-00001 I2026-00001"


@ON_SQLITE
def test_nothing_is_taken_up_twice(company: Company) -> None:
    with company.books.desk(company.treasurer) as desk:
        draft(desk, company.settings, RUN, PAY_DAY)

    with company.books.desk(company.treasurer) as desk:
        again = draft(desk, company.settings, RUN, PAY_DAY)

    assert again.files == ()
    assert [each.party for each in again.by_hand] == ["huis-3"]


def test_a_released_file_is_on_its_way_and_leaves_nothing_open(company: Company) -> None:
    with company.books.desk(company.treasurer) as desk:
        made = draft(desk, company.settings, RUN, PAY_DAY)
    with company.books.desk(company.board) as desk:
        released = [release(desk, file.number) for file in made.files]

    assert [file.state for file in released] == [FileState.RELEASED] * 2
    with company.books.reading(company.treasurer) as desk:
        held = trial_balance(desk)
        assert held[Account("transit:mandates")] == 1600
        assert held[Account("transit:payouts")] == -2605
        assert [(item.party, item.rest) for item in open_items(desk)] == [("huis-3", 999)]
        assert check_items(desk) == []
        assert verify_chains(desk) == []


def test_releasing_twice_posts_once(company: Company) -> None:
    with company.books.desk(company.treasurer) as desk:
        file = collect(desk, company.settings, RUN, PAY_DAY)
    with company.books.desk(company.board) as desk:
        release(desk, file.number)
    with company.books.desk(company.board) as desk:
        release(desk, file.number)

    with company.books.reading(company.board) as desk:
        assert trial_balance(desk)[Account("transit:mandates")] == 1600


def test_nobody_releases_a_file_of_their_own(company: Company, treasurer_at_home: Officer) -> None:
    with company.books.desk(company.treasurer) as desk:
        file = collect(desk, company.settings, RUN, PAY_DAY)

    for officer in (company.treasurer, treasurer_at_home):
        with pytest.raises(NotAllowedError), company.books.desk(officer) as desk:
            release(desk, file.number)


@ON_SQLITE
def test_only_a_released_file_is_written_out(company: Company) -> None:
    with company.books.desk(company.treasurer) as desk:
        file = pay_out(desk, company.settings, RUN, PAY_DAY)

    with (
        pytest.raises(StateError, match="second person"),
        company.books.desk(company.treasurer) as desk,
    ):
        export(desk, file.number)


def test_a_file_is_written_out_in_the_same_bytes_every_time(company: Company) -> None:
    with company.books.desk(company.treasurer) as desk:
        file = collect(desk, company.settings, RUN, PAY_DAY)
    with company.books.desk(company.board) as desk:
        release(desk, file.number)
        first = export(desk, file.number)

    with company.books.desk(company.treasurer) as desk:
        assert export(desk, file.number) == first


def test_a_withdrawn_file_frees_its_papers(company: Company) -> None:
    with company.books.desk(company.treasurer) as desk:
        file = collect(desk, company.settings, RUN, PAY_DAY)
        assert withdraw(desk, file.number, "wrong day").state is FileState.WITHDRAWN

    with company.books.desk(company.treasurer) as desk:
        again = collect(desk, company.settings, RUN, date(2026, 8, 20))
    assert again.cents == file.cents
    with pytest.raises(StateError, match="withdrawn"), company.books.desk(company.board) as desk:
        release(desk, file.number)


@ON_SQLITE
def test_a_member_in_a_waiting_file_gets_no_second_one(company: Company) -> None:
    with company.books.desk(company.treasurer) as desk:
        file = collect(desk, company.settings, RUN, PAY_DAY)
        credit(desk, "F2026-00001", PAY_DAY, "wrong reading")
        made = draft(desk, company.settings, RUN, PAY_DAY)
    assert [each.direction for each in made.files] == [Direction.PAY_OUT]
    assert made.files[0].cents == 2605

    with company.books.desk(company.treasurer) as desk:
        withdraw(desk, file.number, "the invoice was wrong")
        (anew,) = draft(desk, company.settings, RUN, PAY_DAY).files

    # 24.12 was credited and 8.12 is still earned.
    assert (anew.direction, anew.cents) == (Direction.PAY_OUT, 812)


def test_a_correction_nets_the_old_papers_with_the_new(company: Company) -> None:
    with company.books.desk(company.treasurer) as desk:
        file = collect(desk, company.settings, RUN, PAY_DAY)
    with company.books.desk(company.board) as desk:
        release(desk, file.number)
    with company.books.desk(company.treasurer) as desk:
        credit(desk, "F2026-00001", PAY_DAY, "wrong reading")
    company.papers((OWES, 1, 2500), run="2026-07/2", day=PAY_DAY)

    with company.books.desk(company.treasurer) as desk:
        corrected = collect(desk, company.settings, "2026-07/2", PAY_DAY)

    # 25.00 in place of 24.12, which was collected: 0.88 more.
    assert (corrected.count, corrected.cents) == (1, 88)


@ON_SQLITE
def test_papers_that_come_to_nothing_are_closed_without_money(
    books: Books, treasurer: Officer, board: Officer, tmp_path: Path
) -> None:
    company = Company(books, settings(tmp_path), treasurer, board)
    company.members(1)
    company.papers((OWES, 1, 700), (EARNS, 1, 700))

    with books.desk(treasurer) as desk:
        made = draft(desk, company.settings, RUN, PAY_DAY)

    assert (made.files, made.set_off) == ((), ("huis-1",))
    with books.reading(treasurer) as desk:
        assert open_items(desk) == []
        assert trial_balance(desk)[Account("receivable:huis-1")] == 0


@ON_SQLITE
def test_an_amount_above_the_limit_is_refused_and_nothing_is_drafted(company: Company) -> None:
    refused = pytest.raises(BooksError, match="huis-1: 1600 cents is above the limit of 1000")
    with refused, company.books.desk(company.treasurer) as desk:
        draft(desk, company.settings, RUN, PAY_DAY, limit_cents=1000)

    with company.books.desk(company.treasurer) as desk:
        assert collect(desk, company.settings, RUN, PAY_DAY).number == 1


@ON_SQLITE
def test_a_day_that_is_past_is_refused(company: Company) -> None:
    with pytest.raises(StateError, match="past"), company.books.desk(company.treasurer) as desk:
        draft(desk, company.settings, RUN, date(2026, 7, 1))


def test_the_second_collection_of_a_mandate_is_recurrent(company: Company) -> None:
    with company.books.desk(company.treasurer) as desk:
        file = collect(desk, company.settings, RUN, PAY_DAY)
    with company.books.desk(company.board) as desk:
        release(desk, file.number)
    company.papers((OWES, 1, 100), run="2026-08/1", day=PAY_DAY)

    with company.books.desk(company.treasurer) as desk:
        second = collect(desk, company.settings, "2026-08/1", date(2026, 9, 15))
    with company.books.desk(company.board) as desk:
        release(desk, second.number)
        (line,) = read_order(export(desk, second.number)).lines

    assert line.sequence == "RCUR"
    assert CREDITOR.encode() in export_bytes(company, second.number)


def export_bytes(company: Company, number: int) -> bytes:
    with company.books.desk(company.treasurer) as desk:
        return export(desk, number)
