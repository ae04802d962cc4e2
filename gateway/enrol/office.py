"""What a gateway that was let in asks of its server: a new certificate, and to keep a handover.

Both are signed with its key, so that they hold behind a proxy that ends TLS. A handover that
cannot be sent now waits on disk and goes later by itself.
"""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from gateway.enrol.identity import Identity
from gateway.enrol.kept import IdentityWriteError, write_whole
from gateway.enrol.server import Server, ServerDownError, ServerRefusedError
from kwartier.clock import Clock
from kwartier.errors import ContractError
from kwartier.packing import Json

RENEW = "renew"
HANDOVER = "handover"
_WAITING, _SENT, _DAMAGED = "handover.json", "handover.sent.json", "handover.damaged.json"
_turn = threading.Lock()
"""Two threads may send: a newer handover is never taken for the one that was sent."""
_log = logging.getLogger(__name__)


def renew(server: Server, identity: Identity, clock: Clock) -> None:
    """Ask for a new certificate with the one in force, and keep it.

    Raises:
        ServerDownError: The server cannot be reached now.
        ServerRefusedError: The certificate ran out or was revoked: enrol anew.
        ContractError: The answer cannot be used.
        IdentityWriteError: The disk takes nothing; the old one still holds.
    """
    body: dict[str, Json] = {"csr": identity.csr().decode()}
    signed = identity.signed(RENEW, body, int(clock.now_s()))
    answer = server.post(f"/api/v1/gateways/{identity.gateway}/renewal", signed)
    chain, roots = answer.get("chain"), answer.get("roots")
    if not isinstance(chain, str) or not isinstance(roots, str):
        raise ContractError("the server's answer has no certificate")
    identity.install(chain.encode(), roots.encode())


def queue_handover(identity: Identity, record: dict[str, Json], clock: Clock) -> Path:
    """Sign a handover and keep it on disk until the server has it; return its file.

    Raises:
        IdentityWriteError: The disk takes nothing.
    """
    signed = identity.signed(HANDOVER, record, int(clock.now_s()))
    path = identity.folder / _WAITING
    with _turn:
        write_whole(path, json.dumps(signed, ensure_ascii=False).encode(), 0o600)
    return path


def send_handover(server: Server, identity: Identity) -> bool:
    """Send the handover that waits; return whether the server has it, or none waits.

    Raises:
        ServerRefusedError: The server refuses it; it stays on disk.
        IdentityWriteError: The disk takes nothing; it is sent once more.
    """
    with _turn:
        return _sent(server, identity, identity.folder / _WAITING)


def _sent(server: Server, identity: Identity, path: Path) -> bool:
    try:
        signed: Json = json.loads(path.read_bytes())
    except FileNotFoundError:
        return True
    except ValueError:
        signed = None
    if not isinstance(signed, dict):
        _log.warning("%s cannot be read: it is %s now; hand over anew", path, _DAMAGED)
        _put_aside(path, _DAMAGED)
        return True
    try:
        server.post(f"/api/v1/gateways/{identity.gateway}/handover", signed)
    except ServerDownError as error:
        _log.info("the handover waits: %s", error)
        return False
    except ServerRefusedError:
        _log.warning("the server refuses the handover in %s", path)
        raise
    _put_aside(path, _SENT)
    return True


def _put_aside(path: Path, name: str) -> None:
    try:
        path.replace(path.with_name(name))
    except OSError as error:
        raise IdentityWriteError(path, error) from error
