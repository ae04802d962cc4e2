"""Finding the answer among what came over a serial line: noise, strays and other units' frames."""

from __future__ import annotations

from hardware.crc16 import crc16
from hardware.registers import HOLDING, INPUT

_SENT_LEAST = 6
_REFUSAL_BYTES = 5
_WRITTEN_BYTES = 8


class RtuEar:
    """Remembers what was asked, and lets through nothing but its answer.

    A frame on a serial line carries no number that says which request it answers; unit,
    function, size and checksum must all be right, wherever in the noise it begins.
    """

    def __init__(self) -> None:
        """Begin before anything was asked."""
        self._asked = b""

    def heard(self, sending: bool, content: bytes) -> bytes:  # noqa: FBT001 - pymodbus calls it so
        """Return what is sent as it is, and of what came the answer or nothing."""
        if sending:
            self._asked = content
            return content
        return answer_in(content, self._asked)


def answer_in(came: bytes, asked: bytes) -> bytes:
    """Return the frame in ``came`` that answers the frame ``asked``, or nothing.

    Source:
        Modbus over Serial Line 1.02, section 2.5.1; Modbus Application Protocol 1.1b3,
        sections 6.3, 6.4, 6.12 and 7.
    """
    assert len(asked) >= _SENT_LEAST, asked
    for start, size in _candidates(came, asked):
        frame = came[start : start + size]
        if len(frame) == size and checksum(frame[:-2]) == frame[-2:]:
            return frame
    return b""


def checksum(content: bytes) -> bytes:
    """Return the checksum of two bytes or more, low byte first; 0x4B37 for ``123456789``.

    It is the P1 telegram's, begun with sixteen ones: the same as to turn the first sixteen bits.
    """
    turned = bytes((content[0] ^ 0xFF, content[1] ^ 0xFF)) + content[2:]
    return crc16(turned).to_bytes(2, "little")


def _candidates(came: bytes, asked: bytes) -> list[tuple[int, int]]:
    """Return where an answer may begin, and how long it is."""
    function_code = asked[1]
    refused = asked[:1] + bytes((function_code | 0x80,))
    if function_code in (HOLDING, INPUT):
        count = int.from_bytes(asked[4:6])
        begins = {asked[:2] + bytes((2 * count & 0xFF,)): 5 + 2 * count}
    else:
        begins = {asked[:6]: _WRITTEN_BYTES}
    begins[refused] = _REFUSAL_BYTES
    return [
        (start, size)
        for start in range(len(came))
        for begin, size in begins.items()
        if came.startswith(begin, start)
    ]
