"""Which links are broken, for who keeps them going and for who lives behind them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from api.forecasts.states import HeldByHomes, HomesState, Span, Spread, Subject
from api.people.accounts import SYSTEM, add_account, grant
from api.people.backup import back_up_people
from api.people.sessions import open_session
from api.people.visitor import Role
from api.people.wishes import Channel, Kind
from api.post.outbox import Message, queue
from collectors.checkup import Condition, condition_path
from collectors.sqlite_store import SqliteStore
from collectors.store import DeadLetter
from kwartier.reading import Reading
from kwartier.wire import GatewayState, encode_state
from optimizer.forecasting.choose import Why
from optimizer.forecasting.names import Name
from optimizer.forecasting.score import Score
from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.cooperative.street import NOVEMBER_S
from tests.api.street import feed
from tests.api.town import Town, Towns

STATE = "nec/v1/street/{}/state"
SILENT_S = 1_800
"""How long nobody but the first gateways spoke, at the time of these tests [s]."""


@pytest.fixture(scope="module")
def town(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Half past nine: gw-00 speaks, gw-01's meter is silent, all others have been since nine."""
    with towns.at(Stage.READY, tmp_path_factory.mktemp("ops")) as made:
        made.clock.advance(SILENT_S)
        now_s = NOVEMBER_S + SILENT_S
        told = GatewayState("e1", online=True, version="1.2.3", at_s=now_s + 7, unacknowledged=41)
        made.bus.publish(STATE.format("gw-00"), encode_state(told))
        gone = replace(told, online=False, at_s=NOVEMBER_S)
        made.bus.publish(STATE.format("gw-02"), encode_state(gone), retain=True)
        made.bus.publish(STATE.format("gw-99"), encode_state(told))
        made.bus.publish(STATE.format("gw-03"), b"no state")
        store = made.house.store
        for device, meter in (("p1", "m1"), ("pv", "i1")):
            feed(store, "gw-00", 3, [Reading(device, meter, now_s - 5, {"import_w": 300})])
        feed(store, "gw-01", 3, [Reading("pv", "i1", now_s - 5, {"solar_w": 900})])
        with store.intake() as intake:
            letter = DeadLetter("gw-02", "e1", 9, now_s, "no JSON", b"{")
            intake.set_aside(letter)
        yield made


@pytest.fixture(scope="module")
def client(town: Town) -> Iterator[httpx.Client]:
    """Somebody without a session."""
    with served(town) as made:
        made.headers["Origin"] = town.house.public_url
        yield made


@pytest.fixture(scope="module")
def ops(town: Town, client: httpx.Client) -> dict[str, object]:
    """What an operator is told."""
    answer = client.get("/api/v1/ops", headers=by(town.operator()))
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def by(session: str) -> dict[str, str]:
    """Return what a browser with a session sends along."""
    return {"Cookie": f"kwartier={session}"}


def gateway(ops: dict[str, object], name: str) -> dict[str, object]:
    listed = ops["gateways"]
    assert isinstance(listed, list)
    (found,) = [one for one in listed if one["gateway"] == name]
    assert isinstance(found, dict)
    return found


def test_broken_links_come_first_with_the_one_that_broke(ops: dict[str, object]) -> None:
    listed = ops["gateways"]
    assert isinstance(listed, list)

    links = [one["broken"] for one in listed]

    # Eight homes and a battery: gw-00 is well, the others are not.
    assert (len(links), ops["broken"], links[-1]) == (9, 8, "none")
    assert gateway(ops, "gw-01")["broken"] == "meter"
    assert gateway(ops, "gw-02")["broken"] == "box"
    assert gateway(ops, "gw-accu")["broken"] == "box"
    assert gateway(ops, "gw-00")["broken"] == "none"


def test_a_gateway_tells_its_version_its_backlog_and_its_clock(ops: dict[str, object]) -> None:
    well, gone, quiet = (gateway(ops, name) for name in ("gw-00", "gw-02", "gw-04"))

    assert (well["version"], well["epoch"], well["backlog"]) == ("1.2.3", "e1", 41)
    assert (well["clock_ahead_s"], well["online"], well["quarters_of_96"]) == (7, True, 36)
    assert (gone["online"], gone["clock_ahead_s"], gone["dead_letters"]) == (False, None, 1)
    assert (quiet["online"], quiet["backlog"], quiet["version"]) == (None, None, "")


def test_a_gateway_that_nobody_enrolled_is_told(ops: dict[str, object]) -> None:
    assert ops["not_enrolled"] == [{"gateway": "gw-99", "heard": None}]


