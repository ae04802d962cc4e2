"""A server that drips its answer holds nobody up: an exchange ends when its time is over."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from gateway.enrol.server import Server, ServerDownError

WITHIN_S = 0.3
PATIENCE_S = 15.0
"""Below the silence a server is allowed, so that no other limit can have ended it [s]."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: "


class Drip:
    """Answers a byte at a time, and never comes to an end."""

    def __init__(self, first: bytes, drop: bytes) -> None:
        self.first, self.drop = first, drop
        self.over = threading.Event()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.settimeout(0.05)
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.over.set()
        self.thread.join()
        self.listening.close()

    def _run(self) -> None:
        while not self.over.is_set():
            try:
                line, _ = self.listening.accept()
            except TimeoutError:
                continue
            with line:
                self._answer(line)

    def _answer(self, line: socket.socket) -> None:
        try:
            line.sendall(self.first)
            while not self.over.wait(0.02):
                line.sendall(self.drop)
        except OSError:
            return  # it was left


@pytest.fixture(
    params=[
        (b"HTTP/1.1 200 ", b"O"),
        (HEAD + b"application/json\r\nX-", b"a"),
        (HEAD + b"application/json\r\nContent-Length: 60000\r\n\r\n", b" "),
    ],
    ids=["before its status", "in its head", "in its body"],
)
def drip(request: pytest.FixtureRequest) -> Iterator[Drip]:
    one = Drip(*request.param)
    yield one
    one.close()


def test_a_post_ends_when_its_time_is_over_however_the_answer_drips(drip: Drip) -> None:
    began_s = time.monotonic()

    with pytest.raises(ServerDownError, match=r"not done within 0\.3 s"):
        Server(drip.url, post_s=WITHIN_S).post("/x", {})

    assert time.monotonic() - began_s < PATIENCE_S


def test_a_stream_ends_when_its_time_is_over_and_gives_what_came() -> None:
    drip = Drip(HEAD + b"application/octet-stream\r\nContent-Length: 60000\r\n\r\n", b"z")
    came: list[bytes] = []

    with pytest.raises(ServerDownError, match=r"not done within 0\.3 s"):
        came.extend(Server(drip.url).stream("/x", {}, 60_000, WITHIN_S))
    drip.close()

    assert set(b"".join(came)) <= {ord("z")}


def test_a_stream_whose_head_drips_ends_too() -> None:
    drip = Drip(HEAD, b"a")

    with pytest.raises(ServerDownError, match="not done within"):
        list(Server(drip.url).stream("/x", {}, 60_000, WITHIN_S))
    drip.close()
