"""A change of the rules is looked at by everybody before two people decide on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from api.cooperative.canonical import digest, text_digest
from api.cooperative.database import Books
from api.cooperative.registry import hand_over
from api.people.accounts import SYSTEM, account_of_party, add_account
from api.people.companions import come_along, companion_of, invite
from api.people.sessions import open_session
from kwartier.wire import Json
from tests.api.board_place import Served, hidden, served_to_many
from tests.api.cooperative.stages import TREASURER, Stage
from tests.api.town import Town, Towns

TARIFF = {
    "name": "tarief-2027",
    "decision": "2026-02",
    "from": "2027-01-01",
    "buy": "0,17",
    "sell": "0.12",
    "levy": "0,01",
    "grid_sell": "0",
    "fee_per_month": "3,00",
    "reference": "0.10",
    "vat_code": "high",
    "against": "then",
}


@pytest.fixture(scope="module")
def place(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A closed October, shared by this file; every test uses a version of its own."""
    with (
        towns.at(Stage.CLOSED, tmp_path_factory.mktemp("rules")) as town,
        served_to_many(town) as made,
    ):
        yield made


def body_of(client: httpx.Client, number: int) -> dict[str, Json]:
    told = client.get(f"/api/v1/board/proposals/{number}").json()["body"]
    assert isinstance(told, dict)
    return told


def test_the_rules_stand_there_with_who_decided(place: Served) -> None:
    client = place.client(place.town.officer("board"))
    page = client.get("/bestuur/regels").text
    told = client.get("/api/v1/board/rules").json()

    assert "tarief-2" in page
    assert "geldt nu" in page
    states = {each["id"]: each["state"] for each in told["tariffs"]}
    assert states["tarief-1"] == "past"
    second = next(each for each in told["tariffs"] if each["id"] == "tarief-2")
    assert (second["proposed_by"], second["approved_by"]) == ("treasurer", "board")
    assert second["valid_from"] == "2026-10-12T00:00:00+02:00"


def test_the_proposal_bears_the_hash_of_what_was_looked_at(place: Served) -> None:
    client = place.client(place.town.officer("treasurer"))
    path = place.tried(client, {**TARIFF, "name": "seen"})
    told = client.get(f"/api/v1/board/whatif/{path.rsplit('/', 1)[1]}").json()

    sent = client.post(path, data={"hash": hidden(client.get(path).text)})
    number = int(sent.headers["location"].split("?")[0].rsplit("/", 1)[1])

    assert body_of(client, number)["replay"] == told["hash"] == digest(told["replay"])
    page = client.get(f"/bestuur/voorstellen/{number}").text
    assert told["hash"] in page
    assert "Grootste nadeel" in page


def test_a_page_that_was_not_looked_at_proposes_nothing(place: Served) -> None:
    client = place.client(place.town.officer("treasurer"))
    path = place.tried(client, {**TARIFF, "name": "unseen"})

    sent = client.post(path, data={"hash": "0" * 64})

    assert sent.status_code == 422
    assert "look anew" in sent.text
    assert "unseen" not in client.get("/api/v1/board/rules").text


def test_a_resident_sees_the_own_effect_and_classes_of_five(place: Served) -> None:
    number = place.proposed(place.client(place.town.officer("treasurer")), {**TARIFF, "name": "a"})
    resident = place.client(place.town.resident("home-1"))

    page = resident.get(f"/afrekening/voorstel/{number}")
    told = resident.get(f"/api/v1/proposals/{number}").json()

    assert page.status_code == 200
    assert "Dit is een voorstel" in page.text
    assert told["difference_cents"] == told["new_cents"][0] - told["old_cents"][0]
    assert [each["members"] for each in told["classes"]] == [5, 5]
    others = {"lid-2", "lid-3", "lid-4", "lid-5", "lid-6", "lid-7", "lid-8", "corporatie"}
    assert not [name for name in others if name in page.text + json.dumps(told)]


def test_who_looks_along_with_one_of_two_homes_is_told_no_effect_of_both(
    towns: Towns, tmp_path: Path
) -> None:
    def second_home(books: Books) -> None:
        with books.desk(TREASURER) as desk:
            hand_over(desk, "home-2", "lid-1", date(2026, 11, 1))

    with (
        towns.at(Stage.CLOSED, tmp_path, then=second_home) as town,
        served_to_many(town) as place,
    ):
        number = place.proposed(
            place.client(town.officer("treasurer")), {**TARIFF, "name": "two-homes"}
        )
        told = {
            who: place.client(session).get(f"/api/v1/proposals/{number}").json()
            for who, session in (
                ("owner", town.resident("home-1")),
                ("companion", _companion(town, "home-1")),
            )
        }

    assert told["owner"]["difference_cents"] is not None
    assert told["companion"]["difference_cents"] is None
    assert told["companion"]["old_cents"] == []
    assert told["companion"]["classes"] == told["owner"]["classes"]


