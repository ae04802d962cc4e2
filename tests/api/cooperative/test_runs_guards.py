"""The database itself keeps the order of a run's steps, whoever writes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.cooperative.database import Books, Desk
from api.cooperative.officers import Officer

HASH = "0" * 64
ANOTHER = (
    "INSERT INTO run_computation (id, run, number, code_version, fingerprint, input_hash, "
    "result_hash, status, inputs, result, recorded_at_s, recorded_by) VALUES "
    "(2, '2026-07/1', 2, 'c', 'f', 'i', 'r', 'final', '{}', '{}', 1, 'treasurer')"
)


@pytest.fixture
def desk(books: Books, treasurer: Officer) -> Iterator[Desk]:
    """A desk with a run that is computed and proposed by the treasurer."""
    with books.desk(treasurer) as desk:
        _run(desk, 1)
        _computation(desk, 1)
        _step(desk, 2, "computed", 1)
        _step(desk, 3, "proposed", 1)
        yield desk
        desk.session.rollback()


def test_a_run_in_order_goes_all_the_way(desk: Desk) -> None:
    _step(desk, 4, "approved", 1, officer="board")
    _step(desk, 5, "posted", 1)
    _step(desk, 6, "invoiced", 1)
    _step(desk, 7, "closed", 1)
    _run(desk, 2, corrects="2026-07/1")

    assert desk.session.scalar(text("SELECT count(*) FROM run_step")) == 8


@pytest.mark.parametrize(
    ("state", "number", "officer", "why"),
    [
        ("posted", 4, "board", "a run goes draft"),
        ("closed", 4, "board", "a run goes draft"),
        ("approved", 5, "board", "a run goes draft|about the computation"),
        ("approved", 4, "treasurer", "who proposed a run does not approve it"),
    ],
)
def test_a_step_out_of_order_is_refused(
    desk: Desk, state: str, number: int, officer: str, why: str
) -> None:
    with pytest.raises(DBAPIError, match=why):
        _step(desk, number, state, 1, officer=officer)


def test_another_computation_than_the_one_that_was_proposed_is_not_approved(desk: Desk) -> None:
    with pytest.raises(DBAPIError, match="about the computation of the step before"):
        _step(desk, 4, "approved", None, officer="board")


@pytest.mark.parametrize(
    ("act", "why"),
    [
        ("UPDATE run_computation SET result_hash = 'x'", "append only"),
        ("DELETE FROM run_step", "append only"),
        ("UPDATE run SET reason = 'another'", "append only"),
        (
            "INSERT INTO run_finding VALUES (1, 1, 'k', 'A1', 'gap', 'bad', '', '', 0, '', 1, 1)",
            "this computation is finished",
        ),
        (
            "INSERT INTO run_waiver VALUES ('2026-07/1', 'k', 'a reason of ten', 1, 'treasurer')",
            "not yet proposed can be waived",
        ),
        (
            ANOTHER,
            "only a draft is computed",
        ),
    ],
    ids=["result", "steps", "reason", "finding", "waiver", "computation"],
)
def test_what_is_proposed_is_not_touched(desk: Desk, act: str, why: str) -> None:
    # On PostgreSQL the books' role has no right to change rows, which is refused even before.
    with pytest.raises(DBAPIError, match=f"{why}|permission denied"):
        desk.session.execute(text(act))


def test_a_month_has_one_run_under_way(desk: Desk) -> None:
    with pytest.raises(DBAPIError, match="the version before it is still under way"):
        _run(desk, 2)


def test_a_correction_names_what_it_corrects_and_why(desk: Desk) -> None:
    _step(desk, 4, "approved", 1, officer="board")
    _step(desk, 5, "posted", 1)
    _step(desk, 6, "invoiced", 1)

    with pytest.raises(DBAPIError, match="a reason of ten letters"):
        _run(desk, 2, corrects="2026-07/1", reason="no")


def test_a_month_is_posted_once_and_then_only_corrected(desk: Desk) -> None:
    _step(desk, 4, "approved", 1, officer="board")
    _step(desk, 5, "posted", 1)
    _step(desk, 6, "invoiced", 1)
    _run(desk, 2)
    _computation(desk, 2)
    run = "2026-07/2"
    for number, (state, officer) in enumerate(
        [("computed", "treasurer"), ("proposed", "treasurer"), ("approved", "board")], 2
    ):
        _step(desk, number, state, 2, officer=officer, run=run)

    with pytest.raises(DBAPIError, match="a month is posted once"):
        _step(desk, 5, "posted", 2, run=run)


def _run(
    desk: Desk, version: int, corrects: str | None = None, reason: str = "a meter's error"
) -> None:
    desk.session.execute(
        text("INSERT INTO run VALUES (:id, '2026-07', :version, :corrects, :reason, '', 1, 'x')"),
        {"id": f"2026-07/{version}", "version": version, "corrects": corrects, "reason": reason},
    )
    _step(desk, 1, "draft", None, run=f"2026-07/{version}")


def _computation(desk: Desk, number: int) -> None:
    desk.session.execute(
        text(
            "INSERT INTO run_computation (id, run, number, code_version, fingerprint, input_hash, "
            "result_hash, status, inputs, result, recorded_at_s, recorded_by) VALUES "
            "(:id, :run, 1, 'c', :hash, :hash, :hash, 'final', '{}', '{}', 1, 'treasurer')"
        ),
        {"id": number, "run": f"2026-07/{number}", "hash": HASH},
    )


def _step(
    desk: Desk,
    number: int,
    state: str,
    computation: int | None,
    *,
    officer: str = "treasurer",
    run: str = "2026-07/1",
) -> None:
    desk.session.execute(
        text(
            "INSERT INTO run_step (run, number, state, computation, proposal, body_hash, reason, "
            "recorded_at_s, recorded_by) VALUES (:run, :number, :state, :computation, NULL, '', "
            "'', 1, :officer)"
        ),
        {
            "run": run,
            "number": number,
            "state": state,
            "computation": computation,
            "officer": officer,
        },
    )
