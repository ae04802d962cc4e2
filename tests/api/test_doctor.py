"""The doctor names each link that is broken, since when, and what to do; also when all is down."""

from __future__ import annotations

import getpass
import json
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.broker import BrokerProcess, mosquitto_program
from api.cooperative.backup.remark import note_made
from api.doctor.certificates import certificates, revoked
from api.doctor.condition import condition
from api.doctor.examine import examine, read_services
from api.doctor.finding import DAY_S, Check, Finding, State, examined
from api.doctor.sockets import ask_broker, here
from api.enrolment.authority import certify_service, revocation_list
from api.enrolment.broker_files import CA_FILE
from api.enrolment.ca_folder import pem, read_signer
from api.plan_book import SqlitePlanBook
from api.plans import NeighbourhoodPlan, PlannedQuarter
from collectors.checkup import Condition, Looked, condition_path
from collectors.prices.book import SqlitePrices
from collectors.sqlite_store import SqliteStore
from collectors.store import DeadLetter
from kwartier.broker import Broker, Tls
from kwartier.cli import main
from kwartier.errors import LinkDownError, SettingsError
from kwartier.metrics_door import Listening, MetricsDoor
from kwartier.reading import Reading
from kwartier.wire import block_of, encode_block
from tests.api.enrolling import KnowingBroker, authority, spare_port
from tests.collectors.loopback import FarSide, Reply

NOW = int(time.time())
EAN, NAME, TOKEN, VALUE = "871687110000012347", "Jannigje", "s3cr3t-t0ken", 77_777_777
WIJK = f"""
coop = "straat"
name = "Straat van {NAME}"
[[connection]]
id = "huis-1"
member = "lid-1"
gateway = "gw-1"
[[connection]]
id = "huis-2"
member = "lid-2"
gateway = "gw-2"
"""
COLLECT = """
coop = "straat"
metrics = "127.0.0.1:{door}"
[broker]
url = "{broker}"
username = "collect"
password_file = "token"
[store]
path = "record.db"
[influx]
url = "{influx}"
organisation = "straat"
token_file = "token"
"""
SERVE = """
community = "wijk.toml"
store = "record.db"
state = "state"
port = {port}
grafana_url = "{grafana}"
[broker]
url = "{broker}"
[planner]
prices = "energyzero"
"""


SOUND = Condition(NOW - 30, 1_000, 0, 10_000, 100, 310, 0, Looked(NOW - 40_000, 0.1, is_done=True))
"""What a collector tells of a record in which nothing is wrong."""


class Town:
    """A server's files and what answers around them; each may be broken by a test."""

    def __init__(self, folder: Path, broker: BrokerProcess) -> None:
        self.folder = folder
        self.broker = broker
        self.web = [FarSide(Reply(200)) for _ in range(3)]
        self.door = MetricsDoor(Listening("127.0.0.1", 0), list)
        influx, grafana, pages = (each.url for each in self.web)
        (folder / "state").mkdir()
        (folder / "token").write_text(TOKEN)
        (folder / "wijk.toml").write_text(WIJK)
        url = broker.broker.url
        (folder / "collect.toml").write_text(
            COLLECT.format(door=self.door.port, broker=url, influx=influx)
        )
        (folder / "serve.toml").write_text(
            SERVE.format(port=pages.rpartition(":")[2], grafana=grafana, broker=url)
        )
        with SqliteStore(folder / "record.db") as store, store.intake() as intake:
            for gateway in ("gw-1", "gw-2"):
                reading = Reading("p1", EAN, NOW - 10, {"import_wh": VALUE})
                block = block_of([reading], gateway, "e1", 1)
                intake.add(block, encode_block(block), NOW - 10)
        with closing(SqlitePlanBook(folder / "state" / "plans.db")) as book:
            quarter = PlannedQuarter(NOW, 0, 0, 0, 0, 0.1)
            book.keep(NeighbourhoodPlan("p", NOW - 60, "optimal", (quarter,), (), 0.0, 0.0))
        SqlitePrices(folder / "state" / "prices.db").close()
        self.ask(
            "state/prices.db",
            "INSERT INTO price VALUES (?, '1', 'agreed', 'a b', ?)",
            (NOW + 43_200, NOW - 600),
        )
        note_made(folder / "state", "people.sealed", NOW - 3_600)
        self.tell("record.db", SOUND)

    def tell(self, record: str, told: Condition) -> None:
        """Write what a collector tells of a record."""
        condition_path(self.folder / record).write_text(json.dumps(asdict(told)))

    def ask(self, file: str, statement: str, values: tuple[object, ...] = ()) -> None:
        """Change a file by hand."""
        with closing(sqlite3.connect(self.folder / file)) as db, db:
            db.execute(statement, values)

    def away(self, url: str) -> None:
        """Have the settings name a port at which nobody listens, in the place of another."""
        port = url.rpartition(":")[2]
        for file in ("collect.toml", "serve.toml"):
            path = self.folder / file
            text = path.read_text().replace(f"127.0.0.1:{port}", "127.0.0.1:9")
            path.write_text(text.replace(f"port = {port}", "port = 9"))

    def found(self) -> dict[str, Finding]:
        """Return what the doctor finds, by link."""
        services = read_services([self.folder / "collect.toml", self.folder / "serve.toml"])
        return {one.link: one for one in examine(services, NOW, _Set())}

    def close(self) -> None:
        for each in self.web:
            each.close()
        self.door.close()


