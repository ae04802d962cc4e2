"""Four eyes: a single account approves nothing of its own, by whatever route."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from api.cooperative.books import (
    WRITE_OFF,
    Journal,
    approved_matter,
    journal_body,
    post,
    reverse,
    trial_balance,
)
from api.cooperative.database import Books, Desk
from api.cooperative.errors import BooksError, NotAllowedError, StateError, TamperedError
from api.cooperative.four_eyes import (
    Matter,
    Proposal,
    approval,
    approve,
    broken_verdicts,
    open_proposals,
    propose,
    reject,
)
from api.cooperative.officers import SYSTEM, Officer
from api.cooperative.verify import verify
from kwartier.ledger import Account
from kwartier.wire import Json
from tests.api.cooperative.journals import AUGUST_1, moved

BODY: Json = {"type": "equal", "participants": ["a", "b"]}
VERDICT = (
    "INSERT INTO verdict (proposal, approved, body_hash, officer, person, reason, at_s, seal)"
    " VALUES (:proposal, :approved, :body_hash, :officer, :person, '', 1, 'made up')"
)


@pytest.fixture
def proposed(books: Books, treasurer: Officer) -> Proposal:
    """A key that the treasurer proposed."""
    with books.desk(treasurer) as desk:
        return propose(desk, Matter.KEY, "key-2", BODY)


def test_a_second_person_approves(books: Books, proposed: Proposal, board: Officer) -> None:
    with books.desk(board) as desk:
        assert approval(desk, Matter.KEY, "key-2", BODY) is None
        approve(desk, proposed.id, proposed.body_hash)

    with books.reading(board) as desk:
        found = approval(desk, Matter.KEY, "key-2", BODY)
        assert found is not None
        assert (found.proposed_by, found.officer, found.person) == ("treasurer", "board", "bram")
        assert approval(desk, Matter.KEY, "key-2", {"type": "proportional"}) is None
        assert approval(desk, Matter.TARIFF, "key-2", BODY) is None
        assert open_proposals(desk) == []
        assert verify(desk) == []


def test_nobody_approves_a_proposal_of_their_own(
    books: Books, board: Officer, treasurer_at_home: Officer
) -> None:
    for officer in (board, treasurer_at_home):
        with books.desk(officer) as desk:
            own = propose(desk, Matter.KEY, f"key-of-{officer.id}", BODY)
        with pytest.raises(NotAllowedError, match="second person"), books.desk(officer) as desk:
            approve(desk, own.id, own.body_hash)


def test_a_second_account_of_one_person_is_the_same_pair_of_eyes(
    books: Books, proposed: Proposal, treasurer_at_home: Officer
) -> None:
    with (
        pytest.raises(NotAllowedError, match="same person"),
        books.desk(treasurer_at_home) as desk,
    ):
        approve(desk, proposed.id, proposed.body_hash)


def test_the_house_itself_and_those_without_the_role_approve_nothing(
    books: Books, proposed: Proposal, bookkeeper: Officer, auditor: Officer
) -> None:
    nobody = Officer("ghost", "", frozenset(bookkeeper.roles))
    for officer in (SYSTEM, bookkeeper, auditor, nobody):
        with pytest.raises(NotAllowedError), books.desk(officer) as desk:
            approve(desk, proposed.id, proposed.body_hash)
    for officer in (SYSTEM, auditor, nobody):
        with pytest.raises(NotAllowedError), books.desk(officer) as desk:
            propose(desk, Matter.KEY, "key-3", BODY)


@pytest.mark.parametrize(
    ("officer", "person"),
    [("treasurer", "anna"), ("treasurer", "bram"), ("other", "anna"), ("system", "system")],
)
def test_the_database_refuses_a_verdict_of_the_proposer(
    books: Books, proposed: Proposal, board: Officer, officer: str, person: str
) -> None:
    with pytest.raises(BooksError, match="approves"), books.desk(board) as desk:
        insert_verdict(desk, proposed, officer=officer, person=person)


def test_a_verdict_that_somebody_made_up_in_the_database_counts_for_nothing(
    books: Books, proposed: Proposal, board: Officer
) -> None:
    with books.desk(board) as desk:
        insert_verdict(desk, proposed)

        with pytest.raises(TamperedError, match="not written by these books"):
            approval(desk, Matter.KEY, "key-2", BODY)
        assert [number for number, _ in broken_verdicts(desk)] == [proposed.id]
        assert len(verify(desk)) == 2  # the seal, and the audit log that knows of no verdict


def test_a_verdict_on_another_body_is_refused(
    books: Books, proposed: Proposal, board: Officer
) -> None:
    with pytest.raises(BooksError, match="look at it again"), books.desk(board) as desk:
        approve(desk, proposed.id, "0" * 64)
    with pytest.raises(BooksError, match="not what was proposed"), books.desk(board) as desk:
        insert_verdict(desk, proposed, body_hash="0" * 64)


def test_a_body_that_changed_after_the_approval_is_not_approved(
    books: Books, proposed: Proposal, board: Officer
) -> None:
    with books.desk(board) as desk:
        approve(desk, proposed.id, proposed.body_hash)

        assert approval(desk, Matter.KEY, "key-2", {"type": "equal", "participants": []}) is None


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_a_proposal_that_was_changed_in_the_file_is_found(
    books: Books, proposed: Proposal, board: Officer
) -> None:
    with books.desk(board) as desk:
        approve(desk, proposed.id, proposed.body_hash)
    changes = ("officer = 'board', person = 'bram'", "subject = 'key-9'", "body = '{}'")
    for change in (*changes, "body = '{'", "matter = 'moon'"):
        with books.desk(board) as desk:
            desk.session.execute(text("DROP TRIGGER IF EXISTS proposal_no_update"))
            desk.session.execute(text(f"UPDATE proposal SET {change}"))  # noqa: S608

            assert [number for number, _ in broken_verdicts(desk)] == [proposed.id]


def test_nothing_is_approved_after_it_was_rejected(
    books: Books, proposed: Proposal, board: Officer
) -> None:
    with books.desk(board) as desk:
        reject(desk, proposed.id, "two homes are missing")

        with pytest.raises(StateError, match="was rejected by board"):
            approve(desk, proposed.id, proposed.body_hash)
    with pytest.raises(BooksError), books.desk(board) as desk:
        insert_verdict(desk, proposed)


def test_what_was_rejected_is_proposed_anew_and_needs_a_second_person_again(
    books: Books, proposed: Proposal, treasurer: Officer, treasurer_at_home: Officer, board: Officer
) -> None:
    with books.desk(board) as desk:
        reject(desk, proposed.id, "two homes are missing")
    with books.desk(treasurer_at_home) as desk:
        again = propose(desk, Matter.KEY, "key-2", BODY)

    assert again.id == proposed.id + 1
    with pytest.raises(NotAllowedError), books.desk(treasurer_at_home) as desk:
        approve(desk, again.id, again.body_hash)
    with books.desk(board) as desk:
        assert approval(desk, Matter.KEY, "key-2", BODY) is None
        approve(desk, again.id, again.body_hash)
        assert approval(desk, Matter.KEY, "key-2", BODY) is not None


def test_one_subject_waits_for_one_decision(
    books: Books, proposed: Proposal, treasurer: Officer, board: Officer
) -> None:
    with books.desk(treasurer) as desk:
        assert propose(desk, Matter.KEY, "key-2", BODY) == proposed

    # The board cannot make a proposal of the treasurer's into one of its own.
    with pytest.raises(StateError, match="waits already"), books.desk(board) as desk:
        propose(desk, Matter.KEY, "key-2", BODY)


def test_who_proposed_may_take_it_back(
    books: Books, proposed: Proposal, treasurer: Officer, bookkeeper: Officer
) -> None:
    with pytest.raises(NotAllowedError), books.desk(bookkeeper) as desk:
        reject(desk, proposed.id, "I do not like it")
    with books.desk(treasurer) as desk:
        with pytest.raises(BooksError, match="reason"):
            reject(desk, proposed.id, " ")
        reject(desk, proposed.id, "a slip of the pen")

        assert open_proposals(desk) == []


@pytest.mark.parametrize(
    "journal", [moved("j1", 25_001), moved("w1", 1, source=WRITE_OFF, debit="coop:write_offs")]
)
def test_a_large_journal_by_hand_and_a_write_off_need_a_second_person(
    books: Books, treasurer: Officer, board: Officer, journal: Journal
) -> None:
    matter = approved_matter(journal)
    assert matter is not None
    with pytest.raises(NotAllowedError, match="second person"), books.desk(treasurer) as desk:
        post(desk, journal)
    with books.desk(treasurer) as desk:
        waiting = propose(desk, matter, journal.key, journal_body(journal))
    with books.desk(board) as desk:
        approve(desk, waiting.id, waiting.body_hash)

    with books.desk(treasurer) as desk:
        assert not post(desk, journal).replayed
        assert verify(desk) == []
    with pytest.raises(NotAllowedError), books.desk(treasurer) as desk:
        reverse(desk, 1, AUGUST_1, "back into my pocket")
    with pytest.raises(NotAllowedError), books.desk(treasurer) as desk:
        post(desk, replace(journal, key=f"{journal.key}-again"))


def test_a_small_journal_by_hand_needs_nobody(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        post(desk, moved("j1", 25_000))

        assert trial_balance(desk)[Account("bank:main")] == 25_000


def insert_verdict(desk: Desk, proposed: Proposal, **changed: object) -> None:
    """Write a verdict past all of the product's code."""
    row = {
        "proposal": proposed.id,
        "approved": True,
        "body_hash": proposed.body_hash,
        "officer": "board",
        "person": "bram",
    }
    desk.session.execute(text(VERDICT), row | changed)
