"""A neighbour on the home's network gets nothing from the wizard, and cannot keep others out."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from gateway.commission.server import MOST_BODY
from gateway.commission.visits import MOST_OF_ONE, Visits
from tests.gateway.commissioning import Home, home

WAIT_S = 30.0


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with home(tmp_path_factory.mktemp("neighbour")) as made:
        yield made


def said(there: Home, text: str) -> str:
    """Return all that comes back for raw letters."""
    with socket.create_connection(("127.0.0.1", there.server.server_port), WAIT_S) as line:
        line.sendall(text.encode("latin-1"))
        answer = b""
        while part := line.recv(65_536):
            answer += part
    return answer.decode()


def asked(there: Home, path: str, *lines: str, method: str = "GET", body: str = "") -> str:
    host = there.address.removeprefix("http://")
    head = "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *lines])
    return said(there, f"{head}\r\n\r\n{body}")


def form(there: Home, length: str, body: str) -> str:
    kind = "Content-Type: application/x-www-form-urlencoded"
    origin = f"Origin: {there.address}"
    return asked(
        there, "/binnen", origin, kind, f"Content-Length: {length}", method="POST", body=body
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/static/../server.py", 404),
        ("/static/%2e%2e/server.py", 404),
        ("/static//etc/passwd", 404),
        ("http://[/", 400),
        (f"/?{urlencode([('a', 1)] * 20)}", 400),
        ("/stap/%31?deel=1", 200),
    ],
)
def test_strange_addresses_are_answered_and_show_nothing(
    there: Home, path: str, status: int
) -> None:
    answer = asked(there, path)

    assert answer.startswith(f"HTTP/1.0 {status} ")
    assert "import" not in answer
    assert "root:" not in answer


@pytest.mark.parametrize(
    "path",
    ["/\\evil.example?taal=nl", "//evil.example?taal=nl", "/elders?taal=en", "/?taal=%0d%0aX:"],
)
def test_choosing_a_language_leads_nowhere_else(there: Home, path: str) -> None:
    answer = asked(there, path)

    assert "\r\nLocation: /\r\n" in answer
    assert "\r\nX:" not in answer
    assert asked(there, "/stap/3?taal=\u00e9\u00e9").startswith("HTTP/1.0 303 ")


@pytest.mark.parametrize("origin", ["http://[", "http://evil.example", "null", "", "ftp://{host}"])
def test_an_origin_that_is_not_ours_is_refused(there: Home, origin: str) -> None:
    filled = origin.replace("{host}", there.address.removeprefix("http://"))

    assert asked(there, "/stap/1", f"Origin: {filled}").startswith("HTTP/1.0 403 ")


@pytest.mark.parametrize(
    "length", ["000000000099999999999", str(MOST_BODY + 1), "+5", "1e3", "\u00b2", ""]
)
def test_a_form_cannot_say_that_it_is_endless(there: Home, length: str) -> None:
    assert form(there, length, "code=").startswith("HTTP/1.0 400 ")


def test_half_a_form_does_nothing(there: Home) -> None:
    host = there.address.removeprefix("http://")
    body = f"code={there.door.code}&much="
    with socket.create_connection(("127.0.0.1", there.server.server_port), WAIT_S) as line:
        line.sendall(
            f"POST /binnen HTTP/1.1\r\nHost: {host}\r\nOrigin: {there.address}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body) + 9}\r\n\r\n{body}".encode()
        )
        line.shutdown(socket.SHUT_WR)
        answer = line.recv(65_536).decode()

    assert answer.startswith("HTTP/1.0 400 ")
    assert "Set-Cookie" not in answer


def test_a_session_that_was_brought_along_is_not_taken(there: Home) -> None:
    brought = "Cookie: kwartier-wizard=chosen-by-a-thief"

    before = asked(there, "/stap/1", brought)
    there.door.enter(there.door.code)
    after = asked(there, "/stap/1", brought)

    assert 'action="/binnen"' in before
    assert 'action="/binnen"' in after


def test_one_neighbour_alone_does_not_take_every_place(there: Home) -> None:
    lines = [
        socket.create_connection(("127.0.0.1", there.server.server_port), WAIT_S)
        for _ in range(MOST_OF_ONE + 1)
    ]
    try:
        assert lines[0].recv(1) == b""  # the oldest made room, while the others wait
    finally:
        for line in lines:
            line.close()
    visits, end = Visits(), time.monotonic() + WAIT_S
    pairs = [socket.socketpair() for _ in range(MOST_OF_ONE + 2)]
    came = [visits.come(one, "192.168.1.7") for one, _ in pairs[:-1]]
    other = visits.come(pairs[-1][0], "192.168.1.8")
    ended = pairs[0][0].recv(1)
    for pair in pairs:
        for one in pair:
            one.close()
    while not asked_in_peace(there):
        assert time.monotonic() < end

    assert came == [True] * (MOST_OF_ONE + 1)
    assert ended == b""
    assert other


def asked_in_peace(there: Home) -> bool:
    """Return whether the wizard answers again."""
    try:
        return asked(there, "/").startswith("HTTP/1.0 200 ")
    except ConnectionError:
        return False


def test_who_sends_a_letter_now_and_then_is_let_go() -> None:
    now = [0.0]
    visits = Visits(longest_s=30.0, now_s=lambda: now[0])
    slow, its_end = socket.socketpair()
    with slow, its_end:
        assert visits.come(slow, "192.168.1.7")
        now[0] = 29.0
        visits.end_late()
        its_end.sendall(b"G")
        still = slow.recv(1)
        now[0] = 30.0
        visits.end_late()
        gone = its_end.recv(1)

    assert (still, gone) == (b"G", b"")
