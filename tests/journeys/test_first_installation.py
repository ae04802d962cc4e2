"""From an empty folder to a home on the air and off it again, word for word as people type it."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from api.broker import mosquitto_program
from gateway.commission.finish import settings_text, write_settings
from gateway.commission.found import Found, Kind
from gateway.enrol.identity import Identity
from gateway.enrol.server import Server
from hardware.twins.battery import BatteryTwin
from hardware.twins.cell import CellLimits
from hardware.twins.modbus_server import ModbusServer
from hardware.twins.p1_meter import P1Meter, P1TcpPort
from kwartier.bus import Message
from kwartier.clock import VirtualClock
from kwartier.interval import QUARTER_S
from kwartier.mqtt import MqttBus, Session
from kwartier.reading import Reading, Schedule, Step
from kwartier.schedule import Outcome, Response, decode_response, encode_schedule
from kwartier.wire import ROOT, Address, Json, Lane, decode_live
from tests.journeys.command import answer_of
from tests.journeys.installation import (
    COLLECT,
    COMMUNITY,
    COOP,
    GATEWAY,
    HOME,
    PASSPHRASE,
    PATIENCE_S,
    SERVE,
    Installation,
)

pytestmark = pytest.mark.broker

CUT_WITHIN_S = 60.0


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Installation]:
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed")
    place = Installation(tmp_path)
    try:
        yield place
    finally:
        place.close()


@dataclass(slots=True)
class Cupboard:
    """What hangs in the meter cupboard of the home."""

    meter: P1Meter = field(default_factory=lambda: P1Meter("E0014"))
    p1: P1TcpPort = field(default_factory=P1TcpPort)
    battery: BatteryTwin = field(
        default_factory=lambda: BatteryTwin(
            VirtualClock(time.time()), CellLimits(10_000, 5_000, 5_000), unit=2
        )
    )

    def found(self, port: int) -> Found:
        """Return the battery as the search finds it."""
        return Found(
            "battery",
            Kind.BATTERY,
            "127.0.0.1",
            port,
            2,
            series="battery_w",
            charge_max_w=5_000,
            discharge_max_w=5_000,
        )

    def tell_a_quarter(self) -> int:
        """Count 500 Wh in from the start to the end of the last quarter that is over.

        Returns its start [s]; a meter whose stamp is far off would not be believed.
        """
        begin_s = int(time.time()) // QUARTER_S * QUARTER_S - QUARTER_S
        self.meter.count(4_726_494, 0)
        assert self.p1.push(self.meter.telegram(begin_s)) > 0
        self.meter.count(500, 0)
        assert self.p1.push(self.meter.telegram(begin_s + QUARTER_S)) > 0
        return begin_s


@contextmanager
def telling(cupboard: Cupboard) -> Iterator[None]:
    """Let the meter tell its registers all the time."""
    stop = threading.Event()
    pushing = threading.Thread(
        target=cupboard.p1.run,
        args=(lambda: cupboard.meter.telegram(int(time.time())), stop),
        kwargs={"period_s": 0.25},
    )
    pushing.start()
    try:
        yield
    finally:
        stop.set()
        pushing.join()


@pytest.fixture
def cupboard() -> Iterator[Cupboard]:
    cupboard = Cupboard()
    yield cupboard
    cupboard.p1.close()


class Planner:
    """Hears gateways and commands batteries, with the planner's own certificate."""

    def __init__(self, place: Installation) -> None:
        self.live: list[Reading] = []
        self.answers: list[Response] = []
        self.bus = MqttBus(place.service("planner"), Session("planner"), begin=False)
        self.bus.subscribe(f"{ROOT}/{COOP}/+/{Lane.LIVE}/+", self._heard)
        self.bus.subscribe(f"{ROOT}/{COOP}/+/{Lane.RESPONSE}/+", self._answered)
        self.bus.begin()

    def command(self, power_w: int) -> None:
        step = Step(int(time.time()) - 1, power_w, 900)
        topic = Address(COOP, GATEWAY, Lane.COMMAND, "battery").topic
        self.bus.publish(topic, encode_schedule(Schedule("battery", 1, "plan-1", (step,))))

    def _heard(self, message: Message) -> None:
        self.live.append(decode_live(message.payload))

    def _answered(self, message: Message) -> None:
        self.answers.append(decode_response(message.payload))


@pytest.fixture
def modbus(cupboard: Cupboard) -> Iterator[int]:
    server = ModbusServer([cupboard.battery]).start()
    yield server.port
    server.stop()


def make_authority_and_broker(place: Installation) -> None:
    (place.folder / "passphrase").write_text(PASSPHRASE)
    (place.folder / "mosquitto").mkdir()
    place.run("ca init --folder ca --organisation Zonnehof --passphrase-file passphrase")
    place.run("ca intermediate --folder ca --passphrase-file passphrase")
    place.run("ca server --folder ca --host 127.0.0.1 --to web")
    place.put_tls_in_front("web/broker.crt", "web/broker.key")
    place.run(
        f"broker config --folder broker --ca ca --coop {COOP} --host 127.0.0.1"
        " --port {gateways} --services-port {services} --state mosquitto --user {user}"
    )
    place.start_broker()


