"""Who owns what when: half-open windows at local midnights, never two owners at once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from api.cooperative.database import Books
from api.cooperative.errors import BooksError, ConflictError, StateError
from api.cooperative.law import set_parameter
from api.cooperative.officers import Officer
from api.cooperative.registry import (
    Connection,
    add_connection,
    change_supplier,
    end_ownership,
    hand_over,
    own,
    ownership_between,
    supplier_note,
    windows,
    withdraw_ownership,
)
from api.cooperative.tables.registry import OwnershipRow
from kwartier.errors import KwartierError
from optimizer.settling.period import Ownership
from tests.api.cooperative.neighbours import decide, ean_of, midnight_s, settle_in

JULY = midnight_s("2026-07-01"), midnight_s("2026-08-01")
_DAY = date(2026, 3, 1)


def test_a_window_begins_and_ends_at_local_midnight_on_both_sides_of_the_clock_change(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        settle_in(desk, "a")
        own(desk, "a", "a", date(2026, 3, 29), date(2026, 3, 30))

        owned = ownership_between(desk, midnight_s("2026-03-01"), midnight_s("2026-04-01"))

    # 2026-03-29 has 23 hours: 00:00 CET is 23:00Z the day before, 24:00 CEST is 22:00Z.
    assert owned == (Ownership("a", "a", 1774738800, 1774738800 + 23 * 3600),)


def test_one_day_belongs_to_one_owner_when_a_home_changes_hands(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        settle_in(desk, "a", "b")
        own(desk, "a", "a", date(2026, 1, 1))
        hand_over(desk, "a", "b", date(2026, 7, 15))

        owned = ownership_between(desk, *JULY)

    moved_s = midnight_s("2026-07-15")
    assert owned == (
        Ownership("a", "a", midnight_s("2026-01-01"), moved_s),
        Ownership("a", "b", moved_s, None),
    )


def test_a_second_owner_in_the_same_time_is_refused_with_the_first_ones_days(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        settle_in(desk, "a", "b")
        own(desk, "a", "a", date(2026, 1, 1), date(2026, 7, 15))

        with pytest.raises(ConflictError, match="a is owned by a from 2026-01-01 to 2026-07-15"):
            own(desk, "a", "b", date(2026, 7, 14))
        own(desk, "a", "b", date(2026, 7, 15))
        again = own(desk, "a", "b", date(2026, 7, 15))

        assert [window.id for window in windows(desk, "a")][-1] == again.id
        assert len(windows(desk, "a")) == 2


def test_a_mistaken_window_is_taken_back_and_stays_on_record(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        settle_in(desk, "a", "b")
        wrong = own(desk, "a", "a", date(2026, 7, 10))
        withdraw_ownership(desk, wrong.id, "wrong day")
        own(desk, "a", "a", date(2026, 7, 1), date(2026, 7, 2))

        assert [window.from_day for window in windows(desk, "a")] == [date(2026, 7, 1)]
        assert desk.session.get(OwnershipRow, wrong.id) is not None
        with pytest.raises(StateError):
            withdraw_ownership(desk, wrong.id, "twice")
        with pytest.raises(StateError):
            end_ownership(desk, "a", date(2026, 9, 1))


def test_a_change_of_supplier_ends_taking_part_at_that_instant_and_warns(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        settle_in(desk, "a")
        own(desk, "a", "a", date(2026, 1, 1))

        assert supplier_note(desk, "a") == ""
        warnings = change_supplier(desk, "a", "vandebron", date(2026, 7, 20))

        assert len(warnings) == 1
        assert "no longer takes part from 2026-07-20" in warnings[0]
        left_s = midnight_s("2026-07-20")
        assert ownership_between(desk, *JULY) == (
            Ownership("a", "a", midnight_s("2026-01-01"), left_s),
        )
        assert ownership_between(desk, left_s, JULY[1]) == ()
        # Back with the group's supplier, it takes part again.
        assert change_supplier(desk, "a", "greenchoice", date(2026, 7, 25)) == ()
        assert [part.start_s for part in ownership_between(desk, *JULY)] == [
            midnight_s("2026-01-01"),
            midnight_s("2026-07-25"),
        ]


def test_the_group_may_move_to_another_supplier_by_decision(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        settle_in(desk, "a", "b")
        for name in ("a", "b"):
            own(desk, name, name, date(2026, 1, 1))
        add_connection(desk, Connection("c", ean_of(3), "vandebron"))
        assert "c has vandebron, others have greenchoice" in supplier_note(desk, "c")
        decide(desk)
        set_parameter(desk, "sharing_supplier", "vandebron", midnight_s("2026-07-10"), "2026-07")
        change_supplier(desk, "a", "vandebron", date(2026, 7, 10))
        assert supplier_note(desk, "c") == ""
        assert "b takes no part" in supplier_note(desk, "b")

        owned = ownership_between(desk, *JULY)

    moved_s = midnight_s("2026-07-10")
    assert owned == (
        Ownership("a", "a", midnight_s("2026-01-01"), None),
        Ownership("b", "b", midnight_s("2026-01-01"), moved_s),
    )


@pytest.fixture
def street(books: Books, treasurer: Officer) -> Books:
    """Books with two homes that nobody owns."""
    with books.desk(treasurer) as desk:
        settle_in(desk, "a", "b")
    return books


Act = tuple[str, int, int | None]
acts = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "end", "withdraw"]),
        st.integers(0, 30),
        st.one_of(st.none(), st.integers(1, 12)),
    ),
    min_size=1,
    max_size=8,
)
suppressed = [HealthCheck.function_scoped_fixture]


@given(acts)
@example([("add", 3, None), ("add", 4, 1), ("end", 0, 1), ("add", 4, 1), ("withdraw", 0, None)])
@settings(max_examples=200, suppress_health_check=suppressed)
def test_the_database_itself_never_holds_two_owners_at_once(
    street: Books, treasurer: Officer, acts: list[Act]
) -> None:
    with street.desk(treasurer) as desk, desk.session.begin_nested() as trial:
        held: dict[int, tuple[int, int | None]] = {}
        for act, start, length in acts:
            wanted = start, None if length is None else start + length
            if act == "add":
                free = all(_apart(wanted, other) for other in held.values())
                row = _add(desk.session, wanted)
                assert (row is not None) == free
                if row is not None:
                    held[row] = wanted
            elif held:
                row = sorted(held)[start % len(held)]
                _end_or_withdraw(desk.session, act, row, held)
        trial.rollback()


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(1, 12)),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=200, suppress_health_check=suppressed)
def test_what_the_books_take_settles_every_day_once(
    street: Books, treasurer: Officer, wanted: list[tuple[str, int, int]]
) -> None:
    with street.desk(treasurer) as desk, desk.session.begin_nested() as trial:
        owner_of: dict[date, str] = {}
        for party, start, length in wanted:
            first = _DAY + timedelta(start)
            days = [first + timedelta(place) for place in range(length)]
            taken = [owner_of[day] for day in days if day in owner_of]
            try:
                own(desk, "a", party, first, first + timedelta(length))
            except KwartierError:
                assert taken
            else:
                assert set(taken) <= {party}
                owner_of.update(dict.fromkeys(days, party))

        owned = ownership_between(desk, midnight_s("2026-03-01"), midnight_s("2026-07-01"))

        for place in range(45):
            day = _DAY + timedelta(place)
            noon_s = midnight_s(day.isoformat()) + 12 * 3600
            owners = [window.member for window in owned if window.holds(noon_s)]
            assert owners == ([owner_of[day]] if day in owner_of else [])
        trial.rollback()


def test_a_window_is_ended_once_and_otherwise_never_changed_by_the_database_itself(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        settle_in(desk, "a", "b")
        own(desk, "a", "a", date(2026, 1, 1), date(2026, 7, 1))

    for values in ({"party": "b"}, {"start_s": 5}, {"end_s": 10**10}, {"connection": "b"}):
        with pytest.raises(BooksError), books.desk(treasurer) as desk:
            desk.session.execute(update(OwnershipRow).values(**values))
    with pytest.raises(BooksError), books.desk(treasurer) as desk:
        desk.session.execute(delete(OwnershipRow))


def _add(session: Session, window: tuple[int, int | None]) -> int | None:
    with session.begin_nested() as one:
        try:
            added = session.execute(
                insert(OwnershipRow)
                .values(
                    connection="a",
                    party="a",
                    start_s=window[0],
                    end_s=window[1],
                    recorded_at_s=0,
                    recorded_by="test",
                )
                .returning(OwnershipRow.id)
            ).scalar_one()
        except DBAPIError:
            one.rollback()
            return None
    return int(added)


def _end_or_withdraw(
    session: Session, act: str, row: int, held: dict[int, tuple[int, int | None]]
) -> None:
    start, end = held[row]
    change = update(OwnershipRow).where(OwnershipRow.id == row)
    if act == "withdraw":
        session.execute(change.values(withdrawn_at_s=1))
        del held[row]
    elif end is None:
        session.execute(change.values(end_s=start + 1))
        held[row] = start, start + 1


def _apart(one: tuple[int, int | None], other: tuple[int, int | None]) -> bool:
    return (one[1] is not None and one[1] <= other[0]) or (
        other[1] is not None and other[1] <= one[0]
    )
