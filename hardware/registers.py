"""Sixteen-bit registers: who serves them, and which numbers stand in them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol, TypeAlias

from kwartier.errors import KwartierError

Words: TypeAlias = Sequence[int]
"""Registers in the order of their addresses, each 0..65535."""
Number: TypeAlias = int | Decimal | float
"""What a register means: whole, exact with decimals, or a float that the device itself sent."""

MOST_PER_READ = 125
"""Registers that one read may ask for (Modbus Application Protocol 1.1b3, section 6.3)."""
MOST_PER_WRITE = 123
"""Registers that one write may carry (Modbus Application Protocol 1.1b3, section 6.12)."""
HOLDING = 3
"""Function code of a read from the holding registers."""
INPUT = 4
"""Function code of a read from the input registers."""
WRITE_ONE = 6
"""Function code of a write to one holding register; some devices know no other write."""
WRITE_SEVERAL = 16
"""Function code of a write to holding registers that follow each other."""


class RegistersRefusedError(KwartierError):
    """The device answered, and does not serve these registers; asking again will not help."""

    def __init__(self, where: str, address: int, count: int, why: str) -> None:
        """Keep which registers were asked for."""
        super().__init__(f"{where}: registers {address} to {address + count - 1}: {why}")
        self.address = address
        self.count = count


class RegisterSource(Protocol):
    """Serves registers: a device on a link, or an image of one."""

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        """Return the registers from ``address`` on, at most 125, all from one moment.

        Raises:
            RegistersRefusedError: The device does not serve all of them.
            TemporaryError: It cannot be reached, or is busy.
        """


class Image:
    """The registers of one device as somebody recorded them.

    A recording holds one table, so the function code it is asked with makes no difference.
    """

    def __init__(self, where: str, words: Mapping[int, int]) -> None:
        """Keep the registers by address; ``where`` names the recording in messages."""
        self._where = where
        self._words = dict(words)

    @classmethod
    def of_blocks(cls, where: str, blocks: Iterable[tuple[int, Words]]) -> Image:
        """Return the image of blocks, each with the address of its first register."""
        return cls(
            where,
            {start + place: word for start, words in blocks for place, word in enumerate(words)},
        )

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        """Return registers; refused when one of them was not recorded."""
        assert 1 <= count <= MOST_PER_READ, count
        span = range(address, address + count)
        if any(place not in self._words for place in span):
            why = f"not all are in the recording (function code {function_code})"
            raise RegistersRefusedError(self._where, address, count, why)
        return [self._words[place] for place in span]

    def spans(self) -> list[tuple[int, list[int]]]:
        """Return the recorded registers as unbroken runs: first address, words."""
        runs: list[tuple[int, list[int]]] = []
        for address in sorted(self._words):
            if not runs or address != runs[-1][0] + len(runs[-1][1]):
                runs.append((address, []))
            runs[-1][1].append(self._words[address])
        return runs


def unsigned(words: Words) -> int:
    """Return the whole number in registers, high word first."""
    value = 0
    for word in words:
        value = value << 16 | word
    return value


def signed(words: Words) -> int:
    """Return the two's-complement number in registers, high word first."""
    value = unsigned(words)
    bits = 16 * len(words)
    return value - (1 << bits) if value >> (bits - 1) else value


def floating(words: Words) -> float:
    """Return the IEEE 754 number in two or four registers, high word first; may be NaN."""
    (value,) = struct.unpack(">f" if len(words) == 2 else ">d", _bytes(words))
    assert isinstance(value, float)
    return value


def text(words: Words) -> str:
    """Return the text in registers, first letter in the high byte, without its padding."""
    content = _bytes(words).split(b"\0", 1)[0]
    try:
        return content.decode("utf-8").strip()
    except UnicodeDecodeError:
        return content.decode("latin-1").strip()


def words_of(value: int, count: int) -> list[int]:
    """Return ``count`` registers that hold a whole number, high word first.

    Raises:
        OverflowError: The number needs more registers.
    """
    raw = value.to_bytes(2 * count, "big", signed=value < 0)
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


def words_of_text(content: str, count: int) -> list[int]:
    """Return ``count`` registers that hold a text, padded with zeros and cut where it is long."""
    raw = content.encode("utf-8")[: 2 * count].ljust(2 * count, b"\0")
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


def scaled(raw: int, exponent: int) -> int | Decimal:
    """Return ``raw`` times a power of ten, exactly."""
    return raw * 10**exponent if exponent >= 0 else Decimal(raw).scaleb(exponent)


def _bytes(words: Words) -> bytes:
    return b"".join(word.to_bytes(2, "big") for word in words)
