"""``kwartier plan`` as people run it: a file or a pipe in, JSON out, one line when it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.optimizer.examples import document


def kwartier(*words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "import sys; from kwartier.cli import main; sys.exit(main())"]
    return subprocess.run(
        [*command, "plan", *words], input=given, capture_output=True, timeout=120, check=False
    )


def test_a_problem_in_a_file_or_a_pipe_gives_the_same_plan(tmp_path: Path) -> None:
    text = json.dumps(document())
    (tmp_path / "problem.json").write_text(text, encoding="utf-8")

    from_file = kwartier(str(tmp_path / "problem.json"))
    from_pipe = kwartier("-", given=text.encode())

    assert (from_file.returncode, from_file.stderr) == (0, b"")
    answers = [json.loads(one.stdout) for one in (from_file, from_pipe)]
    seconds = [answer.pop("seconds") for answer in answers]
    assert answers[0] == answers[1]
    assert set(seconds[0]) == {"build", "solve"}
    assert min(seconds[0].values()) > 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"[" * 100_000, "is not JSON"),
        (b"[1, 2]", "the problem is a list: give an object"),
        (b'{"interval_hours": NaN}', "buy_eur_per_kwh is missing"),
        (b'{"buy_eur_per_kwh": [' + b"9" * 5000 + b"]}", "JSON|inf"),
    ],
)
def test_nonsense_is_refused_in_one_line(given: bytes, words: str) -> None:
    done = kwartier("-", given=given)

    assert done.returncode == 1
    assert done.stdout == b""
    message = done.stderr.decode()
    assert message.startswith("kwartier plan: standard input: ")
    assert any(word in message for word in words.split("|"))
    assert message.count("\n") == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = kwartier(str(tmp_path / "nothing.json"))

    assert done.returncode == 1
    assert str(tmp_path / "nothing.json") in done.stderr.decode()


def test_a_call_without_a_problem_is_wrong_usage() -> None:
    assert kwartier().returncode == 2


def test_help_shows_an_example() -> None:
    done = kwartier("--help")

    assert done.returncode == 0
    assert "kwartier plan problem.json" in done.stdout.decode()
