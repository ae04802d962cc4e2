"""A new neighbourhood as its board and installer set it up: every program a process of its own.

Files and words are those of the manual. Around them stand a web server's TLS, a meter on a TCP
port, and a battery behind one Modbus address.
"""

from __future__ import annotations

import getpass
import shlex
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import chdir, suppress
from pathlib import Path

import httpx

from api.broker import mosquitto_program
from api.commands.serve import office_of
from api.people.accounts import SYSTEM, account_of_party, add_account, grant
from api.people.opening import open_people
from api.people.sessions import open_session
from api.people.tables import AccountRow
from api.people.visitor import Role
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey
from kwartier.broker import Broker, Tls
from kwartier.clock import SystemClock
from kwartier.errors import KwartierError
from tests.journeys.command import PROGRAM, kwartier_here

PATIENCE_S = 120.0
LOOK_EVERY_S = 0.05
COOP, GATEWAY, HOME = "zonnehof", "gw-14", "huis-14"
PASSPHRASE = "vijf natte geiten op een vlot"

COMMUNITY = """
coop = "zonnehof"
name = "Zonnehof"

[[connection]]
id = "huis-14"
member = "lid-14"
gateway = "gw-14"
"""
COLLECT = """
coop = "zonnehof"

[broker]
url = "mqtts://127.0.0.1:{services}"
ca_file = "broker/ca.crt"
certificate_file = "broker/collector.crt"
key_file = "broker/collector.key"

[store]
path = "record.db"
"""
SERVE = """
community = "zonnehof.toml"
store = "record.db"
state = "state"
books = "books"
port = {port}
public_url = "{server}"

[broker]
url = "mqtts://127.0.0.1:{services}"
ca_file = "broker/ca.crt"
certificate_file = "broker/server.crt"
key_file = "broker/server.key"

[gateways]
ca = "ca"
broker_url = "mqtts://127.0.0.1:{gateways}"
broker_folder = "broker"
pid_file = "mosquitto.pid"
"""


