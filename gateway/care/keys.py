"""Ed25519 keys in files: one half signs and stays with a person, the other is known to every Pi."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kwartier.errors import InputError

_MOST_BYTES = 4096
_PRIVATE_MODE = 0o400


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What checks signatures."""

    raw: bytes

    @property
    def name(self) -> str:
        """Sixteen hex digits that stand for the key: the start of its SHA-256."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Return whether the key signed exactly this message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """What signs; its secret is in no message."""

    def __init__(self, secret: Ed25519PrivateKey) -> None:
        """Hold a secret."""
        self._secret = secret

    @property
    def public(self) -> PublicKey:
        """The half that checks."""
        return PublicKey(self._secret.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message; the same message gives the same one."""
        return self._secret.sign(message)


def make_key(file: Path) -> PublicKey:
    """Write a new key to ``file`` (mode 0400), and beside it its public half as ``….pub``.

    Raises:
        InputError: One of the files is there already, or the folder takes none.
    """
    secret = Ed25519PrivateKey.generate()
    inside = secret.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    outside = secret.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for path, content, mode in (
        (file, inside, _PRIVATE_MODE),
        (file.with_name(file.name + ".pub"), outside, 0o444),
    ):
        try:
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(opened, "wb") as out:
                out.write(content)
        except OSError as error:
            raise InputError(f"{path}: cannot be made: {error.strerror}") from error
    return SigningKey(secret).public


def read_signing_key(file: Path) -> SigningKey:
    """Return the key of a file that nobody else can read.

    Raises:
        InputError: It is away, open to others, or holds no Ed25519 key.
    """
    try:
        mode = file.stat().st_mode
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise InputError(f"{file}: others can read this key: chmod 0400 it")
    try:
        key = serialization.load_pem_private_key(_content(file), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError(f"{file}: holds no key that signs: make one") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{file}: holds a key of another kind: Ed25519 is wanted")
    return SigningKey(key)


def read_public_key(file: Path) -> PublicKey:
    """Return the public half of a key.

    Raises:
        InputError: The file is away or holds none.
    """
    try:
        key = serialization.load_pem_public_key(_content(file))
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(f"{file}: holds no public key: give the file that ends in .pub") from None
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"{file}: holds a key of another kind: Ed25519 is wanted")
    return PublicKey(key.public_bytes_raw())


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES)
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
