"""From an operator's release to a program on a box: by ring, piece by piece, and never unsigned."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.fleet.book import FleetBook
from api.fleet.releases import MOST_FILES, Releases
from api.fleet.updates import MOST_PIECES, Updates
from api.server import WebServer
from collectors.store import KeptEvent
from gateway.care.bundle import ANY, make_bundle, this_machine
from gateway.care.fetch import Fetcher
from gateway.care.inbox import look
from gateway.care.keys import SigningKey, make_key, read_public_key, read_signing_key
from gateway.care.offer import ASK, PART, PIECE_BYTES
from gateway.care.refusals import Refusals
from gateway.care.slots import Slots
from gateway.enrol.identity import Identity
from gateway.enrol.server import Server, ServerDownError, ServerRefusedError
from kwartier.bus import InProcessBus
from kwartier.cli import main
from kwartier.clock import Clock
from kwartier.errors import ContractError, InputError
from kwartier.events import Event
from kwartier.packing import Json
from tests.api.enrol_town import Served
from tests.api.enrolling import known_box
from tests.gateway.test_care_updates import wheel_of

FIRST, SECOND, LATE = "gw-03", "gw-04", "gw-05"
WIJK = 'coop = "street"\nname = "Straat"\n' + "".join(
    f'[[connection]]\nid = "home-{name}"\nmember = "lid-{name}"\ngateway = "{name}"\n'
    for name in (FIRST, SECOND, LATE)
)


@dataclass(frozen=True)
class Office:
    """A server at a real port, and the folder of who keeps it."""

    folder: Path
    url: str
    client: httpx.Client


@dataclass(frozen=True)
class Fleet:
    """A server that lets gateways in, two people who sign, and an operator at a terminal.

    Attributes:
        own: A folder for the files of one test.
    """

    own: Path
    served: Served
    office: Office
    boxes: dict[str, Identity]
    capsys: pytest.CaptureFixture[str]

    @property
    def folder(self) -> Path:
        return self.office.folder

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def clock(self) -> Clock:
        return self.served.town.clock

    @property
    def book(self) -> FleetBook:
        return FleetBook(self.state, "street", self.clock)

    @property
    def people(self) -> list[SigningKey]:
        return [read_signing_key(self.folder / name) for name in ("first", "second")]

    def say(self, *words: str) -> tuple[int, dict[str, Json], str]:
        """Run one `kwartier fleet`; return its code, its answer and its complaint."""
        self.capsys.readouterr()
        code = main(["fleet", *words, "--config", str(self.folder / "serve.toml")])
        told = self.capsys.readouterr()
        return code, json.loads(told.out or "{}"), told.err

    def make(
        self, version: str, *, size: int = 10, minimum: str = "0.0", target: str = ANY
    ) -> Path:
        """Return a signed update."""
        wheel = self.own / f"kwartier-{version}-py3-none-any.whl"
        noise = hashlib.shake_256(version.encode()).digest(size)
        wheel.write_bytes(wheel_of({"kwartier/__init__.py": "", "kwartier/noise": noise}))
        file = self.own / f"{version}.update"
        file.write_bytes(make_bundle([wheel], version, minimum, [target], self.people))
        return file

    def add(self, file: Path) -> tuple[int, dict[str, Json], str]:
        """Add an update as an operator does."""
        keys = [f"--key={self.folder / name}.pub" for name in ("first", "second")]
        return self.say("release", "add", str(file), *keys)

    def release(self, file: Path, rings: int = 1) -> None:
        """Add an update and let the first rings take it."""
        assert self.add(file)[0] == 0
        for _ in range(rings):
            words = ["release", "advance", file.stem, "--anyway", "a test"]
            assert self.say(*words)[0] == 0

    def box(self, name: str, running: str = "0.1.0") -> Fetcher:
        """Return a box on which a program runs."""
        slots = Slots(self.own / name / "opt")
        slots.install_first(running, [("kwartier.whl", wheel_of({"kwartier/__init__.py": ""}))])
        (slots.root / "keys").mkdir()
        for key in ("first.pub", "second.pub"):
            (slots.root / "keys" / key).write_bytes((self.folder / key).read_bytes())
        (self.own / name / "var/inbox").mkdir(parents=True)
        return Fetcher(
            Server(self.office.url),
            self.boxes[name],
            slots,
            self.own / name / "var",
            self.clock,
            threading.Event(),
            first_wait_s=0.001,
        )

    def ask(
        self, name: str, purpose: str, body: dict[str, Json], *, of: str = "", off_s: int = 0
    ) -> httpx.Response:
        """Return the answer to a question that a box signs, perhaps about another box."""
        message = self.boxes[name].signed(purpose, body, int(self.clock.now_s()) + off_s)
        path = "update" if purpose == ASK else "update/part"
        return self.post(f"{of or name}/{path}", message)

    def post(self, path: str, message: dict[str, Json]) -> httpx.Response:
        """Return the answer to what somebody sends."""
        return self.office.client.post(f"/api/v1/gateways/{path}", json=message)


@pytest.fixture(scope="module")
def boxes(lets_in: Served, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Identity]:
    """Boxes that were let in."""
    folder, house = tmp_path_factory.mktemp("boxes"), lets_in.town.house
    assert house.enrolment is not None
    return {
        name: known_box(house.enrolment, house.people, folder, name)
        for name in (FIRST, SECOND, LATE)
    }


@pytest.fixture(scope="module")
def office(lets_in: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A server, and beside it an operator with its settings and the keys of two people."""
    folder = tmp_path_factory.mktemp("office")
    for name in ("first", "second"):
        make_key(folder / name)
    (folder / "wijk.toml").write_text(WIJK)
    (folder / "serve.toml").write_text(
        'community = "wijk.toml"\nstore = "record.db"\nstate = "state"\n'
        'public_url = "https://straat.example"\n[broker]\nurl = "mqtt://127.0.0.1:1"\n'
    )
    town = lets_in.town
    updates = Updates(folder / "state", town.house.community, town.clock)
    server = WebServer(create_app(replace(town.house, updates=updates)), "127.0.0.1", 0)
    server.start()
    url = f"http://127.0.0.1:{server.port}"
    with httpx.Client(base_url=url, headers={"Origin": url}, timeout=60) as client:
        yield Office(folder, url, client)
    server.stop()


