"""Seals telegrams as a meter in Luxembourg does, so that tests can open them."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

KEY = bytes.fromhex("0123456789ABCDEF0123456789ABCDEF")
SECOND_KEY = bytes.fromhex("FFEEDDCCBBAA99887766554433221100")
TITLE = b"KWT\x01\x02\x03\x04\x05"


def sealed(
    telegram: bytes,
    counter: int,
    *,
    key: bytes = KEY,
    additional: bytes = b"",
    title: bytes = TITLE,
) -> bytes:
    """Return a telegram as one frame: DB, title, length, 30, counter, text and tag."""
    number = counter.to_bytes(4)
    encryptor = Cipher(AES(key), GCM(title + number)).encryptor()
    encryptor.authenticate_additional_data(additional)
    body = encryptor.update(telegram) + encryptor.finalize()
    content = b"\x30" + number + body + encryptor.tag[:12]
    return b"\xdb\x08" + title + b"\x82" + len(content).to_bytes(2) + content
