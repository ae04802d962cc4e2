"""Delivering statements: the board's page, its acts, and what programs read of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import delete, func, select

from api.app import create_app
from api.cooperative.database import Books
from api.cooperative.errors import StateError
from api.cooperative.registry import ERASED, Party, PartyKind
from api.cooperative.registry.party_book import write_details
from api.cooperative.registry.privacy import ERASED_NAME
from api.people.accounts import SYSTEM, account_of_party, end_account
from api.people.mail_links import set_email
from api.people.privacy import all_about, erase_account
from api.people.retention import let_go
from api.people.tables import ActRow, MessageRow, WishRow
from api.people.wishes import Channel, Kind, end_wish, set_wishes
from api.post.board import Shown, deliveries_of
from api.post.counter import Counter
from api.post.delivery import deliver
from api.post.outbox import Message, queue
from api.post.sender import Outcome, Sender
from api.post.smtp import SmtpMailer
from kwartier.wire import Json
from tests.api.conftest import served
from tests.api.cooperative.stages import REASON, TREASURER, Stage
from tests.api.mail_server import MailServer, mail_server
from tests.api.town import Town, Towns

MEMBERS = 10
"""Seven homes with one owner, the one who moved in, the corporation, and its tenant."""
RUN, SECOND = "2026-10/1", "2026-10/2"
PAGE = "/bestuur/berichten"
STATEMENTS = (Kind.STATEMENT, Kind.CORRECTED)


@dataclass(frozen=True, slots=True)
class Posted:
    """A town with a mail server, and a treasurer at a browser."""

    town: Town
    server: MailServer
    treasurer: httpx.Client

    def with_email(self, home: str) -> str:
        """Let who lives in a home want statements by e-mail, and return the account."""
        self.town.resident(home)
        people, party = self.town.house.people, home.replace("home", "lid")
        with people.writing() as desk:
            account = account_of_party(desk, party)
            assert account is not None
            set_email(desk, SYSTEM, account, f"{party}@example.nl")
            wanted = {(kind, Channel.EMAIL) for kind in STATEMENTS}
            set_wishes(desk, account, account, wanted, STATEMENTS)
        return account

    def act(self, path: str, **fields: str | int) -> httpx.Response:
        """Send a form from our own page."""
        told = {name: str(value) for name, value in fields.items()}
        origin = {"Origin": self.town.house.public_url}
        return self.treasurer.post(f"{PAGE}/{path}", data=told, headers=origin)

    def send(self) -> Outcome:
        """Send what is due."""
        return Sender(Counter.of(self.town.house)).send_due()

    def shown(self, run: str = RUN) -> dict[str, Shown]:
        """Return how far each member's statement came."""
        with self.town.house.people.reading() as desk:
            return {each.party: each.shown for each in deliveries_of(desk, run)}

    def number(self, party: str) -> int:
        """Return the newest message about a member's statement."""
        with self.town.house.people.reading() as desk:
            wanted = select(func.max(MessageRow.id)).where(MessageRow.party == party)
            return desk.session.scalar(wanted) or 0


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def invoiced(
    towns: Towns, tmp_path_factory: pytest.TempPathFactory, server: MailServer
) -> Iterator[Posted]:
    with towns.at(Stage.INVOICED, tmp_path_factory.mktemp("invoiced")) as town:
        mailer = SmtpMailer(server.settings, town.clock, timeout_s=2.0)
        house = replace(town.house, mailer=mailer)
        with_mail = replace(town, house=house, app=create_app(house))
        with served(with_mail) as client:
            client.cookies.set("kwartier", town.officer("treasurer"))
            yield Posted(with_mail, server, client)


@pytest.fixture
def post(invoiced: Posted) -> Posted:
    """The town, before anything was sent."""
    invoiced.server.counter.letters.clear()
    invoiced.server.counter.refused.clear()
    with invoiced.town.house.people.writing() as desk:
        desk.session.execute(delete(MessageRow))
        desk.session.execute(delete(WishRow))
    return invoiced


