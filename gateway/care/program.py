"""A new program proves itself: it reaches the broker, and reads the P1 meter if one was read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from pathlib import Path

from gateway.care.disk import Disk, RealDisk, replace_durably
from gateway.care.proof import Proof
from gateway.care.trial import Programs
from gateway.care.watch import kept_at_once
from kwartier.bus import Bus
from kwartier.events import Event

_log = logging.getLogger(__name__)

_MARK = "p1-was-read"


class ProgramProof:
    """Watches over the parts, and confirms the program that they are made of."""

    def __init__(
        self,
        slots: Programs,
        program: Path,
        folder: Path,
        p1: Collection[str],
        disk: Disk | None = None,
    ) -> None:
        """Begin.

        Args:
            slots: Where programs are.
            program: A file of the program that runs; only the current one confirms itself.
            folder: Where the gateway keeps that a P1 meter was ever read.
            p1: The devices that are P1 meters.
            disk: The machine's own when it is not given.
        """
        self._slots = slots
        self._disk = disk or RealDisk()
        self._mark = folder / _MARK
        self._marked = self._mark.exists()
        self._proof = Proof(p1, must_read_p1=self._marked and bool(p1))
        current = slots.current
        self._trying = (
            current is not None
            and slots.on_trial
            and program.resolve().is_relative_to(slots.folder(current).resolve())
        )

    def attach(
        self,
        bus: Bus,
        tell: Callable[[Event], None],  # noqa: ARG002 - the seam
        is_kept: Callable[[Event], bool] = kept_at_once,  # noqa: ARG002 - the seam
    ) -> None:
        """Hear of the link."""
        bus.watch_link(self._linked)

    def heard(self, device: str) -> None:
        """Note that a device said something."""
        self._proof.heard(device)

    def look(self) -> bool:
        """Confirm the program once it is proved; the parts need not be built anew for that."""
        try:
            if self._proof.read_p1 and not self._marked:
                replace_durably(self._disk, self._mark, b"")
                self._marked = True
            if self._trying and not self._proof.missing:
                self._slots.confirm()
                self._trying = False
        except OSError as error:
            _log.warning("%s: what was proved cannot be noted: %s", self._slots.root, error)
            self._marked, self._trying = True, False
        return False

    def _linked(self, up: bool) -> None:  # noqa: FBT001 - the bus says it so
        if up:
            self._proof.reached()
