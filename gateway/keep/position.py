"""Where an outbox stands, and what it hands out to be sent."""

from __future__ import annotations

from dataclasses import dataclass

from kwartier.identity import DeviceId


@dataclass(frozen=True, slots=True)
class Position:
    """Where an outbox stands.

    Attributes:
        epoch: Its life.
        oldest: The first block it still has; ``last + 1`` when it has none.
        last: The last block written; 0 for none.
        unproven: The last block there was when the file was opened, until the record has shown
            that nothing after it was used before; 0 once it has, and in an epoch begun since.
        upto: The last block known to be in the record; 0 for none.
        store_gen: The life of the record that said so; empty for none.
    """

    epoch: str
    oldest: int
    last: int
    unproven: int
    upto: int
    store_gen: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A block as it lies in the outbox, ready to be sent."""

    seq: int
    device: DeviceId
    payload: bytes
