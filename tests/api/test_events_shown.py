"""What gateways tell of themselves: to who keeps them going, works at a home, or lives there."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from collectors.store import KeptEvent
from kwartier.events import Event, EventKind
from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.cooperative.street import NOVEMBER_S
from tests.api.town import Town, Towns

MINUTE_S, DAY_S = 60, 86_400


def told(
    gateway: str, kind: EventKind, device: str | None, ago_s: int, reason: str = ""
) -> KeptEvent:
    at_s = NOVEMBER_S - ago_s
    return KeptEvent(gateway, Event(kind, device, at_s, reason), at_s)


TOLD = (
    told("gw-01", EventKind.METER_SWAPPED, "p1", 40 * DAY_S),
    told("gw-00", EventKind.CLOCK_OFF, None, 2 * DAY_S, "the clock stepped 90 s"),
    told("gw-00", EventKind.CLOCK_OFF, None, DAY_S, "the clock stepped 80 s"),
    told("gw-00", EventKind.METER_SWAPPED, "p1", 10 * MINUTE_S, "another meter stands here"),
    told("gw-02", EventKind.REGISTER_WENT_BACK, "p1", 5 * MINUTE_S, "<b>below</b>"),
    told("gw-99", EventKind.IDENTITY_DUPLICATE, None, MINUTE_S),
)


@pytest.fixture(scope="module")
def town(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Nine in the morning; home-1 is read by gw-00, home-2 by gw-01 and so on."""
    with towns.at(Stage.READY, tmp_path_factory.mktemp("events")) as made:
        with made.house.store.intake() as intake:
            for one in TOLD:
                assert intake.note_event(one)
        yield made


@pytest.fixture(scope="module")
def client(town: Town) -> Iterator[httpx.Client]:
    with served(town) as made:
        yield made


def by(session: str) -> dict[str, str]:
    return {"Cookie": f"kwartier={session}"}


def test_an_operator_is_told_each_thing_once_newest_first(town: Town, client: httpx.Client) -> None:
    events = client.get("/api/v1/ops", headers=by(town.operator())).json()["events"]

    # gw-99 is enrolled nowhere and told nothing but this; what is 40 days old is not news.
    assert [(one["gateway"], one["kind"], one["times"]) for one in events] == [
        ("gw-02", "register-went-back", 1),
        ("gw-00", "meter-swapped", 1),
        ("gw-00", "clock-off", 2),
    ]
    assert events[2]["at"] == "2026-11-01T09:00:00+01:00"
    assert (events[2]["device"], events[2]["reason"]) == (None, "the clock stepped 80 s")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("nl", ("Een meterstand ging terug", "Is de meter vervangen?", "1 november 09.00 uur")),
        ("en", ("A register went back", "Was the meter replaced?", "2 times")),
    ],
)
def test_the_page_says_what_happened_and_what_to_do(
    town: Town, client: httpx.Client, language: str, words: tuple[str, ...]
) -> None:
    headers = {**by(town.operator()), "Accept-Language": language}

    page = client.get("/ops", headers=headers).text

    assert not [each for each in words if each not in page]
    assert "&lt;b&gt;below&lt;/b&gt;" in page


def test_the_board_reads_it_too_and_a_resident_does_not(town: Town, client: httpx.Client) -> None:
    board = client.get("/api/v1/ops", headers=by(town.officer("board"))).json()

    assert "meter-swapped" in {one["kind"] for one in board["events"]}
    assert client.get("/api/v1/ops", headers=by(town.resident())).status_code == 403


def test_an_installer_reads_those_of_the_home_of_the_job(town: Town, client: httpx.Client) -> None:
    session = town.installer("home-1")

    (home,) = client.get("/api/v1/work", headers=by(session)).json()["homes"]
    page = client.get("/i", headers=by(session)).text

    assert [one["kind"] for one in home["events"]] == ["meter-swapped", "clock-off"]
    assert "Er zit een andere meter aan het kastje" in page
    assert "Een meterstand ging terug" not in page


@pytest.mark.parametrize(
    ("home", "is_told"), [("home-1", True), ("home-2", False), ("home-3", False)]
)
def test_a_resident_reads_of_another_meter_and_of_nothing_else(
    town: Town, client: httpx.Client, home: str, is_told: bool
) -> None:
    page = client.get("/hulp", headers=by(town.resident(home))).text

    sentence = "Sinds 2 november 08.50 uur meten we bij u met een andere meter."
    assert (sentence in page) == is_told
    assert "klok loopt" not in page


def test_metrics_count_events_by_kind(client: httpx.Client) -> None:
    metrics = client.get("/metrics").text

    assert 'kwartier_gateway_events_total{kind="clock-off"} 2.0' in metrics
    assert 'kwartier_gateway_events_total{kind="steering-failed"} 0.0' in metrics
    assert "gw-00" not in metrics
