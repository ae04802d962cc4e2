"""Telegrams that a meter seals with a key of the connection, opened: AES-128-GCM.

A sealed telegram is one DLMS frame: ``DB``, the length and bytes of the system title (8), the
length of what follows, the security byte ``30``, a frame counter of four bytes, the telegram, and
a tag of twelve bytes. The nonce is system title and counter; the additional data is the security
byte and the authentication key, where there is one.

Source:
    IEC 62056-5-3, general-glo-ciphering with security suite 0; Creos and others, "Specification of
    the P1 user port" for Luxembourg, 3.2.5, which also prints the usual authentication key.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from gateway.p1.framer import LONGEST_TELEGRAM
from gateway.p1.secret_file import read_secret_file
from kwartier.errors import MissingExtraError, SettingsError

_log = logging.getLogger(__name__)

KEY_BYTES = 16
_USUAL_AUTHENTICATION_KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
_HEX_KEY = re.compile(r"[0-9A-Fa-f]{32}", re.ASCII)
_SECURITY = b"\x30"
_TAG_BYTES = 12
_COUNTER_BYTES = 4
_TITLE_BYTES = 8
_HEAD = re.compile(
    rb"\xdb\x08(?P<title>.{8})(?:\x82(?P<two>..)|\x81(?P<one>.)|(?P<short>[\x00-\x7f]))\x30",
    re.DOTALL,
)
_LONGEST_HEAD = 1 + 1 + _TITLE_BYTES + 3 + 1
_LEAST = 1 + _COUNTER_BYTES + 1 + _TAG_BYTES
"""Security byte, counter, one letter and the tag [bytes]."""
_MOST = 1 + _COUNTER_BYTES + LONGEST_TELEGRAM + _TAG_BYTES
_MOST_TITLES = 8
_PATIENCE_BYTES = 16_384
"""So many bytes without a sealed telegram are worth a word in the log; next time twice as many."""
_LONGEST_PATIENCE_BYTES = 2**26


@dataclass(frozen=True, slots=True)
class SealKeys:
    """The keys of one connection; neither is ever shown.

    Attributes:
        key: Opens the telegrams, 16 bytes.
        authentication_key: Vouches for them, 16 bytes; None tries the usual one and then none.
    """

    key: bytes = field(repr=False)
    authentication_key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        assert len(self.key) == KEY_BYTES
        assert self.authentication_key is None or len(self.authentication_key) == KEY_BYTES


def read_key(path: Path) -> bytes:
    """Return the key in a file: 32 hexadecimal digits that only its owner can read.

    Raises:
        SettingsError: The file is away, others can read it, or it holds something else.
    """
    text = read_secret_file(path, "key", "put the key of the connection there")
    digits = b"".join(text.split()).decode("latin-1")
    if _HEX_KEY.fullmatch(digits) is None:
        raise SettingsError(
            f"{path}: holds {len(digits)} characters that are no key: write 32 digits of 0-9, A-F"
        )
    return bytes.fromhex(digits)


@dataclass(slots=True)
class SealCounters:
    """What happened to the sealed telegrams of one line.

    Attributes:
        opened: Telegrams that the key opened.
        failed: Frames that it did not open, by damage or by a wrong key.
        replayed: Whole telegrams refused because their counter did not rise.
        garbage_bytes: Bytes that belonged to no frame.
    """

    opened: int = 0
    failed: int = 0
    replayed: int = 0
    garbage_bytes: int = 0


class Unsealer:
    """Finds sealed telegrams in bytes that arrive in any pieces, and opens them.

    Keeps at most one frame of them. The counter of each meter must rise for as long as this lives.

    Attributes:
        counters: What happened so far.
    """

    def __init__(self, keys: SealKeys, *, refuse_old: bool = True) -> None:
        """Start before the first byte; ``refuse_old`` is off where a recording is looked into.

        Raises:
            MissingExtraError: The library for AES-GCM is not installed.
        """
        if find_spec("cryptography") is None:
            raise MissingExtraError("gateway", "gateway", "cryptography")
        self.counters = SealCounters()
        self._key = keys.key
        self._additional = _additional(keys.authentication_key)
        self._refuse_old = refuse_old
        self._rest = b""
        self._last: dict[bytes, int] = {}
        self._idle_bytes = 0
        self._patience_bytes = _PATIENCE_BYTES
        self._told = False

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the telegrams that these next bytes complete, in order."""
        data, at = self._rest + piece, 0
        opened: list[bytes] = []
        while True:
            start = data.find(b"\xdb", at)
            if start < 0:
                start = len(data)
            self.counters.garbage_bytes += start - at
            at = start
            head = _HEAD.match(data, start)
            if head is None:
                if len(data) - start < _LONGEST_HEAD:
                    break
                at = self._skipped(start)
                continue
            length = int.from_bytes(head["two"] or head["one"] or head["short"])
            begin = head.end() - 1
            if not _LEAST <= length <= _MOST:
                at = self._skipped(start)
                continue
            if len(data) < begin + length:
                break
            telegram = self._opened(head["title"], data[begin : begin + length])
            if telegram is None:
                at = self._skipped(start)
                continue
            at = begin + length
            if self._is_new(head["title"], data[begin + 1 : begin + 1 + _COUNTER_BYTES]):
                opened.append(telegram)
        self._rest = data[at:]
        self._note(len(piece), bool(opened))
        return opened

    def line_broke(self) -> bool:
        """Forget the frame that was under way; return whether there was one."""
        cut, self._rest = bool(self._rest), b""
        return cut

    def _skipped(self, start: int) -> int:
        self.counters.garbage_bytes += 1
        return start + 1

    def _opened(self, title: bytes, body: bytes) -> bytes | None:
        """Return the telegram of a frame, or None where the tag does not vouch for it."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.algorithms import AES
        from cryptography.hazmat.primitives.ciphers.modes import GCM

        counter, tag = body[1 : 1 + _COUNTER_BYTES], body[-_TAG_BYTES:]
        for place, additional in enumerate(self._additional):
            mode = GCM(title + counter, tag, min_tag_length=_TAG_BYTES)
            decryptor = Cipher(AES(self._key), mode).decryptor()
            decryptor.authenticate_additional_data(additional)
            telegram = decryptor.update(body[1 + _COUNTER_BYTES : -_TAG_BYTES])
            try:
                telegram += decryptor.finalize()
            except InvalidTag:
                continue
            self._additional = (
                additional,
                *self._additional[:place],
                *self._additional[place + 1 :],
            )
            return telegram
        self.counters.failed += 1
        return None

    def _is_new(self, title: bytes, counter: bytes) -> bool:
        number = int.from_bytes(counter)
        if self._refuse_old and number <= self._last.get(title, -1):
            self.counters.replayed += 1
            return False
        self._last.pop(title, None)
        self._last[title] = number
        if len(self._last) > _MOST_TITLES:
            del self._last[next(iter(self._last))]
        self.counters.opened += 1
        return True

    def _note(self, fresh: int, opened: bool) -> None:  # noqa: FBT001 - said once, below
        """Log once when nothing opens for long, and once when something does again."""
        if opened:
            if self._told:
                _log.warning("sealed telegrams open again")
            self._idle_bytes, self._told = 0, False
            return
        self._idle_bytes += fresh
        if self._idle_bytes < self._patience_bytes or self._told:
            return
        self._told = True
        self._patience_bytes = min(2 * self._patience_bytes, _LONGEST_PATIENCE_BYTES)
        _log.error(
            "no telegram opens (%d failed, %d were old): is the key file of this meter?",
            self.counters.failed,
            self.counters.replayed,
        )


def _additional(authentication_key: bytes | None) -> tuple[bytes, ...]:
    if authentication_key is not None:
        return (_SECURITY + authentication_key,)
    return _SECURITY + _USUAL_AUTHENTICATION_KEY, b""
