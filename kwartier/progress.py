"""How far long work has come: a bar on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from typing import TextIO

_WIDTH = 30


class Progress:
    """A bar on standard error that is drawn only where somebody looks at it."""

    def __init__(self, what: str, total: float, stream: TextIO | None = None) -> None:
        """Name the work and how much of it there is."""
        self._what = what
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        self._shown = -1
        self._drawn = self._stream.isatty()

    def show(self, done: float) -> None:
        """Draw how much is done."""
        percent = int(100 * done / self._total) if self._total else 100
        if not self._drawn or percent == self._shown:
            return
        self._shown = percent
        filled = _WIDTH * percent // 100
        bar = "#" * filled + "." * (_WIDTH - filled)
        self._stream.write(f"\r{self._what} [{bar}] {percent:3d} %")
        self._stream.flush()

    def end(self) -> None:
        """Clear the line."""
        if self._drawn:
            self._stream.write("\r\033[K")
            self._stream.flush()
