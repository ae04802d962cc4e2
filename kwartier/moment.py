"""Whether now is a good moment, as lamps and other programs hear it; docs/asyncapi.yaml has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kwartier.errors import ContractError
from kwartier.interval import HOME_ZONE, epoch_s, parse_instant
from kwartier.packing import VERSION, Json, choice, plain, text, unpacked
from kwartier.units import EpochS

MOMENT_STATES = ("good", "normal", "later", "unknown")


@dataclass(frozen=True, slots=True)
class MomentSaid:
    """Whether now is a good moment to use power, as lamps and other programs hear it.

    Attributes:
        state: ``good``, ``normal``, ``later`` or ``unknown``.
        from_s: Since when this is said [s].
        until_s: When it is expected to change [s].
        next_from_s: When the next good moment starts [s].
        next_until_s: When that one ends [s].
        confidence: How sure it is [0..1].
        reason_code: Why.
        expires_s: From when on it says nothing any more: it was not said again [s].
    """

    state: str
    from_s: EpochS
    until_s: EpochS | None
    next_from_s: EpochS | None
    next_until_s: EpochS | None
    confidence: float
    reason_code: str
    expires_s: EpochS


def encode_moment(said: MomentSaid) -> bytes:
    """Return the payload of a moment; its instants read as those of ``/api/v1/moment``."""
    return plain(
        {
            "v": VERSION,
            "state": said.state,
            "from": _local_text(said.from_s),
            "until": _local_text(said.until_s),
            "next_from": _local_text(said.next_from_s),
            "next_until": _local_text(said.next_until_s),
            "confidence": said.confidence,
            "reason_code": said.reason_code,
            "expires": _local_text(said.expires_s),
        }
    )


def decode_moment(payload: bytes) -> MomentSaid:
    """Return the moment of a payload."""
    body = unpacked(payload)
    confidence = body.get("confidence")
    if type(confidence) not in {int, float} or not 0 <= float(str(confidence)) <= 1:
        raise ContractError("moment 'confidence' must be a number from 0 to 1")
    from_s, expires_s = _instant_of(body, "from"), _instant_of(body, "expires")
    if from_s is None or expires_s is None:
        raise ContractError("moment 'from' and 'expires' must be instants")
    return MomentSaid(
        choice(body, "state", list(MOMENT_STATES)),
        from_s,
        _instant_of(body, "until"),
        _instant_of(body, "next_from"),
        _instant_of(body, "next_until"),
        float(str(confidence)),
        text(body, "reason_code"),
        expires_s,
    )


def _local_text(at_s: EpochS | None) -> str | None:
    return None if at_s is None else datetime.fromtimestamp(at_s, HOME_ZONE).isoformat()


def _instant_of(body: Mapping[str, Json], name: str) -> EpochS | None:
    if body.get(name) is None:
        return None
    return epoch_s(parse_instant(text(body, name)))
