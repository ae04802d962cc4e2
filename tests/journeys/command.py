"""The ``kwartier`` command as a process of its own, the way people run it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from kwartier.wire import Json

PROGRAM = [sys.executable, "-c", "import sys; from kwartier.cli import main; sys.exit(main())"]


def kwartier(*words: str | Path, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [*PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=timeout_s, check=False
    )


def answer_of(ran: subprocess.CompletedProcess[str]) -> dict[str, Json]:
    """Return the one JSON object that a command printed."""
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert isinstance(answer, dict)
    return answer
