"""Every point of every model is what another reader, pysunspec2, makes of the same registers.

But for one thing: where a scale factor is not implemented it tells the bare number, and we nothing.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from sunspec2.modbus.client import (  # type: ignore[import-untyped]  # no stubs exist
    SunSpecModbusClientModel,
)

from hardware.recording import read_recording
from hardware.registers import Number
from hardware.sunspec import Place, decode, every_point, find_chain, read_model
from hardware.sunspec_models import Group, models
from tests.hardware.test_sunspec import DUMPS

WRITTEN_DIFFERENTLY = {"ipaddr", "ipv6addr"}
"""Types that both read and that we print as addresses, not as numbers."""


@pytest.mark.parametrize("name", DUMPS)
def test_a_recording_says_the_same_to_both(shared_data: Path, name: str) -> None:
    (source,) = read_recording(shared_data / "modbus" / "dumps" / f"{name}.json").values()
    chain = find_chain(source)
    assert chain is not None

    for place in chain.places:
        span = range(place.address, place.address + place.length + 2)
        words = [source.read(address, 1)[0] for address in span]
        ours = {path: plain(value) for path, value in every_point(read_model(source, place).points)}
        assert ours == theirs_of(place, words)


@pytest.mark.parametrize("model", sorted(models()))
def test_any_registers_say_the_same_to_both(model: int) -> None:
    dice = random.Random(model)  # noqa: S311  # the same registers on every run

    for _ in range(5):
        words = thrown(models()[model], dice, {})
        words[:2] = [model, len(words) - 2]
        place = Place(model, 40002, len(words) - 2)
        ours = {path: plain(v) for path, v in every_point(decode(models()[model], words[1], words))}
        theirs = theirs_of(place, words)
        assert set(ours) == set(theirs)
        unlike = {p.name for p in models()[model].points if p.type in WRITTEN_DIFFERENTLY}
        assert {path: ours[path] for path in ours if path not in unlike} == {
            path: theirs[path] for path in theirs if path not in unlike
        }


def plain(value: Number | str | None) -> object:
    return value if value is None or isinstance(value, str) else pytest.approx(float(value))


def theirs_of(place: Place, words: list[int]) -> dict[str, object]:
    content = b"".join(word.to_bytes(2, "big") for word in words)
    model = SunSpecModbusClientModel(place.id, place.address, place.length, data=content)
    found: dict[str, object] = {}
    collect(model, "", frozenset(), found)
    return found


def collect(
    group: SunSpecModbusClientModel, path: str, unscaled: frozenset[str], found: dict[str, object]
) -> None:
    """Note a group's points; ``unscaled`` are scale factors around it that are not implemented."""
    scales = {name: p.value for name, p in group.points.items() if p.pdef["type"] == "sunssf"}
    unscaled = unscaled - set(scales) | {name for name in scales if scales[name] is None}
    for name, point in group.points.items():
        value = None if point.pdef.get("sf") in unscaled else point.cvalue
        if point.pdef["type"] != "pad":
            found[path + name] = value.strip() if isinstance(value, str) else value
    for name, inner in group.groups.items():
        if isinstance(inner, list):
            for number, member in enumerate(inner):
                collect(member, f"{path}{name}[{number}].", unscaled, found)
        else:
            collect(inner, f"{path}{name}.", unscaled, found)


def thrown(group: Group, dice: random.Random, counts: Mapping[str, int]) -> list[int]:
    """Return random registers of a group in which counts and scale factors make sense."""
    asked = counted(group)
    counts = {**counts, **{name: dice.randint(1, 3) for name in sorted(asked)}}
    words: list[int] = []
    for point in group.points:
        if point.type == "sunssf":
            words.append(dice.choice([0, 1, 0xFFFF, 0xFFFE, 0x8000]))
        elif point.name in asked:
            words.append(counts[point.name])
        elif point.type == "string":
            words += dice.choices([0x4142, 0x4320], k=point.size)
        else:
            words += dice.choices([0, 0x8000, 0xFFFF, dice.randint(1, 0xFFFE)], k=point.size)
    for inner in group.groups:
        times = 1 if inner.count is None else counts.get(inner.count, dice.randint(0, 3))
        for _ in range(times):
            words += thrown(inner, dice, counts)
    return words


def counted(group: Group) -> set[str]:
    """Return the points of a group that say how often something within it repeats."""
    names = {point.name for point in group.points}
    within = list(group.groups)
    found: set[str] = set()
    while within:
        inner = within.pop()
        within += inner.groups
        found |= {inner.count or ""} & names
    return found