class _Set:
    """A time service that has set the clock."""

    def synchronised(self) -> bool:
        return True


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    process = BrokerProcess.on_spare_port(tmp_path_factory.mktemp("broker"))
    yield process
    process.kill()


@pytest.fixture(scope="module")
def made(
    mosquitto: BrokerProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Town, Path]]:
    """A town, and a copy of its files as they should be."""
    folder, kept = tmp_path_factory.mktemp("town"), tmp_path_factory.mktemp("kept")
    town = Town(folder, mosquitto)
    shutil.copytree(folder, kept, dirs_exist_ok=True)
    yield town, kept
    town.close()


@pytest.fixture
def town(made: tuple[Town, Path]) -> Iterator[Town]:
    """That town; whatever a test does to it is put right again."""
    town, kept = made
    yield town
    for each in town.web:
        each.replies = [Reply(200)]
    shutil.rmtree(town.folder)
    shutil.copytree(kept, town.folder)


@pytest.mark.broker
def test_a_server_that_works_is_good_in_every_link(town: Town) -> None:
    found = town.found()

    assert {one.state for one in found.values()} == {State.GOOD}, found
    assert list(found) == [
        "meters", "broker", "collector", "record", "record file", "dead letters", "influx",
        "grafana", "prices", "planner", "pages", "disk", "backup of people", "clock",
    ]  # fmt: skip


@dataclass(frozen=True)
class Broken:
    """A link that a test breaks: how, what is then said of it, and since when."""

    link: str
    statement: str
    file: str
    values: tuple[object, ...]
    state: State
    what: str
    since_s: int | None


BROKEN = [
    Broken("planner", "UPDATE plan SET made_s = ?", "state/plans.db", (NOW - 2_000,),
           State.BROKEN, "safe mode", NOW - 2_000),
    Broken("planner", "DELETE FROM plan", "state/plans.db", (), State.BROKEN, "ever made", None),
    Broken("prices", "UPDATE price SET start_s = ?", "state/prices.db", (NOW - 1_000,),
           State.BROKEN, "no price of now", NOW - 100),
    Broken("prices", "UPDATE price SET start_s = ?", "state/prices.db", (NOW + 7_000,),
           State.LOOK, "2 hours", NOW - 600),
    Broken("record", "UPDATE latest SET at_s = ?", "record.db", (NOW - 5_000,),
           State.BROKEN, "5000 s old", NOW - 5_000),
    Broken("record", "UPDATE latest SET at_s = ?", "record.db", (NOW + 500,),
           State.LOOK, "500 s ahead", NOW + 500),
    Broken("meters", "UPDATE latest SET at_s = ?", "record.db", (NOW - 5_000,),
           State.BROKEN, "2 of 2 gateways", NOW - 5_000),
    Broken("meters", "UPDATE latest SET at_s = ? WHERE series = 1", "record.db", (NOW - 5_000,),
           State.LOOK, "1 of 2 gateways have a broken link (box: 1): gw-1", NOW - 5_000),
    Broken("influx", "UPDATE journal SET received_s = ?", "record.db", (NOW - 700,),
           State.LOOK, "2 blocks wait", NOW - 700),
    Broken("influx", "UPDATE journal SET received_s = ?", "record.db", (NOW - 4_000,),
           State.BROKEN, "2 blocks wait", NOW - 4_000),
]  # fmt: skip


@pytest.mark.broker
@pytest.mark.parametrize("one", BROKEN, ids=lambda one: f"{one.link}: {one.what}")
def test_what_files_tell_is_named_with_its_since(town: Town, one: Broken) -> None:
    town.ask(one.file, one.statement, one.values)

    found = town.found()[one.link]

    assert (found.state, found.since_s) == (one.state, one.since_s), found
    assert one.what in found.what
    assert found.do


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


@pytest.mark.broker
def test_dead_letters_of_the_last_day_are_counted_and_their_content_is_not_told(town: Town) -> None:
    with SqliteStore(town.folder / "record.db") as store, store.intake() as intake:
        letter = DeadLetter("gw-1", "e1", 2, NOW - 60, f"name {NAME}", EAN.encode())
        intake.set_aside(letter)

    found = town.found()["dead letters"]

    assert (found.state, found.since_s) == (State.LOOK, NOW - 60)
    assert found.what == "1 messages of the last day could not be read and are kept aside"