def test_the_houses_own_machinery_is_told(ops: dict[str, object]) -> None:
    plan, record = ops["plan"], ops["record"]
    assert isinstance(plan, dict)
    assert isinstance(record, dict)

    # The plan was made at midnight; it is half past nine.
    assert (plan["age_s"], plan["status"]) == (9 * 3600 + 1800, "optimal")
    assert record["dead_letters"] == 1
    assert ops["chains_whole"] == {"people": True, "books": True}
    sizes = ops["database_bytes"]
    assert isinstance(sizes, dict)
    assert set(sizes) == {"people", "books", "record"}
    assert all(size > 0 for size in sizes.values())


def test_a_record_that_fills_and_lacks_a_month_is_told(town: Town, client: httpx.Client) -> None:
    store = town.house.store
    assert isinstance(store, SqliteStore)
    place = condition_path(store.path)
    away = Condition(alarm_permille=900, months_away=("2025-07.readings.1.parquet",))
    session = town.operator()

    place.write_text(json.dumps(asdict(away)))
    told = client.get("/ops", headers=by(session)).text
    place.unlink()
    untold = client.get("/ops", headers=by(session)).text

    assert "draai kwartier record verify" in told
    assert "meer dan 90 % vol" in told.replace("\N{NO-BREAK SPACE}", " ")
    assert "Metingen op schijf" not in untold


def test_it_tells_who_forecasts_the_street_and_how_that_held(
    town: Town, client: httpx.Client
) -> None:
    session = town.operator()
    before = client.get("/ops", headers=by(session)).text
    held, next_hour = Score(0.184, -0.02, 0.79, 2688, 0), Score(0.12, 0.01, 0.81, 2680, 0)
    sun = Subject(
        "sun", Name.SUN_BLEND, Why.BEST, NOVEMBER_S, weather=True, score=held, soon=next_hour
    )
    town.house.forecasts.keep(sun)

    told = client.get("/api/v1/ops", headers=by(session)).json()["forecasts"]
    page = client.get("/ops", headers=by(session)).text.replace("\N{NO-BREAK SPACE}", " ")

    assert "nog niets voorspeld" in before
    assert [(one["of"], one["method"], one["why"]) for one in told] == [
        ("sun", "sun-blend", "best")
    ]
    assert (told[0]["error"], told[0]["bias"], told[0]["coverage"]) == (0.184, -0.02, 0.79)
    assert "de heldere hemel en de laatste dagen <b>met de weersverwachting</b>" in page
    assert "18 %" in page
    assert "79 %" in page
    assert (told[0]["next_hour_error"], told[0]["next_hour_coverage"]) == (0.12, 0.81)
    assert "Zon, het komende uur" in page
    assert "81 %" in page


def test_it_tells_of_homes_as_counts_and_a_spread_only(town: Town, client: httpx.Client) -> None:
    session = town.operator()
    before = client.get("/api/v1/ops", headers=by(session)).json()["forecasts_of_homes"]
    spread = Spread(0.31, 0.42, 0.63)
    held = (
        HeldByHomes("use", Span.DAY, 24, spread, Spread(-0.2, -0.1, 0.01), Spread(0.77, 0.8, 0.83)),
        HeldByHomes("sun", Span.SOON, 3, None, None, None),
    )
    counts = {"use": {"blend": 20, "few-days": 1}, "sun": {}}
    town.house.forecasts.keep_homes(HomesState(NOVEMBER_S, 24, 21, counts, 12.34, held))

    told = client.get("/api/v1/ops", headers=by(session)).json()["forecasts_of_homes"]
    page = client.get("/ops", headers=by(session)).text.replace("\N{NO-BREAK SPACE}", " ")

    assert before is None
    assert (told["homes"], told["ready"], told["work_s"]) == (24, 21, 12.3)
    assert told["held"][0]["error"] == {"low": 0.31, "middle": 0.42, "high": 0.63}
    assert told["held"][1]["error"] is None
    assert "Vannacht zijn 21 van de 24 huizen voorspeld." in page
    assert "42 % <small>(31 tot 63)</small>" in page
    assert "een mengsel van de laatste dagen en weken (20 huizen)" in page