@pytest.fixture
def fleet(
    lets_in: Served,
    office: Office,
    boxes: dict[str, Identity],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Fleet:
    """A fleet in which gw-03 is in the first ring, gw-04 in the second, gw-05 in the last."""
    shutil.rmtree(office.folder / "state", ignore_errors=True)
    (office.folder / "state").mkdir()
    made = Fleet(tmp_path, lets_in, office, boxes, capsys)
    for ring, name in ((0, FIRST), (1, SECOND), (3, LATE)):
        made.book.put(name, ring)
    return made


def test_a_released_update_is_fetched_by_its_ring_and_installed_by_root(fleet: Fleet) -> None:
    first, second = fleet.box(FIRST), fleet.box(SECOND)
    update = fleet.make("0.2.0", size=PIECE_BYTES + 1_000)
    assert first.look() is None

    fleet.release(update)
    fetched, waits = first.look(), second.look()
    installed = look(first.slots, first.folder, {this_machine()})

    assert fetched is not None
    assert (fetched.version, fetched.size, waits) == ("0.2.0", update.stat().st_size, None)
    assert (installed, first.slots.on_trial) == (True, True)
    assert first.slots.version(first.slots.current or "") == "0.2.0"
    assert first.look() is None  # it runs that version


def test_a_changed_update_is_refused_by_root_and_the_operator_reads_why(fleet: Fleet) -> None:
    whole = fleet.make("0.2.0").read_bytes()
    changed = whole.replace(b'"version":"0.2.0"', b'"version":"0.9.0"')
    box, sha256 = fleet.box(FIRST), hashlib.sha256(changed).hexdigest()
    folder = Releases(fleet.state).folder
    folder.mkdir(parents=True)
    (folder / f"{sha256}.update").write_bytes(changed)
    for kind in ("added", "advanced"):  # whoever has the server writes what he likes
        fleet.book.note("0.9.0", sha256, kind, "")

    fetched = box.look()
    installed = look(box.slots, box.folder, {this_machine()})
    told: list[Event] = []
    for _ in range(2):
        watching = Refusals(box.slots.root, box.folder, fleet.clock)
        watching.attach(InProcessBus(), told.append)
        watching.look()
    town = fleet.served.town
    with town.house.store.intake() as intake:
        assert intake.note_event(KeptEvent(FIRST, told[0], told[0].at_s))
    with fleet.served.browser(town.operator()) as operator:
        events = operator.get("/api/v1/ops").json()["events"]

    assert fetched is not None
    assert (installed, box.slots.installs, box.look()) == (False, 1, None)
    assert len(told) == 1
    (shown,) = [each for each in events if each["gateway"] == FIRST]
    assert shown["kind"] == "update-refused"
    assert "the update was changed" in shown["reason"]


def test_rings_are_obeyed_to_the_byte_and_a_halt_stops_everybody(fleet: Fleet) -> None:
    update = fleet.make("0.2.0")
    piece: dict[str, Json] = {"sha256": hashlib.sha256(update.read_bytes()).hexdigest(), "from": 0}
    own: dict[str, Json] = {"running": "0.1.0", "machine": this_machine()}

    def answers() -> list[tuple[int, int]]:
        return [
            (fleet.ask(name, ASK, own).status_code, fleet.ask(name, PART, piece).status_code)
            for name in (FIRST, SECOND, LATE)
        ]

    no, yes = (204, 404), (200, 200)
    fleet.release(update, rings=0)
    told = [answers()]
    for _ in range(4):
        assert fleet.say("release", "advance", "0.2.0", "--anyway", "a test")[0] == 0
        told.append(answers())
    assert fleet.say("release", "halt", "0.2.0", "--why", "it forgets")[0] == 0
    told.append(answers())

    assert told == [
        [no, no, no],
        [yes, no, no],
        [yes, yes, no],
        [yes, yes, no],
        [yes, yes, yes],
        [no, no, no],
    ]


def test_a_box_is_offered_the_highest_version_that_it_can_take(fleet: Fleet) -> None:
    for version, minimum, target in (
        ("0.2.0", "0.0", ANY),
        ("0.3.0", "0.0", this_machine()),
        ("0.4.0", "0.3.0", ANY),
        ("0.5.0", "0.0", "vax-cp313"),
    ):
        fleet.release(fleet.make(version, minimum=minimum, target=target))

    def offered(running: str) -> str:
        body: dict[str, Json] = {"running": running, "machine": this_machine()}
        answer = fleet.ask(FIRST, ASK, body)
        return str(answer.json()["version"]) if answer.status_code == 200 else ""

    assert [offered(one) for one in ("0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.9")] == [
        "0.3.0",
        "0.3.0",
        "0.4.0",
        "",
        "",
    ]


def test_only_the_box_itself_is_answered_and_only_about_now(fleet: Fleet) -> None:
    update = fleet.make("0.2.0")
    fleet.release(update)
    piece: dict[str, Json] = {"sha256": hashlib.sha256(update.read_bytes()).hexdigest(), "from": 0}
    own: dict[str, Json] = {"running": "0.1.0", "machine": this_machine()}

    assert fleet.ask(FIRST, PART, piece).content == update.read_bytes()
    assert fleet.ask(SECOND, PART, piece, of=FIRST).status_code == 403
    assert fleet.ask(FIRST, PART, piece, off_s=-301).status_code == 403
    assert fleet.ask(FIRST, PART, piece, off_s=301).status_code == 403
    assert fleet.ask(FIRST, ASK, own, off_s=301).status_code == 403
    elsewhere = fleet.boxes[FIRST].signed(ASK, piece, int(fleet.clock.now_s()))
    assert fleet.post(f"{FIRST}/update/part", elsewhere).status_code == 403
    assert fleet.post(f"{FIRST}/update/part", {}).status_code == 422
    wrong: list[dict[str, Json]] = [
        {"sha256": "../../serve.toml", "from": 0},
        {"sha256": "a" * 64, "from": 0},
        {**piece, "from": update.stat().st_size},
    ]
    senseless: list[dict[str, Json]] = [{**piece, "from": -1}, {**piece, "from": True}, {"from": 0}]
    assert [fleet.ask(FIRST, PART, each).status_code for each in wrong] == [404] * 3
    assert [fleet.ask(FIRST, PART, each).status_code for each in senseless] == [422] * 3
    assert fleet.ask(FIRST, ASK, own | {"running": "new"}).status_code == 422


def test_a_file_that_was_changed_on_the_server_never_reaches_the_inbox(fleet: Fleet) -> None:
    update = fleet.make("0.2.0")
    fleet.release(update)
    (kept,) = Releases(fleet.state).folder.glob("*.update")
    kept.write_bytes(update.read_bytes()[:-1] + b"x")
    box = fleet.box(FIRST)

    with pytest.raises(ContractError, match="not what it offered"):
        box.look()

    assert list((box.folder / "inbox").iterdir()) == []


def test_a_box_that_asks_without_end_is_told_to_come_back(fleet: Fleet) -> None:
    fleet.release(fleet.make("0.2.0"))
    updates = Updates(fleet.state, fleet.served.town.house.community, fleet.clock)

    waits = {updates.wait_s(FIRST) for _ in range(MOST_PIECES)}

    assert waits == {0.0}
    assert updates.wait_s(FIRST) == 3_600.0
    assert updates.wait_s(SECOND) == 0.0


def test_an_update_is_kept_checked_once_and_few_are_kept(fleet: Fleet) -> None:
    folder = Releases(fleet.state).folder
    one_person = fleet.own / "one.update"
    wheel = fleet.own / "zon-1-py3-none-any.whl"
    wheel.write_bytes(wheel_of({"zon.py": ""}))
    one_person.write_bytes(make_bundle([wheel], "0.2.0", "0.0", [ANY], fleet.people[:1]))
    long = fleet.own / "long.update"
    with long.open("wb") as opened:
        opened.truncate(200 * 1024 * 1024)

    refused = [fleet.add(file) for file in (one_person, long, fleet.own / "away")]
    for number in range(MOST_FILES + 1):
        assert fleet.add(fleet.make(f"0.{number}.1"))[0] == 0
    other = fleet.make("0.8.1", size=99)
    twice = fleet.add(other)

    assert [code for code, _, _ in refused] == [1, 1, 1]
    assert "not signed by key" in refused[0][2]
    assert "is longer than" in refused[1][2]
    assert (twice[0], "was added before" in twice[2]) == (1, True)
    names = [path.name for path in folder.iterdir()]
    assert (len(names), all(name.endswith(".update") for name in names)) == (MOST_FILES, True)
    shown = fleet.say("release", "show")[1]["releases"]
    assert isinstance(shown, list)
    kept = [row["kept"] for row in shown if isinstance(row, dict)]
    assert kept == [False] + [True] * MOST_FILES


def test_the_same_file_may_come_again_when_it_was_lost(fleet: Fleet) -> None:
    update = fleet.make("0.2.0")
    fleet.release(update)
    (kept,) = Releases(fleet.state).folder.glob("*.update")
    kept.unlink()
    box = fleet.box(FIRST)
    assert box.look() is None

    code, _, _ = fleet.add(update)

    assert code == 0
    assert [step.kind for step in fleet.book.steps()] == ["added", "advanced"]
    assert box.look() is not None


def test_a_server_that_released_nothing_writes_nothing(fleet: Fleet, tmp_path: Path) -> None:
    updates = Updates(tmp_path / "new", fleet.served.town.house.community, fleet.clock)

    assert updates.offer(FIRST, "0.1.0", this_machine()) is None
    with pytest.raises(InputError, match="no such update"):
        updates.piece(FIRST, "a" * 64, 0)
    assert not (tmp_path / "new").exists()


def test_a_box_that_was_put_out_gets_nothing(fleet: Fleet, tmp_path: Path) -> None:
    fleet.release(fleet.make("0.2.0"), rings=4)
    stranger = replace(fleet.box(LATE), identity=Identity(tmp_path / "stranger"))

    with pytest.raises(ServerRefusedError, match="enrol this gateway anew"):
        stranger.look()


def test_a_key_that_did_not_sign_keeps_an_update_out(fleet: Fleet) -> None:
    make_key(fleet.own / "stranger")
    keys = [
        read_public_key(file) for file in (fleet.folder / "first.pub", fleet.own / "stranger.pub")
    ]

    with pytest.raises(InputError, match="not signed by key"):
        Releases(fleet.state).keep(fleet.make("0.2.0"), keys)

    assert list(Releases(fleet.state).folder.iterdir()) == []


def test_without_a_server_the_box_says_so_and_keeps_what_it_has(fleet: Fleet) -> None:
    box = replace(fleet.box(FIRST), server=Server("http://127.0.0.1:1"))

    with pytest.raises(ServerDownError, match="cannot be reached"):
        box.look()
