"""Standard output kept for the answer, whatever a library below prints."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_STANDARD_OUTPUT = 1


@contextmanager
def nothing_printed() -> Iterator[None]:
    """Keep standard output for the answer: HiGHS 1.12 prints a line of its own now and then.

    Source:
        HiGHS issue 2783; the line comes from C, past ``sys.stdout``.
    """
    sys.stdout.flush()
    kept = os.dup(_STANDARD_OUTPUT)
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STANDARD_OUTPUT)
        os.close(nowhere)
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # in a pipe C keeps its lines back until the very end
        os.dup2(kept, _STANDARD_OUTPUT)
        os.close(kept)
