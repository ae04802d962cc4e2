"""A virtual serial line with Modbus RTU devices on it, on a real pair of pseudo-terminals."""

from __future__ import annotations

import os
import select
import threading
import tty
from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Self

from hardware.twins.modbus_server import VirtualDevice
from hardware.twins.modbus_words import WRITE, device_of, reply

_LOOK_S = 0.02
_STOP_S = 30.0


class LineFault(Enum):
    """What happens to one answer."""

    NONE = "it comes"
    NOISE = "bytes of noise come before it"
    HALF = "its second half is lost"
    BROKEN = "one bit of it is turned"
    LATE = "it comes, but later"
    FOREIGN = "a frame of another unit comes before it"
    SILENT = "it does not come"


def crc_modbus(content: bytes) -> bytes:
    """Return the checksum under an RTU frame, low byte first.

    Source:
        Modbus over Serial Line 1.02, section 6.2.2; check value 0x4B37 for ``123456789``.
    """
    crc = 0xFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


class SerialLineTwin:
    """Devices on one serial line; a context manager.

    Attributes:
        path: The device file where the gateway's end of the line is.
        faults: What happens to the next answers, in order; afterwards nothing does.
        late_s: How much later a late answer comes [s].
        asked: The unit and function code of every request that came whole.
    """

    def __init__(self, devices: Sequence[VirtualDevice], *, late_s: float = 0.1) -> None:
        """Lay the line; nothing answers before it is entered."""
        self.faults: deque[LineFault] = deque()
        self.late_s = late_s
        self.asked: list[tuple[int, int]] = []
        self._devices = devices
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.path = os.ttyname(self._theirs)
        self._timers: list[threading.Timer] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="serial-twin", daemon=True)

    def __enter__(self) -> Self:
        """Answer."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Fall silent and take the line away."""
        self._stopping.set()
        self._thread.join(_STOP_S)
        for timer in self._timers:
            timer.join(_STOP_S)
        os.close(self._ours)
        os.close(self._theirs)

    def _run(self) -> None:
        rest = b""
        while not self._stopping.is_set():
            ready, _, _ = select.select([self._ours], [], [], _LOOK_S)
            if not ready:
                rest = b""  # a frame ends with silence
                continue
            rest += os.read(self._ours, 1024)
            size = _size(rest)
            if size and len(rest) >= size:
                self._answer(rest[:size])
                rest = rest[size:]

    def _answer(self, frame: bytes) -> None:
        if crc_modbus(frame[:-2]) != frame[-2:]:
            return
        self.asked.append((frame[0], frame[1]))
        device = device_of(self._devices, frame[0])
        words = None if device is None else reply(device, frame[1:-2])
        if words is None:
            return
        answer = _framed(frame[0], words)
        fault = self.faults.popleft() if self.faults else LineFault.NONE
        if fault is LineFault.LATE:
            timer = threading.Timer(self.late_s, os.write, (self._ours, answer))
            self._timers.append(timer)
            timer.start()
        elif fault is not LineFault.SILENT:
            os.write(self._ours, _spoilt(answer, fault))


def _spoilt(answer: bytes, fault: LineFault) -> bytes:
    match fault:
        case LineFault.NOISE:
            return b"\xff\x00\x81" + answer
        case LineFault.HALF:
            return answer[: len(answer) // 2]
        case LineFault.BROKEN:
            return answer[:3] + bytes((answer[3] ^ 1,)) + answer[4:]
        case LineFault.FOREIGN:
            return _framed(answer[0] + 1, b"\x03\x02\xde\xad") + answer
        case _:
            return answer


def _framed(unit: int, words: bytes) -> bytes:
    content = bytes((unit,)) + words
    return content + crc_modbus(content)


def _size(begun: bytes) -> int:
    """Return how long a request is, its checksum included; 0 while that is not known."""
    if len(begun) < 2:
        return 0
    if begun[1] != WRITE:
        return 8
    return 9 + begun[6] if len(begun) > 6 else 0
