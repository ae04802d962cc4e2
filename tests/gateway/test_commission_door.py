"""Only somebody near who saw the code on the box can change anything."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.commission.door import IDLE_S, TRIES, is_near, is_own_name
from gateway.commission.server import MOST_BODY, SESSION
from tests.gateway.commissioning import Home, home

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with home(tmp_path_factory.mktemp("door")) as made:
        yield made


def ask(
    there: Home, method: str, path: str, body: str = "", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", there.server.server_port, timeout=30)
    try:
        connection.request(method, path, body or None, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def entered(there: Home) -> str:
    headers = {**FORM, "Origin": there.address}
    status, told, _ = ask(there, "POST", "/binnen", f"code={there.door.code.lower()}", headers)
    assert status == 303
    return told["Set-Cookie"].split(";")[0]


@pytest.mark.parametrize("path", ["/", "/stap/1", "/stap/4?deel=1", "/overdracht", "/elders"])
def test_without_the_code_nothing_is_shown(there: Home, path: str) -> None:
    status, headers, page = ask(there, "GET", path)

    assert status == 200
    assert 'action="/binnen"' in page
    assert there.door.code not in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_with_the_code_the_steps_are_shown_and_the_cookie_is_for_us_alone(there: Home) -> None:
    headers = {**FORM, "Origin": there.address}
    _, told, _ = ask(there, "POST", "/binnen", f"code={there.door.code}", headers)
    cookie = told["Set-Cookie"]
    status, _, page = ask(there, "GET", "/stap/1", headers={"Cookie": cookie.split(";")[0]})

    assert status == 200
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Stap 1 van 7" in page


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "8.8.8.8:80"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_a_form_from_elsewhere_does_nothing(there: Home, headers: dict[str, str]) -> None:
    sent = {**FORM, "Cookie": entered(there), **headers}
    status, _, _ = ask(there, "POST", "/stap/1", "do=later", sent)

    assert status == 403
    assert there.wizard.book.next().value == "enrol"


def test_a_form_without_our_token_does_nothing(there: Home) -> None:
    sent = {**FORM, "Cookie": entered(there), "Origin": there.address}
    status, _, _ = ask(there, "POST", "/stap/1", "do=later&token=0", sent)

    assert status == 403
    assert there.wizard.book.next().value == "enrol"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("x" * (MOST_BODY + 1), FORM),
        ("do=next", {"Content-Type": "text/plain"}),
        ("do=next", {**FORM, "Content-Length": "-5"}),
        ("&".join(["a=1"] * 50), FORM),
    ],
)
def test_what_is_too_much_or_no_form_is_refused(
    there: Home, body: str, headers: dict[str, str]
) -> None:
    status, _, _ = ask(there, "POST", "/stap/1", body, {**headers, "Origin": there.address})

    assert status == 400


def test_codes_are_tried_a_few_times_only(tmp_path: Path) -> None:
    with home(tmp_path) as there:
        headers = {**FORM, "Origin": there.address}
        told = [
            ask(there, "POST", "/binnen", "code=AAAA-AAAA", headers)[0] for _ in range(TRIES + 2)
        ]
        right, _, _ = ask(there, "POST", "/binnen", f"code={there.door.code}", headers)
        there.clock.advance(601)
        later, _, _ = ask(there, "POST", "/binnen", f"code={there.door.code}", headers)

    assert told == [403] * (TRIES - 1) + [429] * 3
    assert (right, later) == (429, 303)


def test_a_restart_keeps_the_code_and_who_is_in(tmp_path: Path) -> None:
    with home(tmp_path) as there:
        session = there.door.enter(there.door.code)
        code = there.door.code
        assert session is not None
    with home(tmp_path) as again:
        assert again.door.code == code
        assert again.door.knows(session)
    assert (tmp_path / "wizard.code").stat().st_mode & 0o077 == 0


def test_who_does_nothing_for_two_hours_shows_the_code_again(tmp_path: Path) -> None:
    with home(tmp_path) as there:
        session = there.door.enter(there.door.code)
        assert session is not None
        for _ in range(3):
            there.clock.advance(IDLE_S - 60)
            assert there.door.knows(session)
        there.clock.advance(60)
        assert there.door.knows(session, used=False)
        there.clock.advance(IDLE_S - 60)
        looked_at_only = there.door.knows(session)
        status, _, page = ask(there, "GET", "/stap/1", headers={"Cookie": f"{SESSION}={session}"})

    assert not looked_at_only
    assert (status, 'action="/binnen"' in page) == (200, True)


def test_a_restart_does_not_make_a_session_last_longer(tmp_path: Path) -> None:
    with home(tmp_path) as there:
        session = there.door.enter(there.door.code)
        assert session is not None
        before_s = there.clock.now_s()
    with home(tmp_path) as again:
        again.clock.advance(before_s + IDLE_S - again.clock.now_s())

        assert not again.door.knows(session)


def test_near_is_the_homes_own_network() -> None:
    assert all(map(is_near, ["127.0.0.1", "192.168.1.7", "10.0.0.2", "fe80::1%eth0", "fd00::5"]))
    assert not any(map(is_near, ["8.8.8.8", "2a00:1450::1", "", "::ffff:8.8.8.8"]))
    names = ["kwartier.local", "kwartier", "192.168.1.7:8080", "[fd00::5]:80", "localhost:1"]
    assert all(map(is_own_name, names))
    assert not any(map(is_own_name, ["wijk.example", "evil.local.example:80", "", "8.8.8.8"]))
