"""What root made of the last update that arrived, in a file that everybody may read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from gateway.care.disk import Disk, replace_durably

FILE = "judged.json"
"""Beside the programs; only root writes there."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One update that was judged.

    Attributes:
        sha256: The fingerprint of its file.
        refusal: Why it does not run here; empty where it was installed.
    """

    sha256: str
    refusal: str


def read_judged(root: Path) -> Judged | None:
    """Return what was judged last below a folder of programs; None for nothing yet."""
    try:
        told = json.loads((root / FILE).read_bytes())
        return Judged(str(told["sha256"]), str(told.get("refusal", "")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def note_judged(disk: Disk, root: Path, judged: Judged) -> None:
    """Write down what was judged.

    Raises:
        OSError: The disk takes nothing.
    """
    told = {"sha256": judged.sha256, "refusal": judged.refusal}
    replace_durably(disk, root / FILE, json.dumps(told).encode())
