"""A resident takes leave to steer the own battery back, and gives it again, on the own page."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from api.embedded.prices import MadeUpPrices
from api.people.accounts import SYSTEM, add_account
from api.people.acts import first_broken
from api.people.privacy import all_about
from api.people.sessions import open_session
from api.people.steering import homes_refusing
from api.people.tables import ActRow, StayRow
from api.people.visitor import Stay
from api.plan_book import SqlitePlanBook
from api.planner import Planner
from api.planning.leave import RELEASED
from api.price_book import PriceBook
from kwartier.bus import Message
from kwartier.interval import instant_text
from kwartier.schedule import decode_schedule
from tests.api.conftest import log_in, served
from tests.api.street import Street, street
from tests.api.test_the_plan_of_a_home_battery import (
    NOW_S,
    heard_of,
    with_home_batteries,
)

HOME, GATEWAY = "huis-02", "gw-01"


@dataclass(slots=True)
class Steered:
    """A street whose planner asks the book of people, and what its gateways were sent.

    Attributes:
        street: The street.
        client: A visitor of its pages who is not logged in.
        planner: Plans for it.
        sent: The names of the plans that each gateway was sent.
    """

    street: Street
    client: httpx.Client
    planner: Planner
    sent: dict[str, list[str]] = field(default_factory=dict)

    @contextmanager
    def browser(self, home: str | None = None) -> Iterator[httpx.Client]:
        """Yield a browser of our own pages, of who lives in a home."""
        origin = {"Origin": self.street.house.public_url}
        with httpx.Client(base_url=self.client.base_url, timeout=60, headers=origin) as client:
            if home is not None:
                log_in(self.street, client, home)
            yield client

    def acts(self) -> list[tuple[str, str]]:
        """Return what was written down of leave."""
        with self.street.house.people.reading() as desk:
            assert first_broken(desk) is None
            rows = desk.session.scalars(select(ActRow).order_by(ActRow.id)).all()
        return [(row.act, row.facts) for row in rows if row.act.startswith("steering.")]


@pytest.fixture
def steered(tmp_path: Path) -> Iterator[Steered]:
    """Eight homes with batteries behind three of their meters, and a plan made just now."""
    community = with_home_batteries()
    with (
        street(tmp_path, community=community, now_s=NOW_S, planned=False) as made,
        closing(SqlitePlanBook(":memory:")) as book,
        served(made) as client,
    ):
        heard_of(made)
        planner = Planner(
            community,
            made.house.store,
            made.house.records,
            PriceBook(MadeUpPrices()),
            book,
            made.bus,
            made.clock,
            kept=made.house.last_plan,
            refusing=partial(homes_refusing, made.house.people),
        )
        every = Steered(made, client, planner)

        def take(message: Message) -> None:
            plan = decode_schedule(message.payload).plan
            every.sent.setdefault(message.topic.split("/")[3], []).append(plan)

        made.bus.subscribe("nec/v1/+/+/cmd/+", take)
        planner.plan_now()
        yield every


def told(client: httpx.Client) -> str:
    """Return what the page of the battery says."""
    return client.get("/batterij").text


def says(client: httpx.Client, answer: str) -> httpx.Response:
    """Send yes or no as the form of the page does."""
    return client.post("/batterij/toestemming", data={"yes": answer})


def test_leave_is_taken_back_and_given_again_with_the_next_plan(steered: Steered) -> None:
    with steered.browser(HOME) as resident:
        first = told(resident)
        reply = says(resident, "no")
        stopped = resident.get(reply.headers["location"]).text
        steered.planner.plan_now()
        after = told(resident)
        again = says(resident, "yes")
        waiting = resident.get(again.headers["location"]).text
        steered.planner.plan_now()
        last = told(resident)

    assert "Er is toestemming voor." in first
    assert "Stop met sturen" in first
    assert reply.status_code == 303
    assert "Binnen twee minuten laten wij uw batterij los." in stopped
    for page in (stopped, after):
        assert "De toestemming is teruggenomen: " in page
        assert "Er is toestemming voor." not in page
        assert "Ja, dat mag" in page
    assert "Uw batterij doet weer mee met het volgende plan" in waiting
    assert "Er is toestemming voor." in waiting
    assert last == first
    plan, released, planned = steered.sent[GATEWAY]
    assert released == RELEASED
    assert RELEASED not in {plan, planned, *steered.sent["gw-02"]}
    facts = f'{{"home":"{HOME}"}}'
    assert steered.acts() == [("steering.no", facts), ("steering.yes", facts)]


def test_the_same_answer_twice_changes_nothing(steered: Steered) -> None:
    with steered.browser(HOME) as resident:
        statuses = [says(resident, word).status_code for word in ("yes", "no", "no", "yes", "yes")]

    assert statuses == [303] * 5
    assert [act for act, _ in steered.acts()] == ["steering.no", "steering.yes"]


def test_nobody_decides_for_somebody_elses_battery(steered: Steered) -> None:
    with steered.browser("huis-05") as neighbour, steered.browser() as anybody:
        page = told(neighbour)
        refused = [says(neighbour, "no"), says(anybody, "no")]

    assert "toestemming" not in page
    assert refused[0].status_code == 404
    assert refused[1].headers["location"].startswith("/inloggen")
    assert steered.acts() == []
    assert homes_refusing(steered.street.house.people) == frozenset()


def test_a_form_of_another_site_is_refused(steered: Steered) -> None:
    with steered.browser(HOME) as resident:
        resident.headers["Origin"] = "https://elsewhere.example"

        assert says(resident, "no").status_code == 403

    assert steered.acts() == []


def test_leave_that_was_never_given_at_the_home_is_not_given_here(steered: Steered) -> None:
    with steered.browser("huis-04") as resident:
        page = told(resident)
        refused = says(resident, "yes")

    assert "Vraag het bestuur." in page
    assert "/batterij/toestemming" not in page
    assert refused.status_code == 409
    assert steered.acts() == []


def test_a_helper_sees_it_and_decides_nothing(steered: Steered) -> None:
    session, _ = steered.street.helper(HOME)
    with steered.browser() as helper:
        helper.cookies.set("kwartier", session)
        page, refused = told(helper), says(helper, "no")

    assert "Er is toestemming voor." in page
    assert "/batterij/toestemming" not in page
    assert refused.status_code == 403


def test_who_moves_in_later_is_asked_anew_and_reads_nothing_of_who_lived_there(
    steered: Steered,
) -> None:
    people = steered.street.house.people
    with steered.browser(HOME) as leaving, steered.browser() as next_one:
        says(leaving, "no")
        with people.writing() as desk:
            for stay in desk.session.scalars(select(StayRow).where(StayRow.home == HOME)):
                stay.until_s = NOW_S + 60
            account = add_account(desk, SYSTEM, name="next")
            desk.session.add(StayRow(account=account, home=HOME, from_s=NOW_S + 60, until_s=None))
            session = open_session(desk, account, "card")
        steered.street.clock.advance(120)
        next_one.cookies.set("kwartier", session)
        gone, refused = told(leaving), says(leaving, "yes")
        page = told(next_one)
        held = homes_refusing(people)
        steered.street.clock.advance(60)
        given = says(next_one, "yes")
        kept = [one.get("/api/v1/privacy").json()["no_to_steering"] for one in (leaving, next_one)]
        with people.reading() as desk:
            copied = all_about(desk, account, (Stay(HOME, NOW_S + 60),))["no_to_steering"]

    # Each is told of the no while they lived there, and not what the other did.
    spans = [
        [datetime.fromisoformat(each[edge]).timestamp() - NOW_S for edge in ("start", "end")]
        for one in kept
        for each in one
    ]
    assert spans == [[0, 60], [60, 180]]
    moved, said = instant_text(NOW_S + 60), instant_text(NOW_S + 180)
    assert copied == [{"home": HOME, "from": moved, "until": said}]
    assert "Mag de wijk uw batterij sturen?" not in gone
    assert refused.status_code in {403, 404}
    assert "De toestemming is teruggenomen." in page
    assert "De toestemming is teruggenomen: " not in page
    assert held == {HOME}
    assert given.status_code == 303
    assert homes_refusing(people) == frozenset()


def test_a_clock_that_was_set_right_keeps_nobody_from_saying_yes_again(steered: Steered) -> None:
    with steered.browser(HOME) as resident:
        says(resident, "no")
        steered.street.clock.jump(-3_600)
        given = says(resident, "yes")

    assert given.status_code == 303
    assert homes_refusing(steered.street.house.people) == frozenset()


def test_ones_own_no_is_in_what_is_kept_of_one(steered: Steered) -> None:
    with steered.browser(HOME) as resident, steered.browser("huis-05") as neighbour:
        says(resident, "no")
        page, other = resident.get("/hulp/privacy").text, neighbour.get("/hulp/privacy").text
        kept = resident.get("/api/v1/privacy").json()["no_to_steering"]
        none = neighbour.get("/api/v1/privacy").json()["no_to_steering"]

    assert 'href="/batterij#toestemming"' in page
    assert 'href="/batterij#toestemming"' not in other
    assert [(one["home"], one["purpose"], one["end"]) for one in kept] == [(HOME, "steering", None)]
    assert none == []


def test_the_log_names_the_home_though_its_battery_was_told_nothing(
    steered: Steered, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "api.routes.residents.leave")
    steered.street.clock.advance(2 * 86_400)  # no set-point is left to be forgotten
    with steered.browser(HOME) as resident:
        says(resident, "no")
        steered.planner.plan_now()
        says(resident, "yes")

    assert RELEASED not in steered.sent[GATEWAY]
    assert [one.message for one in caplog.records if HOME in one.message] == [
        f"home {HOME}: who lives there took leave to steer back",
        f"home {HOME}: who lives there allows steering",
    ]
