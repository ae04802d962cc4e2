"""The books' own keys: files only their owner can read, beside the database and not in it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from api.cooperative.errors import TamperedError
from kwartier.durable import create_file
from kwartier.errors import SettingsError

SEAL_FILE = "seal.keys"
"""Keys that seal personal data, one a line, the newest first."""
CHAIN_FILE = "chain.key"
"""The key of the hash chains; it never changes."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What seals personal data and signs the chains.

    Attributes:
        seals: Keys of the seal, the newest first; the older ones still open.
        chain: The key of the hash chains.
    """

    seals: tuple[bytes, ...]
    chain: bytes

    def __repr__(self) -> str:
        return "Keys(…)"

    def seal(self, text: str) -> str:
        """Return a text that only these keys open."""
        return self._fernet().encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return what was sealed.

        Raises:
            TamperedError: It was changed, or sealed with other keys.
        """
        try:
            return self._fernet().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise TamperedError(
                "a sealed field does not open: it was changed, or these are other keys"
            ) from None

    def fingerprint(self, text: str) -> str:
        """Return what stands for a personal value in an index; without the key it says nothing."""
        return hmac.new(self._chain_key("index"), text.encode(), hashlib.sha256).hexdigest()

    def link(self, chain: str, previous: str, body: str) -> str:
        """Return the next hash of a chain: HMAC-SHA-256 over the previous one and the body."""
        return self.linker(chain)(previous, body)

    def linker(self, chain: str) -> Callable[[str, str], str]:
        """Return the function that links a chain, for who has many links to make."""
        begun = hmac.new(self._chain_key(chain), digestmod=hashlib.sha256)

        def link(previous: str, body: str) -> str:
            signed = begun.copy()
            signed.update(f"{previous}\n{body}".encode())
            return signed.hexdigest()

        return link

    def _chain_key(self, purpose: str) -> bytes:
        return hmac.new(self.chain, purpose.encode(), hashlib.sha256).digest()

    def _fernet(self) -> MultiFernet:
        return MultiFernet([Fernet(key) for key in self.seals])


def make_keys(folder: Path) -> Keys:
    """Write new keys into a folder that has none, each file for its owner's eyes only.

    Raises:
        SettingsError: There are keys already.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    chain = base64.urlsafe_b64encode(secrets.token_bytes(32))
    for name, key in ((SEAL_FILE, Fernet.generate_key()), (CHAIN_FILE, chain)):
        try:
            create_file(folder / name, key + b"\n", 0o400)
        except FileExistsError:
            raise SettingsError(f"{folder / name} is there already: keys are made once") from None
    return read_keys(folder)


def read_keys(folder: Path) -> Keys:
    """Return the keys of a folder.

    Raises:
        SettingsError: A file is away, open to others, or holds no key; its content is not shown.
    """
    return Keys(tuple(_lines(folder / SEAL_FILE)), _lines(folder / CHAIN_FILE)[0])


def _lines(file: Path) -> list[bytes]:
    try:
        if file.stat().st_mode & 0o077:
            raise SettingsError(f"{file} can be read by others: chmod 400 it")
        lines = file.read_bytes().split()
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error
    try:
        keys = [line for line in lines if len(base64.urlsafe_b64decode(line)) == 32]
    except ValueError:
        keys = []
    if not keys or len(keys) < len(lines):
        raise SettingsError(f"{file} holds no key: put the copy from the backup back")
    return keys
