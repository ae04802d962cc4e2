"""The work folder of a backtest: broken off, gone on with, damaged, or of another question."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from api.backtest.inputs import battery_of
from api.backtest.question import Question, WorkFolder, packed
from api.backtest.run import answer_of, play
from api.crowd.workers import Alone, CrowdGoneError, Outcome
from kwartier.errors import InputError
from kwartier.wire import Json
from optimizer.backtest.policies import policies_named
from tests.api.backtest_street import POLICIES, question_in, write_street


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Question:
    return question_in(tmp_path_factory.mktemp("street"))


def without_seconds(answer: Mapping[str, Json]) -> str:
    """Return an answer as text, without how long anything took."""
    text = json.dumps(answer, indent=1)
    return "\n".join(line for line in text.splitlines() if "seconds" not in line)


def test_a_run_that_is_broken_off_goes_on_and_tells_the_same(
    question: Question, tmp_path: Path
) -> None:
    policies = policies_named(POLICIES)
    whole, broken = WorkFolder(tmp_path / "whole"), WorkFolder(tmp_path / "broken")
    for folder in (whole, broken):
        folder.take(question)
    play(whole, question, policies, Alone())

    with pytest.raises(CrowdGoneError):
        play(broken, question, policies, Leaving(3))
    kept = len(list(broken.folder.glob("*.npz"))) - 1
    broken.take(question)
    counting = Leaving(1000)
    play(broken, question, policies, counting)

    assert kept == 3
    assert counting.done == 10 - 3
    assert without_seconds(answer_of(whole, question, policies)) == without_seconds(
        answer_of(broken, question, policies)
    )


@pytest.mark.parametrize("left", ["course.npz", "course.npz.new", "question.json.new"])
def test_a_run_that_was_killed_before_its_question_stood_there_begins_again(
    question: Question, tmp_path: Path, left: str
) -> None:
    (tmp_path / left).write_bytes(b"half")
    folder = WorkFolder(tmp_path)

    folder.take(question)

    assert folder.question().first == question.first


@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.99])
def test_a_piece_that_was_cut_off_is_named(tmp_path: Path, part: float) -> None:
    folder = WorkFolder(tmp_path)
    whole = packed(use=np.arange(300.0))
    folder.put("none.2026-06", whole[: int(part * len(whole))])

    with pytest.raises(InputError, match=r"none\.2026-06\.npz: .*remove it"):
        folder.arrays("none.2026-06")


def test_a_piece_of_which_a_byte_is_another_is_named(tmp_path: Path) -> None:
    folder = WorkFolder(tmp_path)
    whole = bytearray(packed(use=np.arange(300.0)))
    whole[1000] ^= 1
    folder.put("none.2026-06", bytes(whole))

    with pytest.raises(InputError, match="remove it"):
        folder.arrays("none.2026-06")


def test_a_folder_of_another_question_is_refused(question: Question, tmp_path: Path) -> None:
    folder = WorkFolder(tmp_path / "work")
    folder.take(question)
    other = Question(
        question.course,
        (battery_of("5:2", 1),),
        question.connection,
        question.first,
        question.last,
        question.told,
    )

    with pytest.raises(InputError, match="another question"):
        folder.take(other)


def test_a_folder_of_a_version_that_steered_otherwise_is_refused(
    question: Question, tmp_path: Path
) -> None:
    folder = WorkFolder(tmp_path / "work")
    folder.take(question)
    paper = folder.folder / "question.json"
    paper.write_text(re.sub(r'"format": \d+', '"format": 2', paper.read_text()))

    with pytest.raises(InputError, match="or by another version"):
        folder.take(question)


def test_a_folder_with_other_things_in_it_is_refused(question: Question, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear board")

    with pytest.raises(InputError, match="not empty"):
        WorkFolder(tmp_path).take(question)


@pytest.mark.nightly
def test_a_process_that_is_killed_leaves_what_it_had_played(tmp_path: Path) -> None:
    meters, prices = write_street(tmp_path)
    words = [str(Path(sys.executable).with_name("kwartier")), "backtest", "--battery", "4:2"]
    words += ["--meters", str(meters), "--prices", str(prices), "--work"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    first = subprocess.run([*words, str(whole)], capture_output=True, check=True)

    for pieces in (2, 5, 9):
        process = subprocess.Popen([*words, str(killed)], stdout=subprocess.DEVNULL)
        until_s = time.monotonic() + 300
        while len(list(killed.glob("*.*.npz"))) < pieces and process.poll() is None:
            assert time.monotonic() < until_s
            time.sleep(0.01)
        process.kill()
        process.wait()
    again = subprocess.run([*words, str(killed)], capture_output=True, check=True)

    assert without_seconds(json.loads(again.stdout)) == without_seconds(json.loads(first.stdout))


class Leaving:
    """A crowd that goes away after a while, as a process that is killed."""

    def __init__(self, after: int) -> None:
        self._after = after
        self.done = 0

    def each(
        self, work: Callable[[str], Outcome], files: Iterable[str]
    ) -> Iterator[tuple[str, Outcome | None]]:
        for file, outcome in Alone().each(partial(work), files):
            if self.done == self._after:
                raise CrowdGoneError("gone")
            self.done += 1
            yield file, outcome
