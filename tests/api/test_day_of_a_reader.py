"""Everybody sees their own: by home, by the time they lived there, and use a day later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from api.people.accounts import SYSTEM, add_account
from api.people.sessions import open_session
from api.people.tables import LookRow, StayRow
from kwartier.reading import Reading
from kwartier.wire import encode_live
from tests.api.conftest import served
from tests.api.street import Street, street, use_wh

TEN_S = int(datetime(2026, 7, 1, 8, 0, tzinfo=UTC).timestamp())
"""Ten o'clock in Amsterdam."""
OF_USE = ("use_wh", "shared_wh", "import_wh", "export_wh", "use_w", "import_w", "export_w")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with street(tmp_path_factory.mktemp("readers")) as one:
        yield one


@pytest.fixture(scope="module")
def visitor(made: Street) -> Iterator[httpx.Client]:
    with served(made) as one:
        yield one


def session_of(made: Street, *stays: tuple[str, int, int | None]) -> str:
    """Return a session of somebody who lived in some homes, each from and until an instant."""
    with made.house.people.writing() as desk:
        account = add_account(desk, SYSTEM, name="mover")
        for home, from_s, until_s in stays:
            desk.session.add(StayRow(account=account, home=home, from_s=from_s, until_s=until_s))
        desk.session.flush()
        return open_session(desk, account, "card")


def as_somebody(visitor: httpx.Client, session: str) -> httpx.Client:
    return httpx.Client(base_url=visitor.base_url, cookies={"kwartier": session}, timeout=30)


def test_who_moved_at_ten_sees_each_home_for_the_time_they_lived_there(
    made: Street, visitor: httpx.Client
) -> None:
    session = session_of(made, ("huis-03", 0, TEN_S), ("huis-06", TEN_S, None))

    with as_somebody(visitor, session) as mover:
        now = mover.get("/api/v1/day").json()
        before = mover.get("/api/v1/day?home=huis-03").json()
        settled = mover.get("/api/v1/settlement?home=huis-03").json()
        span = "from=2026-07-01T00:00:00%2B02:00&to=2026-07-01T13:00:00%2B02:00"
        paged = mover.get(f"/api/v1/homes/huis-03/quarters?{span}").json()

    def known(day: dict[str, list[dict[str, object]]]) -> list[bool]:
        return [quarter["own"] is not None for quarter in day["quarters"]]

    assert known(now) == [False] * 40 + [True] * 12 + [False] * 44
    assert known(before) == [True] * 40 + [False] * 56
    assert known(paged) == [True] * 40 + [False] * 12
    assert before["quarters"][0]["own"]["use_wh"] == use_wh(2, 0.0)
    assert settled["own"]["bought_wh"] == before["own"]["shared_wh"]


def test_who_left_sees_no_use_of_today_and_no_power(made: Street, visitor: httpx.Client) -> None:
    session = session_of(made, ("huis-03", 0, TEN_S))

    with as_somebody(visitor, session) as gone:
        day = gone.get("/api/v1/day").json()
        now = gone.get("/api/v1/now").json()
        page = gone.get("/")

    assert {quarter["use_wh"] for quarter in day["quarters"]} == {None}
    assert day["quarters"][39]["own"] is not None
    assert day["quarters"][40]["own"] is None
    assert (now["use_w"], now["own"]) == (None, None)
    assert page.status_code == 200


def test_who_has_two_homes_can_choose(made: Street, visitor: httpx.Client) -> None:
    session = session_of(made, ("huis-03", 0, None), ("huis-06", 0, None))

    with as_somebody(visitor, session) as owner:
        page = owner.get("/").text
        other = owner.get("/?huis=huis-06").text
        foreign = owner.get("/?huis=huis-07")

    assert 'href="/?huis=huis-03"' in page
    assert 'data-home="huis-06"' in other
    assert foreign.status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/?huis=huis-02",
        "/api/v1/day?home=huis-02",
        "/api/v1/now?home=huis-02",
        "/api/v1/settlement?home=huis-02",
        "/api/v1/stream?home=huis-02",
    ],
)
def test_a_foreign_home_is_not_there(made: Street, visitor: httpx.Client, path: str) -> None:
    with as_somebody(visitor, session_of(made, ("huis-05", 0, None))) as neighbour:
        assert neighbour.get(path).status_code == 404
    assert visitor.get(path).status_code == 404


