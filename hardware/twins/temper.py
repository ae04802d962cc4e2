"""A Modbus TCP server with the temper of a real make: how many clients, how quick, how patient.

What the makes do stands in their users' reports: SolarEdge takes one client and closes a
connection that was idle (binsentsu/home-assistant-solaredge-modbus#107, #331); Huawei's dongle
needs one to two seconds after connecting and 50 ms between requests and answers busy
under load (evcc#31996, #30803); Fronius is away at night (evcc#258).
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from hardware.twins.modbus_server import BUSY, VirtualDevice
from hardware.twins.modbus_words import device_of, refusal, reply

_HEAD = 7
_LOOK_S = 0.02
_START_S = 30.0


@dataclass(frozen=True, slots=True)
class Temper:
    """How a server behaves; zero switches a trait off.

    Attributes:
        most_clients: Connections it keeps; a further one is closed at once.
        idle_s: It closes a connection that was silent this long [s].
        wake_s: After connecting it leaves requests unanswered for this long [s].
        gap_s: A request sooner than this after the last answer is refused as busy [s].
        busy_every: Every so many requests one is refused as busy.
        stray_every: Every so many requests the answer to another one comes before it.
        drop_every: Every so many requests the connection is cut in the middle of the answer.
    """

    most_clients: int = 0
    idle_s: float = 0.0
    wake_s: float = 0.0
    gap_s: float = 0.0
    busy_every: int = 0
    stray_every: int = 0
    drop_every: int = 0


def solaredge(scale: float = 1.0) -> Temper:
    """Return SolarEdge's: one client, closed when idle for a minute; ``scale`` shrinks times."""
    return Temper(most_clients=1, idle_s=60.0 * scale)


def huawei(scale: float = 1.0) -> Temper:
    """Return that of Huawei's dongle: slow to wake, needs gaps, now and then busy."""
    return Temper(most_clients=1, wake_s=1.0 * scale, gap_s=0.05 * scale, busy_every=5)


@dataclass(slots=True)
class Tally:
    """What a server saw.

    Attributes:
        connections: Connections it kept.
        turned_away: Connections it closed at once, as it had enough.
        requests: Requests that came.
        early: Requests it left unanswered because it was not awake yet.
        busy: Requests it refused as busy.
        dropped: Connections it cut in the middle of an answer.
        idle: Connections it closed because nothing came.
        writes: Requests that were no reads.
    """

    connections: int = 0
    turned_away: int = 0
    requests: int = 0
    early: int = 0
    busy: int = 0
    dropped: int = 0
    idle: int = 0
    writes: int = 0


@dataclass(slots=True)
class _Visit:
    """One connection."""

    socket: socket.socket
    since_s: float
    heard_s: float
    answered_s: float = 0.0
    rest: bytes = field(default=b"")


class TemperedServer:
    """Serves virtual devices on the loopback address with a temper; a context manager."""

    def __init__(self, devices: Sequence[VirtualDevice], temper: Temper, port: int = 0) -> None:
        """Prepare a server; port 0 takes a spare one."""
        self.temper = temper
        self.tally = Tally()
        self._devices = devices
        self._listener = socket.create_server(("127.0.0.1", port))
        self._visits: list[_Visit] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tempered-twin", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        port = self._listener.getsockname()[1]
        assert isinstance(port, int)
        return port

    @property
    def clients(self) -> int:
        """How many connections are open now."""
        return len(self._visits)

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection and end the thread."""
        self._stopping.set()
        self._thread.join(_START_S)
        for visit in self._visits:
            visit.socket.close()
        self._listener.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            sockets = [self._listener, *(visit.socket for visit in self._visits)]
            ready, _, _ = select.select(sockets, [], [], _LOOK_S)
            if self._listener in ready:
                self._welcome()
            for visit in [visit for visit in self._visits if visit.socket in ready]:
                if not self._heard(visit):
                    self._part(visit)
            self._close_idle()

    def _welcome(self) -> None:
        visitor, _ = self._listener.accept()
        if self.temper.most_clients and len(self._visits) >= self.temper.most_clients:
            self.tally.turned_away += 1
            visitor.close()
            return
        visitor.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tally.connections += 1
        now_s = time.monotonic()
        self._visits.append(_Visit(visitor, now_s, now_s))

    def _part(self, visit: _Visit) -> None:
        visit.socket.close()
        self._visits.remove(visit)

    def _close_idle(self) -> None:
        if not self.temper.idle_s:
            return
        for visit in [*self._visits]:
            if time.monotonic() - visit.heard_s > self.temper.idle_s:
                self.tally.idle += 1
                self._part(visit)

    def _heard(self, visit: _Visit) -> bool:
        """Answer what came; return whether the connection goes on."""
        try:
            came = visit.socket.recv(4096)
            if not came:
                return False
            visit.heard_s = time.monotonic()
            visit.rest += came
            while len(visit.rest) >= _HEAD:
                size = 6 + int.from_bytes(visit.rest[4:6])
                if len(visit.rest) < size:
                    return True
                frame, visit.rest = visit.rest[:size], visit.rest[size:]
                if not self._answer(visit, frame):
                    return False
        except OSError:
            return False
        return True

    def _answer(self, visit: _Visit, frame: bytes) -> bool:
        temper, tally = self.temper, self.tally
        tally.requests += 1
        tally.writes += frame[7] not in (3, 4)
        now_s = time.monotonic()
        if now_s - visit.since_s < temper.wake_s:
            tally.early += 1
            return True
        device = device_of(self._devices, frame[6])
        hurried = now_s - visit.answered_s < temper.gap_s
        if hurried or (temper.busy_every and tally.requests % temper.busy_every == 0):
            tally.busy += 1
            words: bytes | None = refusal(frame[7], BUSY)
        else:
            words = None if device is None else reply(device, frame[7:])
        if words is None:
            return True
        answer = frame[:4] + (len(words) + 1).to_bytes(2) + frame[6:7] + words
        if temper.stray_every and tally.requests % temper.stray_every == 0:
            other = (int.from_bytes(frame[:2]) - 1) % 0x10000
            visit.socket.sendall(other.to_bytes(2) + answer[2:9] + b"\xee" * len(answer[9:]))
        if temper.drop_every and tally.requests % temper.drop_every == 0:
            tally.dropped += 1
            visit.socket.sendall(answer[: len(answer) // 2])
            return False
        visit.socket.sendall(answer)
        visit.answered_s = time.monotonic()
        return True
