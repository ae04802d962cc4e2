"""The front door holds BLAS to one thread before numpy is loaded, and leaves a choice alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_ASKED = (
    "import os; from kwartier.cli import main; main(['--version']); "
    "print(os.environ.get('OPENBLAS_NUM_THREADS', 'unset'))"
)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, "1"),
        ({"OPENBLAS_NUM_THREADS": "3"}, "3"),
        ({"OMP_NUM_THREADS": "2"}, "unset"),
    ],
)
def test_blas_has_one_thread_unless_somebody_chose(chosen: dict[str, str], expected: str) -> None:
    bare = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}

    found = subprocess.run(
        [sys.executable, "-c", _ASKED],
        env={**bare, **chosen},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert found.stdout.split()[-1] == expected
