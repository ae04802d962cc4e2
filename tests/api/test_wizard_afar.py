"""An installer brings a home on the air from the server's pages; the box judges every step."""

from __future__ import annotations

import queue
import re
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest

from api.broker import mosquitto_program
from api.enrolment.mirrors import AWAY_S
from api.people.tables import ActRow
from gateway.commission.book import STEPS, Step
from gateway.commission.press import Press, encode_press
from kwartier.bus import Message
from kwartier.mqtt import MqttBus, Session
from kwartier.wire import Address, Lane
from tests.api.afar import GATEWAY, Afar, afar
from tests.api.enrolling import COOP, WAIT_S, box

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(mosquitto_program() is None, reason="mosquitto is not installed"),
]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Afar]:
    folder = tmp_path_factory.mktemp("afar")
    (folder / "people").mkdir()
    (folder / "box").mkdir()
    with afar(folder) as made:
        yield made


@pytest.fixture(scope="module")
def installer(there: Afar) -> Iterator[httpx.Client]:
    with there.browser(there.session()) as browser:
        yield browser


def head(browser: httpx.Client, path: str) -> str:
    page = browser.get(path)
    assert page.status_code == 200, page.text
    return str(re.findall(r"<h2>([^<]+)</h2>", page.text)[0])


def press(there: Afar, browser: httpx.Client, number: int, do: str, **form: str) -> httpx.Response:
    return browser.post(f"{there.page}/stap/{number}", data={"do": do, **form})


def test_from_the_code_to_the_handover_every_button_is_pressed_from_afar(
    there: Afar, installer: httpx.Client
) -> None:
    wizard = there.box.wizard
    before = head(installer, there.page)
    there.let_in(installer)
    inside = installer.get(f"{there.page}/stap/1").text
    led = [press(there, installer, 1, "next")]
    early = press(there, installer, 2, "next")
    there.box.wait_for_meter()
    there.box.pass_time(65)
    there.until(lambda: head(installer, there.page) == "De meter is goed te lezen", "the meter")
    led.append(press(there, installer, 2, "next"))
    searched = press(there, installer, 3, "search")
    wizard.wait_for_search()
    there.until(lambda: head(installer, there.page) == "1 gevonden", "the search is over")
    led += [press(there, installer, number, do) for number, do in ((3, "next"), (4, "later"))]
    led.append(press(there, installer, 5, "later"))
    unsigned = press(there, installer, 6, "next", name="M. Jansen")
    consent = {"name": "M. Jansen", "agree-readings": "yes"}
    led.append(press(there, installer, 6, "next", **consent))
    led.append(press(there, installer, 7, "next"))

    assert before == "Goedgekeurd, wacht op het kastje"
    assert "Certificaat" in inside
    assert "Laan 1" not in inside
    assert (early.status_code, searched.status_code) == (409, 303)
    assert unsigned.status_code == 409
    assert "Zonder toestemming" in unsigned.text
    assert [each.status_code for each in led] == [303] * 7
    places = [int(each.headers["location"].rpartition("/")[2]) for each in led]
    assert places == [2, 3, 4, 5, 6, 7, 7]
    assert wizard.record() is not None
    assert [wizard.book.outcome(step) is not None for step in STEPS] == [True] * 7
    told = installer.get(f"/api/v1/jobs/own/{there.job}").json()
    assert [each["ended"] for each in told["steps"]] == [
        *("good", "good", "good", "later", "later", "good", "good")
    ]
    assert "Jansen" not in str(told)
    with there.house.people.reading() as desk:
        acts = [row for row in desk.session.query(ActRow) if row.act == "job.press"]
    assert len(acts) == 10
    assert all(row.account not in ("", "system") for row in acts)
    assert "Jansen" not in str([row.facts for row in acts])


