"""A box fetches an update over a line that is cut, from a server that may lie."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest

from gateway.care.bundle import ANY, make_bundle, this_machine
from gateway.care.fetch import Fetcher
from gateway.care.inbox import look
from gateway.care.judged import read_judged
from gateway.care.keys import make_key, read_signing_key
from gateway.care.offer import PIECE_BYTES, offer_of
from gateway.care.slots import Slots
from gateway.enrol.identity import Identity
from gateway.enrol.server import Server, ServerDownError, ServerRefusedError
from gateway.enrol.signed import opened
from kwartier.cli import main
from kwartier.clock import VirtualClock
from kwartier.errors import ContractError
from kwartier.packing import Json
from tests.gateway.test_care_updates import wheel_of

CUT_BYTES = 300_000
NOISE = Random(20).randbytes(2_500_000)  # noqa: S311 - no secret hangs on it


@dataclass
class Far:
    """What the server at the other end says and does.

    Attributes:
        content: The update.
        offer: What it says of it; None for nothing.
        cuts: How many answers are still cut off after 300,000 bytes.
        refuses: The status with which it refuses a piece; 0 for none.
        asked: From where pieces were asked for.
    """

    content: bytes = b""
    offer: dict[str, Json] | None = None
    cuts: int = 0
    refuses: int = 0
    asked: list[Json] = field(default_factory=list)

    def release(self, content: bytes, version: str = "0.2.0") -> None:
        """Offer an update."""
        self.content = content
        digest = hashlib.sha256(content).hexdigest()
        self.offer = {"version": version, "size": len(content), "sha256": digest}


class Answers(BaseHTTPRequestHandler):
    """Answers as the server of the test's house would."""

    far: Far

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = opened(sent).body
        if self.path.endswith("/update"):
            told = b"" if self.far.offer is None else json.dumps(self.far.offer).encode()
            self._say(200 if told else 204, "application/json", told)
            return
        self.far.asked.append(body["from"])
        if self.far.refuses:
            self._say(self.far.refuses, "application/problem+json", b'{"detail": "halted"}')
            return
        start = body["from"]
        assert isinstance(start, int)
        piece = self.far.content[start : start + PIECE_BYTES]
        cut = self.far.cuts > 0
        self.far.cuts -= cut
        self._say(200, "application/octet-stream", piece, most=CUT_BYTES if cut else len(piece))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
        pass

    def _say(self, status: int, kind: str, content: bytes, most: int = PIECE_BYTES) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:most])


@dataclass(frozen=True)
class Box:
    """A box with a program, and the server it knows."""

    far: Far
    fetcher: Fetcher
    whole: bytes

    @property
    def slots(self) -> Slots:
        return self.fetcher.slots

    @property
    def inbox(self) -> list[str]:
        return sorted(path.name for path in (self.fetcher.folder / "inbox").iterdir())

    @property
    def arrived(self) -> bytes:
        return (self.fetcher.folder / "inbox/next.update").read_bytes()

    def judge(self) -> bool:
        """Have root look at the inbox."""
        return look(self.slots, self.fetcher.folder, {this_machine()})


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """The keys of two people, and an update of three pieces that they signed."""
    folder = tmp_path_factory.mktemp("released")
    (folder / "keys").mkdir()
    people = []
    for name in ("first", "second"):
        make_key(folder / name)
        (folder / f"{name}.pub").rename(folder / "keys" / f"{name}.pub")
        people.append(read_signing_key(folder / name))
    wheel = folder / "kwartier-0.2.0-py3-none-any.whl"
    wheel.write_bytes(wheel_of({"kwartier/__init__.py": "", "kwartier/noise": NOISE}))
    return folder / "keys", make_bundle([wheel], "0.2.0", "0.0", [ANY], people)


@pytest.fixture
def box(tmp_path: Path, released: tuple[Path, bytes]) -> Iterator[Box]:
    keys, whole = released
    (tmp_path / "var/inbox").mkdir(parents=True)
    slots = Slots(tmp_path / "opt")
    slots.install_first("0.1.0", [("kwartier.whl", wheel_of({"kwartier/__init__.py": ""}))])
    shutil.copytree(keys, tmp_path / "opt/keys")
    far = Far()
    answers = type("TheseAnswers", (Answers,), {"far": far})
    server = ThreadingHTTPServer(("127.0.0.1", 0), answers)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    known = Server(f"http://127.0.0.1:{server.server_port}")
    fetcher = Fetcher(
        known,
        Identity(tmp_path / "identity"),
        slots,
        tmp_path / "var",
        VirtualClock(1_793_000_000),
        threading.Event(),
        first_wait_s=0.001,
    )
    yield Box(far, fetcher, whole)
    server.shutdown()
    serving.join()
    server.server_close()


def test_an_update_is_fetched_once_and_root_installs_it(box: Box) -> None:
    assert box.fetcher.look() is None
    box.far.release(box.whole)

    fetched = box.fetcher.look()
    again = box.fetcher.look()

    assert fetched is not None
    assert (fetched.version, again) == ("0.2.0", None)
    assert box.arrived == box.whole
    assert box.far.asked == [0, PIECE_BYTES, 2 * PIECE_BYTES]
    assert box.judge()
    assert box.slots.version(box.slots.current or "") == "0.2.0"
    assert box.fetcher.look() is None
    assert box.inbox == []  # root is done with it


