"""When the last backup was made and practised: a remark beside what was backed up, never in it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from kwartier.units import EpochS

FILE = "backup.json"
"""The remark's name within the folder."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What is remembered of backups; it may be lost.

    Attributes:
        file: The last one's name.
        made_s: When it was made [s]; None for never.
        drilled_s: When one was last restored to nowhere, and was whole [s]; None for never.
    """

    file: str = ""
    made_s: EpochS | None = None
    drilled_s: EpochS | None = None


def remark_of(folder: Path) -> Remark:
    """Return what is remembered beside some books; nothing where it cannot be read."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return Remark(str(found["file"]), _instant(found["made_s"]), _instant(found["drilled_s"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Remark()


def note_made(folder: Path, file: str, made_s: EpochS) -> None:
    """Remember that a backup was made."""
    _write(folder, replace(remark_of(folder), file=file, made_s=made_s))


def note_drilled(folder: Path, now_s: EpochS) -> None:
    """Remember that a backup was practised and found whole."""
    _write(folder, replace(remark_of(folder), drilled_s=now_s))


def _write(folder: Path, remark: Remark) -> None:
    """Write the remark where that is possible: no backup fails for want of it."""
    begun = folder / f"{FILE}.part"
    with suppress(OSError):
        begun.write_text(json.dumps(asdict(remark)), encoding="utf-8")
        begun.replace(folder / FILE)


def _instant(found: object) -> EpochS | None:
    return None if found is None else int(str(found))
