"""What is asked over the network is named when it is gone, ill or slow."""

from __future__ import annotations

import threading
import time

import pytest

from api.doctor.finding import Check, Finding, State, examined
from api.doctor.sockets import here
from collectors.sqlite_store import SqliteStore
from tests.api.doctor.town import Town
from tests.collectors.loopback import Reply


@pytest.mark.broker
@pytest.mark.parametrize(("place", "link"), [(0, "influx"), (1, "grafana"), (2, "pages")])
def test_a_service_that_is_gone_or_ill_is_named(town: Town, place: int, link: str) -> None:
    town.web[place].replies = [Reply(503)]
    ill = town.found()[link]
    town.away(town.web[place].url)
    gone = town.found()[link]

    assert (ill.state, gone.state) == (State.BROKEN, State.BROKEN)
    assert "503" in ill.what
    assert "refused" in gone.what
    assert gone.do


@pytest.mark.broker
def test_a_broker_is_asked_with_each_services_own_key(town: Town) -> None:
    alike = town.found()
    settings = town.folder / "serve.toml"
    settings.write_text(settings.read_text().replace('"collect"', '"serve"'))
    unlike = town.found()

    assert alike["broker"].state is State.GOOD
    assert [(link, one.state) for link, one in unlike.items() if link.startswith("broker")] == [
        ("broker for collector", State.GOOD),
        ("broker for server", State.GOOD),
    ]


@pytest.mark.broker
@pytest.mark.nightly
def test_a_service_that_hangs_is_given_three_seconds_and_the_rest_does_not_wait(
    town: Town,
) -> None:
    town.web[0].replies = [Reply(silent=True)]
    town.web[1].replies = [Reply(silent=True)]
    began_s = time.monotonic()

    found = town.found()

    assert time.monotonic() - began_s < 30
    assert "no answer within 3 s" in found["influx"].what
    assert "no answer within 3 s" in found["grafana"].what
    assert found["pages"].state is State.GOOD


@pytest.mark.broker
def test_the_collector_is_found_dead_by_its_door_and_alive_by_its_lock(town: Town) -> None:
    town.away(f"http://127.0.0.1:{town.door.port}")
    dead = town.found()["collector"]
    settings = town.folder / "collect.toml"
    settings.write_text(settings.read_text().replace("metrics =", "# metrics ="))
    with SqliteStore(town.folder / "record.db"):
        alive = town.found()["collector"]

    assert (dead.state, alive.state) == (State.BROKEN, State.GOOD)
    assert "systemctl start kwartier-collect" in dead.do
    assert alive.what == "it has its record open"


def test_a_look_that_never_ends_is_left_behind() -> None:
    never = threading.Event()

    def hang() -> Finding:
        never.wait(60)
        return Finding("slow", State.GOOD, "")

    slow, well = Check("slow", hang, "ask"), Check("ok", lambda: Finding("ok", State.GOOD, ""), "")
    found = examined([slow, well], patience_s=0.1)
    never.set()

    assert [one.state for one in found] == [State.BROKEN, State.GOOD]
    assert found[0].do == "ask"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:9101"),
        ("0.0.0.0", "http://127.0.0.1:9101"),  # noqa: S104
        ("::", "http://[::1]:9101"),
        ("fd00::1", "http://[fd00::1]:9101"),
        ("collect", "http://collect:9101"),
    ],
)
def test_a_service_of_this_machine_is_asked_where_it_listens(host: str, address: str) -> None:
    assert here(host, 9101) == address
