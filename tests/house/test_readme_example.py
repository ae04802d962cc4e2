"""The program in the README runs as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_program_in_the_readme_prints_the_cost_of_a_day() -> None:
    text = (ROOT / "README.md").read_text()
    program = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert program is not None

    ran = subprocess.run(
        [sys.executable, "-c", program.group(1)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=120,
    )

    assert ran.stderr == ""
    # Without the battery 40 + 40 quarters of 0.4 kW cost 0.30, and 16 of 2.6 kW earn 0.08.
    without_eur = 80 * 0.1 * 0.30 - 16 * 0.65 * 0.08
    assert 0 < float(ran.stdout) < without_eur
