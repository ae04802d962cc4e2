"""The link at the foot of a letter that ends such letters, for who is not logged in.

It holds no secret of a person and opens nothing: with it one can only take one wish back.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from api.cooperative.keys import Keys
from api.people.wishes import Channel, Kind

PATH = "/afmelden"
_PURPOSE = "unsubscribe"
_PROOF = 32
"""How many letters of the proof stand in the link: 128 bits."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A wish that somebody may take back."""

    account: str
    kind: Kind
    channel: Channel


def stop_link(keys: Keys, public_url: str, stop: Stop) -> str:
    """Return the address of the page on which a wish is taken back."""
    told = f"{stop.account}.{stop.kind}.{stop.channel}"
    return f"{public_url}{PATH}/{told}.{_proof(keys, told)}"


def stop_of(keys: Keys, token: str) -> Stop | None:
    """Return what a link ends, or None when it is not one of ours."""
    told, _, proof = token[:200].rpartition(".")
    if not hmac.compare_digest(_proof(keys, told).encode(), proof.encode()):
        return None
    account, kind, channel = told.split(".")
    return Stop(account, Kind(kind), Channel(channel))


def _proof(keys: Keys, told: str) -> str:
    return keys.link(_PURPOSE, "", told)[:_PROOF]
