"""'Klopt dit niet?': a question gets a number, a day and an answer, and nobody else reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date

import httpx
import pytest
from sqlalchemy import select

from api.people.acts import first_broken
from api.people.questions import MOST_OPEN, questions_of, working_days_later
from api.people.questions import ask as keep
from api.people.sessions import visitor_of
from api.people.tables import ActRow, QuestionRow
from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.town import Town, Towns

PLACE = "2026-10/1/2/2026-10-25/02:15-2"
HOSTILE = '<script>alert(1)</script>\n"><img src=x onerror=alert(1)>{{ 7*7 }}'


@dataclass(frozen=True, slots=True)
class Asking:
    """A town with a closed month, and a client whose writes come from our own pages."""

    town: Town
    client: httpx.Client


@pytest.fixture(scope="module")
def asking(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """One town for all; each test asks for another home."""
    with ExitStack() as open_things:
        made = towns.at(Stage.CLOSED, tmp_path_factory.mktemp("questions"))
        town = open_things.enter_context(made)
        client = open_things.enter_context(served(town))
        client.headers["Origin"] = town.house.public_url
        yield Asking(town, client)


def as_(client: httpx.Client, session: str) -> httpx.Client:
    """Return the client with a session."""
    client.cookies.clear()
    client.cookies.set("kwartier", session)
    return client


def number_of(sent: httpx.Response) -> int:
    """Return the number that a question got."""
    assert sent.status_code == 303
    return int(sent.headers["location"].partition("?")[0].rpartition("/")[2])


def ask(client: httpx.Client, text: str, place: str = PLACE) -> httpx.Response:
    """Send a question."""
    return client.post("/afrekening/vraag", data={"place": place, "text": text})


def test_a_question_walks_from_resident_to_board_and_back(asking: Asking) -> None:
    """Asked on Monday 2 November 2026: ten working days later is Monday the 16th."""
    town, client = asking.town, asking.client
    resident, treasurer = town.resident("home-1"), town.officer("treasurer")
    form = as_(client, resident).get(f"/afrekening/vraag?plek={PLACE}").text
    sent = ask(client, HOSTILE)
    told = client.get(sent.headers["location"]).text
    waiting = as_(client, treasurer).get("/bestuur/vragen").text
    number = number_of(sent)
    answered = client.post(f"/bestuur/vragen/{number}", data={"text": f"Dat klopt. {HOSTILE}"})
    again = client.post(f"/bestuur/vragen/{number}", data={"text": "Toch niet."})
    seen = as_(client, resident).get(f"/afrekening/vraag/{number}").text
    listed = client.get("/api/v1/questions").json()

    assert f'name="place" value="{PLACE}"' in form
    assert "zondag 25 oktober, 02.15 (wintertijd)" in form
    assert (sent.status_code, answered.status_code, again.status_code) == (303, 303, 404)
    assert "U heeft antwoord uiterlijk 16 november 2026." in told
    assert "lid-1, afrekening van oktober 2026, versie 1, regel 2" in waiting
    assert "Dat klopt." in seen
    assert listed[0]["answer"].startswith("Dat klopt.")
    assert listed[0]["answer_by"] == "2026-11-16"
    for page in (told, waiting, seen):
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "&lt;script&gt;" in page
        assert "{{ 7*7 }}" in page


def test_texts_lie_sealed_and_acts_name_no_words(asking: Asking) -> None:
    town, client = asking.town, asking.client
    number = number_of(ask(as_(client, town.resident("home-2")), "geheim woord"))
    as_(client, town.officer("board"))
    client.post(f"/bestuur/vragen/{number}", data={"text": "geheim antwoord"})
    with town.house.people.reading() as desk:
        row = desk.session.get_one(QuestionRow, number)
        acts = [
            (act.act, act.subject, act.facts)
            for act in desk.session.scalars(select(ActRow).order_by(ActRow.id))
            if act.act.startswith("question.") and act.subject == str(number)
        ]
        opened = questions_of(desk, row.account)[0]
        broken = first_broken(desk)

    assert "geheim" not in row.text + row.answer
    assert (opened.text, opened.answer) == ("geheim woord", "geheim antwoord")
    assert [(act, subject) for act, subject, _ in acts] == [
        ("question.ask", str(number)),
        ("question.answer", str(number)),
    ]
    assert "geheim" not in "".join(facts for _, _, facts in acts)
    assert broken is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("   ", "Schrijf eerst uw vraag."),
        ("a" * 2001, "Dit zijn 2.001 letters. Er passen er 2.000."),
    ],
)
def test_a_text_that_does_not_fit_comes_back_with_the_words_kept(
    asking: Asking, text: str, said: str
) -> None:
    town, client = asking.town, asking.client
    answer = ask(as_(client, town.resident("home-5")), text)

    assert answer.status_code == 422
    assert said in answer.text
    assert f">{text}</textarea>" in answer.text


def test_nobody_asks_about_or_reads_another_ones_statement(asking: Asking) -> None:
    town, client = asking.town, asking.client
    number = number_of(ask(as_(client, town.resident("home-1")), "Waarom?"))
    as_(client, town.resident("home-4"))
    own = [client.get(f"/afrekening/vraag/{one}") for one in (number, 999, "x")]
    foreign = [
        ask(client, "Waarom?", place)
        for place in ("2026-10/2", "2026-10/1/99", "2026-10/1/1/2026-10-12", "x", "../..")
    ]
    board = client.get("/bestuur/vragen")
    client.cookies.clear()
    nobody = ask(client, "Waarom?")
    weak = as_(client, town.officer("treasurer", strong=False)).get("/bestuur/vragen")

    assert [one.status_code for one in own] == [404] * 3
    assert [one.status_code for one in foreign] == [404] * 5
    assert board.status_code == 403
    assert (nobody.status_code, weak.status_code) == (303, 303)
    assert nobody.headers["location"].startswith("/inloggen")
    assert weak.headers["location"].startswith("/bevestig")


def test_only_so_many_questions_of_one_person_wait(asking: Asking) -> None:
    town, client = asking.town, asking.client
    session = town.resident("home-7")
    visitor = visitor_of(town.house.people, session)
    with town.house.people.writing() as desk:
        for number in range(MOST_OPEN):
            keep(desk, visitor.account, visitor.party, "2026-10/1", f"Vraag {number}")
    sent = ask(as_(client, session), "Nog een", "2026-10/1")

    assert sent.status_code == 422
    assert "U heeft al veel vragen openstaan" in sent.text


def test_working_days_are_monday_to_friday() -> None:
    """From Friday 30 October 2026 the first working day is Monday, the tenth Friday the 13th."""
    assert working_days_later(date(2026, 10, 30), 1) == date(2026, 11, 2)
    assert working_days_later(date(2026, 10, 30), 10) == date(2026, 11, 13)