def test_it_tells_when_the_last_backup_was(town: Town, client: httpx.Client) -> None:
    session = town.operator()
    never = client.get("/ops", headers=by(session)).text
    state = Path(str(town.house.people.engine.url.database)).parent
    sealing = X25519PrivateKey.generate().public_key()

    back_up_people(state, sealing, state / "away", town.clock)
    told = client.get("/api/v1/ops", headers=by(session)).json()["backups"]

    assert "Er is al twee dagen geen reservekopie gemaakt." in never
    assert told == [
        {"of": "people", "made": "2026-11-02T09:30:00+01:00", "practised": None},
        {"of": "books", "made": None, "practised": None},
    ]


def test_it_tells_in_words_how_far_messages_are(town: Town, client: httpx.Client) -> None:
    with town.house.people.writing() as desk:
        told = Message("ops:1", Kind.TEST, Channel.EMAIL, "a", "", "x", {})
        assert queue(desk, told)
    session = town.operator()

    dutch = client.get("/ops", headers=by(session)).text
    english = client.get("/ops?lang=en", headers=by(session)).text

    assert "Berichten: wachten" in dutch
    assert "Messages: waiting" in english
    assert "queued" not in dutch + english


def test_it_tells_no_reading_and_no_name(town: Town, client: httpx.Client) -> None:
    town.installer("home-1")
    session = town.operator()

    answer = client.get("/api/v1/ops", headers=by(session)).json()
    del answer["database_bytes"]  # any digits may stand in there
    told = json.dumps(answer)
    page = client.get("/ops", headers=by(session)).text

    for forbidden in ("Bewoner", "installer", "871685900", "import_wh", "900"):
        assert forbidden not in told, forbidden
    assert "Bewoner" not in page
    assert "871685900" not in page
    assert "Het kastje hoort de meter niet" in page
    assert "Laat de kabel tussen meter en kastje nakijken." in page
    assert "Gezien, niet ingeschreven" in page


def test_grants_that_hold_now_are_listed_by_id(town: Town, client: httpx.Client) -> None:
    town.installer("home-7", days=3)

    told = client.get("/api/v1/ops", headers=by(town.operator())).json()["grants"]

    (mine,) = [one for one in told if one["home"] == "home-7"]
    assert mine["until"] == "2026-11-05T09:30:00+01:00"
    assert mine["account"].startswith("a-")


@pytest.mark.parametrize(
    ("home", "words"),
    [
        ("home-1", "Alles werkt."),
        ("home-2", "Uw meter stuurt even niets naar het kastje."),
        ("home-3", "Uw kastje stuurt even niets."),
    ],
)
def test_a_resident_reads_which_link_is_broken_and_who_acts(
    town: Town, client: httpx.Client, home: str, words: str
) -> None:
    page = client.get("/hulp", headers=by(town.resident(home))).text

    assert words in page
    assert ("Wij kijken ernaar. U hoeft niets te doen." in page) == (home != "home-1")
    assert ("Laatste meting: 2 november 09.00 uur" in page) == (home != "home-1")


def test_who_is_not_a_keeper_is_refused(town: Town, client: httpx.Client) -> None:
    for path in ("/ops", "/api/v1/ops"):
        assert client.get(path, headers=by(town.resident())).status_code == 403
        assert client.get(path, headers=by(town.installer())).status_code == 403
        assert client.get(path, headers=by(town.officer("board"))).status_code == 200


def test_an_installer_sees_the_home_of_the_job_and_is_seen(
    town: Town, client: httpx.Client
) -> None:
    session = town.installer("home-1")

    told = client.get("/api/v1/work", headers=by(session)).json()["homes"]
    page = client.get("/i", headers=by(session)).text

    assert [one["home"] for one in told] == ["home-1"]
    meter, inverter = told[0]["devices"]
    # The meter's import came just now; what it gave half an hour ago is too old to be shown.
    assert (meter["kind"], meter["powers_w"]) == ("meter", {"import_w": 300})
    assert inverter["kind"] == "inverter"
    assert "home-1" in page
    assert "home-2" not in page
    looks = client.get("/api/v1/looks", headers=by(town.resident("home-1"))).json()["looks"]
    assert {(look["as_what"], look["what"]) for look in looks} == {("installer", "commissioning")}


def test_the_look_of_an_expired_grant_is_none(town: Town, client: httpx.Client) -> None:
    with town.house.people.writing() as desk:
        account = add_account(desk, SYSTEM)
        until_s = desk.at_s + 1
        grant(desk, SYSTEM, account, Role.INSTALLER, home="home-1", until_s=until_s)
        session = open_session(desk, account, "password", strong=True)
    town.clock.advance(2)

    assert client.get("/api/v1/work", headers=by(session)).status_code == 403
    assert client.get("/i", headers=by(session)).status_code == 403
