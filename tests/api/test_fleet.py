"""The fleet: wishes are kept and left at the broker; a program goes out ring by ring."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from queue import Queue
from typing import TypeAlias

import pytest

from api.fleet.book import FILE, FleetBook, Step
from api.fleet.rings import Release, check_advance, may_have, release_of, rings
from gateway.care.bundle import ANY, make_bundle
from gateway.care.keys import make_key, read_public_key, read_signing_key
from kwartier.broker import Broker
from kwartier.bus import Message
from kwartier.cli import main
from kwartier.clock import VirtualClock
from kwartier.configuration import Report, Stage, decode_wish, encode_report
from kwartier.errors import InputError
from kwartier.mqtt import MqttBus, Session
from kwartier.packing import Json
from kwartier.wire import GatewayState, encode_state
from tests.broker import mosquitto as mosquitto  # noqa: PLC0414 - a fixture

Told: TypeAlias = "dict[str, Json]"
NOW_S = 1_767_225_600
WIJK = """
coop = "straat"
name = "De Straat"
[[connection]]
id = "huis-01"
member = "lid-01"
gateway = "gw-01"
[[connection]]
id = "huis-02"
member = "lid-02"
gateway = "gw-02"
"""
NAMES = [f"gw-{place:03d}" for place in range(60)]


class Desk:
    """The operator's desk: a server's settings, a key, and the command."""

    def __init__(self, folder: Path, broker: Broker, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        (folder / "wijk.toml").write_text(WIJK)
        (folder / "serve.toml").write_text(
            'community = "wijk.toml"\nstore = "record.db"\nstate = "state"\n'
            f'public_url = "https://straat.example"\n[broker]\nurl = "{broker.url}"\n'
        )
        make_key(folder / "board.key")

    def say(self, *words: str) -> tuple[int, Told, str]:
        """Run one command; return its code, its answer and its complaint."""
        code = main(["fleet", *words, "--config", str(self.folder / "serve.toml")])
        told = self._capsys.readouterr()
        return code, json.loads(told.out or "{}"), told.err

    def wish(self, changes: str) -> tuple[int, Told, str]:
        """Wish something of gw-01."""
        file = self.folder / "changes.toml"
        file.write_text(changes)
        key = str(self.folder / "board.key")
        return self.say("config", "set", "--gateway", "gw-01", "--file", str(file), "--key", key)


@pytest.fixture
def desk(tmp_path: Path, mosquitto: Broker, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, mosquitto, capsys)


@pytest.fixture
def book(tmp_path: Path) -> FleetBook:
    return FleetBook(tmp_path, "straat", VirtualClock(NOW_S))


@pytest.mark.broker
def test_a_wish_is_kept_and_waits_at_the_broker_signed_for_its_gateway(
    desk: Desk, mosquitto: Broker
) -> None:
    assert desk.wish("live_every_s = 5\n")[0] == 0
    code, told, _ = desk.wish("live_every_s = 10\n")

    assert (code, told["version"]) == (0, 2)
    heard: Queue[Message] = Queue()
    bus = MqttBus(mosquitto, Session("gw-01"))
    bus.subscribe("nec/v1/straat/gw-01/cfg/desired", heard.put)
    payload = heard.get(timeout=60).payload
    bus.close()
    wish = decode_wish(payload, read_public_key(desk.folder / "board.key.pub"))
    assert (wish.gateway, wish.version, wish.changes) == ("gw-01", 2, "live_every_s = 10\n")
    shown = desk.say("config", "show", "--gateway", "gw-01")[1]["wishes"]
    assert isinstance(shown, list)
    assert [row["version"] for row in shown if isinstance(row, dict)] == [2, 1]


@pytest.mark.broker
def test_what_gateways_tell_stands_beside_what_was_wished(desk: Desk, mosquitto: Broker) -> None:
    desk.wish("live_every_s = 5\n")
    report = Report(Stage.ROLLED_BACK, 1, "a" * 64, 0, "", "no P1 meter was read", NOW_S)
    bus = MqttBus(mosquitto, Session("gw-01"))
    assert bus.wait_until_up(60)
    for name in ("gw-01", "gw-02"):
        bus.publish(f"nec/v1/straat/{name}/cfg/reported", encode_report(report), retain=True)

    _, told, _ = desk.say("config", "status", "--wait-s", "60")

    bus.close()
    told_both: dict[str, Json] = {
        "state": "rolled-back",
        "version": 1,
        "in_force": 0,
        "reason": "no P1 meter was read",
        "at": "2026-01-01T00:00:00Z",
    }
    assert told["gateways"] == [
        {"gateway": "gw-01", "wished": 1, **told_both},
        {"gateway": "gw-02", "wished": None, **told_both},
    ]


@pytest.mark.broker
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ("[[battery]]\ncharge_max_w = 9000\n", "can only be changed in the home"),
        ('[broker]\nurl = "mqtt://192.0.2.66"\n', "can only be changed in the home"),
        ("[[p1]\n", "no TOML"),
    ],
)
def test_what_a_gateway_would_refuse_is_refused_at_the_desk(
    desk: Desk, changes: str, why: str
) -> None:
    code, _, complaint = desk.wish(changes)

    assert (code, why in complaint) == (1, True), complaint
    assert desk.say("config", "show", "--gateway", "gw-01")[1]["wishes"] == []


@pytest.mark.broker
def test_a_program_goes_to_one_gateway_then_to_all_that_run_it(
    desk: Desk, mosquitto: Broker
) -> None:
    keys = []
    for name in ("first", "second"):
        make_key(desk.folder / name)
        keys.append(read_signing_key(desk.folder / name))
    wheel = desk.folder / "zon-1-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    update = desk.folder / "update"
    update.write_bytes(make_bundle([wheel], "0.2.0", "0.0", [ANY], keys))
    pubs = [f"--key={desk.folder / name}.pub" for name in ("first", "second")]
    assert desk.say("ring", "set", "--gateway", "gw-02", "--ring", "0")[0] == 0

    assert _gateways(desk.say("release", "add", str(update), *pubs)[1]) == []
    assert _gateways(desk.say("release", "advance", "0.2.0")[1]) == ["gw-02"]
    code, _, complaint = desk.say("release", "advance", "0.2.0", "--wait-s", "0.2")
    assert (code, "gw-02 runs nothing that is known" in complaint) == (1, True)

    bus = MqttBus(mosquitto, Session("gw-02"))
    assert bus.wait_until_up(60)
    state = GatewayState("1f", online=True, version="0.2.0", at_s=NOW_S)
    bus.publish("nec/v1/straat/gw-02/state", encode_state(state), retain=True)
    assert _gateways(desk.say("release", "advance", "0.2.0")[1]) == ["gw-02", "gw-01"]
    bus.close()
    assert _gateways(desk.say("release", "halt", "0.2.0", "--why", "it forgets")[1]) == []


def _gateways(told: Told) -> Json:
    releases = told["releases"]
    assert isinstance(releases, list)
    assert isinstance(releases[0], dict)
    return releases[0]["gateways"]


@pytest.mark.broker
def test_the_command_loads_no_pages_and_no_database(desk: Desk) -> None:
    code = (
        "import sys; from kwartier.cli import main; code = main(sys.argv[1:]);"
        "print(sorted({'fastapi', 'sqlalchemy'} & set(sys.modules)), file=sys.stderr)"
    )
    words = ["fleet", "ring", "show", "--config", str(desk.folder / "serve.toml")]

    ran = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )

    assert ran.stderr == "[]\n"


def test_the_rings_hold_one_five_twenty_five_and_all() -> None:
    told = rings(NAMES, {})

    assert [len(ring) for ring in told] == [1, 4, 20, 35]
    assert sorted(name for ring in told for name in ring) == NAMES
    assert rings(NAMES[::-1], {}) == told


def test_who_is_put_in_a_ring_by_hand_stands_there_and_the_rest_fill_up() -> None:
    told = rings(NAMES, {"gw-007": 0, "gw-008": 3})

    assert told[0] == ["gw-007"]
    assert "gw-008" in told[3]
    assert [len(ring) for ring in told] == [1, 4, 20, 35]


def test_the_next_ring_waits_for_the_one_before() -> None:
    told = rings(NAMES, {})
    release = Release("0.2.0", "", ring=1)
    reached = may_have(release, told)

    assert len(reached) == 5
    check_advance(release, told, dict.fromkeys(reached, "0.2.0"))
    with pytest.raises(InputError, match="wait, halt"):
        check_advance(release, told, dict.fromkeys(reached[1:], "0.2.0"))
    with pytest.raises(InputError, match="with everybody"):
        check_advance(Release("0.2.0", "", ring=3), told, dict.fromkeys(NAMES, "0.2.0"))


def test_a_halted_version_goes_to_nobody_until_it_advances() -> None:
    steps = [
        Step("0.2.0", "", NOW_S, kind, why)
        for kind, why in [("added", ""), ("advanced", ""), ("halted", "it forgets")]
    ]
    told = rings(NAMES, {})

    assert may_have(release_of(steps, "0.2.0"), told) == []
    on = release_of([*steps, Step("0.2.0", "", NOW_S, "advanced", "mended")], "0.2.0")
    assert len(may_have(on, told)) == 5
    with pytest.raises(InputError, match="was not added"):
        release_of(steps, "0.3.0")


def test_the_book_of_the_fleet_only_grows(book: FleetBook, tmp_path: Path) -> None:
    book.note("0.2.0", "", "added", "")
    book.put("gw-01", 1)
    book.put("gw-01", 2)

    assert book.places() == {"gw-01": 2}
    with sqlite3.connect(tmp_path / FILE) as raw:
        for change in ("DELETE FROM place", "UPDATE step SET kind = 'halted'"):
            with pytest.raises(sqlite3.IntegrityError, match="only grows"):
                raw.execute(change)
    raw.close()
    assert [step.kind for step in book.steps()] == ["added"]
