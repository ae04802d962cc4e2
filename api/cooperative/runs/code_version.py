"""Which code reckons: the version of the program and a hash of what decides a cent."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import kwartier.ledger
import optimizer

_WORDS = ("ledger.py", "interval.py", "units.py")
"""What of the ground floor takes part in the reckoning."""


@cache
def code_version() -> str:
    """Return the program's version and twelve letters of its engine's hash, with ``+`` between.

    The files are read once a process: what runs is what was loaded, not what was installed since.
    """
    total = hashlib.sha256()
    engine = Path(str(optimizer.__file__)).parent
    ground = Path(str(kwartier.ledger.__file__)).parent
    for file in [*sorted(engine.glob("*.py")), *(ground / name for name in _WORDS)]:
        total.update(file.name.encode() + b"\n" + file.read_bytes())
    return f"{version('kwartier')}+{total.hexdigest()[:12]}"
