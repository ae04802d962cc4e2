"""What a Modbus device says to one request, whatever wire it came over."""

from __future__ import annotations

from collections.abc import Sequence

from hardware.registers import (
    HOLDING,
    INPUT,
    MOST_PER_READ,
    MOST_PER_WRITE,
    WRITE_ONE,
    WRITE_SEVERAL,
)
from hardware.twins.modbus_server import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    SILENCE,
    VirtualDevice,
)

WRITE = WRITE_SEVERAL


def device_of(devices: Sequence[VirtualDevice], unit: int) -> VirtualDevice | None:
    """Return the device that answers to a unit id; one with id 0 answers to every id."""
    for device in devices:
        if device.unit in (unit, 0):
            return device
    return None


def reply(device: VirtualDevice, asked: bytes) -> bytes | None:
    """Return the answer to one request, without address and checksum; None for silence.

    Source:
        Modbus Application Protocol 1.1b3, sections 6.3, 6.4, 6.6 and 6.12.
    """
    function_code = asked[0] if asked else 0
    address, count = int.from_bytes(asked[1:3]), int.from_bytes(asked[3:5])
    if function_code in (HOLDING, INPUT) and len(asked) == 5:
        return _read(device, function_code, address, count)
    if function_code == WRITE and len(asked) == 6 + 2 * count and count <= MOST_PER_WRITE:
        words = [int.from_bytes(asked[at : at + 2]) for at in range(6, len(asked), 2)]
        return _written(device.write(address, words), asked)
    if function_code == WRITE_ONE and len(asked) == 5:
        return _written(device.write(address, [count]), asked)
    return refusal(function_code, ILLEGAL_FUNCTION)


def _written(code: int, asked: bytes) -> bytes | None:
    if code == SILENCE:
        return None
    return refusal(asked[0], code) if code else asked[:5]


def refusal(function_code: int, code: int) -> bytes:
    """Return an exception answer."""
    return bytes((function_code & 0x7F | 0x80, code))


def _read(device: VirtualDevice, function_code: int, address: int, count: int) -> bytes | None:
    code = device.read_refusal()
    if code == SILENCE:
        return None
    if code:
        return refusal(function_code, code)
    if not 1 <= count <= MOST_PER_READ:
        return refusal(function_code, ILLEGAL_VALUE)
    for first, words in device.spans():
        at = address - first
        if 0 <= at <= len(words) - count:
            content = b"".join(word.to_bytes(2) for word in words[at : at + count])
            return bytes((function_code, len(content))) + content
    return refusal(function_code, ILLEGAL_ADDRESS)
