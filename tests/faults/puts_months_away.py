"""Puts the months of a record away, started and killed by a test: ``FILE TURN``."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pyarrow.parquet  # type: ignore[import-untyped] # noqa: F401 - loaded before it says so

from collectors.months.closing import LATE_EVERY_S, Closing
from collectors.sqlite_store import SqliteStore

T0 = 1_767_225_600


def main() -> None:
    """Say that it begins, and put everything away."""
    with SqliteStore(Path(sys.argv[1])) as store:
        closing = Closing(store.shelf, store.asking, store.changing)
        sys.stdout.write("begins\n")
        sys.stdout.flush()
        now_s = T0 + int(sys.argv[2]) * LATE_EVERY_S
        closing.turn(0, 2**40, now_s, threading.Event())


if __name__ == "__main__":
    main()
