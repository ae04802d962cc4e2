"""Cuts a P1 port's bytes into telegrams, whatever the line did to them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from hardware.crc16 import crc16

LONGEST_TELEGRAM = 16_384
"""Bytes from ``/`` to ``!``; five text messages of 2048 digits and the longest seen, 2404 bytes."""

_DIGITS = re.compile(rb"[0-9A-Fa-f]{0,4}")
_LOOKAHEAD = 6
"""Bytes behind the place of a ``!`` that decide whether it ends a telegram."""
_NEWLINES = b"\r\n"
_FIRST = re.compile(rb"[A-Za-z0-9]")
_FLAG_ID = re.compile(rb"[A-Za-z]{3}")
_MOST_GLUED_HEADERS = 4


class Crc(StrEnum):
    """What the checksum says of a telegram."""

    VALID = "valid"
    VALID_UNPADDED = "valid_unpadded"
    """Right, but sent without its leading zeros, as heat meters do."""
    INVALID = "invalid"
    NONE = "none"
    """The dialect has none: editions 2.2 and 3.0, and some meters abroad."""
    NO_END = "no_end"
    """Cut off: the next telegram or the end of the stream came first."""

    @property
    def proves(self) -> bool:
        """Return whether the bytes are as the meter sent them."""
        return self is Crc.VALID or self is Crc.VALID_UNPADDED


@dataclass(frozen=True, slots=True)
class Frame:
    """One telegram as it came, from its ``/`` up to and including its ``!``."""

    data: bytes
    crc: Crc


class Framer:
    """Finds telegrams in bytes that arrive in any pieces; keeps at most one telegram of them.

    However the stream is cut into pieces, the frames are the same. A telegram starts at a ``/``
    that begins a line, follows another telegram, or has a maker's three letters behind it; it
    ends at a ``!`` that begins a line or has its checksum behind it at the end of a line.

    Attributes:
        garbage_bytes: Bytes thrown away so far because they belonged to no telegram.
    """

    def __init__(self, longest: int = LONGEST_TELEGRAM) -> None:
        """Start before the first byte; ``longest`` bounds a telegram and so the memory."""
        self._longest = longest
        self._rest = b""
        self._fresh = True
        self.garbage_bytes = 0

    def feed(self, piece: bytes) -> list[Frame]:
        """Return the telegrams that these next bytes complete, in order."""
        return self._cut(self._rest + piece, ended=False)

    def end(self) -> list[Frame]:
        """Return what the end of the stream completes or cuts off, and start afresh."""
        frames = self._cut(self._rest, ended=True)
        self._rest, self._fresh = b"", True
        return frames

    def _cut(self, data: bytes, *, ended: bool) -> list[Frame]:
        frames: list[Frame] = []
        at = 0
        while True:
            start, found = self._next_start(data, at, ended=ended)
            self.garbage_bytes += start - at
            if not found:
                self._rest = data[start:]
                return frames
            end, stop = self._next_end(data, start, ended=ended)
            bound = end if end >= 0 else min(len(data), start + self._longest)
            again = -1
            if data.find(b"/", start + 1, bound) >= 0:
                again = _restart(data, start, bound, decided=end >= 0 or ended)
            if again >= 0:
                frames.append(Frame(data[start:again], Crc.NO_END))
                at = again
            elif end >= 0:
                frames.extend(_judged(data[start : end + 1], data[end + 1 : stop]))
                at = stop
            elif len(data) - start >= self._longest + _LOOKAHEAD:
                at = start + self._longest
                self.garbage_bytes += self._longest
                self._fresh = data[at - 1] in _NEWLINES
                continue
            else:
                if ended:
                    frames.append(Frame(data[start:], Crc.NO_END))
                    start = len(data)
                self._rest, self._fresh = data[start:], True
                return frames
            self._fresh = True

    def _next_start(self, data: bytes, at: int, *, ended: bool) -> tuple[int, bool]:
        """Return where the next telegram starts, or where the undecided bytes do, and which."""
        place = data.find(b"/", at)
        while place >= 0:
            fresh = self._fresh if place == at else data[place - 1] in _NEWLINES
            pattern, needed = (_FIRST, 1) if fresh else (_FLAG_ID, 3)
            if pattern.match(data, place + 1):
                return place, True
            if not ended and len(data) <= place + needed:
                self._fresh = fresh
                return place, False
            place = data.find(b"/", place + 1)
        if len(data) > at:
            self._fresh = data[-1] in _NEWLINES
        return len(data), False

    def _next_end(self, data: bytes, start: int, *, ended: bool) -> tuple[int, int]:
        """Return the place of the ``!`` and of the first byte after its digits, or -1 twice."""
        limit = start + self._longest
        end = data.find(b"!", start, limit)
        while end >= 0:
            digits = _DIGITS.match(data, end + 1)
            assert digits is not None
            stop = digits.end()
            if data[end - 1] in _NEWLINES:
                whole = stop - end == 5 or stop < len(data) or ended
                return (end, stop) if whole else (-1, -1)
            if stop == len(data) and not ended:
                return -1, -1
            if stop > end + 1 and (stop == len(data) or data[stop] in _NEWLINES):
                return end, stop
            end = data.find(b"!", end + 1, limit)
        return -1, -1


def _restart(data: bytes, start: int, bound: int, *, decided: bool) -> int:
    """Return where another telegram begins inside this one, which was cut, or -1.

    It begins at the start of a line, or in the middle of a data line that then has no ``)``.
    """
    header_end = _line_end(data, start, bound)
    place = data.find(b"/", start + 1, bound)
    while place >= 0:
        if data[place - 1] in _NEWLINES:
            if _FIRST.match(data, place + 1):
                return place
        elif place > header_end and _FLAG_ID.match(data, place + 1):
            line_end = _line_end(data, place, bound)
            if line_end == bound and not decided:
                return -1
            if data.find(b")", place, line_end) < 0:
                return place
        place = data.find(b"/", place + 1, bound)
    return -1


def _line_end(data: bytes, start: int, bound: int) -> int:
    ends = [
        end for end in (data.find(b"\r", start, bound), data.find(b"\n", start, bound)) if end >= 0
    ]
    return min(ends, default=bound)


def _judged(data: bytes, digits: bytes) -> list[Frame]:
    """Return a whole telegram with what its checksum says, split where two headers are glued."""
    if not digits:
        return [Frame(data, Crc.NONE)]
    sent = int(digits, 16)
    right = Crc.VALID if len(digits) == 4 else Crc.VALID_UNPADDED
    if crc16(data) == sent:
        return [Frame(data, right)]
    header_end = _line_end(data, 0, len(data))
    place = 0
    for _ in range(_MOST_GLUED_HEADERS):
        place = data.find(b"/", place + 1, header_end)
        if place < 0:
            break
        if crc16(data[place:]) == sent:
            return [Frame(data[:place], Crc.NO_END), Frame(data[place:], right)]
    return [Frame(data, Crc.INVALID)]
