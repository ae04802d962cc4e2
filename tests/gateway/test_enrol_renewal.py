"""A certificate is renewed in time, whatever becomes of a handover that waits."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gateway.enrol.identity import Identity
from gateway.enrol.office import queue_handover, send_handover
from gateway.enrol.renewal import Renewal
from gateway.enrol.server import Server
from gateway.enrol.settings import IdentitySettings
from kwartier.clock import VirtualClock
from tests.gateway.test_enrol_identity import BEGIN, certificate

DAY_250_S = BEGIN.timestamp() + 250 * 86_400


class Desk(ThreadingHTTPServer):
    """A server that refuses every handover, and gives one certificate to who asks."""

    chain = ""


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the shape of the base
        del format, args

    def do_POST(self) -> None:
        desk = self.server
        assert isinstance(desk, Desk)
        self.rfile.read(int(self.headers["Content-Length"]))
        renews = self.path.endswith("/renewal")
        told = {"chain": desk.chain, "roots": desk.chain} if renews else {"detail": "no"}
        content = json.dumps(told).encode()
        self.send_response(200 if renews else 403)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def desk() -> Iterator[Desk]:
    served = Desk(("127.0.0.1", 0), _Handler)
    serving = threading.Thread(target=served.serve_forever, args=(0.02,), daemon=True)
    serving.start()
    yield served
    served.shutdown()
    served.server_close()
    serving.join()


def test_a_handover_that_is_refused_keeps_no_certificate_back(tmp_path: Path, desk: Desk) -> None:
    clock, server = VirtualClock(DAY_250_S), Server(f"http://127.0.0.1:{desk.server_port}")
    identity = Identity(tmp_path)
    identity.install(certificate(identity))
    desk.chain = certificate(identity).decode()
    queue_handover(identity, {"home": {}}, clock)

    renewed = Renewal(IdentitySettings(tmp_path, server), clock, threading.Event()).look()

    assert renewed
    assert identity.certificate_file.read_text() == desk.chain
    assert (tmp_path / "handover.json").exists()


@pytest.mark.parametrize("content", [b"\xff{", b"{", b"[]"])
def test_a_handover_that_cannot_be_read_is_set_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "handover.json").write_bytes(content)

    sent = send_handover(Server("http://127.0.0.1:1"), Identity(tmp_path))

    assert sent
    assert (tmp_path / "handover.damaged.json").read_bytes() == content
    assert not (tmp_path / "handover.json").exists()
