"""Cutting a gateway off: the list of revoked certificates, and the connection that lives on.

A broker reads its list again when it is told to (SIGHUP), which new connections feel at once.
One that is open already lives on: it ends when somebody else takes its client id over, which only
the service ``server`` may, on the listener of our own services.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from api.enrolment.authority import Revoked, Signer, revocation_list
from api.enrolment.broker_files import CRL_FILE
from gateway.enrol.kept import write_whole
from kwartier.broker import Broker
from kwartier.clock import Clock
from kwartier.identity import GatewayId
from kwartier.mqtt import MqttBus, Session

_log = logging.getLogger(__name__)
PATIENCE_S = 10.0
"""How long taking over a client id may take [s]."""


def write_list(
    folder: Path, issuers: Iterable[Signer], revoked: Sequence[Revoked], clock: Clock
) -> Path:
    """Write the list of revoked certificates where the broker reads it, and return its file.

    Each authority, also one of before, signs a list of its own; one file holds them all.

    Raises:
        IdentityWriteError: The disk takes nothing.
    """
    path = folder / CRL_FILE
    now = datetime.fromtimestamp(clock.now_s(), UTC)
    write_whole(path, b"".join(revocation_list(each, revoked, now) for each in issuers))
    return path


def tell_to_read(pid_file: Path) -> bool:
    """Have the broker read its files again; return whether it could be told."""
    try:
        os.kill(int(pid_file.read_text()), signal.SIGHUP)
    except (OSError, ValueError) as error:
        _log.warning("the broker was not told to read its files again: %s", error)
        return False
    return True


def take_over(broker: Broker, gateway: GatewayId, patience_s: float = PATIENCE_S) -> bool:
    """Take a gateway's client id over and let it go: the broker ends the connection it had.

    What waits for it at the broker is thrown away; its readings wait on its own disk.
    """
    bus = MqttBus(broker, Session(gateway), begin=False)
    try:
        bus.begin()
        return bus.wait_until_up(patience_s)
    finally:
        bus.close()
