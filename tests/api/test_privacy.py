"""What is kept about me: I choose, take it along, and am forgotten without breaking a chain."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date

import httpx
import pytest
from sqlalchemy import func, select

from api.cooperative.chain import verify_chains
from api.cooperative.registry import (
    ERASED_NAME,
    Purpose,
    end_member,
    give_consent,
    party,
)
from api.cooperative.tables.ledger import AuditRow
from api.people.accounts import SYSTEM, account_of_party, add_account
from api.people.acts import first_broken
from api.people.companions import invite
from api.people.consents import chose, who_chose
from api.people.questions import ask, questions_of
from api.people.sessions import open_session, visitor_of
from api.people.tables import AccountRow, CardRow, CompanionRow, LookRow, QuestionRow, SessionRow
from tests.api.conftest import served
from tests.api.cooperative.stages import TREASURER, Stage
from tests.api.cooperative.street import NOVEMBER_S
from tests.api.town import Town, Towns

PERSONAL = ("Bewoner 3", "fatma is mijn dochter", "waarom is regel 2 zo hoog", "Fatma")
"""What nobody may find after an erasure."""


def by(session: str) -> dict[str, str]:
    """Return what a browser with a session sends along."""
    return {"Cookie": f"kwartier={session}"}


@pytest.fixture(scope="module")
def town(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A street whose month is still to be settled."""
    with towns.at(Stage.READY, tmp_path_factory.mktemp("privacy")) as made:
        yield made


@pytest.fixture(scope="module")
def client(town: Town) -> Iterator[httpx.Client]:
    """Somebody without a session."""
    with served(town) as made:
        made.headers["Origin"] = town.house.public_url
        yield made


def account(town: Town, who: str) -> tuple[str, str]:
    """Return the account of a party, and a session of it."""
    with town.house.people.writing() as desk:
        known = account_of_party(desk, who) or add_account(desk, SYSTEM, party=who, name=who)
        return known, open_session(desk, known, "card")


def opened(answer: httpx.Response) -> dict[str, str]:
    """Return the files of a zip by their names."""
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_a_yes_holds_until_it_is_taken_back_and_both_stay_written(
    town: Town, client: httpx.Client
) -> None:
    known, session = account(town, "lid-4")
    path, people = "/hulp/privacy/keuze", town.house.people
    form = {"purpose": "comparison"}

    client.post(path, data=form | {"yes": "yes"}, headers=by(session))
    with people.reading() as desk:
        said_yes = chose(desk, known, "comparison"), who_chose(desk, "comparison")
    client.post(path, data=form | {"yes": "no"}, headers=by(session))
    with people.reading() as desk:
        said_no = chose(desk, known, "comparison"), who_chose(desk, "comparison")

    assert said_yes == (True, frozenset({(known, "home-4")}))
    assert said_no == (False, frozenset())
    told = client.get("/api/v1/privacy", headers=by(session)).json()
    assert [(each["purpose"], each["end"] is None) for each in told["choices"]] == [
        ("comparison", False)
    ]


def test_a_purpose_that_is_not_there_is_refused(town: Town, client: httpx.Client) -> None:
    _, session = account(town, "lid-4")

    sent = client.post(
        "/hulp/privacy/keuze", data={"purpose": "sell", "yes": "yes"}, headers=by(session)
    )

    assert sent.status_code == 422


def test_the_books_consents_are_shown_with_how_we_know(town: Town, client: httpx.Client) -> None:
    with town.books.desk(TREASURER) as desk:
        give_consent(desk, "home-5", "lid-5", Purpose.STEERING, NOVEMBER_S, "formulier 12 <map 3>")
    _, session = account(town, "lid-5")

    page = client.get("/hulp/privacy", headers=by(session)).text

    assert "Bewijs: formulier 12 &lt;map 3&gt;" in page
    assert "Uw apparaten sturen" in page


def test_my_copy_holds_all_about_me_and_nothing_of_others(town: Town, client: httpx.Client) -> None:
    _, session = account(town, "lid-1")

    files = opened(client.post("/hulp/privacy/kopie", headers=by(session)))

    assert sorted(files) == [
        "README.txt",
        "books.json",
        "meter/home-1/2026-11.csv",
        "people.json",
        "settled/home-1/2026-10.csv",
    ]
    assert json.loads(files["books.json"])["party"]["name"] == "Bewoner 1"
    assert "Bewoner 2" not in files["books.json"] + files["people.json"]
    # October 2026 has 30 days of 96 quarters and one of 100; home-1 has two registers.
    settled = list(csv.DictReader(io.StringIO(files["settled/home-1/2026-10.csv"])))
    assert len(settled) == 2 * (30 * 96 + 100)
    assert settled[0]["start"] == "2026-09-30T22:00:00Z"
    # From midnight to nine there are 36 quarters, each with two registers and the inverter's.
    measured = list(csv.DictReader(io.StringIO(files["meter/home-1/2026-11.csv"])))
    assert len(measured) == 3 * 36
    assert {row["quality"] for row in measured} == {"measured"}


def test_the_audit_log_says_that_the_person_itself_asked(town: Town, client: httpx.Client) -> None:
    _, session = account(town, "lid-6")

    opened(client.post("/hulp/privacy/kopie", headers=by(session)))

    with town.books.reading(TREASURER) as desk:
        rows = desk.session.scalars(select(AuditRow).where(AuditRow.act == "party.export")).all()
        assert ("self", "lid-6") in {(row.officer, row.subject) for row in rows}
        assert verify_chains(desk) == []


