"""A box fetches the update that its server has for it, and lays it in the inbox for root.

Nothing here is believed to be good: root judges the signatures afterwards (decision 0019). What
came of a file stays beside the inbox's one update until all of it came, so that a cut line, a
power cut or a halt costs at most the piece that was under way.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gateway.care.bundle import this_machine, version_of
from gateway.care.disk import RealDisk
from gateway.care.inbox import INBOX, NEXT
from gateway.care.judged import read_judged
from gateway.care.offer import ASK, PART, PIECE_BYTES, Offer, offer_of
from gateway.care.slots import Slots
from gateway.enrol.identity import Identity
from gateway.enrol.server import Server, ServerDownError
from gateway.enrol.settings import IdentitySettings, read_identity
from kwartier.clock import Clock
from kwartier.errors import ContractError, InputError, SettingsError, TemporaryError
from kwartier.packing import Json
from kwartier.settings import read_toml

_log = logging.getLogger(__name__)

PATIENCE_S = 1800.0
"""How long one run may take, unless told [s]; the next one goes on where it was."""
ROOM_BYTES = 128 * 1024 * 1024
"""So much of the disk stays free for readings [bytes]."""
_MOST_CUTS = 4
"""So often in a row a line may bring nothing; then the next run goes on."""
_COMING = ".part"


class FetchWriteError(TemporaryError):
    """The disk takes no update now; what ran goes on."""


@dataclass(frozen=True, slots=True)
class Fetcher:
    """One box that fetches.

    Attributes:
        server: Where it asks.
        identity: Whose key signs the questions.
        slots: The programs of the box; only read.
        folder: The gateway's, with its inbox.
        clock: Stamps the questions, and counts how long a run takes.
        stop: Ends a run; what came is kept.
        patience_s: How long a run may take [s].
        first_wait_s: How long it waits after a cut; twice as long after the next [s].
    """

    server: Server
    identity: Identity
    slots: Slots
    folder: Path
    clock: Clock
    stop: threading.Event
    patience_s: float = PATIENCE_S
    first_wait_s: float = 2.0

    def look(self) -> Offer | None:
        """Return the update that was laid in the inbox just now; None where there is no new one.

        Raises:
            ServerDownError: The server cannot be reached, or the time was over: go on later.
            ServerRefusedError: The server knows no such box, or takes the update away.
            ContractError: What the server says or sends is not what it should be.
            FetchWriteError: There is no room, or the disk takes nothing.
        """
        running = self.slots.version(self.slots.current or "")
        if running is None:
            raise InputError(f"{self.slots.root}: no program runs from here: nothing was asked")
        body: dict[str, Json] = {"running": running, "machine": this_machine()}
        offer = offer_of(self.server.post(self._path("update"), self._signed(ASK, body)))
        try:
            self._tidy(offer)
            if offer is None or not self._is_new(offer, running):
                return None
            self._check_room(offer)
            self._fetch(offer)
        except OSError as error:
            raise FetchWriteError(
                f"{self._inbox}: cannot be written: {error.strerror}; free or mend its disk"
            ) from error
        return offer

    @property
    def _inbox(self) -> Path:
        return self.folder / INBOX

    def _path(self, question: str) -> str:
        return f"/api/v1/gateways/{self.identity.gateway}/{question}"

    def _signed(self, purpose: str, body: dict[str, Json]) -> dict[str, Json]:
        return self.identity.signed(purpose, body, int(self.clock.now_s()))

    def _tidy(self, offer: Offer | None) -> None:
        """Keep no pieces but those of what is offered, and no update that root is done with."""
        for part in self._inbox.glob(f"*{_COMING}"):
            if offer is None or part != self._part(offer):
                part.unlink()
        arrived, judged = self._inbox / NEXT, read_judged(self.slots.root)
        if judged is not None and arrived.is_file() and _digest(arrived) == judged.sha256:
            arrived.unlink()

    def _is_new(self, offer: Offer, running: str) -> bool:
        judged, arrived = read_judged(self.slots.root), self._inbox / NEXT
        if judged is not None and judged.sha256 == offer.sha256:
            return False  # it was refused or taken back here, and is not tried again by itself
        if arrived.is_file() and _digest(arrived) == offer.sha256:
            return False  # root looks at it when the trial that goes on is over
        return version_of(offer.version) > version_of(running)

    def _check_room(self, offer: Offer) -> None:
        part = self._part(offer)
        came = part.stat().st_size if part.exists() else 0
        if shutil.disk_usage(self._inbox).free < offer.size - came + ROOM_BYTES:
            raise FetchWriteError(
                f"{self._inbox}: no room for {offer.size} bytes beside {ROOM_BYTES} for readings"
            )

    def _fetch(self, offer: Offer) -> None:
        part = self._part(offer)
        with part.open("ab") as opened:
            if opened.tell() > offer.size:
                opened.truncate(0)
            self._fill(opened, offer)
        if _digest(part) != offer.sha256:
            part.unlink()
            raise ContractError("what the server sent is not what it offered: nothing is kept")
        part.replace(self._inbox / NEXT)
        RealDisk().sync(self._inbox)
        _log.info("version %s is here: root judges it", offer.version)

    def _fill(self, opened: BinaryIO, offer: Offer) -> None:
        """Fetch piece by piece what is missing; a cut line is tried again a few times."""
        end_s = self.clock.monotonic_s() + self.patience_s
        cuts = 0
        while (came := opened.tell()) < offer.size:
            try:
                self._piece(opened, offer, end_s)
            except ServerDownError as error:
                _log.info("%d of %d bytes came: %s", opened.tell(), offer.size, error)
            opened.flush()
            os.fsync(opened.fileno())
            cuts = 0 if opened.tell() > came else cuts + 1
            if opened.tell() == offer.size:
                return
            if self.clock.monotonic_s() >= end_s or cuts > _MOST_CUTS or self.stop.is_set():
                raise ServerDownError(
                    f"{opened.tell()} of {offer.size} bytes came: the next run goes on there"
                )
            if cuts:
                self.stop.wait(self.first_wait_s * 2 ** (cuts - 1))

    def _piece(self, opened: BinaryIO, offer: Offer, end_s: float) -> None:
        came = opened.tell()
        body: dict[str, Json] = {"sha256": offer.sha256, "from": came}
        most = min(PIECE_BYTES, offer.size - came)
        path, asked = self._path("update/part"), self._signed(PART, body)
        left_s = end_s - self.clock.monotonic_s()
        for piece in self.server.stream(path, asked, most, left_s):
            opened.write(piece)
            if self.clock.monotonic_s() >= end_s or self.stop.is_set():
                break

    def _part(self, offer: Offer) -> Path:
        return self._inbox / f"{offer.sha256}{_COMING}"


def server_of(folder: Path) -> IdentitySettings:
    """Return which server lets the gateway of a folder in, and where its identity is.

    No other setting is looked at: what is wrong there must not keep an update away.

    Raises:
        SettingsError: There is no ``gateway.toml`` or no ``[identity]`` in it, or it is wrong.
    """
    path = folder / "gateway.toml"
    known = read_toml(path, lambda top: read_identity(top.table("identity"), folder))
    if known is None:
        raise SettingsError(f"{path}: there is no [identity], so no server has updates for it")
    return known


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
