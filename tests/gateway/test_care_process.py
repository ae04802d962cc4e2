"""Care as real processes: a gateway is given settings over a broker, a guard runs its program."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.care.keys import SigningKey, make_key, read_signing_key
from gateway.care.program import ProgramProof
from gateway.care.slots import Slots
from hardware.twins.p1_meter import P1Meter, P1TcpPort
from kwartier.broker import Broker
from kwartier.bus import InProcessBus, Message
from kwartier.configuration import Report, Stage, Wish, decode_report, encode_wish
from kwartier.mqtt import MqttBus, Session
from tests.broker import mosquitto as mosquitto  # noqa: PLC0414 - a fixture
from tests.gateway.cut_disk import CutDisk
from tests.gateway.test_care_updates import Releasers, install, make, said
from tests.gateway.test_care_updates import people as people  # noqa: PLC0414 - a fixture

PATIENCE_S = 120.0
START = "import sys; from kwartier.cli import main; sys.exit(main())"
HOME = """
coop = "straat"
gateway = "gw-01"
folder = "."
[broker]
url = "{broker}"
[[p1]]
address = "{p1}"
[care]
config_key_file = "board.key.pub"
trial_s = {trial_s}
"""


def until(reached: Callable[[], object], what: Callable[[], str]) -> None:
    """Wait until something is so; much longer than it takes."""
    end_s = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < end_s, what()
        time.sleep(0.02)


@contextmanager
def meter() -> Iterator[P1TcpPort]:
    """A meter that tells its registers four times a second."""
    port, stop = P1TcpPort(), threading.Event()
    twin = P1Meter("E0001", import_t2_wh=1000)
    pushing = threading.Thread(
        target=port.run,
        args=(lambda: twin.telegram(int(time.time())), stop),
        kwargs={"period_s": 0.25},
    )
    pushing.start()
    try:
        yield port
    finally:
        stop.set()
        pushing.join()
        port.close()


class FarSide:
    """The operator at the broker, and the process of the gateway in the home."""

    def __init__(self, folder: Path, broker: Broker, key: SigningKey) -> None:
        self._folder, self._key, self._broker = folder, key, broker
        self.reports: list[Report] = []
        self.live = 0
        self.bus = MqttBus(broker, Session("operator"))
        self.bus.subscribe("nec/v1/straat/gw-01/#", self._heard)
        assert self.bus.wait_until_up(PATIENCE_S)
        self._process: subprocess.Popen[bytes] | None = None

    def settle(self, p1: str, trial_s: int) -> None:
        words = HOME.format(broker=self._broker.url, p1=p1, trial_s=trial_s)
        (self._folder / "gateway.toml").write_text(words)

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, "gateway", "--config", "gateway.toml"],
                cwd=self._folder,
                stderr=log,
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def wish(self, version: int, changes: str) -> None:
        wish = Wish("straat", "gw-01", version, 1_767_225_600, changes)
        topic = "nec/v1/straat/gw-01/cfg/desired"
        self.bus.publish(topic, encode_wish(wish, self._key), retain=True)

    def await_report(self, stage: Stage, version: int, in_force: int) -> None:
        until(
            lambda: (
                (stage, version, in_force)
                in [(one.stage, one.version, one.in_force) for one in self.reports]
            ),
            self._words,
        )

    def await_reading(self) -> None:
        before = self.live
        until(lambda: self.live > before, self._words)

    def _words(self) -> str:
        return f"{self.reports} {(self._folder / 'log').read_text()[-2000:]}"

    def _heard(self, message: Message) -> None:
        if message.topic.endswith("/cfg/reported"):
            self.reports.append(decode_report(message.payload))
        if "/live/" in message.topic:
            self.live += 1


@pytest.fixture
def far(tmp_path: Path, mosquitto: Broker) -> Iterator[FarSide]:
    make_key(tmp_path / "board.key")
    far = FarSide(tmp_path, mosquitto, read_signing_key(tmp_path / "board.key"))
    yield far
    far.kill()
    far.bus.close()


@pytest.mark.broker
def test_a_gateway_that_loses_its_meter_by_new_settings_takes_them_back(far: FarSide) -> None:
    with meter() as first:
        far.settle(first.address, trial_s=1)
        far.start()
        far.await_reading()
        far.wish(2, '[[p1]]\naddress = "socket://127.0.0.1:9"\n')
        far.await_report(Stage.ROLLED_BACK, 2, in_force=0)
        far.await_reading()


@pytest.mark.broker
@pytest.mark.nightly
def test_good_settings_stay_through_a_kill_and_bad_ones_go_through_one(far: FarSide) -> None:
    with meter() as first, meter() as second:
        far.settle(first.address, trial_s=int(PATIENCE_S))
        far.start()
        far.await_reading()
        far.wish(1, f'[[p1]]\naddress = "{second.address}"\n')
        far.await_report(Stage.CONFIRMED, 1, in_force=1)

        far.kill()
        far.settle(first.address, trial_s=1)
        far.start()
        far.await_reading()
        far.wish(2, '[[p1]]\naddress = "socket://127.0.0.1:9"\n')
        far.await_report(Stage.APPLIED, 2, in_force=2)
        far.kill()
        far.start()
        far.await_report(Stage.ROLLED_BACK, 2, in_force=1)
        far.await_reading()


def test_only_the_program_that_runs_confirms_itself_once_broker_and_meter_are_there(
    tmp_path: Path, people: Releasers
) -> None:
    slots = Slots(tmp_path / "opt", CutDisk())
    install(slots, make(tmp_path, people, "0.1.0"), people)
    before = ProgramProof(slots, slots.root / "current/lib/kwartier", tmp_path, ["p1"])
    before.heard("p1")
    before.look()
    old_program = slots.folder("a") / "lib/kwartier"
    install(slots, make(tmp_path, people, "0.2.0"), people)

    old = ProgramProof(slots, old_program, tmp_path, ["p1"])
    new = ProgramProof(slots, slots.root / "current/lib/kwartier", tmp_path, ["p1"])
    old.attach(InProcessBus(), print)
    old.heard("p1")
    old.look()
    new.attach(InProcessBus(), print)
    new.look()
    assert slots.on_trial  # the meter was read before, and is not yet

    new.heard("p1")
    new.look()
    assert (said(slots, "trusted"), slots.on_trial) == ("0.2.0", False)


@pytest.mark.parametrize(
    ("program", "fate"),
    [
        ("import time\ndef main():\n    time.sleep(600)\n", "it says nothing"),
        ("def main():\n    return 1\n", "it ends at once"),
        ("this is no Python\n", "it does not even start"),
    ],
)
def test_a_program_that_does_not_prove_itself_is_taken_back_and_the_old_one_runs(
    tmp_path: Path, people: Releasers, program: str, fate: str
) -> None:
    slots = Slots(tmp_path / "opt", CutDisk())
    ran = "import os, sys\ndef main():\n    os.mkdir(sys.argv[1])\n    return 7\n"
    for version, said_by in (("0.1.0", ran), ("0.2.0", program)):
        install(slots, make(tmp_path, people, version, cli=said_by), people)
    assert slots.on_trial

    done = subprocess.run(
        [
            *(sys.executable, "-c", START, "update", "run", "--root", str(slots.root)),
            *("--trial-s", "1", "--", str(tmp_path / "ran")),
        ],
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert (done.returncode, (tmp_path / "ran").exists()) == (7, True), (fate, done.stderr)
    assert said(slots) == "0.1.0"
