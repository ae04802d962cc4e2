"""Officers: recognised by a secret of their own, made by two, never one person twice."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from api.cooperative.database import Books
from api.cooperative.errors import BooksError, ConflictError, NotAllowedError, StateError
from api.cooperative.four_eyes import approve
from api.cooperative.officers import SYSTEM, Officer, Role
from api.cooperative.registry import (
    NewSecret,
    OfficerTerm,
    add_party,
    confirm,
    end_officer,
    first_officers,
    officers,
    propose_new_secret,
    propose_officer,
    recognise,
    renew_secret,
)
from api.cooperative.tables.registry import OfficerSecretRow, OfficerTryRow
from kwartier.clock import VirtualClock
from tests.api.cooperative.neighbours import resident

# Slow hashes are slow on every database; the tables are tried on both with the registry's.
pytestmark = pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)

TREASURER = OfficerTerm("treasurer", "anna", frozenset({Role.TREASURER, Role.BOARD}))
BOARD = OfficerTerm("board", "bram", frozenset({Role.BOARD}))


@pytest.fixture
def founded(books: Books, treasurer: Officer) -> tuple[Books, dict[str, str]]:
    """Books with two officers, and the secrets that each drew."""
    with books.desk(treasurer) as desk:
        for name in ("anna", "bram", "carla"):
            add_party(desk, resident(name))
        given = first_officers(desk, TREASURER, BOARD)
    return books, {
        each.officer: renew_secret(books, each.officer, each.secret).secret for each in given
    }


def test_a_one_time_secret_opens_nothing_but_the_way_to_an_own_one(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        for name in ("anna", "bram"):
            add_party(desk, resident(name))
        first, _ = first_officers(desk, TREASURER, BOARD)

    with pytest.raises(NotAllowedError, match="draw your own first"):
        recognise(books, "treasurer", first.secret)
    own = renew_secret(books, "treasurer", first.secret)

    assert recognise(books, "treasurer", own.secret) == Officer(
        "treasurer", "anna", TREASURER.roles
    )
    with pytest.raises(NotAllowedError):
        renew_secret(books, "treasurer", first.secret)


def test_only_a_slow_hash_of_a_secret_is_kept(founded: tuple[Books, dict[str, str]]) -> None:
    books, secrets = founded

    with books.reading(SYSTEM) as desk:
        kept = list(desk.session.scalars(select(OfficerSecretRow.hash)))

    assert len(kept) == 4
    assert all(hash_.startswith("$argon2id$") for hash_ in kept)
    assert not any(secret in hash_ for hash_ in kept for secret in secrets.values())
    assert secrets["board"] not in repr(NewSecret("board", secrets["board"]))


def test_the_first_two_are_a_treasurer_and_a_board_member_and_two_persons(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        for name in ("anna", "bram"):
            add_party(desk, resident(name))
        one_person = OfficerTerm("board", "anna", BOARD.roles)
        with pytest.raises(BooksError, match="two different persons"):
            first_officers(desk, TREASURER, one_person)
        with pytest.raises(BooksError, match="a treasurer and a member of the board"):
            first_officers(desk, BOARD, TREASURER)
        first_officers(desk, TREASURER, BOARD)
        with pytest.raises(StateError, match="officers already"):
            first_officers(desk, TREASURER, BOARD)


def test_five_wrong_secrets_in_a_quarter_of_an_hour_lock_the_account_even_for_the_right_one(
    founded: tuple[Books, dict[str, str]], clock: VirtualClock
) -> None:
    books, secrets = founded
    for _ in range(5):
        with pytest.raises(NotAllowedError, match="do not belong together"):
            recognise(books, "board", "wrong")

    with pytest.raises(NotAllowedError, match="try again in 900 seconds"):
        recognise(books, "board", secrets["board"])
    assert recognise(books, "treasurer", secrets["treasurer"]).id == "treasurer"
    clock.advance(900)

    assert recognise(books, "board", secrets["board"]).id == "board"
    with books.reading(SYSTEM) as desk:
        assert desk.session.scalar(select(func.count()).select_from(OfficerTryRow)) == 0


def test_an_account_that_is_not_there_is_told_the_same_and_leaves_no_trace(
    founded: tuple[Books, dict[str, str]],
) -> None:
    books, _ = founded
    for name in ("nobody", "x" * 500, "'; --"):
        with pytest.raises(NotAllowedError, match="do not belong together"):
            recognise(books, name, "wrong")

    with books.reading(SYSTEM) as desk:
        assert desk.session.scalar(select(func.count()).select_from(OfficerTryRow)) == 0


def test_a_later_officer_is_proposed_by_one_and_confirmed_by_another_person(
    founded: tuple[Books, dict[str, str]],
) -> None:
    books, secrets = founded
    term = OfficerTerm("clerk", "carla", frozenset({Role.BOOKKEEPER}), date(2026, 8, 2))
    treasurer = recognise(books, "treasurer", secrets["treasurer"])
    board = recognise(books, "board", secrets["board"])
    with books.desk(treasurer) as desk:
        made = propose_officer(desk, term)
        with pytest.raises(NotAllowedError):
            confirm(desk, made.id, made.body_hash)
    with books.desk(board) as desk:
        with pytest.raises(BooksError):
            confirm(desk, made.id, "0" * 64)
        given = confirm(desk, made.id, made.body_hash)
    own = renew_secret(books, "clerk", given.secret)

    assert recognise(books, "clerk", own.secret) == Officer("clerk", "carla", term.roles)


def test_a_second_account_of_one_person_is_the_same_pair_of_eyes(
    founded: tuple[Books, dict[str, str]],
) -> None:
    books, secrets = founded
    second = OfficerTerm("board-2", "anna", frozenset({Role.BOARD}))
    treasurer = recognise(books, "treasurer", secrets["treasurer"])
    board = recognise(books, "board", secrets["board"])
    with books.desk(treasurer) as desk:
        made = propose_officer(desk, second)
    with books.desk(board) as desk:
        given = confirm(desk, made.id, made.body_hash)
    twin = recognise(books, "board-2", renew_secret(books, "board-2", given.secret).secret)
    with books.desk(treasurer) as desk:
        more = propose_officer(desk, OfficerTerm("clerk", "carla", frozenset({Role.BOARD})))

    with books.desk(twin) as desk, pytest.raises(NotAllowedError, match="same person"):
        approve(desk, more.id, more.body_hash)
    with books.desk(twin) as desk, pytest.raises(NotAllowedError, match="same person"):
        confirm(desk, more.id, more.body_hash)


def test_an_account_is_never_given_to_another_person(
    founded: tuple[Books, dict[str, str]], treasurer: Officer
) -> None:
    books, _ = founded
    with books.desk(treasurer) as desk, pytest.raises(ConflictError, match="another person"):
        propose_officer(desk, OfficerTerm("board", "carla", frozenset({Role.BOARD})))


def test_an_account_ends_on_its_day_and_when_it_is_ended(
    founded: tuple[Books, dict[str, str]], clock: VirtualClock, treasurer: Officer, board: Officer
) -> None:
    books, _ = founded
    with books.desk(treasurer) as desk:
        until = date(2026, 8, 3)
        made = propose_officer(desk, OfficerTerm("clerk", "carla", BOARD.roles, until))
    with books.desk(board) as desk:
        given = confirm(desk, made.id, made.body_hash)
    own = renew_secret(books, "clerk", given.secret)
    with books.desk(board) as desk:
        end_officer(desk, "board", "moved away")
        with pytest.raises(StateError, match="fewer than two persons"):
            end_officer(desk, "treasurer", "moved away")
        assert [officer.id for officer in officers(desk)] == ["clerk", "treasurer"]
    # It is 2026-08-01 at ten in the morning; local midnight of the 3rd is 38 hours later.
    clock.advance(38 * 3600 - 1)
    assert recognise(books, "clerk", own.secret).id == "clerk"
    clock.advance(1)

    with pytest.raises(NotAllowedError, match="has ended"):
        recognise(books, "clerk", own.secret)


def test_a_lost_secret_is_replaced_by_two_and_the_old_one_opens_nothing(
    founded: tuple[Books, dict[str, str]], treasurer: Officer, board: Officer
) -> None:
    books, secrets = founded
    carla = OfficerTerm("clerk", "carla", frozenset({Role.BOARD}))
    with books.desk(treasurer) as desk:
        made = propose_officer(desk, carla)
    with books.desk(board) as desk:
        confirm(desk, made.id, made.body_hash)
    with books.desk(treasurer) as desk:
        lost = propose_new_secret(desk, "board")
    third = Officer("clerk", "carla", carla.roles)
    with books.desk(third) as desk:
        given = confirm(desk, lost.id, lost.body_hash)

    with pytest.raises(NotAllowedError):
        recognise(books, "board", secrets["board"])
    own = renew_secret(books, "board", given.secret)
    assert recognise(books, "board", own.secret).roles == BOARD.roles
