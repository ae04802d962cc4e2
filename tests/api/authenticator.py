"""A device with passkeys, in software: it signs as the standard says.

Source:
    W3C Web Authentication level 3, 6.1 (authenticator data) and 6.5.4 (attestation, none).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def encoded(body: bytes) -> str:
    """Return bytes in base64url, without its end."""
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


@dataclass(slots=True)
class Device:
    """One device with one passkey.

    Attributes:
        host: For which host it signs.
        origin: On which page.
        verified: Whether it looked at a finger or a face.
        counter: How often it signed.
    """

    host: str
    origin: str
    verified: bool = True
    counter: int = 0
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def make(self, asked: dict[str, object]) -> dict[str, str]:
        """Return a new passkey as an answer to what was asked."""
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        attested = bytes(16) + len(self.credential).to_bytes(2) + self.credential
        told = self._told(ATTESTED) + attested + cbor2.dumps(public)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": told})
        return {
            "credential": encoded(self.credential),
            "client_data": encoded(self._client("webauthn.create", asked)),
            "attestation": encoded(attestation),
        }

    def show(self, asked: dict[str, object]) -> dict[str, str]:
        """Return a signature as an answer to what was asked."""
        self.counter += 1
        told, client = self._told(0), self._client("webauthn.get", asked)
        signature = self.key.sign(told + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return {
            "credential": encoded(self.credential),
            "client_data": encoded(client),
            "authenticator": encoded(told),
            "signature": encoded(signature),
        }

    def _told(self, more: int) -> bytes:
        flags = PRESENT | more | (VERIFIED if self.verified else 0)
        return (
            hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4)
        )

    def _client(self, kind: str, asked: dict[str, object]) -> bytes:
        said = {"type": kind, "challenge": asked["challenge"], "origin": self.origin}
        return json.dumps(said).encode()
