"""What stands on the outside of a block, so that its place is known even when it cannot be read.

A block whose payload no longer decodes must still be counted, or it would hold up its gateway for
ever. Its place therefore travels beside the payload, as MQTT 5 user properties, taken from the
outbox's own key and not from the payload.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NUMBER = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)
_EPOCH = re.compile(r"[a-z0-9]{1,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A block's place in its gateway's outbox.

    Attributes:
        epoch: The life of the outbox.
        seq: The block's number within it, from 1.
        oldest: The oldest block the outbox still has; what lies before it can never come again.
    """

    epoch: str
    seq: int
    oldest: int = 1

    def properties(self) -> dict[str, str]:
        """Return the envelope as user properties."""
        return {"epoch": self.epoch, "seq": str(self.seq), "oldest": str(self.oldest)}


def read_envelope(properties: Mapping[str, str]) -> Envelope | None:
    """Return the envelope that user properties hold, or None where they hold no whole one."""
    epoch = properties.get("epoch", "")
    seq, oldest = properties.get("seq", ""), properties.get("oldest", "1")
    if not (_EPOCH.fullmatch(epoch) and _NUMBER.fullmatch(seq) and _NUMBER.fullmatch(oldest)):
        return None
    return Envelope(epoch, int(seq), min(int(oldest), int(seq)))
