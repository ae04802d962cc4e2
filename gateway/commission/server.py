"""The wizard's web server: stdlib only, for the home's own network, and bounded in everything."""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from socketserver import BaseServer
from urllib.parse import parse_qs, urlsplit

from gateway.commission import pages
from gateway.commission.book import STEPS, Step
from gateway.commission.door import Door, form_token, is_near, is_own_name
from gateway.commission.paper import handover_page
from gateway.commission.record import address_of, digest_of
from gateway.commission.refusal import Refusal
from gateway.commission.visits import Visits
from gateway.commission.wizard import Wizard
from gateway.commission.words import LANGUAGES, Words, chosen_language
from kwartier.errors import KwartierError

_log = logging.getLogger(__name__)

MOST_BODY = 8_192
PATIENCE_S = 10.0
SESSION = "kwartier-wizard"
_LANGUAGE = "kwartier-taal"
_STATIC = {
    "wizard.css": "text/css; charset=utf-8",
    "wizard.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HTML = "text/html; charset=utf-8"


class WizardServer(ThreadingHTTPServer):
    """Serves one wizard; a context manager of the standard library.

    Attributes:
        look_every_ms: How often a page looks again while something moves [ms].
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(
        self, host: str, port: int, wizard: Wizard, door: Door, visits: Visits | None = None
    ) -> None:
        """Listen; port 0 takes a free one.

        Raises:
            OSError: The port is taken.
        """
        self.wizard, self.door = wizard, door
        self.look_every_ms = 2000
        self._visits = visits or Visits()
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)

    def process_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Answer on a thread of its own, when one of the few is free."""
        assert isinstance(request, socket.socket)
        assert isinstance(client_address, tuple)
        if self._visits.come(request, str(client_address[0])):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Answer, and make room for another."""
        assert isinstance(request, socket.socket)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._visits.go(request)

    def service_actions(self) -> None:
        """End connections that last too long; the base calls this twice a second or oftener."""
        self._visits.end_late()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say it in one line, without who asked; who goes away early fills no log."""
        del request, client_address
        level = logging.DEBUG if isinstance(sys.exc_info()[1], OSError) else logging.WARNING
        _log.log(level, "a request to the wizard broke off", exc_info=_log.isEnabledFor(10))


class _Handler(BaseHTTPRequestHandler):
    timeout = PATIENCE_S
    server_version = "kwartier"
    sys_version = ""

    def __init__(self, request: socket.socket, address: object, server: BaseServer) -> None:
        assert isinstance(server, WizardServer)
        self._wizard, self._door = server.wizard, server.door
        self._every_ms = server.look_every_ms
        self._cookies: list[str] = []
        super().__init__(request, address, server)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the shape of the base
        _log.debug(format, *args)

    def do_GET(self) -> None:
        """Show a page."""
        if not self._admitted():
            return
        try:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query, max_num_fields=10)
        except ValueError:
            self._send(b"", _HTML, HTTPStatus.BAD_REQUEST)
            return
        if "taal" in query:
            self._speak(query["taal"][0], parts.path)
        elif parts.path.startswith("/static/"):
            self._static(parts.path.removeprefix("/static/"))
        elif not self._door.knows(self._session(), used="deel" not in query):
            self._door_page()
        else:
            self._inside(parts.path, query)

    def _speak(self, language: str, path: str) -> None:
        """Keep a language, and go back to a page of ours: to nothing else that stands there."""
        if language in LANGUAGES:
            self._cookies.append(f"{_LANGUAGE}={language}; Path=/; SameSite=Lax")
        own = path == "/overdracht" or _step_of(path) is not None
        self._redirect(path if own else "/")

    def _inside(self, path: str, query: Mapping[str, list[str]]) -> None:
        if path == "/":
            self._redirect(pages.path_of(self._wizard.book.next()))
        elif path == "/overdracht":
            self._handover()
        elif path == "/overdracht.json":
            self._handover_file()
        elif (step := _step_of(path)) is None:
            self._missing()
        elif "deel" in query:
            self._part(step)
        else:
            self._page(step)

    def do_POST(self) -> None:
        """Do what a form says."""
        if not self._admitted():
            return
        form = self._form()
        if form is None:
            return
        path = self.path.partition("?")[0]
        if path == "/binnen":
            self._enter(form.get("code", ""))
            return
        session = self._session()
        step = _step_of(path)
        if not self._door.knows(session):
            self._door_page()
        elif step is None:
            self._missing()
        elif form.get("token") != form_token(session):
            self._page(step, "refused.unknown", HTTPStatus.FORBIDDEN)
        else:
            self._act(step, form)

    def _act(self, step: Step, form: dict[str, str]) -> None:
        try:
            then = self._wizard.act(step, form.get("do", ""), form)
        except Refusal as refusal:
            self._page(step, refusal.key, HTTPStatus.CONFLICT)
        except KwartierError as error:
            _log.warning("step %s: %s", step.value, error)
            self._page(step, "refused.disk", HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self._redirect(pages.path_of(then))

    def _admitted(self) -> bool:
        """Return whether the caller is near; the answer is sent when not."""
        peer = str(self.client_address[0])
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin")
        own = {f"http://{host.lower()}", f"https://{host.lower()}"}
        foreign = origin is not None and origin.lower() not in own
        unsaid = self.command == "POST" and origin is None
        if is_near(peer) and is_own_name(host) and not foreign and not unsaid:
            return True
        words = self._words()
        page = pages.message_page(words, words.say("door.title"), words.say("door.foreign"))
        self._send(page.encode(), _HTML, HTTPStatus.FORBIDDEN)
        return False

    def _form(self) -> dict[str, str] | None:
        length = self.headers.get("Content-Length", "")
        kind = self.headers.get("Content-Type", "").split(";")[0].strip().lower()
        number = length.isascii() and length.isdigit() and len(length) <= len(str(MOST_BODY))
        small = number and int(length) <= MOST_BODY
        if not small or kind != "application/x-www-form-urlencoded":
            self._send(b"", _HTML, HTTPStatus.BAD_REQUEST)
            return None
        body = self.rfile.read(int(length))
        try:
            fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20)
        except ValueError:
            fields = None
        if fields is None or len(body) < int(length):
            self._send(b"", _HTML, HTTPStatus.BAD_REQUEST)
            return None
        return {name: values[0] for name, values in fields.items()}

    def _enter(self, code: str) -> None:
        session = self._door.enter(code)
        if session is None:
            self._door_page(wrong=True)
            return
        self._cookies.append(f"{SESSION}={session}; Path=/; HttpOnly; SameSite=Strict")
        self._redirect("/")

    def _door_page(self, *, wrong: bool = False) -> None:
        words = self._words()
        wait_s = self._door.wait_s()
        problem, status = "", HTTPStatus.OK
        if wait_s > 0:
            problem = words.say("door.often", {"minutes": int(wait_s // 60) + 1})
            status = HTTPStatus.TOO_MANY_REQUESTS
        elif wrong:
            problem, status = words.say("door.wrong"), HTTPStatus.FORBIDDEN
        self._send(pages.door_page(words, problem).encode(), _HTML, status)

    def _page(self, step: Step, problem: str = "", status: HTTPStatus = HTTPStatus.OK) -> None:
        words = self._words()
        token = form_token(self._session())
        told = words.say(problem) if problem else ""
        view, book = self._wizard.view(step), self._wizard.book
        made = pages.step_page(words, view, book, token, told, self._every_ms)
        self._send(made.encode(), _HTML, status)

    def _part(self, step: Step) -> None:
        words, view = self._words(), self._wizard.view(step)
        token = form_token(self._session())
        told = {"live": pages.live_part(words, view), "acts": pages.acts_part(words, view, token)}
        self._send(json.dumps(told).encode(), "application/json")

    def _handover(self) -> None:
        record = self._wizard.record()
        if record is None:
            self._missing()
            return
        identity, server = self._wizard.identity, self._wizard.server
        gateway = identity.gateway if identity.enrolled() is not None else ""
        address = address_of(record, "" if server is None else server.url, gateway)
        made = handover_page(self._words(), record, address, digest_of(record))
        self._send(made.encode(), _HTML)

    def _handover_file(self) -> None:
        signed = self._wizard.signed()
        if signed is None:
            self._missing()
            return
        text = json.dumps(signed, ensure_ascii=False, indent=2)
        self._send(text.encode(), "application/json")

    def _static(self, name: str) -> None:
        kind = _STATIC.get(name)
        if kind is None:
            self._missing()
            return
        content = files("gateway.commission").joinpath("static", name).read_bytes()
        self._send(content, kind)

    def _missing(self) -> None:
        words = self._words()
        made = pages.message_page(words, words.say("missing.title"), words.say("missing.do"))
        self._send(made.encode(), _HTML, HTTPStatus.NOT_FOUND)

    def _redirect(self, path: str) -> None:
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", path)
        self._finish_headers(0)

    def _send(self, content: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self._finish_headers(len(content))
        self.wfile.write(content)

    def _finish_headers(self, length: int) -> None:
        for name, value in (
            ("Content-Length", str(length)),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", _POLICY),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "same-origin"),
            *(("Set-Cookie", cookie) for cookie in self._cookies),
        ):
            self.send_header(name, value)
        self.end_headers()

    def _words(self) -> Words:
        asked = self._cookie(_LANGUAGE)
        return Words(chosen_language(asked, self.headers.get("Accept-Language", "")))

    def _session(self) -> str:
        return self._cookie(SESSION)

    def _cookie(self, name: str) -> str:
        try:
            found = SimpleCookie(self.headers.get("Cookie", "")[:4096]).get(name)
        except CookieError:
            return ""
        return "" if found is None else found.value


def _step_of(path: str) -> Step | None:
    number = path.removeprefix("/stap/")
    if number == path or not (number.isascii() and number.isdigit()) or len(number) > 2:
        return None
    at = int(number) - 1
    return STEPS[at] if 0 <= at < len(STEPS) else None
