"""``kwartier plan`` as people run it: a file or a pipe in, JSON out, one line when it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest

from api.commands.plan import PLAN
from optimizer.dispatch import TIME_LIMIT_S
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


def test_the_command_waits_as_long_as_the_planner_does() -> None:
    parser = ArgumentParser()
    PLAN.configure(parser)

    assert parser.parse_args(["-"]).time_limit == TIME_LIMIT_S


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"[" * 100_000, "is nested too deep"),
        (b"[1, 2]", "the problem is a list: give an object"),
        (b'{"exclusive": true, "exclusive": false}', "key 'exclusive' stands twice"),
        (b'{"interval_hours": NaN}', "buy_eur_per_kwh is missing"),
        (b'{"buy_eur_per_kwh": [' + b"9" * 5000 + b"]}", "a number of thousands of digits"),
        (b"\xef\xbb\xbf[]", "the problem is a list"),  # as some editors of Windows begin a file
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


def test_what_the_solver_prints_stays_out_of_the_answer() -> None:
    # On this problem HiGHS 1.12 prints two lines of its own.
    problem = {
        "interval_hours": 0.25,
        "buy_eur_per_kwh": [0.45, 0.23, 0.23, 0.27, -0.19, 0.31, 0.11],
        "sell_eur_per_kwh": [0.31, 0.3, 0.04, 0.44, -0.04, 0.06, 0.41],
        "batteries": [
            {
                "id": "b1",
                "soc_min_kwh": 0,
                "soc_max_kwh": 0,
                "soc_start_kwh": 9,
                "soc_end_kwh": 0,
                "charge_max_kw": [3.0, 0.0, 5.75, 7.0, 1.5, 5.0, 4.5],
                "discharge_max_kw": [4.25, 3.0, 9.5, 3.5, 2.5, 10.0, 0.25],
                "charge_efficiency": 0.5,
                "discharge_efficiency": 1.0,
            }
        ],
    }

    done = kwartier("-", given=json.dumps(problem).encode())

    assert json.loads(done.stdout)["status"] == "relaxed"
    assert done.stdout.count(b"\n") == 1


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