def test_what_moves_a_battery_or_sets_a_limit_is_refused_at_server_and_box(
    there: Afar, installer: httpx.Client
) -> None:
    if not there.box.wizard.enrolment.enrolled:
        there.let_in(installer)
    at_server = [
        press(there, installer, number, do)
        for number, do in ((5, "trial:battery"), (3, "limit:charge_max_w"), (1, "begin"))
    ]
    wizards = there.house.wizards
    at_box = [
        wizards.press(GATEWAY, step, do, form).why
        for step, do, form in (
            (Step.LIVE, "trial:battery", {}),
            (Step.DEVICES, "limit", {"charge_max_w": "9000"}),
            (Step.METER, "anew", {"fuse_a": "63"}),
            (Step.ENROL, "begin", {"code": "2222-2222"}),
        )
    ]

    assert [each.status_code for each in at_server] == [409] * 3
    assert all("bij het kastje staat" in each.text for each in at_server)
    assert at_box == ["refused.at-the-box"] * 4


def test_an_installer_of_another_home_finds_no_steps_and_presses_nothing(there: Afar) -> None:
    with there.browser(there.session("home-2")) as other:
        answers = [
            other.get(there.page),
            other.get(f"{there.page}/stap/2"),
            other.get(f"/api/v1/jobs/own/{there.job}"),
            press(there, other, 2, "anew"),
        ]

    assert [each.status_code for each in answers] == [404] * 4


def test_only_the_server_may_press_and_only_the_server_may_hear(
    there: Afar, installer: httpx.Client, tmp_path: Path
) -> None:
    if not there.box.wizard.enrolment.enrolled:
        there.let_in(installer)
    heard: queue.Queue[str] = queue.Queue()
    topic = Address(COOP, GATEWAY, Lane.PRESS).topic
    ca = there.house.enrolment
    assert ca is not None
    foreign = box(tmp_path, ca.settings.ca, "gw-02")
    now_s = int(there.clock.now_s())
    stale = encode_press(Press(now_s * 1000 + 10**9, now_s, Step.METER, "anew", {}))
    number = there.box.wizard.book.pressed

    for at, name in (
        (there.broker.for_gateway(foreign), "gw-02"),
        (there.broker.for_service("planner"), "planner"),
        (there.broker.for_service("collector"), "collector"),
    ):
        with closing(MqttBus(at, Session(name))) as bus:
            assert bus.wait_until_up(WAIT_S)
            bus.subscribe(f"nec/v1/{COOP}/+/{Lane.WIZARD}", lambda one: heard.put(one.topic))
            bus.publish(topic, stale)
            there.until(partial(getattr, bus, "refused"), f"{name} is refused")

    done = there.house.wizards.press(GATEWAY, Step.METER, "anew", {})
    assert done.number < now_s * 1000 + 10**9
    assert there.box.wizard.book.pressed == done.number > number
    assert heard.empty()


def test_a_box_that_is_away_is_shown_as_it_was_and_a_restarted_server_knows_it(
    there: Afar, installer: httpx.Client
) -> None:
    if not there.box.wizard.enrolment.enrolled:
        there.let_in(installer)
    there.until(lambda: not _away(there), "the box is there")
    fresh: queue.Queue[Message] = queue.Queue()
    with closing(MqttBus(there.broker.for_service("server"), Session("server-anew"))) as bus:
        bus.subscribe(f"nec/v1/{COOP}/+/{Lane.WIZARD}", fresh.put)
        kept = fresh.get(timeout=WAIT_S)

    def shown_away() -> bool:
        there.clock.advance(AWAY_S)  # it may just have spoken: then once more
        page = installer.get(f"{there.page}/stap/2").text
        return "Het kastje is weg" in page and 'class="stands was"' in page

    there.until(shown_away, "the page says that the box is away, and shows what it told last")

    assert kept.retained
    assert b"Jansen" not in kept.payload


def _away(there: Afar) -> bool:
    told = there.house.wizards.of(GATEWAY)
    return told is None or told.is_away
