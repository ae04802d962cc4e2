"""A mosquitto of our own: for the replay, the demo and the tests, on this machine only."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from kwartier.broker import Broker
from kwartier.errors import TemporaryError

_HOST = "127.0.0.1"
_READY_S = 15.0
_LOOK_EVERY_S = 0.02
_TRIES = 5


class BrokerStartError(TemporaryError):
    """Mosquitto did not start, or is not installed."""


def mosquitto_program() -> str | None:
    """Return where mosquitto is, or None where it is not installed."""
    places = [os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"]
    return shutil.which("mosquitto", path=os.pathsep.join(places))


@contextmanager
def running_broker() -> Iterator[Broker]:
    """Run a mosquitto on a spare port of the loopback for as long as the block lasts.

    Raises:
        BrokerStartError: It is not installed, or did not start.
    """
    with tempfile.TemporaryDirectory(prefix="kwartier-broker-") as folder:
        process = BrokerProcess.on_spare_port(Path(folder))
        try:
            yield process.broker
        finally:
            process.stop()


class BrokerProcess:
    """One mosquitto that can be stopped, killed, stalled and started again on its port."""

    def __init__(self, folder: Path, port: int) -> None:
        """Write its settings into a folder; it starts with ``start``."""
        self.broker = Broker(_HOST, port)
        self._folder = folder
        self._settings = folder / "mosquitto.conf"
        self._settings.write_text(_settings(folder, port))
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def on_spare_port(cls, folder: Path) -> Self:
        """Return one that runs; another port is tried when somebody else was quicker."""
        for _ in range(_TRIES - 1):
            process = cls(folder, _spare_port())
            try:
                process.start()
            except BrokerStartError:
                if mosquitto_program() is None:
                    raise
                continue
            return process
        process = cls(folder, _spare_port())
        process.start()
        return process

    @property
    def pid(self) -> int | None:
        """Its process number; None while it does not run."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start it and return once it takes connections.

        Raises:
            BrokerStartError: It is not installed, or did not start in time.
        """
        program = mosquitto_program()
        if program is None:
            raise BrokerStartError("mosquitto is not installed: run 'apt install mosquitto'")
        if self._takes_connections():
            raise BrokerStartError(
                f"port {self.broker.port} is taken: another program answers there"
            )
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own settings, no shell
                [program, "-c", str(self._settings)], stdout=log, stderr=log
            )
        ready = False
        try:
            ready = self._is_ready(self._process)
        finally:
            if not ready:
                self.kill()
        if not ready:
            raise BrokerStartError(
                f"mosquitto did not start on port {self.broker.port}: {self._last_words()}"
            )

    def stop(self) -> None:
        """End it in order; it saves what it holds."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        self._end(signal.SIGKILL)

    def stall(self) -> None:
        """Stop it where it stands."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until it takes connections; return False when it ended, or takes too long."""
        for _ in range(int(_READY_S / _LOOK_EVERY_S)):
            try:
                process.wait(_LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                if self._takes_connections():
                    return True
            else:
                return False
        return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.send_signal(how)
        try:
            process.wait(_READY_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _takes_connections(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex((self.broker.host, self.broker.port)) == 0

    def _last_words(self) -> str:
        log = self._folder / "mosquitto.log"
        return log.read_text(errors="replace").strip()[-400:] if log.exists() else "no log"


def _spare_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _settings(folder: Path, port: int) -> str:
    """Return settings that suit the protocol: a long queue, packets of bounded size.

    Its own disk is a convenience: nothing relies on it, so it is written once a minute.
    """
    return "\n".join(
        [
            f"listener {port} {_HOST}",
            "allow_anonymous true",
            f"user {getpass.getuser()}",
            "persistence true",
            f"persistence_location {folder}/",
            "autosave_interval 60",
            "max_queued_messages 10000",
            "max_inflight_messages 0",
            "max_packet_size 131072",
            "set_tcp_nodelay true",
            "persistent_client_expiration 14d",
            "log_type error",
            "log_type warning",
            "",
        ]
    )
