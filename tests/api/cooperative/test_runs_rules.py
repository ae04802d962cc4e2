"""What a run refuses, what it asks for, and what it leaves as it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from api.cooperative.books import entries
from api.cooperative.database import Books, Desk
from api.cooperative.documents import documents
from api.cooperative.errors import BooksError, NotAllowedError, StateError, TamperedError
from api.cooperative.four_eyes import approve as approve_proposal
from api.cooperative.four_eyes import open_proposals
from api.cooperative.law import Decision, DecisionKind, Result, record_decision
from api.cooperative.officers import Officer, Role
from api.cooperative.readings import DayValues, store_day
from api.cooperative.runs import (
    State,
    approve,
    close,
    compute,
    correct,
    findings,
    invoice,
    post,
    propose,
    reject,
    run_body,
    run_diff,
    run_of,
    runs,
    statements,
    verify_runs,
    waive,
    withdraw,
)
from api.cooperative.runs.storing import hashes_of
from api.cooperative.statement import StatementState
from kwartier.clock import VirtualClock
from kwartier.interval import local_day
from tests.api.cooperative.stages import BOARD, REASON, RUN, SECOND, TREASURER, Stage, Stages
from tests.api.cooperative.street import PERIOD, SETTINGS, one_day

TREASURER_AT_HOME = Officer("treasurer-at-home", "anna", frozenset({Role.BOARD}))
BOOKKEEPER = Officer("bookkeeper", "carla", frozenset({Role.BOOKKEEPER}))
DAY = date(2026, 10, 7)
WHY = "the meter was off for repairs"


def test_computing_a_hundred_times_on_unchanged_data_changes_nothing(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.COMPUTED, tmp_path)
    with books.desk(TREASURER) as desk:
        before = run_of(desk, RUN), hashes_of(desk, run_of(desk, RUN).computation)

        for _ in range(100):
            assert compute(desk, SETTINGS, PERIOD) == RUN

        assert (run_of(desk, RUN), hashes_of(desk, run_of(desk, RUN).computation)) == before


def test_new_readings_make_a_new_computation_of_the_same_run(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.COMPUTED, tmp_path)
    with books.desk(TREASURER) as desk:
        old = hashes_of(desk, run_of(desk, RUN).computation)
        store_day(desk, one_day("home-4", DAY, 500))

        assert compute(desk, SETTINGS, PERIOD) == RUN

        new = hashes_of(desk, run_of(desk, RUN).computation)
    assert (old.number, new.number) == (1, 2)
    assert old.input_hash != new.input_hash
    assert old.result_hash != new.result_hash


def test_a_month_that_is_not_over_is_not_computed(stages: Stages, tmp_path: Path) -> None:
    books = stages.books(Stage.READY, tmp_path)
    with books.desk(TREASURER) as desk, pytest.raises(StateError, match="2026-11 ends"):
        compute(desk, SETTINGS, "2026-11")


def test_what_is_sent_back_is_computed_again_with_the_same_numbers(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.PROPOSED, tmp_path)
    with books.desk(BOARD) as desk:
        before = hashes_of(desk, run_of(desk, RUN).computation)
        reject(desk, RUN, "I want to look at home-3 first")
        assert run_of(desk, RUN).state is State.DRAFT
    with books.desk(TREASURER) as desk:
        compute(desk, SETTINGS, PERIOD)

        assert hashes_of(desk, run_of(desk, RUN).computation) == before
        propose(desk, RUN)


def test_nobody_approves_an_own_run_not_from_a_second_account_either(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.PROPOSED, tmp_path)
    for officer in (TREASURER, TREASURER_AT_HOME, BOOKKEEPER):
        with books.desk(officer) as desk, pytest.raises(NotAllowedError):
            approve(desk, RUN, run_of(desk, RUN).last.body_hash)
    with books.reading(TREASURER) as desk:
        assert run_of(desk, RUN).state is State.PROPOSED


def test_who_looked_at_another_hash_does_not_approve(stages: Stages, tmp_path: Path) -> None:
    books = stages.books(Stage.PROPOSED, tmp_path)
    with books.desk(BOARD) as desk, pytest.raises(BooksError, match="look at it again"):
        approve(desk, RUN, "0" * 64)


def test_an_approval_given_to_the_bare_proposal_still_counts(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.PROPOSED, tmp_path)
    with books.desk(BOARD) as desk:
        (waiting,) = open_proposals(desk)
        approve_proposal(desk, waiting.id, waiting.body_hash)

        approve(desk, RUN, waiting.body_hash)

        assert run_of(desk, RUN).state is State.APPROVED


@pytest.mark.parametrize("stage", [Stage.COMPUTED, Stage.PROPOSED])
def test_what_no_second_person_approved_is_not_posted(
    stage: Stage, stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(stage, tmp_path)
    with books.desk(TREASURER) as desk:
        with pytest.raises(StateError, match="needs a run that is approved"):
            post(desk, RUN)
        with pytest.raises(StateError, match="needs a run that is posted"):
            invoice(desk, SETTINGS, RUN)
        with pytest.raises(StateError, match="needs a run that is invoiced"):
            close(desk, RUN)
        assert entries(desk) == []


def test_posting_and_numbering_twice_is_the_same_as_once(stages: Stages, tmp_path: Path) -> None:
    books = stages.books(Stage.INVOICED, tmp_path)
    with books.desk(TREASURER) as desk:
        before = len(entries(desk)), len(documents(desk))
        post(desk, RUN)
        invoice(desk, SETTINGS, RUN)
        assert (len(entries(desk)), len(documents(desk))) == before


def test_a_gap_stops_the_proposal_until_somebody_answers_for_it(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.READY, tmp_path)
    with books.desk(TREASURER) as desk:
        _leave_out(desk, 40)
        compute(desk, SETTINGS, PERIOD)
        (gap,) = [each for each in findings(desk, RUN) if each.stops]

        with pytest.raises(StateError, match=f"stop it .1.: {gap.finding.key}"):
            propose(desk, RUN)
        with pytest.raises(BooksError, match="has 4 letters"):
            waive(desk, RUN, gap.finding.key, " it's ")
        with pytest.raises(BooksError, match="has no finding"):
            waive(desk, RUN, "A1-nobody-000000000000", WHY)
        waive(desk, RUN, gap.finding.key, WHY)
        waive(desk, RUN, gap.finding.key, WHY)

        body = run_body(desk, RUN)
        assert isinstance(body, dict)
        assert body["waivers"] == [{"finding": gap.finding.key, "reason": WHY, "by": "treasurer"}]
        told = {each.party.id: each.waivers for each in statements(desk, SETTINGS, RUN)}
        assert [name for name, waivers in told.items() if waivers] == ["lid-3"]
        assert told["lid-3"][0].endswith(
            f"\N{LEFT SINGLE QUOTATION MARK}{WHY}\N{RIGHT SINGLE QUOTATION MARK}"
        )
        propose(desk, RUN)


def test_a_waiver_does_not_cover_a_gap_that_grew(stages: Stages, tmp_path: Path) -> None:
    books = stages.books(Stage.READY, tmp_path)
    with books.desk(TREASURER) as desk:
        _leave_out(desk, 40)
        compute(desk, SETTINGS, PERIOD)
        (gap,) = [each for each in findings(desk, RUN) if each.stops]
        waive(desk, RUN, gap.finding.key, WHY)
        _leave_out(desk, 41)
        compute(desk, SETTINGS, PERIOD)

        with pytest.raises(StateError, match=r"stop it .1."):
            propose(desk, RUN)


def test_estimates_can_be_shown_and_are_proposed_only_when_somebody_answers_for_them(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.READY, tmp_path)
    with books.desk(TREASURER) as desk:
        values = one_day("home-3", DAY, 0)
        store_day(desk, replace(values, quality="e" * 4 + values.quality[4:]))
        compute(desk, SETTINGS, PERIOD)

        assert {each.state for each in statements(desk, SETTINGS, RUN)} == {
            StatementState.PROVISIONAL
        }
        (doubt,) = [each for each in findings(desk, RUN) if each.stops]
        assert doubt.finding.facts == {"estimated": 4}
        with pytest.raises(StateError, match="findings stop it"):
            propose(desk, RUN)
        waive(desk, RUN, doubt.finding.key, WHY)
        propose(desk, RUN)


def test_findings_are_ranked_by_what_they_may_cost(stages: Stages, tmp_path: Path) -> None:
    books = stages.books(Stage.READY, tmp_path)
    with books.desk(TREASURER) as desk:
        _leave_out(desk, 2)
        compute(desk, SETTINGS, PERIOD)
        effects = [each.finding.effect_cents for each in findings(desk, RUN)]
    assert len(effects) > 1
    assert effects == sorted(effects, reverse=True)


def test_correcting_unchanged_data_changes_nothing_and_cannot_be_proposed(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.CLOSED, tmp_path)
    with books.desk(TREASURER) as desk:
        run = correct(desk, SETTINGS, PERIOD, REASON)

        assert {each.delta_cents for each in run_diff(desk, run).changes} == {0}
        first = hashes_of(desk, run_of(desk, RUN).computation)
        assert hashes_of(desk, run_of(desk, run).computation).result_hash == first.result_hash
        with pytest.raises(StateError, match="less than a cent"):
            propose(desk, run)
        withdraw(desk, run, "nothing was wrong after all")
        store_day(desk, one_day("home-4", DAY, 40_000))
        assert correct(desk, SETTINGS, PERIOD, REASON) == f"{PERIOD}/3"


def test_a_correction_is_booked_in_the_open_month_and_takes_all_back(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.CORRECTED, tmp_path)
    with books.reading(TREASURER) as desk:
        booked = entries(desk)
        old = [each for each in booked if each.journal.key.startswith(f"{RUN}/")]
        new = [each for each in booked if each.journal.key.startswith(f"{SECOND}/")]
        back = [each for each in booked if each.journal.reverses is not None]

    assert {each.journal.day for each in old} == {date(2026, 10, 31)}
    assert {each.journal.day for each in new + back} == {date(2026, 11, 2)}
    assert {each.journal.service_period for each in booked} == {PERIOD}
    assert [each.journal.reverses for each in back] == [each.id for each in old]
    assert {each.journal.reason for each in new + back} == {REASON}


def test_a_second_correction_credits_the_papers_that_stand(stages: Stages, tmp_path: Path) -> None:
    books = stages.books(Stage.CORRECTED, tmp_path)
    with books.desk(TREASURER) as desk:
        store_day(desk, one_day("home-4", DAY, 90_000))
        third = correct(desk, SETTINGS, PERIOD, REASON)
        proposal = propose(desk, third)
    with books.desk(BOARD) as desk:
        approve(desk, third, proposal.body_hash)
    with books.desk(TREASURER) as desk:
        post(desk, third)
        made = invoice(desk, SETTINGS, third)
        close(desk, third)

        assert verify_runs(desk) == []
        credited = [paper.replaces for paper in documents(desk) if paper.amount_cents < 0]
        assert len(credited) == len(set(credited))
        assert {paper.run for paper in made} == {third}
        assert runs(desk)[-1].corrects == SECOND


def test_after_the_correction_window_a_decision_is_needed(stages: Stages, tmp_path: Path) -> None:
    books = stages.books(Stage.CLOSED, tmp_path)
    march_s = local_day(date(2027, 3, 1))[0]
    books.clock = VirtualClock(march_s - 1)
    with books.desk(TREASURER) as desk:
        run = correct(desk, SETTINGS, PERIOD, REASON)
        withdraw(desk, run, "only a try before the window ends")
    books.clock = VirtualClock(march_s)
    with books.desk(TREASURER) as desk:
        with pytest.raises(NotAllowedError, match="correction window"):
            correct(desk, SETTINGS, PERIOD, REASON)
        with pytest.raises(BooksError, match="not recorded"):
            correct(desk, SETTINGS, PERIOD, REASON, "2027-01")
        decision = Decision(
            "2027-01", DecisionKind.OTHER, "October again", "0" * 64, date(2027, 3, 1), 5, 4,
            Result.ADOPTED, march_s,
        )  # fmt: skip
        record_decision(desk, decision)
        assert correct(desk, SETTINGS, PERIOD, REASON, "2027-01") == f"{PERIOD}/3"


def test_what_is_not_in_the_books_is_not_corrected(stages: Stages, tmp_path: Path) -> None:
    books = stages.books(Stage.COMPUTED, tmp_path)
    with books.desk(TREASURER) as desk:
        with pytest.raises(StateError, match="nothing to correct"):
            correct(desk, SETTINGS, PERIOD, REASON)
        with pytest.raises(BooksError, match="members read it"):
            correct(desk, SETTINGS, PERIOD, "oops")


def test_a_month_in_the_books_is_not_computed_again(stages: Stages, tmp_path: Path) -> None:
    books = stages.books(Stage.POSTED, tmp_path)
    with books.desk(TREASURER) as desk, pytest.raises(StateError, match="coop run correct"):
        compute(desk, SETTINGS, PERIOD)


def test_a_day_that_was_changed_in_the_file_is_found(stages: Stages, tmp_path: Path) -> None:
    books = stages.books(Stage.INVOICED, tmp_path)
    act = "UPDATE run_day SET bought_wh = 1 WHERE connection = 'home-4' AND day = '2026-10-07'"
    _forge(books, "run_day", act)
    with books.desk(TREASURER) as desk:
        faults = [str(fault) for fault in verify_runs(desk)]
        with pytest.raises(TamperedError, match="does not add up"):
            close(desk, RUN)

    assert any("home-4 2026-10-07: its quarters are not its sums" in fault for fault in faults)


def test_a_result_that_was_changed_in_the_file_is_found(stages: Stages, tmp_path: Path) -> None:
    books = stages.books(Stage.APPROVED, tmp_path)
    act = "UPDATE run_computation SET result = replace(result, 'bought_wh', 'sold_wh_too')"
    _forge(books, "run_computation", act)
    with books.desk(TREASURER) as desk, pytest.raises(TamperedError, match="stop and look"):
        post(desk, RUN)


def _leave_out(desk: Desk, quarters: int) -> None:
    """Record that some quarters of a day of home-3 were not read after all."""
    values: DayValues = one_day("home-3", DAY, 0)
    left = values.wh[quarters:]
    store_day(
        desk,
        replace(
            values, wh=(None,) * quarters + left, quality="-" * quarters + values.quality[quarters:]
        ),
    )


def _forge(books: Books, table: str, act: str) -> None:
    """Do what somebody does who has the file and takes the guards away."""
    with books.engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER {table}_no_update"))
        connection.execute(text(act))


def test_what_was_measured_of_the_battery_is_not_forgotten_by_computing_again(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.COMPUTED, tmp_path)
    with books.desk(TREASURER) as desk:
        compute(desk, SETTINGS, PERIOD, content_wh=1_500)
        told = hashes_of(desk, run_of(desk, RUN).computation)

        compute(desk, SETTINGS, PERIOD)

        assert hashes_of(desk, run_of(desk, RUN).computation) == told
