"""What a server wishes a gateway's settings to be, and what became of it, as they travel.

A wish is signed by the operator and bound to one gateway, so neither the broker nor the server
that carries it can change it or hand it to another home. Who signs and who checks are seams: the
ground floor knows no cryptography.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from kwartier.errors import ContractError, InputError
from kwartier.identity import CoopId, GatewayId, checked_name
from kwartier.packing import (
    VERSION,
    Json,
    choice,
    instant,
    integer,
    packed,
    plain,
    positive,
    printable,
    shown,
    text,
    unpacked,
)
from kwartier.units import EpochS

MAX_CHANGES_BYTES = 24 * 1024
"""The longest TOML text that a wish may carry [bytes]; signed and packed it fits one message."""
_DOMAIN = b"kwartier gateway settings 1\n"
"""Stands before what is signed, so that a signature for something else proves nothing here."""
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class SignatureError(InputError):
    """A signature is missing, is not by the key that is trusted here, or signs other bytes."""


class Signs(Protocol):
    """A key that signs."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""


class Verifies(Protocol):
    """The other half of a key that signs."""

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Return whether the key signed exactly this message."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The settings wanted of one gateway.

    Attributes:
        coop: Its cooperative.
        gateway: Who is meant; nobody else obeys.
        version: Rises with each wish; a lower one than the last is refused.
        made_s: When it was made [s].
        changes: TOML: what is wanted to differ from the settings in the home.
    """

    coop: CoopId
    gateway: GatewayId
    version: int
    made_s: EpochS
    changes: str

    @property
    def sha256(self) -> str:
        """The fingerprint of the changes."""
        return hashlib.sha256(self.changes.encode()).hexdigest()


class Stage(StrEnum):
    """How far a wish came."""

    APPLIED = "applied"
    CONFIRMED = "confirmed"
    ROLLED_BACK = "rolled-back"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Report:
    """What a gateway tells about its settings.

    Attributes:
        stage: How far the newest wish came.
        version: That wish's version; 0 where it could not be read.
        sha256: Its fingerprint; empty where it could not be read.
        in_force: The version that the gateway runs on; 0 for the settings in the home alone.
        in_force_sha256: Its fingerprint; empty for the settings in the home alone.
        reason: Why, where it was refused or rolled back.
        at_s: When this was so [s].
    """

    stage: Stage
    version: int
    sha256: str
    in_force: int
    in_force_sha256: str
    reason: str
    at_s: EpochS


def encode_wish(wish: Wish, key: Signs) -> bytes:
    """Return a wish as it travels, signed.

    Raises:
        ContractError: Its changes are too long.
    """
    _check_length(wish.changes)
    body = plain(
        {
            "coop": wish.coop,
            "gw": wish.gateway,
            "version": wish.version,
            "t": wish.made_s,
            "changes": wish.changes,
            "sha256": wish.sha256,
        }
    )
    signature = base64.b64encode(key.sign(_DOMAIN + body)).decode()
    return packed({"v": VERSION, "wish": body.decode(), "sig": signature})


def decode_wish(payload: bytes, key: Verifies) -> Wish:
    """Return the wish of a payload; its inside is looked at only once the signature is right.

    Raises:
        ContractError: It is no wish.
        SignatureError: It is not signed by the key that is trusted.
    """
    envelope = unpacked(payload)
    body, signature = envelope.get("wish"), envelope.get("sig")
    if not isinstance(body, str) or not isinstance(signature, str):
        raise ContractError("a wish needs 'wish' and 'sig'")
    try:
        signed = body.encode()
        if not key.verifies(base64.b64decode(signature, validate=True), _DOMAIN + signed):
            raise SignatureError("the wish is not signed by the key that is trusted here")
    except (binascii.Error, UnicodeEncodeError) as error:
        raise SignatureError(f"the wish's signature cannot be read: {shown(error)}") from error
    return _wish(_object(signed))


def _wish(inside: dict[str, Json]) -> Wish:
    changes = inside.get("changes")
    if not isinstance(changes, str):
        raise ContractError("a wish needs 'changes', a TOML text")
    _check_length(changes)
    wish = Wish(
        checked_name(text(inside, "coop"), "wish 'coop'"),
        checked_name(text(inside, "gw"), "wish 'gw'"),
        positive(inside, "version"),
        instant(inside, "t"),
        changes,
    )
    if inside.get("sha256") != wish.sha256:
        raise ContractError("the wish's 'sha256' is not that of its changes")
    return wish


def encode_report(report: Report) -> bytes:
    """Return the payload of a report."""
    return plain(
        {
            "v": VERSION,
            "state": report.stage.value,
            "version": report.version,
            "sha256": report.sha256,
            "in_force": report.in_force,
            "in_force_sha256": report.in_force_sha256,
            "reason": printable(report.reason),
            "t": report.at_s,
        }
    )


def decode_report(payload: bytes) -> Report:
    """Return the report of a payload.

    Raises:
        ContractError: It is none.
    """
    body = unpacked(payload)
    return Report(
        Stage(choice(body, "state", [stage.value for stage in Stage])),
        _version(body, "version"),
        _fingerprint(body, "sha256"),
        _version(body, "in_force"),
        _fingerprint(body, "in_force_sha256"),
        text(body, "reason"),
        instant(body, "t"),
    )


def _check_length(changes: str) -> None:
    length = len(changes.encode("utf-8", "surrogatepass"))
    if length > MAX_CHANGES_BYTES:
        raise ContractError(f"changes of {length} bytes: at most {MAX_CHANGES_BYTES}")


def _object(text_of: bytes) -> dict[str, Json]:
    try:
        inside: Json = json.loads(text_of)
    except (ValueError, RecursionError) as error:
        raise ContractError(f"the wish is no JSON: {shown(error)}") from error
    if not isinstance(inside, dict):
        raise ContractError("the wish is no JSON object")
    return inside


def _version(body: dict[str, Json], name: str) -> int:
    version = integer(body, name)
    if version < 0:
        raise ContractError(f"{name!r} must be 0 or more, not {version}")
    return version


def _fingerprint(body: dict[str, Json], name: str) -> str:
    told = text(body, name)
    if told and _SHA256.fullmatch(told) is None:
        raise ContractError(f"{name!r} must be empty or 64 hex digits")
    return told
