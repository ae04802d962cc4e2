"""What arrived in the gateway's inbox, as root looks at it: judged once, and installed.

Root trusts nothing in that folder but two signatures. It follows no link there and writes nothing
there; the file is copied before it is read, so that nobody changes it under its eyes.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection
from pathlib import Path

from gateway.care.bundle import MAX_BUNDLE_BYTES, read_bundle
from gateway.care.disk import Disk, RealDisk, replace_durably
from gateway.care.keys import PublicKey, read_public_key
from gateway.care.slots import Slots, SlotWriteError
from gateway.care.trial import plain_file, settle
from gateway.enrol.site import TRIAL_FILE
from kwartier.errors import InputError

_log = logging.getLogger(__name__)

INBOX = "inbox"
NEXT = "next.update"
_MOST_BYTES = MAX_BUNDLE_BYTES + 128 * 1024
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


def _installed(slots: Slots, arrived: Path, machines: Collection[str], disk: Disk) -> bool:
    if not arrived.exists() or slots.on_trial:
        return False
    try:
        content = plain_file(arrived, _MOST_BYTES)
    except InputError as error:
        _log.warning("%s", error)
        return False
    sha256 = hashlib.sha256(content).hexdigest()
    judged = slots.root / "judged.json"
    if _judged(judged) == sha256:
        return False
    copy = slots.root / "arrived.update"
    disk.write(copy, content, 0o600)
    try:
        slots.install(read_bundle(copy, update_keys(slots.root)), machines)
        installed = True
    except InputError as error:
        _log.warning("the update is refused: %s", error)
        installed = False
    disk.remove(copy)
    replace_durably(disk, judged, json.dumps({"sha256": sha256}).encode())
    return installed


def _judged(file: Path) -> str:
    try:
        return str(json.loads(file.read_bytes())["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
