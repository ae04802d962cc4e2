"""Names for the meters on an M-Bus: a meter keeps its name though its channel changes.

Installers plug gas, water and heat meters in any order, and some electricity meters number them
anew after a power cut. The serial decides; the channel only names a meter the first time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.p1.mbus import Channel
from hardware import obis
from kwartier.identity import DeviceId

_MOST_NUMBERS = 32


class ChannelNames:
    """Which meter has which name, such as ``gas-1``; at most 32 of a kind.

    Attributes:
        owners: The serial behind each name; a meter without one is known by its channel.
    """

    def __init__(self, owners: Mapping[DeviceId, str] | None = None) -> None:
        """Start with what was known before a restart."""
        self.owners: dict[DeviceId, str] = dict(owners or {})

    def names(self, channels: Iterable[Channel]) -> dict[int, DeviceId]:
        """Return the name of the meter on each channel of one telegram.

        A known serial has its name. Another one takes the name of its channel, also when that
        belonged to a meter that is gone: then it is a swap. Where the channel's name belongs to a
        meter that is still there, the first free number is taken.
        """
        present = _keyed(channels)
        named: dict[int, DeviceId] = {}
        for number, (kind, key) in present.items():
            known = next((name for name in self._of(kind) if self.owners[name] == key), None)
            if known is not None:
                named[number] = known
        for number, (kind, _) in present.items():
            if number not in named:
                name = _first_free(kind, number, set(named.values()))
                if name is not None:
                    named[number] = name
        for number, name in named.items():
            self.owners[name] = present[number][1]
        return named

    def _of(self, kind: str) -> list[DeviceId]:
        return [name for name in self.owners if name.rpartition("-")[0] == kind]


def _keyed(channels: Iterable[Channel]) -> dict[int, tuple[str, str]]:
    """Return kind and serial by channel; of two with one serial the second is known by both."""
    keyed: dict[int, tuple[str, str]] = {}
    for channel in channels:
        kind = obis.MBUS_TYPES.get(channel.type_code or 0)
        if kind is None:
            continue
        key = str(kind), channel.meter_id or f"#{channel.number}"
        keyed[channel.number] = (
            (key[0], f"{key[1]}#{channel.number}") if key in keyed.values() else key
        )
    return keyed


def _first_free(kind: str, number: int, taken: set[DeviceId]) -> DeviceId | None:
    for place in (number, *range(1, _MOST_NUMBERS + 1)):
        if f"{kind}-{place}" not in taken:
            return f"{kind}-{place}"
    return None