def test_each_resident_is_told_another_number(place: Served) -> None:
    number = place.proposed(place.client(place.town.officer("treasurer")), {**TARIFF, "name": "b"})
    told = {
        home: place.client(place.town.resident(home)).get(f"/api/v1/proposals/{number}").json()
        for home in ("home-1", "home-4")
    }

    assert told["home-1"]["old_cents"] != told["home-4"]["old_cents"]
    assert told["home-1"]["classes"] == told["home-4"]["classes"]


def test_nothing_is_told_of_other_proposals_or_to_nobody(place: Served) -> None:
    resident = place.client(place.town.resident("home-1"))
    assert resident.get("/afrekening/voorstel/1").status_code == 404  # a key, without a replay
    assert resident.get("/afrekening/voorstel/999").status_code == 404
    assert resident.get("/bestuur/regels").status_code == 403
    assert resident.get("/bestuur/regels/proef/" + "0" * 32).status_code == 403
    with httpx.Client(base_url=place.base) as nobody:
        assert nobody.get("/api/v1/proposals/1").status_code == 401


def test_a_second_person_approves_and_the_first_does_not(place: Served) -> None:
    treasurer = place.client(place.town.officer("treasurer"))
    board = place.client(place.town.officer("board"))
    number = place.proposed(board, {**TARIFF, "name": "own", "buy": "0.16"})
    path = f"/bestuur/voorstellen/{number}"
    body_hash = board.get(f"/api/v1/board/proposals/{number}").json()["body_hash"]

    own = board.post(f"{path}/goedkeuren", data={"hash": body_hash})
    back = board.post(f"{path}/afwijzen", data={"reason": "a typing error"})
    second = place.proposed(treasurer, {**TARIFF, "name": "two", "buy": "0.15"})
    other = board.get(f"/api/v1/board/proposals/{second}").json()["body_hash"]
    stale = board.post(f"/bestuur/voorstellen/{second}/goedkeuren", data={"hash": body_hash})
    good = board.post(f"/bestuur/voorstellen/{second}/goedkeuren", data={"hash": other})

    assert own.status_code == 403
    assert "ask a second person" in own.text
    assert back.status_code == 303
    assert stale.status_code == 422
    assert good.headers["location"].endswith("klaar=proposal_approved")
    told = board.get("/api/v1/board/rules").json()["tariffs"]
    states = {each["id"]: (each["state"], each["approved_by"]) for each in told}
    assert states["own"] == ("rejected", "")
    assert states["two"] == ("later", "board")


def test_a_second_account_of_the_same_person_is_the_same_person(place: Served) -> None:
    number = place.proposed(place.client(place.town.officer("treasurer")), {**TARIFF, "name": "c"})
    weak = place.client(place.town.officer("board", strong=False))

    sent = weak.post(f"/bestuur/voorstellen/{number}/goedkeuren", data={"hash": "0" * 64})

    assert sent.status_code == 303
    assert sent.headers["location"].startswith("/bevestig")


def test_who_is_no_officer_in_the_books_decides_nothing(place: Served) -> None:
    with place.town.house.people.writing() as desk:
        account = add_account(desk, SYSTEM, name="somebody")
        session = open_session(desk, account, "password", strong=True)
    client = place.client(session)

    assert client.get("/bestuur/voorstellen").status_code == 403
    assert client.post("/bestuur/voorstellen/1/goedkeuren", data={}).status_code == 403


@pytest.mark.parametrize(
    ("kind", "form", "told"),
    [
        ("tarief", {**TARIFF, "buy": "veel"}, "buy"),
        ("tarief", {**TARIFF, "fee_per_month": "-1"}, "fee_per_month"),
        ("tarief", {**TARIFF, "from": "soon"}, "write it as 2027-01-01"),
        ("tarief", {**TARIFF, "name": "Tarief!"}, "use 1 to 32"),
        ("sleutel", {"type": "static", "shares": "home-1 0,7\nhome-2 0,7"}, "more than 1"),
        ("sleutel", {"type": "static", "shares": "home-1 0,7\nhome-1 0,1"}, "stands there twice"),
        ("sleutel", {"type": "hybrid", "shares": "home-99 0,7"}, "not known"),
        ("sleutel", {"type": "solidarity"}, "use one of"),
        ("sleutel", {"type": "equal", "participants": "x" * 5000}, "more than 4000 letters"),
    ],
)
def test_what_cannot_be_is_shown_again_with_the_reason(
    place: Served, kind: str, form: dict[str, str], told: str
) -> None:
    key = {"name": "k", "decision": "2026-01", "from": "2027-01-01"}
    rest = {"self_rule": "no_self", "tie": "rotate", "battery": "coop_buys", "efficiency": "0,9"}
    whole = form if kind == "tarief" else {**key, **rest, **form}
    client = place.client(place.town.officer("treasurer"))

    sent = client.post(f"/bestuur/regels/{kind}", data=whole)

    assert sent.status_code == 422
    assert told in sent.text


