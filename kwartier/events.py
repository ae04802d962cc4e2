"""Events: what went wrong on a gateway that somebody should hear of, on the lane ``evt``.

An event says what happened in a word and a short sentence. It carries no reading and no whole id:
a long number in its sentence is blotted out before it leaves. It is named by its mark, which is
drawn from its bytes: told again it has the same one, and the record says by marks what it holds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from kwartier.errors import ContractError
from kwartier.identity import DeviceId, checked_name
from kwartier.packing import VERSION, choice, instant, plain, printable, text, unpacked
from kwartier.units import EpochS

MAX_REASON = 180
"""The longest sentence of an event, in characters."""
_ID = re.compile(r"[0-9A-Za-z]*[0-9]{8,}[0-9A-Za-z]*", re.ASCII)
_BLOTTED = "[id]"
_PARTS = {"v", "kind", "dev", "t", "reason"}
MAX_MARKS = 400
"""The most marks of one acknowledgement."""
_MARK_LETTERS = 16
_MARK = re.compile(f"[0-9a-f]{{{_MARK_LETTERS}}}", re.ASCII)


class EventKind(StrEnum):
    """What happened."""

    METER_SWAPPED = "meter-swapped"
    """Another meter stands where one stood; its registers begin a new series."""
    REGISTER_WENT_BACK = "register-went-back"
    """A register stepped back under the same meter id; readings are withheld."""
    CLOCK_OFF = "clock-off"
    """A meter's clock or the gateway's is far from the other."""
    IDENTITY_DUPLICATE = "identity-duplicate"
    """Another gateway uses this one's name."""
    OUTBOX_DAMAGED = "outbox-damaged"
    OUTBOX_THINNED = "outbox-thinned"
    UPDATE_REFUSED = "update-refused"
    CONFIG_ROLLED_BACK = "config-rolled-back"
    STEERING_FAILED = "steering-failed"
    SIGN_REVERSED = "sign-reversed"
    """A device tells its power the wrong way round; nothing is turned by itself."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a gateway.

    Attributes:
        kind: What.
        device: Which device on the gateway; None for the gateway itself.
        at_s: When, by the gateway's clock [s].
        reason: One sentence; what is longer than 180 characters is cut when it is sent.
    """

    kind: EventKind
    device: DeviceId | None
    at_s: EpochS
    reason: str


def encode_event(event: Event) -> bytes:
    """Return the payload of an event."""
    return plain(
        {
            "v": VERSION,
            "kind": event.kind.value,
            "dev": event.device,
            "t": event.at_s,
            "reason": sentence_of(event),
        }
    )


def mark_of(payload: bytes) -> str:
    """Return the mark of an event's payload: 16 hexadecimal letters."""
    return hashlib.sha256(payload).hexdigest()[:_MARK_LETTERS]


def encode_event_ack(marks: Collection[str]) -> bytes:
    """Return the payload that says which events the record holds for good."""
    assert len(marks) <= MAX_MARKS, len(marks)
    return plain({"v": VERSION, "marks": [*sorted(set(marks))]})


def decode_event_ack(payload: bytes) -> frozenset[str]:
    """Return the marks of an acknowledgement of events.

    Raises:
        ContractError: It is too large, no JSON, of another version, or holds something else.
    """
    marks = unpacked(payload).get("marks")
    if not isinstance(marks, list) or len(marks) > MAX_MARKS:
        raise ContractError(f"event ack 'marks' must be a list of at most {MAX_MARKS}")
    found = {mark for mark in marks if isinstance(mark, str) and _MARK.fullmatch(mark)}
    if len(found) != len(marks):
        raise ContractError(
            f"event ack 'marks' must be different ones of {_MARK_LETTERS} hexadecimal letters"
        )
    return frozenset(found)


def sentence_of(event: Event) -> str:
    """Return its sentence as it may leave: printable, at most 180 characters, without ids."""
    return _ID.sub(_BLOTTED, printable(event.reason))[:MAX_REASON]


def decode_event(payload: bytes) -> Event:
    """Return the event of a payload.

    Raises:
        ContractError: It is too large, no JSON, of another version, or a part is wrong or unknown.
    """
    body = unpacked(payload)
    if set(body) != _PARTS:
        raise ContractError(f"event: its parts must be exactly {', '.join(sorted(_PARTS))}")
    reason = text(body, "reason")
    if len(reason) > MAX_REASON:
        raise ContractError(f"event 'reason' has {len(reason)} characters: at most {MAX_REASON}")
    device = None if body["dev"] is None else checked_name(text(body, "dev"), "event 'dev'")
    kind = EventKind(choice(body, "kind", [kind.value for kind in EventKind]))
    return Event(kind, device, instant(body, "t"), reason)