def test_who_chose_email_gets_a_letter_there_and_everybody_else_on_paper(post: Posted) -> None:
    post.with_email("home-1")
    before = post.treasurer.get(PAGE)

    reply = post.act("verstuur", run=RUN)
    post.send()

    assert "10 leden krijgen nog bericht" in before.text
    assert reply.headers["location"] == f"{PAGE}?klaar=delivered&run=2026-10%2F1"
    assert post.shown() == {
        "lid-1": Shown.SENT,
        **{f"lid-{number}": Shown.PRINT for number in range(2, 9)},
        "lid-3b": Shown.PRINT,
        "corporatie": Shown.PRINT,
    }
    assert len(post.server.counter.letters) == 1


def test_sending_twice_sends_nothing_twice(post: Posted) -> None:
    post.with_email("home-1")
    post.act("verstuur", run=RUN)
    post.send()

    again = post.act("verstuur", run=RUN)
    post.send()

    assert "delivered_before" in again.headers["location"]
    assert len(post.server.counter.letters) == 1
    assert len(post.shown()) == MEMBERS


def test_who_wants_another_way_later_gets_it_by_no_second_way(post: Posted) -> None:
    account = post.with_email("home-1")
    house = post.town.house
    assert house.office is not None
    post.act("verstuur", run=RUN)
    post.send()
    with house.people.writing() as desk:
        end_wish(desk, account, account, Kind.STATEMENT, Channel.EMAIL)
    post.with_email("home-2")

    made = deliver(house, house.office, RUN, SYSTEM)  # as the house does after a new start

    assert made == 0
    assert (post.shown()["lid-1"], post.shown()["lid-2"]) == (Shown.SENT, Shown.PRINT)


def test_who_is_forgotten_is_sent_no_statement_again(post: Posted) -> None:
    account, house = post.with_email("home-7"), post.town.house
    assert house.office is not None
    post.act("verstuur", run=RUN)
    post.send()
    with house.people.writing() as desk:
        copied = json.dumps(all_about(desk, account, ())["messages"])
        erase_account(desk, account)
        row = desk.session.scalars(select(MessageRow).where(MessageRow.party == "lid-7")).one()
        named = row.account + desk.keys.open(row.facts)

    made = deliver(house, house.office, RUN, SYSTEM)

    assert '"run": "2026-10/1"' in copied  # a person's own copy is no riddle
    assert (named, made) == ("{}", 0)
    assert post.shown()["lid-7"] is Shown.SENT


def test_whom_the_books_forgot_is_nobody_to_write_to(towns: Towns, tmp_path: Path) -> None:
    def forgotten(books: Books) -> None:
        with books.desk(TREASURER) as desk:
            nobody = Party("lid-3", PartyKind.RESIDENT, ERASED_NAME, ERASED)
            write_details(desk, nobody, erased=True)  # as once all is paid and has ended

    with towns.at(Stage.INVOICED, tmp_path, then=forgotten) as town:
        assert town.house.office is not None
        deliver(town.house, town.house.office, RUN, SYSTEM)
        with town.house.people.reading() as desk:
            told = {each.party for each in deliveries_of(desk, RUN)}

    assert "lid-3b" in told
    assert "lid-3" not in told


def test_who_has_no_account_any_more_when_it_goes_gets_it_on_paper(post: Posted) -> None:
    account = post.with_email("home-1")
    post.act("verstuur", run=RUN)
    with post.town.house.people.writing() as desk:
        end_account(desk, SYSTEM, account)

    post.send()

    assert post.shown()["lid-1"] is Shown.PRINT
    assert post.server.counter.letters == []


@pytest.mark.parametrize("party", ["lid-1", ""])
def test_what_the_board_is_told_of_a_run_is_no_statement_of_it(post: Posted, party: str) -> None:
    facts: dict[str, Json] = {"run": RUN, "month": "2026-10-01", "count": 2, "first": "…"}
    with post.town.house.people.writing() as desk:
        queue(desk, Message("b", Kind.BLOCKED, Channel.EMAIL, "a-1", party, RUN, facts))
        number = desk.session.scalars(select(MessageRow.id)).one()

    again = post.act("opnieuw", run=RUN, number=number, way="email", count=1)
    post.act("verstuur", run=RUN)

    assert again.status_code == 404
    assert post.treasurer.get(PAGE).status_code == 200
    assert len(post.shown()) == MEMBERS
    assert set(post.shown().values()) == {Shown.PRINT}


