"""A message signed by a gateway's key, so that it holds also behind a proxy that ends TLS.

It has the three parts of a JWS in flattened form (RFC 7515, 7.2.2), with ES256 (RFC 7518, 3.4):
a signature of 64 bytes over ``protected.payload``, both in base64url.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from kwartier.errors import ContractError
from kwartier.identity import GatewayId, checked_name
from kwartier.packing import LAST_INSTANT_S, Json
from kwartier.units import EpochS

MOST_BYTES = 60_000
"""The most a signed message may weigh [bytes]."""
_NUMBER_BYTES = 32
_NONCE = range(16, 65)


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed, by whom, what for and when.

    Attributes:
        gateway: Who says to have signed it.
        purpose: What it is for, such as ``renew``; it serves for nothing else.
        at_s: When it was signed, by the gateway's clock [s].
        nonce: A text that comes once.
        body: What was signed.
    """

    gateway: GatewayId
    purpose: str
    at_s: EpochS
    nonce: str
    body: Mapping[str, Json]


def canonical(value: Json) -> bytes:
    """Return the one JSON text of a value: keys sorted, no spaces."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


def sign(key: EllipticCurvePrivateKey, message: Signed) -> dict[str, Json]:
    """Return a message with its signature, as it travels."""
    header: dict[str, Json] = {
        "alg": "ES256",
        "at": message.at_s,
        "gateway": message.gateway,
        "nonce": message.nonce,
        "purpose": message.purpose,
    }
    protected, payload = _packed(canonical(header)), _packed(canonical(dict(message.body)))
    first, second = decode_dss_signature(key.sign(_said(protected, payload), ECDSA(SHA256())))
    both = first.to_bytes(_NUMBER_BYTES, "big") + second.to_bytes(_NUMBER_BYTES, "big")
    return {"protected": protected, "payload": payload, "signature": _packed(both)}


def opened(sent: Mapping[str, Json]) -> Signed:
    """Return what a message says, before its signature is judged.

    Raises:
        ContractError: It is none of ours.
    """
    header, body = _object(sent, "protected"), _object(sent, "payload")
    at_s, nonce, purpose = header.get("at"), header.get("nonce"), header.get("purpose")
    if header.get("alg") != "ES256":
        raise ContractError("signed message: 'alg' must be ES256")
    if type(at_s) is not int or not 0 <= at_s <= LAST_INSTANT_S:
        raise ContractError("signed message: 'at' must be whole seconds since 1970")
    if not isinstance(nonce, str) or len(nonce) not in _NONCE or not nonce.isascii():
        raise ContractError("signed message: 'nonce' must have 16 to 64 letters")
    if not isinstance(purpose, str) or len(purpose) > 16:
        raise ContractError("signed message: 'purpose' must be a word")
    gateway = checked_name(str(header.get("gateway"))[:40], "signed message: 'gateway'")
    return Signed(gateway, purpose, at_s, nonce, body)


def is_signed_by(sent: Mapping[str, Json], key: EllipticCurvePublicKey) -> bool:
    """Return whether the signature of a message is of this key."""
    both = _unpacked(sent, "signature")
    if len(both) != 2 * _NUMBER_BYTES:
        return False
    first = int.from_bytes(both[:_NUMBER_BYTES], "big")
    second = int.from_bytes(both[_NUMBER_BYTES:], "big")
    said = _said(str(sent.get("protected")), str(sent.get("payload")))
    try:
        key.verify(encode_dss_signature(first, second), said, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _said(protected: str, payload: str) -> bytes:
    return f"{protected}.{payload}".encode()


def _object(sent: Mapping[str, Json], name: str) -> dict[str, Json]:
    try:
        found = json.loads(_unpacked(sent, name))
        canonical(found)  # half a letter and what is no number cannot be written down again
    except (ValueError, RecursionError) as error:
        raise ContractError(f"signed message: {name!r} holds no JSON") from error
    if not isinstance(found, dict):
        raise ContractError(f"signed message: {name!r} must hold an object")
    return found


def _packed(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _unpacked(sent: Mapping[str, Json], name: str) -> bytes:
    text = sent.get(name)
    if not isinstance(text, str) or len(text) > 2 * MOST_BYTES or not text.isascii():
        raise ContractError(f"signed message: {name!r} must be base64url")
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise ContractError(f"signed message: {name!r} must be base64url") from error
