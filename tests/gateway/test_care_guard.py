"""The guard under a service manager: who feeds the watchdog, who begins after a trial."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

from gateway.care.slots import Slots
from gateway.care.trial import NotedTrial, Outcome, note_of

START = "import sys; from kwartier.cli import main; sys.exit(main())"
TOLD = """
import os, sys
def main():
    told = os.environ.get("WATCHDOG_PID", "nobody"), os.environ["NOTIFY_SOCKET"]
    open(sys.argv[1], "a").write(" ".join(told) + "\\n")
    return 3
"""


def program(says: str) -> list[tuple[str, bytes]]:
    """Return a wheel whose command does what is said."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("kwartier/__init__.py", "")
        archive.writestr("kwartier/cli.py", says)
    return [("kwartier-1-py3-none-any.whl", out.getvalue())]


def test_a_trial_feeds_the_watchdog_itself_and_its_successor_begins_in_a_new_process(
    tmp_path: Path,
) -> None:
    root, notes, heard = tmp_path / "opt", tmp_path / "trial.json", tmp_path / "heard"
    slots = Slots(root)
    slots.install_first("0.1.0", program(TOLD))
    (root / "trusted").unlink()
    slots.install_first("0.2.0", program(TOLD))
    (root / "trusted").unlink()
    (root / "trusted").symlink_to("slots/a")
    assert (slots.current, slots.trusted) == ("b", "a")

    notes.write_text('{"installs": 2, "starts": 2, "outcome": "none"}')

    codes = [
        subprocess.run(
            [
                *(sys.executable, "-c", START, "update", "run", "--root", root),
                *("--trial-file", notes, "--", heard),
            ],
            env={**os.environ, "NOTIFY_SOCKET": "/nowhere", "WATCHDOG_PID": "1"},
            capture_output=True,
            check=False,
        ).returncode
        for _ in range(2)
    ]

    assert codes == [75, 3]
    assert heard.read_text() == "nobody /nowhere\n1 /nowhere\n"
    assert note_of(slots, notes).outcome is Outcome.TAKEN_BACK
    assert NotedTrial(slots, notes).current == "a"