def test_of_two_who_send_it_again_by_two_ways_one_does(post: Posted) -> None:
    post.with_email("home-1")
    post.act("verstuur", run=RUN)
    post.send()
    number = post.number("lid-1")

    for way in ("paper", "email"):
        post.act("opnieuw", run=RUN, number=number, way=way, count=1)
    post.send()

    assert post.shown()["lid-1"] is Shown.PRINT
    assert len(post.server.counter.letters) == 1


def test_after_a_year_nobody_is_sent_a_statement_again(towns: Towns, tmp_path: Path) -> None:
    with towns.at(Stage.INVOICED, tmp_path) as town, served(town) as client:
        assert town.house.office is not None
        deliver(town.house, town.house.office, RUN, SYSTEM)
        town.clock.advance(401 * 86_400)
        let_go(town.house.people)  # who got what is forgotten by now
        client.cookies.set("kwartier", town.officer("board"))
        page = client.get(PAGE, params={"lang": "en"}).text
        with pytest.raises(StateError, match="for more than a year"):
            deliver(town.house, town.house.office, RUN, SYSTEM)

    assert "There is no statement to send yet." in page


def test_a_run_without_numbers_is_not_sent(towns: Towns, tmp_path: Path) -> None:
    with towns.at(Stage.POSTED, tmp_path) as town, served(town) as client:
        client.cookies.set("kwartier", town.officer("board"))
        page = client.get(PAGE, params={"lang": "en"}).text
        assert town.house.office is not None
        with pytest.raises(StateError, match="invoice it before it is sent"):
            deliver(town.house, town.house.office, RUN, SYSTEM)

    assert "There is no statement to send yet." in page
    assert "Until then every statement goes by post." in page


def test_a_correction_goes_to_those_whose_amount_changes_with_difference_and_reason(
    towns: Towns, tmp_path: Path, server: MailServer
) -> None:
    with towns.at(Stage.CORRECTED, tmp_path) as town, httpx.Client() as client:
        assert town.house.office is not None
        mailer = SmtpMailer(server.settings, town.clock, timeout_s=2.0)
        later = Posted(replace(town, house=replace(town.house, mailer=mailer)), server, client)
        later.with_email("home-4")
        deliver(later.town.house, town.house.office, SECOND, SYSTEM)
        later.send()
        changed = later.shown(SECOND)

    [letter] = server.counter.to("lid-4@example.nl")
    assert letter["Subject"] == "We hebben uw afrekening van oktober 2026 verbeterd"
    assert "Het verschil is €" in letter.get_content()
    assert f"De reden: {REASON}" in letter.get_content()
    assert changed["lid-4"] is Shown.SENT
    assert 0 < len(changed) <= MEMBERS


def test_a_bounce_shows_why_and_one_goes_again_as_often_as_it_is_asked(post: Posted) -> None:
    post.with_email("home-1")
    post.server.counter.refused.add("lid-1@example.nl")
    post.act("verstuur", run=RUN)
    post.send()
    page = post.treasurer.get(PAGE, params={"stand": "bounced"})
    assert "Het adres is geweigerd" in page.text
    assert "550 5.1.1" in page.text
    assert "Bewoner 2" not in page.text.split("<tbody>")[1]
    post.server.counter.refused.clear()

    asked: dict[str, str | int] = {
        "run": RUN,
        "number": post.number("lid-1"),
        "way": "email",
        "count": 1,
    }
    post.act("opnieuw", **asked)
    post.act("opnieuw", **asked)
    post.send()

    assert len(post.server.counter.to("lid-1@example.nl")) == 1
    assert post.shown()["lid-1"] is Shown.SENT
    with post.town.house.people.reading() as desk:
        acts = list(desk.session.scalars(select(ActRow).where(ActRow.act == "post.again")))
    assert [act.subject for act in acts][-1:] == [RUN]