def start_services(place: Installation) -> str:
    """Start collector and server, and return a session of somebody of the board."""
    place.write("zonnehof.toml", COMMUNITY)
    place.write("collect.toml", COLLECT)
    place.write("serve.toml", SERVE)
    place.start("collect", "collect --config collect.toml")
    place.ran_here(
        f"coop init books --id {COOP} --name Zonnehof --street Zonlaan --number 1"
        " --postcode '2611 AA' --town Delft --treasurer-name 'Anna Bos' --board-name 'Bram Vos'"
    )
    session = place.board_member()
    place.until(lambda: "link is up" in place.words("collect"), "the collector has a link")
    place.start("serve", "serve --config serve.toml")
    place.until(lambda: "on port" in place.words("serve"), "the pages are served")
    return session


def let_in(place: Installation, board: httpx.Client) -> tuple[str, Identity]:
    """Plan a job, make its card, enrol, approve; return the job's page and who was let in."""
    job = {"gateway": GATEWAY, "home": HOME, "address": "Zonnehof 14", "steering": "ja"}
    office = place.browser(place.operator())
    page = office.post("/ops/klussen", data=job).headers["location"].partition("?")[0]
    code = re.findall(r"<code>([^<]+)</code>", board.post(f"{page}/code").text)[0]
    place.run("update key board.key")
    place.run(
        f"provision --address 'Zonnehof 14' --gateway {GATEWAY} --coop {COOP}"
        " --server {server} --config-key board.key.pub --out card"
    )
    pi = place.folder / "pi"
    pi.mkdir()
    for name in ("site.toml", "config.pub"):
        shutil.copy(place.folder / "card" / "kwartier" / name, pi)

    asking = place.start("enrol", f"gateway enrol --code {code} --folder pi --ca-file ca/root.crt")
    place.until(lambda: "waiting for the board" in place.words("enrol"), "the box waits")
    identity = Identity(pi)
    assert identity.certificate() is None
    assert identity.fingerprint in board.get(page).text
    assert board.post(f"{page}/goed").status_code == 303
    assert asking.wait(PATIENCE_S) == 0, place.last_words()
    return page, identity


def write_gateway(place: Installation, identity: Identity, cupboard: Cupboard, modbus: int) -> None:
    """Write the settings as the last step of the wizard does, before signs and live test."""
    enrolled = identity.enrolled()
    assert enrolled is not None
    server = Server(place.server, place.folder / "ca" / "root.crt")
    devices = (cupboard.found(modbus),)
    text = settings_text(enrolled, identity, cupboard.p1.address, "dsmr4", devices, server)
    write_settings(identity.folder / "gateway.toml", text)


def told_of(place: Installation) -> tuple[Json, Json, Json]:
    """Return what the operator's command says: state, newest version, version in force."""
    told = answer_of(place.ran_here("fleet config status --config serve.toml"))["gateways"]
    assert isinstance(told, list)
    (gateway,) = told
    assert isinstance(gateway, dict)
    return gateway["state"], gateway.get("version"), gateway.get("in_force")


def test_a_home_comes_on_the_air_stays_within_its_limits_and_is_cut_off(
    place: Installation, cupboard: Cupboard, modbus: int
) -> None:
    make_authority_and_broker(place)
    board = place.browser(start_services(place))
    job, identity = let_in(place, board)

    write_gateway(place, identity, cupboard, modbus)
    place.run("gateway --config pi/gateway.toml --check")
    planner = Planner(place)
    place.start("gateway", "gateway --config pi/gateway.toml")
    assert cupboard.p1.wait_for_client(PATIENCE_S), place.last_words()
    begin_s = cupboard.tell_a_quarter()

    def health() -> dict[str, object]:
        (found,) = board.get("/api/v1/ops").json()["gateways"]
        assert isinstance(found, dict)
        return found

    place.until(lambda: len(place.points("p1", "import_wh")) == 2, "the quarter is in the record")
    assert place.points("p1", "import_wh") == [
        (begin_s, 4_726_494),
        (begin_s + QUARTER_S, 4_726_994),
    ]
    place.until(lambda: health()["online"] is True, "the board sees the gateway")
    assert health()["gateway"] == GATEWAY

    place.until(
        lambda: any(reading.device == "battery" for reading in planner.live), "the battery is read"
    )
    planner.command(2_000)
    place.until(lambda: planner.answers, "the command is answered")
    assert [answer.outcome for answer in planner.answers] == [Outcome.REFUSED]
    assert cupboard.battery.power_w == 0

    place.write("faster.toml", "live_every_s = 0.5\n")
    place.write("limits.toml", '[[battery]]\ndevice = "battery"\ncharge_max_w = 9000\n')
    wish = f"fleet config set --config serve.toml --gateway {GATEWAY} --key board.key --file "
    with telling(cupboard):
        answer_of(place.ran_here(wish + "faster.toml"))
        place.until(lambda: told_of(place) == ("confirmed", 1, 1), "the interval is changed")
    refused = place.ran_here(wish + "limits.toml")
    assert told_of(place) == ("confirmed", 1, 1)
    assert (refused.returncode, "only be changed in the home" in refused.stderr) == (1, True)

    began_s = time.monotonic()
    board.post(f"{job}/stop", data={"sure": "ja"})
    place.until(lambda: health()["online"] is False, "the living connection is cut", CUT_WITHIN_S)
    place.until(
        lambda: "certificate verify failed" in place.words("mosquitto"), "a new one is refused"
    )
    place.until(lambda: health()["online"] is False, "it stays away", CUT_WITHIN_S)
    assert time.monotonic() - began_s < CUT_WITHIN_S
    planner.bus.close()
