"""What a gateway that asks for an update gets: the release its ring may have, and nothing else."""

from __future__ import annotations

import threading
from pathlib import Path

from api.attempts import Attempts
from api.fleet.book import FILE, FleetBook
from api.fleet.releases import Releases
from api.fleet.rings import Release, gateways_of, may_have, released, rings
from gateway.care.bundle import ANY, Manifest, version_of
from gateway.care.offer import PIECE_BYTES, Offer
from kwartier.clock import Clock
from kwartier.errors import InputError
from kwartier.identity import GatewayId
from kwartier.model import Community

MOST_PIECES = 1_000
"""How many pieces one gateway may ask for in an hour; a whole update has at most 129."""
_HOUR_S = 3_600.0


class NotReleasedError(InputError):
    """That update is not for this gateway, not any more, or its file is away."""


class Updates:
    """Answers gateways; safe to share between threads."""

    def __init__(self, state: Path, community: Community, clock: Clock) -> None:
        """Look at a server's folder; nothing is written there before something is released."""
        self._state, self._community, self._clock = state, community, clock
        self._releases = Releases(state)
        self._pieces = Attempts(clock, MOST_PIECES, _HOUR_S)
        self._lock = threading.Lock()
        self._opened: FleetBook | None = None

    def offer(self, gateway: GatewayId, running: str, machine: str) -> Offer | None:
        """Return the highest version that a gateway may have, and can take; None for none.

        Args:
            gateway: Who asks.
            running: The version it runs.
            machine: What it is, as targets name it.

        Raises:
            ContractError: What it runs is no version.
        """
        runs = version_of(running)
        found = [
            Offer(release.version, size, release.sha256)
            for release, manifest, size in self._of(gateway)
            if runs >= version_of(manifest.minimum)
            and runs < version_of(release.version)
            and {ANY, machine} & set(manifest.targets)
        ]
        return max(found, key=lambda one: version_of(one.version), default=None)

    def piece(self, gateway: GatewayId, sha256: str, start: int) -> bytes:
        """Return the bytes of an update from a place on, at most ``PIECE_BYTES``.

        Raises:
            NotReleasedError: The gateway may not have it, or there is nothing at that place.
        """
        mine = {release.sha256 for release in self._for(gateway)}
        content = self._releases.piece(sha256, start, PIECE_BYTES) if sha256 in mine else None
        if not content:
            raise NotReleasedError(f"there is no such update for gateway {gateway}: ask anew")
        return content

    def wait_s(self, gateway: GatewayId) -> float:
        """Count a piece that is asked for; return 0, or how long to wait before the next [s]."""
        return self._pieces.wait_s(gateway)

    def _of(self, gateway: GatewayId) -> list[tuple[Release, Manifest, int]]:
        told = ((one, self._releases.manifest(one.sha256)) for one in self._for(gateway))
        return [(one, *held) for one, held in told if held is not None]

    def _for(self, gateway: GatewayId) -> list[Release]:
        book = self._book()
        if book is None:
            return []
        order = rings(gateways_of(self._community), book.places())
        return [one for one in released(book.steps()) if gateway in may_have(one, order)]

    def _book(self) -> FleetBook | None:
        with self._lock:
            if self._opened is None and (self._state / FILE).exists():
                self._opened = FleetBook(self._state, self._community.coop, self._clock)
            return self._opened
