"""Taking out of a recording what points at one home: serial numbers, names, addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hardware.profile import Profile
from hardware.registers import Image, text
from hardware.sunspec import find_chain
from hardware.sunspec_models import Group, models

_OF_THE_HOME = frozenset({*range(11, 20), 305})
"""Models of a device's network (11 to 19) and its place on earth (305): nothing of them stays."""
_SERIALS = frozenset(
    {"SN", "S1Serial", "S2Serial", "S3Serial", "S4Serial", "SerialNumber", "Nam", "Loc"}
)
_SHORTEST_SERIAL = 3
"""Registers a text must fill to be sought elsewhere in the recording."""


def anonymous(words: Mapping[int, int], profiles: Sequence[Profile] = ()) -> dict[int, int]:
    """Return registers with every letter of a serial number an X and every digit a 0.

    What is known as a serial number is also replaced where its text stands a second time.
    """
    found = dict(words)
    secrets = [*_sunspec_texts(found), *_profile_texts(found, profiles)]
    for address in _home_words(found):
        found[address] = 0
    for start, size in secrets:
        told = [found[address] for address in range(start, start + size)]
        core = _core(told)
        if text(told) and len(core) >= _SHORTEST_SERIAL:
            for place in [*_places(found, core)]:
                _blank(found, place, len(core))
        _blank(found, start, size)
    return found


def _sunspec_texts(words: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """Yield where serial numbers stand whole: first register and how many."""
    chain = find_chain(Image("recording", words))
    for place in chain.places if chain else ():
        group = models().get(place.id)
        if group is None:
            continue
        for offset, size in _texts(group, place.length + 2):
            start = place.address + offset
            if all(address in words for address in range(start, start + size)):
                yield start, size


def _texts(group: Group, limit: int) -> Iterator[tuple[int, int]]:
    """Yield the offset and size of a model's serial numbers, in repeated groups too."""
    at = 0
    for point in group.points:
        if point.type == "string" and point.name in _SERIALS and at + point.size <= limit:
            yield at, point.size
        at += point.size
    for inner in group.groups:
        while inner.size and at + inner.size <= limit:
            for offset, size in _texts(inner, inner.size):
                yield at + offset, size
            at += inner.size
            if inner.count is None:
                break


def _home_words(words: Mapping[int, int]) -> Iterator[int]:
    chain = find_chain(Image("recording", words))
    for place in chain.places if chain else ():
        if place.id in _OF_THE_HOME:
            for address in range(place.address + 2, place.address + 2 + place.length):
                if address in words:
                    yield address


def _profile_texts(
    words: Mapping[int, int], profiles: Sequence[Profile]
) -> Iterator[tuple[int, int]]:
    for register in (one for profile in profiles for one in profile.registers.values()):
        span = range(register.address, register.address + register.size)
        if "serial" in register.name and all(address in words for address in span):
            yield register.address, register.size


def _core(told: list[int]) -> list[int]:
    """Return the registers of a text without the padding after it."""
    end = len(told)
    while end and told[end - 1] in (0, 0x2020):
        end -= 1
    return told[:end]


def _places(words: Mapping[int, int], sought: list[int]) -> Iterator[int]:
    for address in words:
        if words[address] == sought[0] and all(
            words.get(address + place) == word for place, word in enumerate(sought)
        ):
            yield address


def _blank(words: dict[int, int], start: int, size: int) -> None:
    for address in range(start, start + size):
        high, low = divmod(words[address], 256)
        words[address] = _letter(high) * 256 + _letter(low)


def _letter(byte: int) -> int:
    sign = chr(byte)
    if sign.isascii() and sign.isalpha():
        return ord("X")
    return ord("0") if sign.isascii() and sign.isdigit() else byte