def test_a_cut_line_goes_on_where_it_was(box: Box) -> None:
    box.far.release(box.whole)
    box.far.cuts = 3

    box.fetcher.look()

    assert box.arrived == box.whole
    assert box.far.asked[:4] == [0, CUT_BYTES, 2 * CUT_BYTES, 3 * CUT_BYTES]


def test_a_run_that_was_ended_goes_on_the_next_time(box: Box) -> None:
    box.far.release(box.whole)
    box.fetcher.stop.set()
    with pytest.raises(ServerDownError, match="the next run goes on"):
        box.fetcher.look()
    came = (box.fetcher.folder / "inbox" / box.inbox[0]).stat().st_size

    box.fetcher.stop.clear()
    box.fetcher.look()

    assert 0 < came < len(box.whole)
    assert box.far.asked[:2] == [0, came]
    assert box.arrived == box.whole


def test_pieces_of_what_is_offered_no_longer_are_taken_away(box: Box) -> None:
    box.far.release(box.whole)
    box.far.refuses = 404
    with pytest.raises(ServerRefusedError, match="halted"):
        box.fetcher.look()
    assert len(box.inbox) == 1

    box.far.offer = None

    assert box.fetcher.look() is None
    assert box.inbox == []


def test_a_line_that_brings_nothing_is_left_alone_after_a_few_tries(box: Box) -> None:
    box.far.release(box.whole)
    box.far.refuses = 503

    with pytest.raises(ServerDownError, match="0 of"):
        box.fetcher.look()

    assert box.far.asked == [0] * 5


def test_bytes_that_are_not_what_was_offered_never_reach_the_inbox(box: Box) -> None:
    box.far.release(box.whole)
    box.far.content = box.whole[:-1] + b"x"

    with pytest.raises(ContractError, match="not what it offered"):
        box.fetcher.look()

    assert box.inbox == []


def test_what_power_left_of_a_piece_is_found_out_and_fetched_anew(box: Box) -> None:
    box.far.release(box.whole)
    offer = offer_of(box.far.offer or {})
    assert offer is not None
    part = box.fetcher.folder / "inbox" / f"{offer.sha256}.part"
    part.write_bytes(bytes(PIECE_BYTES))

    with pytest.raises(ContractError):
        box.fetcher.look()
    box.fetcher.look()

    assert box.arrived == box.whole


def test_an_update_that_nobody_signed_reaches_no_slot_and_is_not_fetched_again(box: Box) -> None:
    at = box.whole.index(b'"version":"0.2.0"')
    box.far.release(box.whole[:at] + b'"version":"0.9.0"' + box.whole[at + 17 :], "0.9.0")

    fetched = box.fetcher.look()
    installed = box.judge()

    assert fetched is not None
    assert (installed, box.slots.on_trial, box.slots.installs) == (False, False, 1)
    judged = read_judged(box.slots.root)
    assert judged is not None
    assert "the update was changed" in judged.refusal
    asked = len(box.far.asked)
    assert box.fetcher.look() is None
    assert len(box.far.asked) == asked


def test_an_offer_that_is_none_leaves_nothing_on_the_disk(box: Box) -> None:
    good: dict[str, Json] = {"version": "0.2.0", "size": 9, "sha256": "a" * 64}
    bad: list[dict[str, Json]] = [
        {"size": 10**12},
        {"size": -1},
        {"size": True},
        {"sha256": "../../../etc/cron.d/x"},
        {"sha256": None},
        {"version": "../x"},
        {"version": ["0.2.0"]},
    ]
    for parts in bad:
        box.far.offer = good | parts
        with pytest.raises(ContractError):
            box.fetcher.look()

    assert (box.inbox, box.far.asked) == ([], [])


def test_an_older_version_is_not_fetched(box: Box) -> None:
    box.far.release(box.whole, "0.1.0")

    assert box.fetcher.look() is None
    assert box.far.asked == []


def test_the_command_fetches_by_the_settings_of_the_home(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, known = box.fetcher.folder, box.fetcher.server.url
    words = ["update", "fetch", "--folder", str(folder), "--root", str(box.slots.root)]
    box.far.release(box.whole)

    away = main(words)
    (folder / "gateway.toml").write_text("p1 = 1\n")
    nobody = main(words)
    (folder / "gateway.toml").write_text(
        f'[[p1]]\nis = "wrong"\n[identity]\nserver = "{known}"\nenrolled_folder = "identity"\n'
    )
    capsys.readouterr()
    codes = [main(words), main(words)]

    assert (away, nobody, codes) == (78, 78, [0, 0])
    assert capsys.readouterr().out.split() == [
        *("{", '"fetched":', '"0.2.0"', "}"),
        *("{", '"fetched":', "null", "}"),
    ]
    assert box.arrived == box.whole