DAMAGED = Looked(NOW - 900, 2.0, is_done=True, problems=("row 7 missing from index", "page 3"))
TOLD = [
    (replace(SOUND, thorough=DAMAGED), State.BROKEN, "damaged: 2 faults", NOW - 900),
    (replace(SOUND, quick=DAMAGED), State.BROKEN, "damaged: 2 faults", NOW - 900),
    (replace(SOUND, months_away=("2026-01.readings.1.parquet",)), State.BROKEN, "1 month files",
     None),
    (replace(SOUND, alarm_permille=900, record_permille=913), State.BROKEN, "it is 91 % full",
     None),
    (replace(SOUND, alarm_permille=800, disk_permille=806), State.LOOK, "disk is 80 % full", None),
    (replace(SOUND, told_s=NOW - 1_000), State.LOOK, "nothing of it for 1000 s", NOW - 1_000),
    (replace(SOUND, quick=Looked(NOW - 5 * 86_400, 0.1, is_done=True)), State.LOOK, "5 days",
     NOW - 5 * 86_400),
    (Condition(), State.LOOK, "told nothing of it yet", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("told", "state", "what", "since_s"),
    TOLD,
    ids=[f"{at}: {one[2]}" for at, one in enumerate(TOLD)],
)
def test_a_record_that_is_damaged_or_fills_is_named(
    tmp_path: Path, told: Condition, state: State, what: str, since_s: int | None
) -> None:
    condition_path(tmp_path / "record.db").write_text(json.dumps(asdict(told)))

    found = condition(tmp_path / "record.db", "record file", NOW)

    assert (found.state, found.since_s) == (state, since_s), found
    assert what in found.what
    assert found.do


@pytest.mark.broker
def test_gateways_of_every_record_count_and_each_file_has_its_line(town: Town) -> None:
    serve = town.folder / "serve.toml"
    serve.write_text(serve.read_text() + '[[shards]]\nstore = "record-1.db"\n')
    wijk = town.folder / "wijk.toml"
    wijk.write_text(wijk.read_text().replace('gateway = "gw-2"', 'gateway = "gw-3"'))
    away = town.found()
    with SqliteStore(town.folder / "record-1.db") as store, store.intake() as intake:
        block = block_of([Reading("p1", EAN, NOW - 10, {"import_wh": VALUE})], "gw-3", "e1", 1)
        intake.add(block, encode_block(block), NOW - 10)
        intake.set_aside(DeadLetter("gw-3", "e1", 2, NOW - 60, "no block", b"{"))
    town.tell("record-1.db", replace(SOUND, thorough=DAMAGED))
    found = town.found()

    assert {away[link].state for link in ("record", "meters", "dead letters")} == {State.BROKEN}
    assert away["record file record-1.db"].state is State.LOOK
    assert found["meters"].what == "all 2 gateways are heard"
    assert found["record"].state is State.GOOD
    assert found["dead letters"].what.startswith("1 messages")
    assert found["record file record.db"].state is State.GOOD
    assert found["record file record-1.db"].state is State.BROKEN


@pytest.mark.broker
def test_a_backup_grows_old(town: Town) -> None:
    states = []
    for days in (1, 3, 8):
        note_made(town.folder / "state", "people.sealed", NOW - days * 86_400)
        states.append(town.found()["backup of people"].state)

    assert states == [State.GOOD, State.LOOK, State.BROKEN]


@pytest.mark.broker
def test_when_all_is_down_every_link_still_has_its_line(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    collect, serve = town.folder / "collect.toml", town.folder / "serve.toml"
    for url in [town.broker.broker.url, f"a:{town.door.port}", *(each.url for each in town.web)]:
        town.away(url)
    (town.folder / "record.db").write_bytes(b"\x00garbage" * 1_000)

    code = main(["doctor", "--json", "--config", str(collect), "--config", str(serve)])

    told = capsys.readouterr().out
    links = {one["link"]: one["state"] for one in json.loads(told)["links"]}
    assert (code, json.loads(told)["worst"]) == (2, "broken")
    assert {name for name, state in links.items() if state == "broken"} == {
        "meters", "broker", "collector", "record", "dead letters", "influx", "grafana", "pages",
    }  # fmt: skip


@pytest.mark.broker
def test_no_secret_name_or_reading_is_ever_told(
    town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    files = ["--config", str(town.folder / "collect.toml")]
    files += ["--config", str(town.folder / "serve.toml")]
    codes = [main(["doctor", *files])]
    town.ask("record.db", "UPDATE latest SET at_s = ?", (NOW - 90_000,))
    town.ask("state/plans.db", "DELETE FROM plan")
    codes += [main(["doctor", *files]), main(["doctor", "--json", *files])]

    told = capsys.readouterr().out
    assert codes[1:] == [2, 2]
    assert "\x1b" not in told
    for secret in (EAN, NAME, TOKEN, str(VALUE)):
        assert secret not in told


def test_settings_that_cannot_be_read_are_a_finding_and_the_rest_is_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "collect.toml").write_text('coop = "straat"\n[store]\npath = "record.db"\n')
    (tmp_path / "gateway.toml").write_text('coop = "straat"\ngateway = "gw-1"\n')

    code = main(["doctor", "--config", str(tmp_path / "collect.toml"), "--json"])
    told = json.loads(capsys.readouterr().out)
    refused = main(["doctor", "--config", str(tmp_path / "gateway.toml")])

    assert (code, told["links"][0]["link"], refused) == (2, "settings", 78)
    assert "broker.url is missing" in told["links"][0]["what"]
    assert "kwartier gateway check" in capsys.readouterr().err


@pytest.mark.broker
def test_a_second_service_of_one_kind_is_not_passed_over(town: Town) -> None:
    for file, kind in (("collect.toml", "collector"), ("serve.toml", "server")):
        first, second = town.folder / file, town.folder / f"second-{file}"
        shutil.copy(first, second)
        with pytest.raises(SettingsError, match=f"second-{file} is of a second {kind}"):
            read_services([first, second])


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


@pytest.mark.broker
def test_a_broker_with_certificates_says_whether_it_lets_us_in(tmp_path: Path) -> None:
    broker = KnowingBroker.started(
        tmp_path, authority(tmp_path, datetime.fromtimestamp(NOW - 60, UTC))
    )
    try:
        ours, nobody = broker.for_service("collector"), Tls(broker.plan.folder / CA_FILE)
        let_in = ask_broker(ours)
        with pytest.raises(LinkDownError) as refused:
            ask_broker(replace(ours, tls=nobody))
    finally:
        broker.stop()

    assert let_in.reason == ""
    assert let_in.certificate_until_s is not None
    assert 363 * DAY_S < let_in.certificate_until_s - NOW < 366 * DAY_S
    assert "mqtts://127.0.0.1" in str(refused.value)


@pytest.mark.broker
def test_a_wrong_password_is_told_without_it(tmp_path: Path) -> None:
    (tmp_path / "nobody").write_text("")
    port = spare_port()
    (tmp_path / "mosquitto.conf").write_text(
        f"user {getpass.getuser()}\n"
        f"listener {port} 127.0.0.1\nallow_anonymous false\n"
        f"password_file {tmp_path}/nobody\n"
    )
    program = mosquitto_program()
    assert program is not None
    with subprocess.Popen([program, "-c", tmp_path / "mosquitto.conf"]) as process:
        broker = Broker("127.0.0.1", port, None, NAME, TOKEN)
        end_s = time.monotonic() + 60
        answer = None
        while answer is None and time.monotonic() < end_s:
            with suppress(LinkDownError):
                answer = ask_broker(broker)
        process.kill()

    assert answer is not None
    assert answer.reason in {"user or password", "who we are (the certificate)"}


def test_a_broker_that_says_much_of_itself_is_understood() -> None:
    told = b"\x20\x83\x01" + b"\x00\x87" + b"\x80" + b"\x00" * 128
    assert told[1:3] == bytes([131 % 128 | 0x80, 131 // 128])  # MQTT 5.0, section 1.5.5
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            asked, _ = listening.accept()
            with asked, suppress(ConnectionError):  # what was not read ends the link
                asked.sendall(told)
                while asked.recv(1_000):
                    pass

        far = threading.Thread(target=answer)
        far.start()
        found = ask_broker(Broker("127.0.0.1", listening.getsockname()[1]))
        far.join(60)

    assert found.reason == "who we are (the certificate)"


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


def test_certificates_and_lists_say_when_they_end(tmp_path: Path) -> None:
    ca = authority(tmp_path, datetime.fromtimestamp(NOW - 60, UTC))
    issuing = read_signer(ca, "issuing")
    made = certify_service(issuing, "collector", datetime.fromtimestamp(NOW, UTC))
    (tmp_path / "collector.crt").write_bytes(pem(made.certificate))
    (tmp_path / "revoked.crl").write_bytes(
        revocation_list(issuing, [], datetime.fromtimestamp(NOW, UTC))
    )
    files = {"collector": tmp_path / "collector.crt"}

    ends = [certificates(files, NOW + days * DAY_S).state for days in (0, 340, 366)]
    lists = [revoked(tmp_path / "revoked.crl", NOW + days * DAY_S).state for days in (0, 25, 31)]

    assert ends == lists == [State.GOOD, State.LOOK, State.BROKEN]
