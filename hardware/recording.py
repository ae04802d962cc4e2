"""Recordings of a device's registers, as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from hardware.registers import Image
from kwartier.errors import ContractError, InputError

_MOST_BYTES = 16_000_000
_SHAPE = '{"function_code": 3, "units": {"1": {"40000": [21365, 28243]}}}'


def read_recording(path: Path) -> dict[int, Image]:
    """Return the image of every unit in a recording; ``-`` reads standard input.

    Raises:
        InputError: The file cannot be read.
        ContractError: It is no recording; the message names the key and what it must be.
    """
    try:
        if str(path) == "-":
            content = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise InputError(f"{path}: longer than {_MOST_BYTES} bytes: this is no recording")
    try:
        return images_of(json.loads(content), str(path))
    except (ValueError, RecursionError) as error:
        raise ContractError(f"{path}: is no JSON ({error}); a recording looks like {_SHAPE}") from (
            error
        )


def images_of(recording: object, where: str) -> dict[int, Image]:
    """Return the image of every unit in a parsed recording.

    Raises:
        ContractError: A key or value is not what it must be.
    """
    if not isinstance(recording, dict) or not isinstance(recording.get("units"), dict):
        raise ContractError(f'{where}: has no "units" table; a recording looks like {_SHAPE}')
    if recording.get("function_code", 3) not in (3, 4):
        code = recording["function_code"]
        raise ContractError(f"{where}: function_code is {code!r}: it must be 3 or 4")
    units = recording["units"]
    if not units:
        raise ContractError(f'{where}: "units" is empty; a recording looks like {_SHAPE}')
    return {
        _whole(unit, 255, f"{where}: unit id"): Image(
            f"{where}: unit {unit}", _words(blocks, f"{where}: units.{unit}")
        )
        for unit, blocks in units.items()
    }


def _words(blocks: object, place: str) -> dict[int, int]:
    if not isinstance(blocks, dict):
        raise ContractError(f'{place}: must be a table such as {{"40000": [21365, 28243]}}')
    words: dict[int, int] = {}
    for start, block in blocks.items():
        first = _whole(start, 0xFFFF, f"{place}: address")
        if not isinstance(block, list):
            raise ContractError(f"{place}.{start}: must be a list of registers")
        if first + len(block) > 0x10000:
            raise ContractError(f"{place}.{start}: {len(block)} registers run past address 65535")
        for number, word in enumerate(block):
            if type(word) is not int or not 0 <= word <= 0xFFFF:
                shown = str(word)[:40]
                raise ContractError(
                    f"{place}.{start}[{number}] is {shown!r}: a register is 0 to 65535"
                )
            if words.setdefault(first + number, word) != word:
                raise ContractError(
                    f"{place}.{start}: register {first + number} stands there twice, "
                    "with two values: leave one out"
                )
    return words


def _whole(written: str, highest: int, what: str) -> int:
    if not (written.isascii() and written.isdigit()) or int(written[:9]) > highest:
        raise ContractError(f"{what} {written[:40]!r}: it must be a number from 0 to {highest}")
    return int(written)
