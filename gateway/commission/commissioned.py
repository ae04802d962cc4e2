"""Whether a home was brought on the air: what the gateway asks before it steers a battery.

A gateway whose settings the wizard wrote names a file in ``commissioned_file``: until that file
says that signs and live test passed and the resident agreed, batteries are read and not steered.
Settings written by hand without that key steer as they always did.
"""

from __future__ import annotations

import json
from pathlib import Path

from gateway.enrol.kept import write_whole

FILE = "commissioned.json"


def write_commissioned(folder: Path, *, passed: bool, at_s: int) -> None:
    """Keep whether signs and live test passed.

    Raises:
        IdentityWriteError: The disk takes nothing; what was kept before still holds.
    """
    write_whole(folder / FILE, json.dumps({"passed": passed, "at_s": at_s}).encode())


def is_commissioned(path: Path) -> bool:
    """Return whether signs and live test passed; a file that is away or damaged says no."""
    try:
        told = json.loads(path.read_bytes()[:4096])
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and told.get("passed") is True
