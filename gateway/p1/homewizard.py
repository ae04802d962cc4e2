"""A HomeWizard P1 meter on the house's network, asked once a second over its local API.

It hands on the meter's telegram byte by byte, checksum and all, at ``/api/v1/telegram``; that goes
the way of every telegram. Where it has none, ``/api/v1/data`` is read. With a key the same is asked
over TLS, at ``/api/telegram`` and ``/api/measurement``; then its plain API may stay off.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from gateway.near_name import NearName
from gateway.p1.homewizard_answer import telegram_of_answer
from gateway.p1.homewizard_key import HomeWizardKey
from gateway.p1.homewizard_line import HomeWizardLine
from gateway.p1.reader import P1Counters, P1Reader
from kwartier.clock import Clock
from kwartier.errors import ContractError, LinkDownError, SettingsError
from kwartier.host_port import can_be_asked_for, host_and_port
from kwartier.interval import HOME_ZONE, Zone
from kwartier.reading import Reading

_log = logging.getLogger(__name__)

SCHEME = "homewizard://"
_PLAIN_PATHS = "/api/v1/telegram", "/api/v1/data"
_SEALED_PATHS = "/api/telegram", "/api/measurement"
_OK, _NOT_FOUND = 200, 404
_ABSENT = frozenset({_NOT_FOUND, 405, 410, 501})
_REMEDIES = {
    401: ": its token holds no longer, make a new one with 'kwartier p1 pair'",
    403: ": switch its local API on, in its app",
    503: ": it has no telegram, check the cable between it and the meter",
}
_PLAIN_PORT, _SEALED_PORT = 80, 443


class HomeWizardSource:
    """One HomeWizard meter, asked on a thread of its own; asked less while it does not answer.

    Attributes:
        losses: How often it stopped answering.
    """

    def __init__(
        self,
        address: str,
        clock: Clock,
        reader: P1Reader | None = None,
        *,
        key: HomeWizardKey | None = None,
        near: NearName | None = None,
        zone: Zone = HOME_ZONE,
        every_s: float = 1.0,
        timeout_s: float = 5.0,
        longest_wait_s: float = 60.0,
    ) -> None:
        """Describe the meter; nothing is asked before ``start``.

        Args:
            address: ``homewizard://HOST`` or ``homewizard://HOST:PORT``.
            clock: The gateway's clock.
            reader: Turns telegrams into readings.
            key: Asks over TLS with its token; None for the plain API.
            near: How a name in the home's network is looked up; None for the usual way.
            zone: The wall time of stamps without season letter.
            every_s: The pause between two questions [s].
            timeout_s: The longest one answer may take from first to last byte [s].
            longest_wait_s: The pause never grows beyond this while it does not answer [s].

        Raises:
            SettingsError: The address is another.
        """
        host, port = checked_homewizard(address, _PLAIN_PORT if key is None else _SEALED_PORT)
        self._line = HomeWizardLine(address, host, port, timeout_s, near)
        self._key = key
        self._name = address
        self._clock = clock
        self._reader = reader or P1Reader(zone=zone)
        self._zone = zone
        self._every_s = every_s
        self._longest_wait_s = longest_wait_s
        self._telegram, self._data = _PLAIN_PATHS if key is None else _SEALED_PATHS
        self._path = self._telegram
        self._last = b""
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._connected = False
        self.losses = 0

    @property
    def alive(self) -> bool:
        """Return whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def connected(self) -> bool:
        """Return whether it answered when last asked."""
        return self._connected

    @property
    def counters(self) -> P1Counters:
        """Return what happened so far; it goes on counting."""
        return self._reader.counters

    def start(self, on_reading: Callable[[Reading], None]) -> None:
        """Ask from now on; each reading is handed over on the source's thread, in order."""
        assert self._thread is None, "started twice"
        self._thread = threading.Thread(
            target=self._run, args=(on_reading,), name=f"p1 {self._name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop asking; also in the middle of an answer."""
        self._stop.set()
        self._line.cut()
        if self._thread is not None:
            self._thread.join()
        self._line.lost()

    def ask(self) -> list[Reading]:
        """Ask once and return the readings of the answer; none where it is the same as before.

        Raises:
            LinkDownError: It does not answer in time, or with something else.
        """
        status, body = self._answer(self._path)
        if self._path == self._telegram and status in _ABSENT:
            _log.info("%s hands on no telegrams; its values are read", self._name)
            self._path = self._data
            status, body = self._answer(self._path)
        if status != _OK:
            remedy = _REMEDIES.get(status, "")
            raise LinkDownError(f"{self._name}: answers with status {status}{remedy}")
        if body == self._last:
            return []
        self._last = body
        now_s = self._clock.now_s()
        if self._path == self._telegram:
            readings = self._reader.feed(body + b"\r\n", now_s)
            self._reader.line_broke()  # a telegram that is cut off here is not continued
            return readings
        try:
            telegram = telegram_of_answer(body, self._zone)
        except ContractError as error:
            raise LinkDownError(f"{self._name}: {error}") from error
        return self._reader.take(telegram, now_s)

    def _run(self, on_reading: Callable[[Reading], None]) -> None:
        wait_s = self._every_s
        told = False
        while not self._stop.is_set():
            try:
                readings = self.ask()
            except LinkDownError as error:
                if self._stop.is_set():
                    return
                self.losses += self._connected
                self._connected = False
                self._line.lost()
                if not told:
                    _log.warning("P1 meter is away: %s", error)
                    told = True
                wait_s = min(wait_s * 2, self._longest_wait_s)
            else:
                if not self._connected:
                    _log.info("P1 meter answers: %s", self._name)
                self._connected, told, wait_s = True, False, self._every_s
                for reading in readings:
                    on_reading(reading)
            self._stop.wait(wait_s)

    def _answer(self, path: str) -> tuple[int, bytes]:
        if self._key is None:
            return self._line.get(path)
        return self._line.get_sealed(path, self._key)


def checked_homewizard(address: str, usual_port: int = _PLAIN_PORT) -> tuple[str, int]:
    """Return host and port of ``homewizard://HOST[:PORT]``, or refuse it.

    Raises:
        SettingsError: It is written otherwise.
    """
    where = address.removeprefix(SCHEME)
    has_port = ":" in where and not where.endswith("]")
    found = host_and_port(where if has_port else f"{where}:{usual_port}")
    if not address.startswith(SCHEME) or found is None or not _is_host(found[0]):
        raise SettingsError(f"P1 address {address!r}: write {SCHEME}HOST, or {SCHEME}HOST:PORT")
    return found


def _is_host(written: str) -> bool:
    return can_be_asked_for(written) and not set(written) & set("/@?# ")
