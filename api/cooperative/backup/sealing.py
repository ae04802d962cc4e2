"""Sealing an archive: whoever has the public key writes it, only the key on paper opens it.

A file is a line of text, a public key made for this file alone, and pieces of AES-256-GCM. Each
piece carries its number and whether it is the last, so none can be left out, moved or cut off.

Source:
    X25519 of RFC 7748, HKDF-SHA-256 of RFC 5869; the numbered pieces are the STREAM construction
    of Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption" (2015).
"""

from __future__ import annotations

import base64
import hashlib
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from api.cooperative.errors import TamperedError
from kwartier.durable import create_file
from kwartier.errors import SettingsError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

RECOVERY_FILE = "recovery.pub"
"""The public key in the keys' folder; it seals and opens nothing."""
_MAGIC = b"kwartier backup 1\n"
_PIECE = 1024 * 1024
_TAG = 16
_KEY = 32
_CHECK = 3
_GROUPS = (_KEY + _CHECK) * 8 // 5 // 4


def make_recovery_key(folder: Path) -> str:
    """Write a new public key into a folder, and return the secret one: it goes onto paper.

    Raises:
        SettingsError: There is one already.
    """
    secret = X25519PrivateKey.generate()
    public = base64.urlsafe_b64encode(secret.public_key().public_bytes_raw())
    try:
        create_file(folder / RECOVERY_FILE, public + b"\n", 0o400)
    except FileExistsError:
        raise SettingsError(f"{folder / RECOVERY_FILE} is there already: made once") from None
    return _on_paper(secret.private_bytes_raw())


def public_key(folder: Path) -> X25519PublicKey:
    """Return the public key of a keys' folder.

    Raises:
        SettingsError: There is none, or it is no key.
    """
    try:
        key = base64.urlsafe_b64decode(_text(folder / RECOVERY_FILE))
    except ValueError:
        key = b""
    if len(key) != _KEY:
        raise SettingsError(f"{folder / RECOVERY_FILE} holds no key: put it back from a backup")
    return X25519PublicKey.from_public_bytes(key)


def secret_key(file: Path) -> X25519PrivateKey:
    """Return the secret key that somebody typed over from paper into a file.

    Raises:
        SettingsError: It cannot be read, or a letter of it is wrong.
    """
    letters = "".join(_text(file).upper().replace("-", " ").split())
    try:
        typed = base64.b32decode(letters)
    except ValueError:
        typed = b""
    key = typed[:_KEY]
    if len(typed) != _KEY + _CHECK or typed[_KEY:] != _check(key):
        raise SettingsError(
            f"{file} holds no recovery key: it is {_GROUPS} groups of four letters and digits; "
            "compare them with the paper"
        )
    return X25519PrivateKey.from_private_bytes(key)


class Sealer(RawIOBase):
    """A file to write into; what reaches the disk is sealed. It ends with ``finish``."""

    def __init__(self, file: BinaryIO, recovery: X25519PublicKey) -> None:
        """Begin a sealed file."""
        super().__init__()
        own = X25519PrivateKey.generate()
        ours = own.public_key().public_bytes_raw()
        self._file = file
        self._cipher = _cipher(own.exchange(recovery), ours, recovery.public_bytes_raw())
        self._waiting = bytearray()
        self._count = 0
        file.write(_MAGIC + ours)

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Seal some more."""
        self._waiting += data
        while len(self._waiting) > _PIECE:
            self._seal(bytes(self._waiting[:_PIECE]), last=False)
            del self._waiting[:_PIECE]
        return memoryview(data).nbytes

    def finish(self) -> None:
        """Seal what is left, and say that it was the last."""
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _seal(self, piece: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._count, last=last), piece, None))
        self._count += 1


class Opener(RawIOBase):
    """A sealed file to read from; what was changed or cut off is refused where it is."""

    def __init__(self, file: BinaryIO, recovery: X25519PrivateKey) -> None:
        """Begin to open a sealed file.

        Raises:
            TamperedError: It is no sealed file.
        """
        super().__init__()
        begun = file.read(len(_MAGIC) + _KEY)
        if not begun.startswith(_MAGIC) or len(begun) < len(_MAGIC) + _KEY:
            raise TamperedError("this is no backup of kwartier: look for a file ending in .sealed")
        theirs = begun[len(_MAGIC) :]
        shared = recovery.exchange(X25519PublicKey.from_public_bytes(theirs))
        self._file = file
        self._cipher = _cipher(shared, theirs, recovery.public_key().public_bytes_raw())
        self._next = file.read(_PIECE + _TAG)
        self._opened = b""
        self._count = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Open some more.

        Raises:
            TamperedError: It was changed or cut off, or another key sealed it.
        """
        if not self._opened and self._next:
            self._opened = self._open()
        room = memoryview(buffer).cast("B")
        size = min(len(room), len(self._opened))
        room[:size] = self._opened[:size]
        self._opened = self._opened[size:]
        return size

    def _open(self) -> bytes:
        piece, self._next = self._next, self._file.read(_PIECE + _TAG)
        nonce = _nonce(self._count, last=not self._next)
        self._count += 1
        try:
            return self._cipher.decrypt(nonce, piece, None)
        except InvalidTag:
            raise TamperedError(
                "the backup does not open: another recovery key sealed it, or it was changed or "
                "cut off; try the backup before it"
            ) from None


def _cipher(shared: bytes, ours: bytes, recovery: bytes) -> AESGCM:
    derived = HKDF(SHA256(), _KEY, salt=ours + recovery, info=_MAGIC).derive(shared)
    return AESGCM(derived)


def _nonce(count: int, *, last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([last])


def _on_paper(key: bytes) -> str:
    """Return a key as people type it: groups of four, without letters that look alike."""
    letters = base64.b32encode(key + _check(key)).decode().lower()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def _check(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:_CHECK]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError as error:
        if file.name == RECOVERY_FILE:
            raise SettingsError(
                f"{file}: {error.strerror}: make it with `kwartier backup --make-recovery-key`"
            ) from error
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        return ""