class Installation:
    """One folder with everything of a neighbourhood, and the processes that run in it."""

    def __init__(self, folder: Path) -> None:
        """Choose ports; nothing is made and nothing runs."""
        self.folder = folder
        self.gateways_port, self.services_port, self.web_port = spare_ports(3)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._browsers: list[httpx.Client] = []
        self._front: TlsFront | None = None

    @property
    def server(self) -> str:
        """The server's public address, with TLS."""
        assert self._front is not None
        return f"https://127.0.0.1:{self._front.port}"

    def write(self, name: str, words: str) -> Path:
        """Write a file of settings, in which ports stand between braces."""
        path = self.folder / name
        path.write_text(self.filled(words))
        return path

    def filled(self, words: str) -> str:
        """Return words with ports, the server's address and the account in them."""
        return words.format(
            gateways=self.gateways_port,
            services=self.services_port,
            port=self.web_port,
            server="" if self._front is None else self.server,
            user=getpass.getuser(),
        )

    def run(self, typed: str) -> None:
        """Run one command to its good end, as it is typed behind ``kwartier`` in the folder."""
        ran = subprocess.run(
            [*PROGRAM, *shlex.split(self.filled(typed))],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert ran.returncode == 0, f"{typed}: {ran.stderr}"

    def ran_here(self, typed: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end in this process: those that load much of the server."""
        with chdir(self.folder):
            return kwartier_here(*shlex.split(self.filled(typed)))

    def start_broker(self) -> subprocess.Popen[bytes]:
        """Start mosquitto on the settings that were written, and note its number."""
        program = mosquitto_program()
        assert program is not None
        process = self._spawn("mosquitto", [program, "-c", "broker/kwartier.conf"])
        (self.folder / "mosquitto.pid").write_text(str(process.pid))
        self.until(lambda: listens(self.gateways_port), "the broker listens")
        return process

    def start(self, name: str, typed: str) -> subprocess.Popen[bytes]:
        """Start a command that goes on, as it is typed behind ``kwartier``."""
        return self._spawn(name, [*PROGRAM, *shlex.split(self.filled(typed))])

    def put_tls_in_front(self, certificate: str, key: str) -> None:
        """Take https at a port of its own and hand it on to ``kwartier serve``."""
        self._front = TlsFront(self.folder / certificate, self.folder / key, self.web_port)

    def operator(self) -> str:
        """Return a session of an operator, with a second factor."""
        office = office_of(self.folder / "books")
        people = open_people(self.folder / "state", SystemClock(), office)
        try:
            with people.writing() as desk:
                account = add_account(desk, SYSTEM, name="Olga")
                grant(desk, SYSTEM, account, Role.OPERATOR)
                return open_session(desk, account, "password", strong=True)
        finally:
            people.close()
            office.close()

    def board_member(self) -> str:
        """Return a session of a member of the board, with a second factor."""
        office = office_of(self.folder / "books")
        people = open_people(self.folder / "state", SystemClock(), office)
        try:
            with people.writing() as desk:
                account = account_of_party(desk, "person-2") or add_account(
                    desk, SYSTEM, name="Bram", party="person-2"
                )
                desk.session.get_one(AccountRow, account).officer = "board"
                return open_session(desk, account, "password", strong=True)
        finally:
            people.close()
            office.close()

    def browser(self, session: str) -> httpx.Client:
        """Return a browser of somebody who is logged in."""
        trusting = ssl.create_default_context(cafile=self.folder / "ca" / "root.crt")
        client = httpx.Client(
            base_url=self.server, headers={"Origin": self.server}, timeout=60, verify=trusting
        )
        client.cookies.set("__Host-kwartier", session)
        self._browsers.append(client)
        return client

    def service(self, name: str) -> Broker:
        """Return the broker as one of our services reaches it."""
        files = self.folder / "broker"
        tls = Tls(files / "ca.crt", files / f"{name}.crt", files / f"{name}.key")
        return Broker("127.0.0.1", self.services_port, tls)

    def points(self, device: str, name: str) -> list[tuple[int, int]]:
        """Return what the record holds of one series; nothing while it is not ready."""
        try:
            with SqliteStore(self.folder / "record.db", read_only=True) as store:
                return store.points(DeviceKey(GATEWAY, device), name, 0, 2**40)
        except KwartierError:
            return []

    def until(self, reached: Callable[[], object], what: str, within_s: float = PATIENCE_S) -> None:
        """Look until something is so, and fail with the processes' last words when it never is."""
        end_s = time.monotonic() + within_s
        pause = threading.Event()
        while not reached():
            assert time.monotonic() < end_s, f"not so: {what}\n{self.last_words()}"
            pause.wait(LOOK_EVERY_S)

    def words(self, name: str) -> str:
        """Return what a process has said so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def last_words(self) -> str:
        """Return the ends of all logs."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-2000:]}" for log in logs)

    def close(self) -> None:
        """End whatever still runs."""
        for browser in self._browsers:
            browser.close()
        for process in reversed(self._processes):
            process.send_signal(signal.SIGKILL)
            process.wait()
        if self._front is not None:
            self._front.close()

    def _spawn(self, name: str, words: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(words, cwd=self.folder, stdout=log, stderr=log)
        self._processes.append(process)
        return process


class TlsFront:
    """What nginx or Caddy does before ``kwartier serve``: it ends TLS and hands bytes on."""

    def __init__(self, certificate: Path, key: Path, behind: int) -> None:
        """Listen on a spare port."""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._behind = behind
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._take, name="front", daemon=True).start()

    def close(self) -> None:
        """Take nobody any more."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _take(self) -> None:
        while True:
            try:
                outside, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(outside,), daemon=True).start()

    def _serve(self, outside: socket.socket) -> None:
        """Hand one request and its answer on; each side closes when it is done."""
        with (
            suppress(OSError),
            self._context.wrap_socket(outside, server_side=True) as front,
            socket.create_connection(("127.0.0.1", self._behind)) as back,
        ):
            forth = threading.Thread(target=_hand_on, args=(back, front), daemon=True)
            forth.start()
            _hand_on(front, back)
            forth.join(PATIENCE_S)


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65_536):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)


def spare_ports(count: int) -> list[int]:
    """Return ports nobody listens on now."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def listens(port: int) -> bool:
    """Return whether somebody takes connections at a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
