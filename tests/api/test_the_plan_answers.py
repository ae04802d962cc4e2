"""Who lives here asks the plan why not, and what it would have cost otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest

from api.embedded.prices import MadeUpPrices
from api.pages.language import language
from api.people.accounts import SYSTEM, add_account, grant
from api.people.errors import TooOftenError
from api.people.sessions import open_session
from api.people.visitor import Role
from api.planned.asked import MOST_NEW, PlanQuestions
from api.planned.by_home import by_home
from api.planned.page import lines_of, plan_made
from api.planner import Planner
from api.plans import MadeBecause, PlanBlock
from api.price_book import PriceBook
from kwartier.interval import QUARTER_S, instant_text
from optimizer.explain import _WORDS as REASONS
from optimizer.plan import Action, Because, Reason
from optimizer.why.members import SplitRule
from optimizer.why.why_not import COSTS, WORDS
from tests.api.conftest import log_in, served
from tests.api.street import LUNCH_S, Street, street

NOW_S = LUNCH_S + 86_400
"""A day after the one on record."""


def plan_in(made: Street) -> None:
    """Make a plan, as the quarter-hour loop does."""
    house = made.house
    planner = Planner(
        house.community,
        house.store,
        house.records,
        PriceBook(MadeUpPrices()),
        house.plans,
        made.bus,
        made.clock,
        kept=house.last_plan,
    )
    assert planner.plan_now() is not None


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """Six homes with a day on record, and a plan made just now."""
    folder = tmp_path_factory.mktemp("answers")
    with street(folder, homes=6, now_s=NOW_S, planned=False) as made:
        plan_in(made)
        yield made


@pytest.fixture(scope="module")
def anybody(planned: Street) -> Iterator[httpx.Client]:
    with served(planned) as client:
        yield client


@pytest.fixture(scope="module")
def resident(planned: Street, anybody: httpx.Client) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=anybody.base_url, timeout=60) as client:
        log_in(planned, client, "huis-02")
        yield client


def asked(client: httpx.Client, action: str, at_s: int = NOW_S) -> httpx.Response:
    query = {"battery": "wijkbatterij", "action": action, "at": instant_text(at_s)}
    return client.get("/api/v1/plan/why-not", params=query)


def test_every_other_action_has_an_answer_in_two_languages(resident: httpx.Client) -> None:
    answers = [asked(resident, action).json() for action in Action]

    assert sorted(one["why"] == "does" for one in answers) == [False, False, True]
    assert {one["does"] for one in answers} <= {"charge", "discharge", "hold"}
    for one in answers:
        assert one["text_nl"]
        assert one["text_en"]
        assert one["start"] == "2026-07-02T13:00:00+02:00"
        assert (one["costs_eur"] or 0) >= 0


def test_waiting_is_asked_about_by_both_its_names(resident: httpx.Client) -> None:
    idle, hold = asked(resident, "idle"), asked(resident, "hold")
    sleep = asked(resident, "sleep")

    assert idle.status_code == 200
    assert idle.json() == hold.json()
    assert idle.json()["asked"] == "hold"
    assert sleep.status_code == 422


def test_what_is_not_planned_is_told_so(resident: httpx.Client) -> None:
    yesterday = asked(resident, "charge", NOW_S - 86_400)
    far_off = asked(resident, "charge", NOW_S + 30 * 86_400)
    stranger = resident.get("/api/v1/plan/why-not", params={"battery": "x", "action": "hold"})

    assert (yesterday.status_code, stranger.status_code) == (404, 422)
    assert "ask for a later one" in yesterday.json()["detail"]
    assert "ask for an earlier one" in far_off.json()["detail"]


def test_nobody_from_outside_asks(anybody: httpx.Client) -> None:
    assert asked(anybody, "hold").status_code == 401
    assert anybody.get("/api/v1/plan/otherwise").status_code == 401


def test_a_plan_is_compared_over_all_homes_and_the_own_one(resident: httpx.Client) -> None:
    told = resident.get("/api/v1/plan/otherwise").json()

    assert told["homes"] == 6
    assert told["planned_eur"] <= told["without_battery_eur"] + 0.01
    assert told["without_battery_eur"] <= told["without_sharing_eur"] + 0.01
    assert told["own"]["home"] == "huis-02"
    assert told["own"]["together_cents"] <= told["own"]["alone_cents"]
    assert [one["key"] for one in told["keys"]] == ["now", "proportional", "equal"]
    assert "huis-03" not in str(told)


def test_homes_together_are_what_was_planned(planned: Street) -> None:
    kept = planned.house.last_plan.newest()
    assert kept is not None

    spread = by_home(planned.house, kept)

    assert spread is not None
    assert spread.problem.load_kw.sum(axis=0) == pytest.approx(kept.problem.load_kw.sum(axis=0))
    assert spread.problem.pv_kw.sum(axis=0) == pytest.approx(kept.problem.pv_kw.sum(axis=0))
    assert spread.made.curtailed_kw.shape == spread.problem.pv_kw.shape


def test_the_page_answers_without_a_script(resident: httpx.Client) -> None:
    page = resident.get("/batterij")
    question = resident.get(f"/batterij?b=wijkbatterij&om={NOW_S}&doe=wachten")
    nonsense = resident.get(f"/batterij?b=wijkbatterij&om={NOW_S}&doe=ontploffen")

    assert "Waarom niet iets anders?" in page.text
    assert 'id="antwoord"' not in page.text
    assert 'id="antwoord" role="status"' in question.text
    assert "Waarom niet wachten?" in question.text
    assert "Daar is geen antwoord op" in nonsense.text
    assert "huis-03" not in page.text + question.text


def test_the_page_tells_when_the_plan_was_made_and_why_within_a_quarter(
    planned: Street, resident: httpx.Client
) -> None:
    lang, plan = language("nl"), planned.house.plans.current()
    assert plan is not None
    anew = replace(plan, made_because=MadeBecause.PRICES)

    page, told = resident.get("/batterij"), plan_made(anew, NOW_S, lang)
    later = plan_made(anew, NOW_S + 86_400, lang)

    assert f"Dit plan is van {lang.clock(NOW_S)} uur." in page.text
    assert told == f"Dit plan is van {lang.clock(NOW_S)} uur: er zijn nieuwe prijzen."
    assert f"donderdag {lang.clock(NOW_S)} uur" in later


@pytest.mark.parametrize(
    ("action", "turns_eur", "nl", "en"),
    [
        ("charge", 0.12, "een kWh minder kost dan € 0,12.", "a kWh costs less than €0.12."),
        ("charge", 0.004, "stroom gratis is of geld oplevert.", "power is free or earns money."),
        ("charge", -0.004, "stroom gratis is of geld oplevert.", "power is free or earns money."),
        (
            "charge",
            -0.05,
            "een kWh gebruiken meer oplevert dan € 0,05.",
            "using a kWh earns more than €0.05.",
        ),
        ("discharge", 0.12, "een kWh meer kost dan € 0,12.", "a kWh costs more than €0.12."),
        ("discharge", 0.0, "stroom geld kost.", "power costs money."),
        (
            "discharge",
            -0.05,
            "een kWh gebruiken minder oplevert dan € 0,05.",
            "using a kWh earns less than €0.05.",
        ),
    ],
)
def test_until_which_price_it_goes_on_is_said_as_people_would(
    planned: Street, action: str, turns_eur: float, nl: str, en: str
) -> None:
    newest = planned.house.last_plan.newest()
    assert newest is not None
    block = PlanBlock(newest.start_s, newest.end_s, "wijkbatterij", action, "no_gain", "", "")
    reason = Reason(
        0, newest.problem.steps - 1, "wijkbatterij", Action.HOLD, Because.NO_GAIN, "", ""
    )
    # One worth of what is stored, at which it turns at that price.
    worth = turns_eur / newest.problem.gain if action == "charge" else None
    if worth is None:
        given = newest.problem.discharge_efficiency[:, None]
        worth = (turns_eur - newest.problem.wear_eur_per_kwh[:, None]) * given
    made = replace(
        newest.made,
        reasons=(reason,),
        stored_value_eur_per_kwh=np.broadcast_to(worth, newest.made.soc_kwh.shape),
        local_price_eur_per_kwh=np.zeros(newest.problem.steps),
    )

    told = [
        lines_of([block], replace(newest, made=made), NOW_S, language(tag))[0]
        .more[0]
        .replace("\N{NO-BREAK SPACE}", " ")
        for tag in ("nl", "en")
    ]

    assert told == [f"Goed zolang {nl}", f"Right as long as {en}"]


def test_the_words_of_answers_are_the_same_on_pages(planned: Street) -> None:
    assert planned.house.last_plan.newest() is not None
    for place, tag in enumerate(("nl", "en")):
        lang = language(tag)
        marks = {name: f"{{{name}}}" for name in ("now", "other", "cost")}
        for why, words in WORDS.items():
            assert lang.say(f"battery.because.{why}", **marks) == words[place]
        for action, words in COSTS.items():
            assert lang.say(f"battery.costs.{action}", **marks) == words[place]
        for (action, because), words in REASONS.items():
            if action is Action.HOLD:
                assert lang.say(f"battery.wait.{because}") == words[place]


def test_questions_are_counted_until_it_is_enough(planned: Street) -> None:
    questions = PlanQuestions(planned.house.last_plan, planned.clock)
    start_s = NOW_S // QUARTER_S * QUARTER_S

    for place in range(MOST_NEW):
        at_s = start_s + place * QUARTER_S
        questions.why_not("somebody", "wijkbatterij", at_s, Action.HOLD)
    questions.why_not("somebody", "wijkbatterij", start_s, Action.HOLD)  # known already
    with pytest.raises(TooOftenError):
        questions.why_not("somebody", "wijkbatterij", start_s, Action.CHARGE)

    questions.why_not("somebody else", "wijkbatterij", start_s, Action.CHARGE)


def test_a_new_process_says_that_it_has_no_plan(noon: Street, client: httpx.Client) -> None:
    with httpx.Client(base_url=client.base_url, timeout=60) as early:
        log_in(noon, early, "huis-02")
        page, answer = early.get("/batterij"), early.get("/api/v1/plan/otherwise")

    assert "U kunt nu geen vragen stellen" in page.text
    assert "since the start" in answer.json()["detail"]


def test_few_homes_are_told_nothing_that_shows_one(tmp_path: Path) -> None:
    with street(tmp_path, homes=4) as made, served(made) as client:
        log_in(made, client, "huis-02")
        few = [client.get("/api/v1/plan/otherwise"), asked(client, "hold")]

    assert [one.status_code for one in few] == [404, 404]
    assert all("fewer than six" in one.json()["detail"] for one in few)


@pytest.fixture(scope="module")
def board(planned: Street, anybody: httpx.Client) -> Iterator[httpx.Client]:
    with planned.house.people.writing() as desk:
        account = add_account(desk, SYSTEM, name="voorzitter")
        grant(desk, SYSTEM, account, Role.BOARD)
        session = open_session(desk, account, "password", strong=True)
    with httpx.Client(
        base_url=anybody.base_url, timeout=60, cookies={"kwartier": session}
    ) as client:
        yield client


@pytest.mark.parametrize("rule", SplitRule)
def test_the_board_sees_that_nobody_pays_more_than_alone(
    board: httpx.Client, rule: SplitRule
) -> None:
    told = board.get("/api/v1/board/plan", params={"rule": rule}).json()

    assert told["together"]
    assert all(one["pays_cents"] <= one["alone_cents"] for one in told["homes"])
    assert sum(one["pays_cents"] for one in told["homes"]) == told["group_cents"]


def test_the_boards_page_has_a_row_for_each_home(board: httpx.Client) -> None:
    page = board.get("/bestuur/plan?regel=exchanged")

    assert page.status_code == 200
    assert page.text.count('<th scope="row">huis-') == 6
    assert "Wie betaalt wat?" in page.text
    assert "Zonder batterij en zonder delen" in page.text


def test_a_resident_is_not_shown_what_others_pay(resident: httpx.Client) -> None:
    assert resident.get("/api/v1/board/plan").status_code == 403
