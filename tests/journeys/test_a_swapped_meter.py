"""A home's meter is replaced: the gateway tells it, the record keeps it, the page says what to do.

The gateway and the collector are processes of their own; between them is a real mosquitto, and the
meter is a twin on a TCP port whose serial number changes.
"""

from __future__ import annotations

import html
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.broker import mosquitto_program
from api.house import house_of
from api.people.accounts import SYSTEM, add_account, grant
from api.people.opening import open_people
from api.people.sessions import open_session
from api.people.visitor import Role
from api.plan_book import SqlitePlanBook
from api.server import WebServer
from collectors.sqlite_store import SqliteStore
from gateway.p1.plausible import AGREEING
from hardware.twins.p1_meter import P1Meter
from kwartier.clock import SystemClock
from kwartier.errors import KwartierError
from kwartier.model import Community, Connection
from tests.journeys.services import COOP, GATEWAY, METER_ONLY, PATIENCE_S, Street


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed: run 'apt install mosquitto'")
    street = Street(tmp_path)
    yield street
    street.close()


@pytest.mark.broker
def test_a_swapped_meter_stands_on_the_operators_page(street: Street) -> None:
    street.start_gateway(METER_ONLY)
    street.start_collector()
    now_s = int(time.time())
    street.tell_register(now_s - 60)
    street.until(lambda: street.ear.live, "the first meter is read")

    street.meter = P1Meter("E0002")
    for second in range(AGREEING + 1):
        street.tell_register(now_s - 50 + second)
    street.until(lambda: told(street), "the record keeps what happened")

    with operators(street) as operator:
        (event,) = operator.get("/api/v1/ops").json()["events"]
        page = html.unescape(operator.get("/ops", headers={"Accept-Language": "nl"}).text)
    assert (event["gateway"], event["kind"], event["device"]) == (GATEWAY, "meter-swapped", "p1")
    assert "Er zit een andere meter aan het kastje" in page
    assert "Is de meter vervangen? Dan is dit goed." in page
    assert "E0001" not in page
    assert "E0002" not in page


def told(street: Street) -> bool:
    """Return whether the record knows of anything that happened; False while it is not ready."""
    try:
        with SqliteStore(street.folder / "record.db", read_only=True) as store:
            return store.events({GATEWAY}, 1) != []
    except KwartierError:
        return False


@contextmanager
def operators(street: Street) -> Iterator[httpx.Client]:
    """Yield an operator's browser, at a server that reads the record beside the collector."""
    home = Connection("huis-1", "lid-1", GATEWAY)
    community, clock = Community(COOP, "De Straat", {home.id: home}, {}), SystemClock()
    with SqliteStore(street.folder / "record.db", read_only=True) as store:
        plans = SqlitePlanBook(street.folder / "plans.db")
        people = open_people(street.folder, clock)
        house = house_of(community, store, plans, people, clock)
        with people.writing() as desk:
            account = add_account(desk, SYSTEM, name="operator")
            grant(desk, SYSTEM, account, Role.OPERATOR)
            session = open_session(desk, account, "password", strong=True)
        server = WebServer(create_app(house), "127.0.0.1", 0)
        server.start()
        with httpx.Client(
            base_url=f"http://127.0.0.1:{server.port}",
            headers={"Cookie": f"kwartier={session}"},
            timeout=PATIENCE_S,
        ) as browser:
            yield browser
        house.live.close()
        server.stop()
        people.close()
        plans.close()
