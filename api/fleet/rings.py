"""Who takes a new program when: one gateway, then five, then twenty-five, then all."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from api.fleet.book import Step
from kwartier.errors import InputError
from kwartier.identity import GatewayId
from kwartier.model import Community

RINGS = (1, 5, 25)
"""How many gateways the first rings hold together; the last one holds all."""
LAST = len(RINGS)


@dataclass(frozen=True, slots=True)
class Release:
    """How far a version came.

    Attributes:
        version: The version.
        sha256: The fingerprint of its update.
        ring: The ring that may have it, from 0; -1 before the first.
        halted: Why nobody else gets it; empty where it goes on.
    """

    version: str
    sha256: str
    ring: int = -1
    halted: str = ""


def release_of(steps: Sequence[Step], version: str) -> Release:
    """Return how far a version came.

    Raises:
        InputError: It was never added.
    """
    found: Release | None = None
    for step in steps:
        if step.version != version:
            continue
        if step.kind == "added":
            found = Release(version, step.sha256)
        elif found is not None:
            ring = found.ring + (step.kind == "advanced")
            found = Release(
                version, found.sha256, ring, step.reason if step.kind == "halted" else ""
            )
    if found is None:
        raise InputError(f"version {version} was not added: 'kwartier fleet release add' first")
    return found


def released(steps: Sequence[Step]) -> list[Release]:
    """Return every version that was added and how far it came, in the order they were added."""
    return [release_of(steps, version) for version in dict.fromkeys(one.version for one in steps)]


def gateways_of(community: Community) -> set[GatewayId]:
    """Return every gateway of a neighbourhood: of its homes, and of its shared batteries."""
    return {
        *(one.gateway for one in community.connections.values()),
        *(one.gateway for one in community.batteries.values()),
    }


def rings(
    gateways: Collection[GatewayId], by_hand: Mapping[GatewayId, int]
) -> list[list[GatewayId]]:
    """Return the gateways of each ring.

    Who was put in a ring by hand stands there. The others fill what room is left in an order that
    has nothing to do with names or streets, and that stays the same when somebody joins.
    """
    told = [
        sorted(name for name in gateways if by_hand.get(name) == ring) for ring in range(LAST + 1)
    ]
    others = sorted((name for name in gateways if name not in by_hand), key=_chance)
    before = 0
    for ring, most in enumerate(RINGS):
        room = max(0, most - before - len(told[ring]))
        told[ring] += others[:room]
        others = others[room:]
        before += len(told[ring])
    told[LAST] += others
    return told


def may_have(release: Release, told: Sequence[Sequence[GatewayId]]) -> list[GatewayId]:
    """Return the gateways that may take a version now; nobody where it is halted."""
    if release.halted:
        return []
    return [name for ring in told[: release.ring + 1] for name in ring]


def check_advance(
    release: Release, told: Sequence[Sequence[GatewayId]], running: Mapping[GatewayId, str]
) -> None:
    """Refuse the next ring while somebody in the rings before does not run the version.

    Raises:
        InputError: It is with everybody, or a gateway runs something else.
    """
    if release.ring >= LAST:
        raise InputError(f"version {release.version} is with everybody already")
    reached = [name for ring in told[: release.ring + 1] for name in ring]
    late = [name for name in reached if running.get(name) != release.version]
    if late:
        raise InputError(
            f"{late[0]} runs {running.get(late[0], 'nothing that is known')} and not "
            f"{release.version}, as do {len(late) - 1} others: wait, halt, or say --anyway"
        )


def _chance(gateway: GatewayId) -> bytes:
    return hashlib.sha256(gateway.encode()).digest()