def test_what_bounced_may_go_on_paper_and_is_posted_once(post: Posted) -> None:
    post.with_email("home-1")
    post.server.counter.refused.add("lid-1@example.nl")
    post.act("verstuur", run=RUN)
    post.send()

    post.act("opnieuw", run=RUN, number=post.number("lid-1"), way="paper", count=1)
    assert post.shown()["lid-1"] is Shown.PRINT
    letters = post.treasurer.get(f"{PAGE}/brieven", params={"run": RUN})
    assert "Bewoner 1" in letters.text
    assert "Dorpsstraat 1" in letters.text
    one = post.act("gepost", run=RUN, number=post.number("lid-1"))
    every = post.act("gepost", run=RUN)
    none = post.act("gepost", run=RUN)

    told = [reply.headers["location"].split("klaar=")[1] for reply in (one, every, none)]
    assert [each.split("&")[0] for each in told] == ["posted", "posted", "posted_before"]
    assert set(post.shown().values()) == {Shown.PRINTED}


def test_what_is_still_under_way_is_not_sent_again(post: Posted) -> None:
    post.with_email("home-1")
    post.act("verstuur", run=RUN)

    reply = post.act("opnieuw", run=RUN, number=post.number("lid-1"), way="email", count=1)

    assert reply.status_code == 422


@pytest.mark.parametrize("fields", [{"number": 99_999}, {"number": "1; drop"}, {"number": "²"}, {}])
def test_a_message_that_is_not_there_is_not_sent(
    post: Posted, fields: dict[str, str | int]
) -> None:
    reply = post.act("opnieuw", run=RUN, way="email", count=1, **fields)

    assert reply.status_code in {404, 422}


def test_programs_read_the_same_page_by_page(post: Posted) -> None:
    post.with_email("home-1")
    post.act("verstuur", run=RUN)
    post.send()

    first = post.treasurer.get("/api/v1/board/messages", params={"run": RUN, "limit": 6}).json()
    second = post.treasurer.get(first["next"]).json()

    assert (first["run"], first["runs"], first["unsent"]) == (RUN, [RUN], 0)
    assert first["counts"] == {"sent": 1, "print": 9}
    assert len(first["messages"]) == 6
    assert (len(second["messages"]), second["next"]) == (4, None)
    lid_1 = next(each for each in first["messages"] if each["party"] == "lid-1")
    assert (lid_1["name"], lid_1["way"], lid_1["state"]) == ("Bewoner 1", "email", "sent")
    assert lid_1["at"] == "2026-11-02T09:00:00+01:00"
    email = first["ways"][0]
    assert (email["open"], email["last_success"]) == (True, "2026-11-02T09:00:00+01:00")


@pytest.mark.parametrize("address", [PAGE, f"{PAGE}/brieven", "/api/v1/board/messages"])
def test_the_board_alone_sees_who_got_what(post: Posted, address: str) -> None:
    with httpx.Client(base_url=post.treasurer.base_url) as other:
        assert other.get(address).status_code in {303, 401}
        other.cookies.set("kwartier", post.town.resident("home-2"))
        assert other.get(address).status_code == 403
        for act in ("verstuur", "opnieuw", "gepost"):
            origin = {"Origin": post.town.house.public_url}
            form = {"run": RUN}
            assert other.post(f"{PAGE}/{act}", data=form, headers=origin).status_code == 403


def test_a_run_that_is_not_there_is_not_found(post: Posted) -> None:
    for address in (PAGE, "/api/v1/board/messages"):
        assert post.treasurer.get(address, params={"run": "2026-09/1"}).status_code == 404


def test_without_a_mail_server_everybody_gets_paper(post: Posted) -> None:
    post.with_email("home-1")
    house = replace(post.town.house, mailer=None)
    assert house.office is not None

    made = deliver(house, house.office, RUN, SYSTEM)

    assert made == MEMBERS
    assert set(post.shown().values()) == {Shown.PRINT}
