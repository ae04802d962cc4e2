"""Jobs of gateways are asked, judged and ended alike on SQLite and on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.cooperative.keys import make_keys
from api.enrolment.jobs import JobState, OwnJobError, ask_job, end_job, jobs, jobs_at, judge_job
from api.people.accounts import SYSTEM, add_account
from api.people.book import PeopleBook
from api.people.errors import PeopleError
from kwartier.clock import VirtualClock
from tests.api.cooperative.postgresql import OWNER, programs, running_cluster


def test_jobs_run_their_course_on_sqlite(tmp_path: Path) -> None:
    _run_their_course(f"sqlite:///{tmp_path / 'people.db'}", tmp_path)


@pytest.mark.nightly
def test_jobs_run_their_course_on_postgresql(tmp_path: Path) -> None:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with running_cluster() as cluster:
        cluster.create_roles()
        cluster.create("people")

        _run_their_course(cluster.url(OWNER, "people"), tmp_path)


def _run_their_course(url: str, folder: Path) -> None:
    book = PeopleBook(url, make_keys(folder / "keys"), VirtualClock(1_793_000_000))
    with book.writing() as desk:
        asker = add_account(desk, SYSTEM, name="Anna")
        judge = add_account(desk, SYSTEM, name="Bram")
        first = ask_job(desk, asker, "gw-1", "home-1", meter="E1", address="Zonlaan 1")
        second = ask_job(desk, asker, "gw-2", "home-2")
    with book.writing() as desk, pytest.raises(OwnJobError):
        judge_job(desk, asker, first, approved=True)
    with book.writing() as desk:
        judge_job(desk, judge, first, approved=True)
        judge_job(desk, judge, second, approved=False)
    with book.writing() as desk, pytest.raises(PeopleError):
        ask_job(desk, asker, "gw-1", "home-3")

    with book.reading() as desk:
        assert [(job.id, job.state) for job in jobs(desk)] == [
            (second, JobState.REFUSED),
            (first, JobState.APPROVED),
        ]
        (live,) = jobs_at(desk, frozenset({"home-1", "home-2"}))
        assert (live.gateway, live.meter, live.address) == ("gw-1", "E1", "Zonlaan 1")
    with book.writing() as desk:
        end_job(desk, judge, first)
    with book.reading() as desk:
        assert jobs_at(desk, frozenset({"home-1"})) == []
    book.close()
