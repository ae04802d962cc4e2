"""Modbus TCP frames as a server reads and writes them.

Source:
    Modbus Messaging on TCP/IP Implementation Guide 1.0b, section 3.1.3 (header of seven bytes,
    protocol id 0, length of unit id and what follows, at most 254); Modbus Application Protocol
    1.1b3, sections 4.1, 6.3, 6.4 and 7.
"""

from __future__ import annotations

from dataclasses import dataclass

from hardware.registers import HOLDING, INPUT, MOST_PER_READ, Words
from kwartier.errors import ContractError

HEAD = 7
"""Bytes before the request itself; the last one is the unit id."""
_MOST_AFTER_HEAD = 253
_READ_BYTES = 5

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
BUSY = 6
UNIT_AWAY = 11


class FrameError(ContractError):
    """What came is no Modbus TCP frame, so nothing after it can be trusted."""


class CannotServeError(ContractError):
    """A whole request that is answered with an exception code, kept as ``code``."""

    def __init__(self, code: int, why: str) -> None:
        """Keep the code."""
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class ReadAsked:
    """A request to read registers."""

    function_code: int
    address: int
    count: int


def length_after(head: bytes) -> int:
    """Return how many bytes follow a header.

    Raises:
        FrameError: It is no header of Modbus TCP.
    """
    protocol, length = int.from_bytes(head[2:4]), int.from_bytes(head[4:6])
    if protocol != 0 or not 2 <= length <= _MOST_AFTER_HEAD + 1:
        raise FrameError(f"no Modbus TCP: protocol {protocol}, length {length}")
    return length - 1


def read_asked(request: bytes) -> ReadAsked:
    """Return what a request wants to read.

    Raises:
        CannotServeError: It is no read of registers, or one that makes no sense.
    """
    if request[0] not in (HOLDING, INPUT):
        raise CannotServeError(ILLEGAL_FUNCTION, f"function {request[0]}: only 3 and 4 are served")
    address, count = int.from_bytes(request[1:3]), int.from_bytes(request[3:5])
    if len(request) != _READ_BYTES or not 1 <= count <= MOST_PER_READ:
        raise CannotServeError(ILLEGAL_VALUE, f"{count} registers asked: at most {MOST_PER_READ}")
    if address + count > 0x10000:
        raise CannotServeError(ILLEGAL_ADDRESS, f"registers past 65535 asked from {address}")
    return ReadAsked(request[0], address, count)


def answer(head: bytes, function_code: int, words: Words) -> bytes:
    """Return the frame that carries registers back."""
    content = b"".join(word.to_bytes(2) for word in words)
    return _framed(head, bytes((function_code, len(content))) + content)


def refusal(head: bytes, function_code: int, code: int) -> bytes:
    """Return the frame that carries an exception code back."""
    return _framed(head, bytes((function_code & 0x7F | 0x80, code)))


def _framed(head: bytes, content: bytes) -> bytes:
    return head[:4] + (len(content) + 1).to_bytes(2) + head[6:7] + content