def test_who_moved_in_takes_only_the_days_since(town: Town, client: httpx.Client) -> None:
    _, session = account(town, "lid-3b")

    files = opened(client.post("/hulp/privacy/kopie", headers=by(session)))

    # From 16 to 31 October there are 15 days of 96 quarters and one of 100.
    rows = list(csv.DictReader(io.StringIO(files["settled/home-3/2026-10.csv"])))
    assert len(rows) == 15 * 96 + 100
    assert rows[0]["start"] == "2026-10-15T22:00:00Z"


def test_copies_are_limited(town: Town, client: httpx.Client) -> None:
    _, session = account(town, "lid-2")

    sent = [client.post("/hulp/privacy/kopie", headers=by(session)).status_code for _ in range(6)]

    assert sent == [200] * 5 + [429]


def test_forgetting_wants_a_tick(town: Town, client: httpx.Client) -> None:
    known, session = account(town, "lid-7")

    page = client.get("/hulp/privacy/weg", headers=by(session)).text
    sent = client.post("/hulp/privacy/weg", data={}, headers=by(session))

    assert "Er staat nog een huis op uw naam." in page
    assert sent.status_code == 422
    with town.house.people.reading() as desk:
        row = desk.session.get_one(AccountRow, known)
        assert row.ended_at_s is None


def test_an_officer_is_not_forgotten_by_a_button(town: Town, client: httpx.Client) -> None:
    session = town.officer("board")

    sent = client.post("/hulp/privacy/weg", data={"sure": "yes"}, headers=by(session))

    assert sent.status_code == 422
    assert visitor_of(town.house.people, session).known


def test_a_person_is_forgotten_and_both_chains_still_hold(town: Town, client: httpx.Client) -> None:
    people, books = town.house.people, town.books
    with people.writing() as desk:
        known = add_account(desk, SYSTEM, party="lid-3", name=PERSONAL[0])
        session = open_session(desk, known, "card")
        other = open_session(desk, known, "mail")
        invite(desk, known, known, "home-3", PERSONAL[3])
        ask(desk, known, "lid-3", "2026-10/1/2", f"{PERSONAL[2]}? {PERSONAL[1]}")
    board = town.officer("treasurer")
    files = opened(client.post("/hulp/privacy/kopie", headers=by(session)))
    assert all(text in files["people.json"] for text in PERSONAL)

    gone = client.post("/hulp/privacy/weg", data={"sure": "yes"}, headers=by(session))

    assert gone.status_code == 303
    assert not visitor_of(people, session).known
    assert not visitor_of(people, other).known
    with people.reading() as desk:
        row = desk.session.get_one(AccountRow, known)
        assert (desk.keys.open(row.name), row.party, row.email_fingerprint) == ("", None, None)
        assert row.ended_at_s == NOVEMBER_S
        assert [one.text for one in questions_of(desk, known)] == [""]
        for table in (SessionRow, CardRow):
            left = select(func.count()).select_from(table).where(table.account == known)
            assert desk.session.scalar(left) == 0
        names = desk.session.scalars(
            select(CompanionRow.name).where(CompanionRow.account == known)
        ).all()
        assert [desk.keys.open(name) for name in names] == [""]
        sealed = [
            *desk.session.scalars(select(AccountRow.name)),
            *desk.session.scalars(select(QuestionRow.text)),
        ]
        assert not any(text in desk.keys.open(each) for each in sealed for text in PERSONAL)
        assert first_broken(desk) is None

    # The books wait for the board: lid-3 is a member still, and nothing else.
    waiting = client.get("/api/v1/board/erasures", headers=by(board)).json()["waiting"]
    assert [(one["party"], one["hindrances"]) for one in waiting] == [("lid-3", ["member"])]
    number = waiting[0]["id"]
    too_early = client.post(f"/bestuur/privacy/{number}", headers=by(board))
    assert too_early.status_code == 409
    with books.desk(TREASURER) as desk:
        end_member(desk, "lid-3", date(2026, 11, 1))
    assert "Wis dit in de boeken" in client.get("/bestuur/privacy", headers=by(board)).text
    done = client.post(f"/bestuur/privacy/{number}", headers=by(board))
    again = client.post(f"/bestuur/privacy/{number}", headers=by(board))

    assert (done.status_code, again.status_code) == (303, 303)
    assert client.get("/api/v1/board/erasures", headers=by(board)).json()["waiting"] == []
    with books.reading(TREASURER) as desk:
        assert party(desk, "lid-3").name == ERASED_NAME
        assert verify_chains(desk) == []
    with people.reading() as desk:
        assert first_broken(desk) is None
        assert desk.session.scalar(select(func.count()).select_from(LookRow)) is not None


def test_only_the_board_with_a_fresh_proof_has_the_books_forget(
    town: Town, client: httpx.Client
) -> None:
    resident, operator = town.resident("home-1"), town.operator()

    assert client.get("/bestuur/privacy", headers=by(resident)).status_code == 403
    assert client.get("/bestuur/privacy", headers=by(operator)).status_code == 403
    assert client.post("/bestuur/privacy/1", headers=by(operator)).status_code == 403
    board = town.officer("board")
    assert client.post("/bestuur/privacy/999", headers=by(board)).status_code == 404
    town.clock.advance(601)
    late = client.post("/bestuur/privacy/999", headers=by(board))
    assert late.headers["location"].startswith("/bevestig")