def numbers_of_use(answer: object) -> set[object]:
    """Return every value in an answer that would show use."""
    if isinstance(answer, list):
        return set().union(*(numbers_of_use(one) for one in answer))
    if not isinstance(answer, dict):
        return set()
    own = {value for name, value in answer.items() if name in OF_USE}
    return own.union(*(numbers_of_use(value) for value in answer.values()))


def test_nothing_public_tells_use_of_the_last_day(visitor: httpx.Client) -> None:
    span = "from=2026-06-30T22:00:00Z&to=2026-07-01T22:00:00Z"
    for path in ("day", "now", "plan", "settlement", f"quarters?{span}"):
        answer = visitor.get(f"/api/v1/{path}").json()
        assert numbers_of_use(answer) <= {None}, path
    page = visitor.get("/").text + visitor.get("/wijk").text
    assert "use_w" not in page
    assert "import_w" not in page


def test_a_day_later_everybody_may_know_it(tmp_path: Path) -> None:
    with street(tmp_path) as made, served(made) as visitor:
        session = made.session("huis-02")
        with as_somebody(visitor, session) as resident:
            live = resident.get("/api/v1/day").json()
        made.clock.advance(86_400 - 5 * 60)
        day = visitor.get("/api/v1/day?date=2026-07-01").json()
        made.clock.advance(86_400)
        page = visitor.get("/").text

    uses = [quarter["use_wh"] for quarter in day["quarters"]]
    assert uses[:52] == [quarter["use_wh"] for quarter in live["quarters"][:52]]
    assert set(uses[52:]) == {None}
    assert day["street"] == live["street"]
    assert "<b>34,4</b> kWh" in page  # 34,402 Wh of 1 July, on 3 July
    assert "woensdag 1 juli" in page


def test_a_helper_who_looks_is_written_down(made: Street, visitor: httpx.Client) -> None:
    session, number = made.helper("huis-08")

    with as_somebody(visitor, session) as helper:
        assert helper.get("/").status_code == 200
        assert helper.get("/api/v1/day").json()["own"] is not None

    with made.house.people.reading() as desk:
        looks = desk.session.scalars(select(LookRow).where(LookRow.companion == number)).all()
    assert {look.home for look in looks} == {"huis-08"}
    assert "quarters" in {look.what for look in looks}


def test_a_home_that_falls_silent_pauses_the_power_and_never_shows_by_a_step(
    tmp_path: Path,
) -> None:
    def speak(made: Street, homes: range) -> None:
        at_s = int(made.clock.now_s())
        for place in homes:
            reading = Reading("p1", "", at_s, {"import_w": 1_000, "export_w": 0})
            topic = f"nec/v1/{made.house.community.coop}/gw-{place:02}/live/p1"
            made.bus.publish(topic, encode_live(reading), qos=0)

    with street(tmp_path, homes=8) as made, served(made) as visitor:
        told = []
        with as_somebody(visitor, made.session("huis-02")) as resident:
            for _ in range(16):
                made.clock.advance(300)
                speak(made, range(1, 8))
                now = resident.get("/api/v1/now")
                told.append(now.json()["homes"] if now.status_code == 200 else 0)

    # huis-01 was last heard at 13.04: it counts until 13.19, and the pause lasts until 13.45.
    assert told[:8] == [8, 8, 0, 0, 0, 0, 0, 7]
    assert set(told[8:]) == {7}
