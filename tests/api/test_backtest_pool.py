"""A backtest on many processes tells what one does, and leaves none of them behind."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from api.backtest.pool import Pool
from api.backtest.question import Question, WorkFolder
from api.backtest.run import outcomes, play
from api.crowd.workers import Alone
from optimizer.backtest.policies import policies_named
from tests.api.backtest_street import question_in


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Question:
    return question_in(tmp_path_factory.mktemp("street"))


def test_workers_end_when_the_process_they_work_for_is_killed() -> None:
    script = (
        "import multiprocessing, sys\n"
        "from api.backtest.pool import Pool\n"
        "for _ in Pool(1).each(len, ['a'] * 9):\n"
        "    print(*[one.pid for one in multiprocessing.active_children()], flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        workers = [int(word) for word in parent.stdout.readline().split()]
        parent.kill()

    assert workers
    until_s = time.monotonic() + 60
    while any(map(runs, workers)) and time.monotonic() < until_s:
        time.sleep(0.02)
    assert not any(map(runs, workers))


def runs(process: int) -> bool:
    """Return whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_many_processes_tell_what_one_does(question: Question, tmp_path: Path) -> None:
    policies = policies_named(("none", "daily-tracking"))
    alone, many = WorkFolder(tmp_path / "alone"), WorkFolder(tmp_path / "many")
    for folder, crowd in ((alone, Alone()), (many, Pool(2))):
        folder.take(question)
        play(folder, question, policies, crowd)

    told = [
        {name: one.cost_eur for name, one in outcomes(folder, question, policies).items()}
        for folder in (alone, many)
    ]

    assert told[0] == told[1]
