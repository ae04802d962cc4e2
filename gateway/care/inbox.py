"""What arrived in the gateway's inbox, as root looks at it: judged once, and installed.

Root trusts nothing in that folder but two signatures. It follows no link there and writes nothing
there; the file is copied before it is read, so that nobody changes it under its eyes.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection
from pathlib import Path

from gateway.care.bundle import MAX_FILE_BYTES, read_bundle
from gateway.care.disk import Disk, RealDisk
from gateway.care.judged import Judged, note_judged, read_judged
from gateway.care.keys import PublicKey, read_public_key
from gateway.care.slots import Slots, SlotWriteError
from gateway.care.trial import Outcome, note_of, plain_file, settle
from gateway.enrol.site import TRIAL_FILE
from kwartier.errors import InputError

_log = logging.getLogger(__name__)

INBOX = "inbox"
NEXT = "next.update"
_MOST_KEYS = 8


def look(slots: Slots, folder: Path, machines: Collection[str], disk: Disk | None = None) -> bool:
    """Move the links as a trial ended, then install what arrived; return whether one was.

    An update is judged once: what was refused or taken back is not tried again by itself.

    Args:
        slots: The programs, which only root changes.
        folder: The gateway's, with its inbox and its notes on the trial.
        machines: What this machine is, as targets name it.
        disk: The machine's own when it is not given.

    Raises:
        InputError: The keys of those who release cannot be read.
        SlotWriteError: The disk takes nothing; it is tried again.
    """
    disk = disk or RealDisk()
    try:
        _note_taken_back(slots, folder / TRIAL_FILE, disk)
        settle(slots, folder / TRIAL_FILE)
        return _installed(slots, folder / INBOX / NEXT, machines, disk)
    except OSError as error:
        raise SlotWriteError(f"{slots.root}: cannot be written: {error.strerror}") from error


def update_keys(root: Path) -> list[PublicKey]:
    """Return the keys with which updates for this machine are signed.

    Raises:
        InputError: One cannot be read.
    """
    return [read_public_key(file) for file in sorted((root / "keys").glob("*.pub"))[:_MOST_KEYS]]


def _note_taken_back(slots: Slots, file: Path, disk: Disk) -> None:
    """Say beside the links why a trial ended, before they move: twice is as good as once."""
    if not slots.on_trial or note_of(slots, file).outcome is not Outcome.TAKEN_BACK:
        return
    version, last = slots.version(slots.current or ""), read_judged(slots.root)
    if last is not None:
        reason = f"version {version} is taken back: it did not prove itself"
        note_judged(disk, slots.root, Judged(last.sha256, reason))


def _installed(slots: Slots, arrived: Path, machines: Collection[str], disk: Disk) -> bool:
    if not arrived.exists() or slots.on_trial:
        return False
    try:
        content = plain_file(arrived, MAX_FILE_BYTES)
    except InputError as error:
        _log.warning("%s", error)
        return False
    sha256 = hashlib.sha256(content).hexdigest()
    last = read_judged(slots.root)
    if last is not None and last.sha256 == sha256:
        return False
    copy = slots.root / "arrived.update"
    disk.write(copy, content, 0o600)
    try:
        slots.install(read_bundle(copy, update_keys(slots.root)), machines)
        refusal = ""
    except InputError as error:
        _log.warning("the update is refused: %s", error)
        refusal = str(error) or "it is no update"
    disk.remove(copy)
    note_judged(disk, slots.root, Judged(sha256, refusal))
    return not refusal