@pytest.mark.parametrize("kind", ["static", "hybrid"])
@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("nl", "in: één huis op een regel, zoals huis-1 0,25."),
        ("en", ": one home on a line, such as huis-1 0.25."),
    ],
)
def test_a_key_of_fixed_parts_without_parts_is_refused_in_the_readers_words(
    place: Served, kind: str, tag: str, told: str
) -> None:
    form = {
        "name": "k",
        "decision": "2026-01",
        "from": "2027-01-01",
        "self_rule": "no_self",
        "tie": "rotate",
        "type": kind,
        "shares": " \n",
    }

    sent = place.client(place.town.officer("treasurer")).post(
        f"/bestuur/regels/sleutel?lang={tag}", data=form
    )

    assert sent.status_code == 422
    assert told in sent.text
    assert "nothing stands there" not in sent.text


@pytest.mark.parametrize(
    ("form", "definition"),
    [
        ({"type": "proportional"}, {"type": "proportional"}),
        (
            {"type": "static", "shares": "home-1 0,25\nhome-2: 3/4", "rounds": "fill"},
            {"type": "static", "shares": {"home-1": "0.25", "home-2": "3/4"}, "rounds": "fill"},
        ),
        (
            {"type": "cascade", "tiers": "home-1 home-2\nhome-3", "within": "equal"},
            {"type": "cascade", "tiers": [["home-1", "home-2"], ["home-3"]], "within": "equal"},
        ),
        (
            {
                "type": "equal",
                "participants": "home-1, home-2",
                "solidarity": "yes",
                "part": "0,2",
                "beneficiaries": "home-3",
            },
            {
                "type": "solidarity",
                "share": "0.2",
                "beneficiaries": ["home-3"],
                "base": {
                    "type": "equal",
                    "participants": ["home-1", "home-2"],
                    "rounds": "single",
                },
            },
        ),
    ],
)
def test_a_form_becomes_the_key_it_says(
    place: Served, form: dict[str, str], definition: Json
) -> None:
    whole = {
        "name": "k-2027",
        "decision": "2026-01",
        "from": "2027-01-01",
        "self_rule": "no_self",
        "tie": "rotate",
        "battery": "coop_buys",
        "efficiency": "0,9",
        **form,
    }
    client = place.client(place.town.officer("treasurer"))

    path = place.tried(client, whole, "sleutel")
    told = client.get(f"/api/v1/board/whatif/{path.rsplit('/', 1)[1]}").json()

    assert told["replay"]["candidate"]["terms"]["key"] == definition
    assert "Wie betaalt meer" in client.get(path).text


def test_an_account_is_written_out_for_the_second_person_only_on_its_own_page(
    towns: Towns, tmp_path: Path
) -> None:
    with towns.at(Stage.READY, tmp_path) as town, served_to_many(town) as here:
        treasurer = here.client(town.officer("treasurer"))
        board = here.client(town.officer("board"))
        treasurer.post("/bestuur/leden/lid-1/rekening", data={"iban": "NL91ABNA0417164300"})
        waits = board.get("/api/v1/board/proposals").json()
        number = waits[0]["id"]

        listed = board.get("/bestuur/voorstellen").text
        shown = board.get(f"/bestuur/voorstellen/{number}").text
        board.post(
            f"/bestuur/voorstellen/{number}/goedkeuren", data={"hash": waits[0]["body_hash"]}
        )
        member = board.get("/api/v1/board/members/lid-1").json()
        log = board.get("/api/v1/board/log?daad=proposal.read").json()["acts"]

    assert "NL91" not in listed + json.dumps(waits)
    assert "NL91 ABNA 0417 1643 00" in shown
    assert member["payout_account"] == "NL… 4300"
    assert [(each["act"], each["subject"]) for each in log] == [("proposal.read", str(number))]


def test_a_decision_is_written_down_with_the_hash_of_its_text(place: Served) -> None:
    form = {
        "number": "2027-01",
        "kind": "tariff",
        "title": "Het tarief van 2027",
        "text": "Wij besluiten:\r\n17 cent.",
        "decided": "2026-11-01",
        "eligible": "10",
        "turnout": "7",
        "result": "adopted",
        "from": "2027-01-01",
    }
    client = place.client(place.town.officer("board"))

    many = client.post("/bestuur/regels/besluit", data={**form, "turnout": "11"})
    kept = client.post("/bestuur/regels/besluit", data=form)
    log = client.get("/api/v1/board/log?daad=decision&over=2027-01").json()["acts"]

    assert many.status_code == 422
    assert "11 of 10 voted" in many.text
    assert kept.headers["location"].endswith("klaar=rules_decided")
    assert log[0]["facts"]["text_hash"] == text_digest("Wij besluiten:\n17 cent.")
    assert "2027-01" in client.get("/bestuur/regels/tarief").text


def _companion(town: Town, home: str) -> str:
    """Return the session of somebody who looks along with who lives in a home."""
    people = town.house.people
    with people.writing() as desk:
        account = account_of_party(desk, home.replace("home", "lid"))
        assert account is not None
        code = invite(desk, account, account, home, "Dochter")
        return come_along(desk, companion_of(desk, code))
