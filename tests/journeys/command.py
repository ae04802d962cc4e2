"""The ``kwartier`` command as a process of its own, the way people run it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from kwartier.cli import main
from kwartier.wire import Json

PROGRAM = [sys.executable, "-c", "import sys; from kwartier.cli import main; sys.exit(main())"]


def kwartier(*words: str | Path, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [*PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=timeout_s, check=False
    )


def kwartier_here(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one command to its end in this process: for what is refused before anything starts."""
    told, refused = io.StringIO(), io.StringIO()
    mask = os.umask(0o022)
    try:
        with redirect_stdout(told), redirect_stderr(refused):
            code = main([str(word) for word in words])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        os.umask(mask)
    return subprocess.CompletedProcess(words, code, told.getvalue(), refused.getvalue())


def answer_of(ran: subprocess.CompletedProcess[str]) -> dict[str, Json]:
    """Return the one JSON object that a command printed."""
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert isinstance(answer, dict)
    return answer
