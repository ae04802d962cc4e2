"""The board keeps the register, and every look at it is written down."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import httpx
import pytest

from api.cooperative.four_eyes import approve
from api.cooperative.law import KeyTerms, add_key
from api.pages.members.shares import shares_now
from kwartier.interval import local_day
from optimizer.settling.battery_models import BatteryModel
from tests.api.board_place import Served, served_to_many
from tests.api.cooperative.stages import BOARD, TREASURER, Stage
from tests.api.cooperative.street import MOVE
from tests.api.town import Towns

NEW = {"party": "lid-9", "kind": "resident", "name": "Nieuwe Bewoner", "since": "2026-11-01"}


@pytest.fixture(scope="module")
def place(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with (
        towns.at(Stage.CLOSED, tmp_path_factory.mktemp("members")) as town,
        served_to_many(town) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def treasurer(place: Served) -> httpx.Client:
    return place.client(place.town.officer("treasurer"))


def test_the_list_finds_by_name_and_by_code(treasurer: httpx.Client) -> None:
    by_name = treasurer.get("/api/v1/board/members", params={"zoek": "HUURDER"}).json()
    by_code = treasurer.get("/api/v1/board/members", params={"zoek": "lid-3"}).json()

    assert [each["party"] for each in by_name["members"]] == ["lid-8"]
    assert [each["party"] for each in by_code["members"]] == ["lid-3", "lid-3b"]
    assert by_code["members"][1]["homes"] == ["home-3"]
    assert by_code["members"][0]["homes"] == []


def test_a_member_is_told_with_windows_and_papers(treasurer: httpx.Client) -> None:
    told = treasurer.get("/api/v1/board/members/lid-3").json()

    assert told["connections"] == [
        {"what": "home-3", "from_day": "2026-09-01", "to_day": MOVE.isoformat()}
    ]
    assert [each["run"] for each in told["papers"]] == ["2026-10/1"]
    assert treasurer.get("/bestuur/leden/lid-3").status_code == 200


def test_every_look_is_an_act(place: Served) -> None:
    board = place.client(place.town.officer("board"))
    board.get("/bestuur/leden/lid-5")
    board.get("/bestuur/leden")

    acts = board.get("/api/v1/board/log", params={"bron": "people", "daad": "member"}).json()

    assert [(each["act"], each["subject"]) for each in acts["acts"][:2]] == [
        ("member.list", "members"),
        ("member.read", "lid-5"),
    ]
    assert "Bewoner" not in str(acts)


def test_somebody_joins_and_takes_a_home_over(treasurer: httpx.Client) -> None:
    joined = treasurer.post("/bestuur/leden/nieuw", data=NEW)
    taken = treasurer.post(
        "/bestuur/leden/lid-9/overnemen", data={"connection": "home-7", "since": "2026-11-15"}
    )
    told = treasurer.get("/api/v1/board/members/lid-9").json()
    before = treasurer.get("/api/v1/board/members/lid-7").json()

    assert (joined.status_code, taken.status_code) == (303, 303)
    assert told["memberships"] == [{"what": "member", "from_day": "2026-11-01", "to_day": None}]
    assert told["connections"][0]["from_day"] == "2026-11-15"
    assert before["connections"][0]["to_day"] == "2026-11-15"


@pytest.mark.parametrize(
    ("act", "form", "told"),
    [
        ("gegevens", {"name": ""}, "name"),
        ("lid", {"since": "2026-11-01"}, "is a member from"),
        ("lid-einde", {"until": "2020-01-01"}, "end it later"),
        ("overnemen", {"connection": "home-99", "since": "2026-11-01"}, "no owner"),
        ("overdragen", {"connection": "home-2", "since": "2026-11-20"}, "is not owned by"),
        ("machtiging", {"reference": "Z-1", "iban": "NL00", "signed": "2026-10-01"}, "IBAN"),
        ("rekening", {"iban": "NL91ABNA0417164301"}, "IBAN is not right"),
        ("toestemming", {"purpose": "everything", "since": "2026-11-01"}, "use one of"),
        ("btw", {"vat_status": "registered", "since": "2026-11-01"}, "needs a VAT number"),
    ],
)
def test_what_the_books_refuse_is_said_and_nothing_is_kept(
    treasurer: httpx.Client, act: str, form: dict[str, str], told: str
) -> None:
    before = treasurer.get("/api/v1/board/members/lid-4").json()

    sent = treasurer.post(f"/bestuur/leden/lid-4/{act}", data=form)

    assert sent.status_code == 422
    assert told in sent.text
    assert treasurer.get("/api/v1/board/members/lid-4").json() == before


def test_everyday_acts_are_kept(treasurer: httpx.Client) -> None:
    for act, form in (
        ("gegevens", {"name": "Bewoner <b>4</b>", "email": "vier@voorbeeld.nl"}),
        ("machtiging", {"reference": "Z-4", "iban": "NL91ABNA0417164300", "signed": "2026-10-01"}),
        (
            "toestemming",
            {
                "connection": "home-4",
                "purpose": "research",
                "since": "2026-11-01",
                "evidence": "form 4",
            },
        ),
    ):
        assert treasurer.post(f"/bestuur/leden/lid-4/{act}", data=form).status_code == 303
    told = treasurer.get("/api/v1/board/members/lid-4").json()
    page = treasurer.get("/bestuur/leden/lid-4").text

    assert told["email"] == "vier@voorbeeld.nl"
    assert told["mandates"][0]["account"] == "NL… 4300"
    assert told["consents"][0]["purpose"] == "research"
    assert "NL91ABNA" not in page
    assert "Bewoner &lt;b&gt;4&lt;/b&gt;" in page
    assert "<b>4</b>" not in page


def test_members_are_for_the_board_alone(place: Served) -> None:
    for session in (place.town.resident("home-1"), place.town.operator()):
        client = place.client(session)
        for path in ("/bestuur/leden", "/bestuur/leden/lid-1", "/api/v1/board/members/lid-1"):
            assert client.get(path).status_code == 403
        assert client.post("/bestuur/leden/lid-1/gegevens", data=NEW).status_code == 403
    board = place.client(place.town.officer("board"))
    assert board.get("/bestuur/leden/nemo").status_code == 404
    assert board.get("/api/v1/board/members/nemo").status_code == 404


def test_a_form_from_another_site_changes_nothing(place: Served) -> None:
    client = place.client(place.town.officer("treasurer"))
    sent = client.post("/bestuur/leden/nieuw", data=NEW, headers={"Origin": "https://evil.test"})

    assert sent.status_code == 403


def test_fixed_parts_are_told_with_their_owners_and_their_sum(place: Served) -> None:
    start_s = local_day(MOVE.replace(month=11, day=1))[0]
    key = KeyTerms(
        {"type": "static", "shares": {"home-1": "1/3", "home-2": "2/3"}},
        battery_model=BatteryModel.COOP_BUYS,
        efficiency="0.9",
    )
    with place.town.books.desk(TREASURER) as desk:
        made = add_key(desk, "vast", "2026-01", start_s, key)
    with place.town.books.desk(BOARD) as desk:
        approve(desk, made.id, made.body_hash)
        found = shares_now(desk)
    client = place.client(place.town.officer("board"))
    told = client.get("/api/v1/board/shares").json()

    assert found.total == Fraction(1)
    assert told["shares"] == [
        {"connection": "home-1", "party": "lid-1", "part": "1/3"},
        {"connection": "home-2", "party": "lid-2", "part": "2/3"},
    ]
    assert "samen precies 1" in client.get("/bestuur/leden/aandelen").text
    assert "33,33 %" in client.get("/bestuur/leden/lid-1").text
