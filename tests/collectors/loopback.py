"""A server on loopback that answers as it is told to: well, badly, half or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """One answer, or a way of not giving one."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    """Announce the whole body, send half and hang up."""
    silent: bool = False
    """Take the question and say nothing until the server is closed."""


@dataclass(frozen=True)
class Asked:
    """One question as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class FarSide:
    """A server with a script; when the script has ended its last reply is repeated."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[Asked] = []
        self._closing = threading.Event()
        self._lock = threading.Lock()
        far_side = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                far_side._serve(self)

            def do_POST(self) -> None:
                far_side._serve(self)

            def do_PATCH(self) -> None:
                far_side._serve(self)

            def do_DELETE(self) -> None:
                far_side._serve(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing: the test tells what matters."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def reply(self, asked: Asked) -> Reply:
        """Return what is said to a question; others may decide it in another way."""
        assert asked.method in {"GET", "POST"}
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length", "0"))
        body = request.rfile.read(length)
        asked = Asked(request.command, request.path, dict(request.headers), body)
        with self._lock:
            self.asked.append(asked)
            reply = self.reply(asked)
        if reply.silent:
            self._closing.wait(60)
            request.close_connection = True
            return
        request.send_response(reply.status)
        for name, value in reply.headers.items():
            request.send_header(name, value)
        if reply.status not in {204, 304}:
            request.send_header("Content-Length", str(len(reply.body)))
        request.end_headers()
        request.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
        if reply.cut:
            request.close_connection = True


@contextmanager
def far_side(*replies: Reply) -> Iterator[FarSide]:
    """Serve a script for the length of a block."""
    server = FarSide(*replies)
    try:
        yield server
    finally:
        server.close()
