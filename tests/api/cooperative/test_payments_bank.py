"""The bank's statement: booked once, matched by what is certain, opened again when returned."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from api.cooperative.books import JOURNAL_LIMIT_CENTS, Posted, trial_balance
from api.cooperative.chain import verify_chains
from api.cooperative.database import Books
from api.cooperative.errors import BooksError, ConflictError, NotAllowedError, StateError
from api.cooperative.four_eyes import Proposal, approve
from api.cooperative.officers import Officer
from api.cooperative.payments import (
    Direction,
    Imported,
    PaymentFile,
    ageing,
    breaks,
    check_items,
    draft,
    import_statement,
    match_to_account,
    match_to_party,
    open_items,
    propose_write_off,
    refuse,
    release,
    rematch,
    unmatched,
    write_off,
)
from api.cooperative.payments.camt import BankLine
from kwartier.ledger import Account
from tests.api.cooperative.paying import (
    BANK_DAY,
    EARNS,
    JULY_31,
    OWES,
    PAY_DAY,
    RUN,
    Company,
    camt,
    iban,
    settings,
)

ON_SQLITE = pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
"""For what asks the database nothing that another test here does not ask of both."""


@pytest.fixture
def company(books: Books, treasurer: Officer, board: Officer, tmp_path: Path) -> Company:
    """A cooperative whose files of July are with the bank; huis-3 pays by hand."""
    made = Company(books, settings(tmp_path), treasurer, board)
    made.members(1, 2, 3, without_mandate=(3,))
    made.papers((OWES, 1, 2412), (EARNS, 1, 812), (EARNS, 2, 3105), (OWES, 3, 999))
    send(made)
    return made


def send(company: Company) -> tuple[PaymentFile, ...]:
    with company.books.desk(company.treasurer) as desk:
        files = draft(desk, company.settings, RUN, PAY_DAY, again=True).files
    with company.books.desk(company.board) as desk:
        return tuple(release(desk, file.number) for file in files)


def read(company: Company, content: bytes) -> Imported:
    with company.books.desk(company.treasurer) as desk:
        return import_statement(desk, company.settings, content)


def balance(company: Company, account: str) -> int:
    with company.books.reading(company.treasurer) as desk:
        assert check_items(desk) == []
        assert verify_chains(desk) == []
        return trial_balance(desk).get(Account(account), 0)


def is_open(company: Company) -> dict[str, int]:
    with company.books.reading(company.treasurer) as desk:
        return {item.document: item.rest for item in open_items(desk)}


COLLECTED = BankLine(BANK_DAY, 1600, "F2026-00001", reference="A1", iban=iban(1))
PAID = BankLine(BANK_DAY, -3105, "I2026-00002", reference="A2", iban=iban(2))
BY_HAND = BankLine(BANK_DAY, 999, text="factuur F2026 00002", reference="A3", iban=iban(30))


def test_a_full_statement_clears_everything(company: Company) -> None:
    found = read(company, camt([COLLECTED, PAID, BY_HAND]))

    assert (found.lines, found.matched, found.unmatched) == (3, 3, ())
    assert is_open(company) == {}
    for account in ("transit:mandates", "transit:payouts", "bank:unmatched"):
        assert balance(company, account) == 0
    assert balance(company, "bank:main") == 1600 - 3105 + 999


def test_importing_twice_changes_nothing(company: Company) -> None:
    content = camt([COLLECTED, PAID])
    read(company, content)
    before = balance(company, "bank:main")

    again = read(company, content)

    assert (again.statements, again.lines, again.known) == (0, 0, 2)
    assert balance(company, "bank:main") == before


@ON_SQLITE
def test_a_line_shown_by_two_statements_is_booked_once(company: Company) -> None:
    read(company, camt([COLLECTED, PAID]))

    longer = read(company, camt([COLLECTED, PAID, BY_HAND], name="whole-month"))

    assert (longer.lines, longer.known) == (1, 2)
    assert balance(company, "bank:main") == 1600 - 3105 + 999


@ON_SQLITE
def test_a_statement_of_a_known_name_with_other_lines_is_refused(company: Company) -> None:
    read(company, camt([COLLECTED]))

    with pytest.raises(ConflictError, match="other lines"):
        read(company, camt([COLLECTED, PAID]))

    assert balance(company, "bank:main") == 1600


@ON_SQLITE
def test_lines_without_the_banks_reference_in_overlapping_statements_are_refused(
    company: Company,
) -> None:
    bare = BankLine(BANK_DAY, 250, text="gift")
    read(company, camt([bare, bare], opening=100))
    assert balance(company, "bank:main") == 500

    with pytest.raises(BooksError, match="overlaps"):
        read(company, camt([bare], opening=30, name="again"))


def test_a_file_booked_as_one_amount_clears_it(company: Company) -> None:
    with company.books.reading(company.treasurer) as desk:
        assert trial_balance(desk)[Account("transit:mandates")] == 1600
    batch = BankLine(BANK_DAY, 1600, batch="zonnewijk-20260815-1-1", reference="B1")

    assert read(company, camt([batch])).matched == 1
    assert balance(company, "transit:mandates") == 0

    # Shown once more one by one, it is somebody's question and not the same money twice.
    assert len(read(company, camt([COLLECTED], opening=1600, name="later")).unmatched) == 1


def test_a_returned_collection_is_open_again_and_can_be_collected_once_more(
    company: Company,
) -> None:
    back = BankLine(
        date(2026, 8, 20), -1600, "F2026-00001", reference="R1", returned=True, reason="AM04"
    )
    read(company, camt([COLLECTED]))
    found = read(company, camt([back], opening=1600, name="later", day=date(2026, 8, 20)))

    assert found.matched == 1
    assert is_open(company) == {"F2026-00001": 2412, "I2026-00001": -812, "F2026-00002": 999}
    assert balance(company, "bank:main") == 0
    with company.books.desk(company.treasurer) as desk:
        assert draft(desk, company.settings, RUN, PAY_DAY).files == ()

    (again,) = send(company)
    assert (again.direction, again.cents) == (Direction.COLLECT, 1600)
    anew = BankLine(BANK_DAY, 1600, "F2026-00001-2", reference="A9")
    read(company, camt([anew], name="third"))
    assert is_open(company) == {"F2026-00002": 999}


@ON_SQLITE
def test_a_return_that_comes_before_its_collection_ends_the_same(company: Company) -> None:
    back = BankLine(BANK_DAY, -1600, "F2026-00001", reference="R1", returned=True, reason="MD06")

    read(company, camt([back], opening=1600, name="later"))
    read(company, camt([COLLECTED], name="earlier"))

    assert is_open(company)["F2026-00001"] == 2412
    assert balance(company, "transit:mandates") == 0
    assert balance(company, "bank:main") == 0


@ON_SQLITE
def test_what_the_bank_refused_beforehand_is_open_again(company: Company) -> None:
    with company.books.desk(company.treasurer) as desk:
        refuse(desk, "F2026-00001", "AC04")

    assert is_open(company)["F2026-00001"] == 2412
    assert balance(company, "transit:mandates") == 0
    with pytest.raises(StateError), company.books.desk(company.treasurer) as desk:
        refuse(desk, "F2026-00001", "AC04")

    # When the money arrives all the same, it pays what was opened again.
    assert read(company, camt([COLLECTED])).matched == 1
    assert is_open(company) == {"F2026-00002": 999}


@ON_SQLITE
def test_what_the_bank_booked_is_not_refused(company: Company) -> None:
    read(company, camt([COLLECTED]))

    with pytest.raises(StateError, match="booked"), company.books.desk(company.treasurer) as desk:
        refuse(desk, "F2026-00001", "AC04")


@ON_SQLITE
def test_a_payout_that_comes_back_is_owed_again(company: Company) -> None:
    back = BankLine(BANK_DAY, 3105, "I2026-00002", reference="R2", returned=True, reason="AC04")

    read(company, camt([PAID, back]))

    assert is_open(company)["I2026-00002"] == -3105
    assert balance(company, "transit:payouts") == 0


@ON_SQLITE
def test_what_is_paid_in_part_leaves_the_rest_open(company: Company) -> None:
    part = BankLine(BANK_DAY, 600, text="F2026-00002", reference="P1", iban=iban(3))

    read(company, camt([part]))

    assert is_open(company)["F2026-00002"] == 399


@ON_SQLITE
def test_what_is_paid_too_much_waits_for_somebody(company: Company) -> None:
    more = BankLine(BANK_DAY, 1500, text="F2026-00002", reference="P1", iban=iban(3))

    (line,) = read(company, camt([more])).unmatched

    assert "F2026-00002" not in is_open(company)
    assert balance(company, "bank:unmatched") == -501
    with company.books.reading(company.treasurer) as desk:
        (waiting,) = unmatched(desk)
    assert (waiting.line, waiting.cents, waiting.iban) == (line, 501, iban(3))


@ON_SQLITE
def test_an_amount_from_a_known_account_is_matched(company: Company) -> None:
    found = read(company, camt([BankLine(BANK_DAY, 999, reference="P1", iban=iban(3))]))

    assert found.matched == 1
    assert "F2026-00002" not in is_open(company)


def test_an_unknown_amount_is_told_with_suggestions_and_matched_by_a_person(
    company: Company,
) -> None:
    (line,) = read(company, camt([BankLine(BANK_DAY, 999, reference="P1")])).unmatched
    with company.books.reading(company.treasurer) as desk:
        assert unmatched(desk)[0].suggestions == ("huis-3",)

    with company.books.desk(company.treasurer) as desk:
        match_to_party(desk, line, "huis-3")

    assert "F2026-00002" not in is_open(company)
    assert balance(company, "bank:unmatched") == 0
    with pytest.raises(StateError, match="already"), company.books.desk(company.treasurer) as desk:
        match_to_party(desk, line, "huis-3")


@ON_SQLITE
def test_bank_costs_are_matched_to_an_account(company: Company) -> None:
    (line,) = read(company, camt([BankLine(BANK_DAY, -995, reference="K")])).unmatched

    with company.books.desk(company.treasurer) as desk:
        assert isinstance(match_to_account(desk, line, "coop:bank_costs", "August"), Posted)

    assert balance(company, "coop:bank_costs") == 995
    assert balance(company, "bank:unmatched") == 0


def test_a_large_amount_is_matched_to_an_account_by_two_people(company: Company) -> None:
    cents = -JOURNAL_LIMIT_CENTS - 1
    (line,) = read(company, camt([BankLine(BANK_DAY, cents, reference="K")])).unmatched
    with company.books.desk(company.treasurer) as desk:
        proposed = match_to_account(desk, line, "coop:expenses", "a roof")
    assert isinstance(proposed, Proposal)
    assert balance(company, "bank:unmatched") == -cents

    with company.books.desk(company.board) as desk:
        approve(desk, proposed.id, proposed.body_hash)
        assert isinstance(match_to_account(desk, line, "coop:expenses", "a roof"), Posted)

    assert balance(company, "coop:expenses") == -cents


@ON_SQLITE
@pytest.mark.parametrize("account", ["receivable:huis-1", "transit:mandates", "bank:main"])
def test_no_line_is_matched_to_a_members_or_a_banks_account(company: Company, account: str) -> None:
    (line,) = read(company, camt([BankLine(BANK_DAY, -995, reference="K")])).unmatched

    with (
        pytest.raises(BooksError, match="match it to a party"),
        company.books.desk(company.treasurer) as desk,
    ):
        match_to_account(desk, line, account, "no")


def test_a_file_whose_paper_was_paid_by_hand_since_is_not_released(company: Company) -> None:
    company.papers((OWES, 2, 300))
    with company.books.desk(company.treasurer) as desk:
        (file,) = draft(desk, company.settings, RUN, PAY_DAY).files
    read(company, camt([BankLine(BANK_DAY, 300, text="F2026-00003", reference="P1")]))

    with (
        pytest.raises(StateError, match="settled since"),
        company.books.desk(company.board) as desk,
    ):
        release(desk, file.number)


@ON_SQLITE
def test_a_payment_that_came_before_its_invoice_is_found_later(company: Company) -> None:
    line = BankLine(BANK_DAY, 450, text="F2026-00003", reference="P1", iban=iban(3))
    assert len(read(company, camt([line])).unmatched) == 1
    company.papers((OWES, 3, 450), run="2026-08/1")

    with company.books.desk(company.treasurer) as desk:
        assert rematch(desk) == 1

    assert is_open(company) == {"F2026-00002": 999}
    assert balance(company, "bank:unmatched") == 0


@ON_SQLITE
def test_a_missing_statement_shows(company: Company) -> None:
    read(company, camt([COLLECTED]))
    later = date(2026, 8, 19)
    paid = BankLine(later, -3105, "I2026-00002", reference="A2")
    found = read(company, camt([paid], opening=9999, name="b", day=later))

    assert len(found.breaks) == 1
    with company.books.reading(company.treasurer) as desk:
        assert "ends with 1600 cents" in breaks(desk)[0]


def test_what_is_written_off_took_two_people(company: Company) -> None:
    with company.books.desk(company.treasurer) as desk:
        proposed = propose_write_off(desk, "F2026-00002", "moved abroad")
    with pytest.raises(NotAllowedError), company.books.desk(company.treasurer) as desk:
        write_off(desk, proposed.id)

    with company.books.desk(company.board) as desk:
        write_off(desk, proposed.id)

    assert is_open(company) == {}
    assert balance(company, "coop:write_offs") == 999
    assert balance(company, "receivable:huis-3") == 0


@ON_SQLITE
def test_a_write_off_of_what_was_paid_since_is_refused(company: Company) -> None:
    with company.books.desk(company.treasurer) as desk:
        proposed = propose_write_off(desk, "F2026-00002", "moved abroad")
    read(company, camt([BankLine(BANK_DAY, 500, text="F2026-00002", reference="P1")]))

    with (
        pytest.raises(StateError, match="another amount"),
        company.books.desk(company.board) as desk,
    ):
        write_off(desk, proposed.id)


@ON_SQLITE
def test_open_items_are_told_by_age(company: Company) -> None:
    company.papers((OWES, 3, 100), run="2026-08/1", day=date(2026, 8, 31))
    with company.books.reading(company.treasurer) as desk:
        table = ageing(open_items(desk), date(2026, 9, 1))

    # 2026-07-31 is 32 days before 2026-09-01.
    assert table == {"huis-3": (100, 999, 0, 0)}
    assert (date(2026, 9, 1) - JULY_31).days == 32
