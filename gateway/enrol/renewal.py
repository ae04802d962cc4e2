"""A certificate is renewed by itself, long before it runs out."""

from __future__ import annotations

import logging
import random
import threading
from contextlib import suppress
from datetime import UTC, datetime

from gateway.enrol.identity import Identity
from gateway.enrol.office import renew, send_handover
from gateway.enrol.server import ServerRefusedError
from gateway.enrol.settings import IdentitySettings
from kwartier.clock import Clock
from kwartier.errors import KwartierError

_log = logging.getLogger(__name__)

EVERY_S = 6 * 3600.0
"""How often it is looked at [s]."""
_FIRST_WITHIN_S = 300.0
"""Gateways that start together ask one after the other [s]."""
_PATIENCE_S = 30.0


class Renewal:
    """A thread that renews the certificate, and has the process start anew with it."""

    def __init__(self, settings: IdentitySettings, clock: Clock, renewed: threading.Event) -> None:
        """Begin with ``start``; ``renewed`` is set once there is a new certificate.

        Raises:
            IdentityError: The key cannot be read.
        """
        self._server, self._clock, self._renewed = settings.server, clock, renewed
        self._identity = Identity(settings.folder)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="renewal", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; return once it has."""
        self._stop.set()
        self._thread.join(_PATIENCE_S)

    def look(self) -> bool:
        """Renew the certificate when it is time, and return whether that was done.

        Raises:
            KwartierError: It was time, and it could not be done.
        """
        with suppress(ServerRefusedError):  # it was told there, and keeps no certificate back
            send_handover(self._server, self._identity)
        if not self._identity.needs_renewal(datetime.fromtimestamp(self._clock.now_s(), UTC)):
            return False
        renew(self._server, self._identity, self._clock)
        return True

    def _run(self) -> None:
        wait_s = random.uniform(0, _FIRST_WITHIN_S)  # noqa: S311 - only spreads the load
        while not self._stop.wait(wait_s):
            wait_s = EVERY_S
            try:
                if self.look():
                    _log.info("the certificate was renewed: starting anew with it")
                    self._renewed.set()
                    return
            except KwartierError as error:
                _log.warning("the certificate could not be renewed yet: %s", error)
