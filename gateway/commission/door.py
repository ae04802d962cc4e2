"""Who may touch the wizard: somebody in the home's own network who saw the code on the box."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import re
import secrets
import threading
from collections import deque
from pathlib import Path

from gateway.commission.book import Book
from gateway.enrol.code import drawn_code
from gateway.enrol.kept import write_whole
from kwartier.clock import Clock
from kwartier.errors import InputError, KwartierError

_log = logging.getLogger(__name__)

FILE = "wizard.code"
TRIES = 8
WITHIN_S = 600.0
IDLE_S = 7_200.0
"""How long somebody who was let in may do nothing before the code is asked again [s]."""
_NOTE_EVERY_S = 600.0
"""How often it is written down that somebody is still there [s]: a memory card wears."""
_LOCAL_NAME = re.compile(r"[a-z0-9-]{1,63}(\.local)?", re.ASCII)


class Door:
    """Lets in who knows the code, and knows them again also after a restart."""

    def __init__(self, folder: Path, book: Book, clock: Clock) -> None:
        """Read the code of the box; one is drawn when there is none.

        Raises:
            InputError: The code cannot be read.
            IdentityWriteError: The disk takes nothing.
        """
        self._book = book
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong: deque[float] = deque(maxlen=TRIES)
        self._used_s: dict[str, float] = {}
        path = folder / FILE
        try:
            self.code = path.read_text(encoding="ascii").strip()
        except (FileNotFoundError, UnicodeDecodeError):
            self.code = ""
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        if not self.code:
            self.code = drawn_code().typed
            write_whole(path, f"{self.code}\n".encode(), 0o600)

    def wait_s(self) -> float:
        """Return how long nobody may try now [s]; 0 when somebody may."""
        with self._lock:
            return self._wait_s()

    def enter(self, typed: str) -> str | None:
        """Return a new session's secret for the right code; None for a wrong one."""
        with self._lock:  # many that try at the same moment are counted one by one
            if self._wait_s() > 0:
                return None
            if not hmac.compare_digest(_plain(typed).encode(), _plain(self.code).encode()):
                self._wrong.append(self._clock.monotonic_s())
                return None
        session = secrets.token_urlsafe(32)
        self._book.admit(_mark(session), self._clock.now_s())
        return session

    def knows(self, session: str, *, used: bool = True) -> bool:
        """Return whether a session was let in, and not left alone for too long since.

        Args:
            session: Its secret.
            used: Whether somebody does something; a page that looks again by itself does not.
        """
        if not session or len(session) >= 100:
            return False
        mark, now_s = _mark(session), self._clock.monotonic_s()
        with self._lock:
            noted_s = self._book.used_s(mark)
            if noted_s is None:
                return False
            idle_s = self._idle_s(mark, noted_s, now_s)
            if idle_s >= IDLE_S:
                return False
            self._used_s[mark] = now_s if used else now_s - idle_s
        if used and self._clock.now_s() >= noted_s + _NOTE_EVERY_S:
            self._note(mark)
        return True

    def _idle_s(self, mark: str, noted_s: int, now_s: float) -> float:
        """Return how long nobody did anything: what counts is no clock that can be set [s].

        Of the time before a restart only the book knows; then the clock has to be believed.
        """
        last_s = self._used_s.get(mark)
        if last_s is not None:
            return now_s - last_s
        return max(0.0, self._clock.now_s() - noted_s)

    def _note(self, mark: str) -> None:
        try:
            self._book.admit(mark, self._clock.now_s())
        except KwartierError as error:
            _log.warning("a visit is not written down, and ends sooner after a restart: %s", error)

    def _wait_s(self) -> float:
        if len(self._wrong) < TRIES:
            return 0.0
        return max(0.0, self._wrong[0] + WITHIN_S - self._clock.monotonic_s())


def form_token(session: str) -> str:
    """Return what every form of a session carries: only our own pages know it."""
    return hashlib.sha256(f"form {session}".encode()).hexdigest()[:32]


def is_near(peer: str) -> bool:
    """Return whether an address is of the home's own network."""
    try:
        address = ipaddress.ip_address(peer.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_private or address.is_loopback or address.is_link_local


def is_own_name(host: str) -> bool:
    """Return whether a Host header can mean this box: an address near by, or a local name.

    A name of the internet that was pointed at this box by a stranger is refused.
    """
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    name = name.strip("[]").lower()
    return is_near(name) or _LOCAL_NAME.fullmatch(name) is not None


def _mark(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()


def _plain(code: str) -> str:
    return "".join(letter for letter in code.upper()[:40] if letter.isalnum())
