"""What happened on gateways of late, as people are told: each thing once, however often it was."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from collectors.store import KeptEvent, Store
from kwartier.events import EventKind
from kwartier.identity import DeviceId, GatewayId
from kwartier.units import EpochS

OF_LATE_S = 31 * 86_400
"""How old what people are told may be [s]; the record knows more."""
MOST_LOOKED_AT = 50
"""How many of the newest events of each gateway are looked through."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened on a gateway, once or again and again.

    Attributes:
        gateway: Where.
        kind: What.
        device: To which device; None for the gateway itself.
        at_s: When, the last time [s].
        times: How often, among the newest events of that gateway.
        reason: What the gateway said of it, the last time, in English.
    """

    gateway: GatewayId
    kind: EventKind
    device: DeviceId | None
    at_s: EpochS
    times: int
    reason: str


def happenings(store: Store, gateways: Collection[GatewayId], now_s: EpochS) -> list[Happening]:
    """Return what happened on some gateways of late, newest first.

    Raises:
        StoreBusyError: The record cannot be reached now.
    """
    alike: dict[tuple[GatewayId, EventKind, DeviceId | None], list[KeptEvent]] = {}
    for kept in store.events(gateways, MOST_LOOKED_AT):
        if _when_s(kept) > now_s - OF_LATE_S:
            key = (kept.gateway, kept.event.kind, kept.event.device)
            alike.setdefault(key, []).append(kept)
    found = [
        Happening(*key, _when_s(every[0]), len(every), every[0].event.reason)
        for key, every in alike.items()
    ]
    return sorted(found, key=lambda one: (-one.at_s, one.gateway, one.kind))


def _when_s(kept: KeptEvent) -> EpochS:
    """Return when it happened: as the gateway says, unless its clock cannot be right.

    It cannot tell what is still to come, and what it tells waited a month for a link at most.
    """
    told_s = kept.event.at_s
    return told_s if kept.received_s - OF_LATE_S <= told_s <= kept.received_s else kept.received_s
