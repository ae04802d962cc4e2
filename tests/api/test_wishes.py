"""What somebody wants told: chosen on a page, taken back by a link, and told to nobody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import delete, select

from api.app import create_app
from api.people.accounts import SYSTEM, account_of_party
from api.people.acts import first_broken
from api.people.mail_links import set_email
from api.people.tables import ActRow, MessageRow, WishRow
from api.people.wishes import FOR_RESIDENTS, Channel, Kind, set_wishes, wishes_of
from api.post.counter import Counter
from api.post.hook import Hook
from api.post.loop import PostLoop
from api.post.sender import Sender
from api.post.settings import WebhookSettings
from api.post.smtp import SmtpMailer
from api.post.stopping import Stop, stop_link
from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.mail_server import MailServer, mail_server
from tests.api.town import Town, Towns

PAGE = "/hulp/berichten"
SUN, STATEMENT = (Kind.SUN, Channel.EMAIL), (Kind.STATEMENT, Channel.EMAIL)


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def opened(
    towns: Towns, tmp_path_factory: pytest.TempPathFactory, server: MailServer
) -> Iterator[tuple[Town, httpx.Client]]:
    with towns.at(Stage.COMPUTED, tmp_path_factory.mktemp("wishes")) as town:
        mailer = SmtpMailer(server.settings, town.clock, timeout_s=2.0)
        hook = Hook(WebhookSettings("http://127.0.0.1:1/x", b"x" * 16), town.clock)
        house = replace(town.house, mailer=mailer, hook=hook)
        made = replace(town, house=house, app=create_app(house))
        with served(made) as client:
            client.cookies.set("kwartier", town.resident("home-1"))
            client.headers["Origin"] = town.house.public_url
            yield made, client
        hook.close()


@pytest.fixture
def town(opened: tuple[Town, httpx.Client]) -> Town:
    made, _ = opened
    with made.house.people.writing() as desk:
        desk.session.execute(delete(MessageRow))
        desk.session.execute(delete(WishRow))
        set_email(desk, SYSTEM, account(made), "lid-1@example.nl")
    return made


@pytest.fixture
def client(opened: tuple[Town, httpx.Client]) -> httpx.Client:
    return opened[1]


def account(town: Town, party: str = "lid-1") -> str:
    with town.house.people.reading() as desk:
        found = account_of_party(desk, party)
    assert found is not None
    return found


def wished(town: Town) -> frozenset[tuple[Kind, Channel]]:
    with town.house.people.reading() as desk:
        return wishes_of(desk, account(town))


def want(town: Town, *wanted: tuple[Kind, Channel]) -> None:
    with town.house.people.writing() as desk:
        set_wishes(desk, SYSTEM, account(town), wanted, FOR_RESIDENTS)


def test_nothing_is_chosen_before_somebody_chooses(town: Town, client: httpx.Client) -> None:
    page = client.get(PAGE).text

    assert wished(town) == frozenset()
    assert " checked" not in page
    assert "lid-1@example.nl" in page


def test_a_choice_is_kept_shown_and_written_down(town: Town, client: httpx.Client) -> None:
    reply = client.post(PAGE, data={"sun.email": "1", "meter.webhook": "1"})

    assert reply.headers["location"] == f"{PAGE}?klaar=wishes"
    assert wished(town) == {SUN, (Kind.METER, Channel.WEBHOOK)}
    page = client.get(reply.headers["location"]).text
    assert page.count(" checked") == 2
    assert "Uw keuze is bewaard." in page
    told = client.get("/api/v1/wishes").json()
    assert told["ways"] == ["email", "webhook"]
    assert {"kind": "sun", "ways": ["email"]} in told["wishes"]
    with town.house.people.reading() as desk:
        assert first_broken(desk) is None
        acts = list(desk.session.scalars(select(ActRow).where(ActRow.act == "wish.add")))
    assert "example.nl" not in "".join(act.facts for act in acts)


def test_a_choice_can_be_taken_back(town: Town, client: httpx.Client) -> None:
    want(town, SUN, STATEMENT)

    client.post(PAGE, data={"statement.email": "1"})

    assert wished(town) == {STATEMENT}


@pytest.mark.parametrize("field", ["blocked.email", "alert.webhook", "test.email", "sun.paper"])
def test_a_resident_cannot_wish_for_what_is_not_theirs(
    town: Town, client: httpx.Client, field: str
) -> None:
    client.post(PAGE, data={field: "1"})

    assert wished(town) == frozenset()


def test_the_board_may_choose_what_is_the_boards(town: Town, client: httpx.Client) -> None:
    with httpx.Client(base_url=client.base_url) as board:
        board.cookies.set("kwartier", town.officer("board"))
        page = board.get(PAGE).text

    assert 'name="blocked.email"' in page
    assert 'name="alert.email"' not in page


def test_nobody_without_an_account_has_wishes(town: Town, client: httpx.Client) -> None:
    origin = {"Origin": town.house.public_url}
    with httpx.Client(base_url=client.base_url) as nobody:
        assert nobody.get(PAGE).status_code == 303
        assert nobody.get("/api/v1/wishes").status_code == 401
        assert nobody.post(PAGE, data={}, headers=origin).status_code == 303


def test_a_test_message_comes_at_once_and_not_too_often(
    town: Town, client: httpx.Client, server: MailServer
) -> None:
    server.counter.letters.clear()

    first = client.post(f"{PAGE}/proef")
    second = client.post(f"{PAGE}/proef")
    Sender(Counter.of(town.house)).send_due()

    assert first.headers["location"].endswith("klaar=test")
    assert second.headers["location"].endswith("klaar=test_later")
    [letter] = server.counter.to("lid-1@example.nl")
    assert letter["Subject"] == "Dit is een proefbericht"
    assert letter["List-Unsubscribe"] is None


def test_the_link_in_a_letter_asks_first_and_then_ends_one_wish(
    town: Town, client: httpx.Client
) -> None:
    want(town, SUN, STATEMENT)
    stop = Stop(account(town), Kind.SUN, Channel.EMAIL)
    link = stop_link(town.house.people.keys, "", stop)
    with httpx.Client(base_url=client.base_url) as nobody:
        asked = nobody.get(link)
        assert wished(town) == {SUN, STATEMENT}, "a mail scanner that follows links ends nothing"
        done = nobody.post(link, headers={"Origin": town.house.public_url})
        again = nobody.post(link, headers={"Origin": town.house.public_url})

    assert "Morgen is er veel zon, per e-mail" in asked.text
    assert "lid-1" not in asked.text
    assert (done.status_code, again.status_code) == (200, 200)
    assert wished(town) == {STATEMENT}


def test_a_link_that_was_changed_ends_nothing(town: Town, client: httpx.Client) -> None:
    want(town, SUN, STATEMENT)
    stop = Stop(account(town), Kind.SUN, Channel.EMAIL)
    link = stop_link(town.house.people.keys, "", stop)
    path, _, proof = link.rpartition(".")
    forged = [
        link.replace("sun", "statement"),
        f"{path}.{proof[:-1]}",
        f"{path}.{'0' * len(proof)}",
        f"{path}.é",
        "/afmelden/...",
        "/afmelden/x",
    ]

    replies = [client.post(each).status_code for each in forged]

    assert replies == [404] * len(forged)
    assert wished(town) == {SUN, STATEMENT}


def test_a_form_of_another_site_ends_nothing(town: Town, client: httpx.Client) -> None:
    want(town, SUN)
    link = stop_link(town.house.people.keys, "", Stop(account(town), *SUN))

    for path in (link, PAGE, f"{PAGE}/proef"):
        reply = client.post(path, headers={"Origin": "https://evil.example"})
        assert reply.status_code == 403

    assert wished(town) == {SUN}


def test_the_loop_sends_what_is_asked_for_until_it_is_stopped(
    town: Town, client: httpx.Client, server: MailServer
) -> None:
    server.counter.letters.clear()
    loop = PostLoop(town.house, send_s=0.02)
    loop.start()
    client.post(f"{PAGE}/proef")

    until_s = time.monotonic() + 20
    while not server.counter.to("lid-1@example.nl") and time.monotonic() < until_s:
        time.sleep(0.02)
    loop.stop()

    assert len(server.counter.to("lid-1@example.nl")) == 1
