"""``kwartier settle`` as somebody types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kwartier.cli import main

CASE = (
    '{"readings": {"A": {"import": "0.160"}, "P": {"export": "0.1"}},'
    ' "key": {"type": "proportional"}}'
)
RUN = "import sys; from kwartier.cli import main; sys.exit(main())"


def test_a_case_in_a_file_is_settled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "case.json"
    file.write_text(CASE, encoding="utf-8")

    code = main(["settle", "quarter", str(file)])

    told = capsys.readouterr()
    assert (code, told.err) == (0, "")
    assert json.loads(told.out)["allocated"] == {"A": 100, "P": 0}


def test_a_dash_reads_standard_input() -> None:
    told = subprocess.run(
        [sys.executable, "-c", RUN, "settle", "quarter", "-"],
        input=CASE.encode(),
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert json.loads(told.stdout)["shared_out"] == {"A": 0, "P": 100}


def test_a_refusal_is_one_line_that_names_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "case.json"
    file.write_text(CASE.replace('"0.160"', "0.16"), encoding="utf-8")

    code = main(["settle", "quarter", str(file)])

    told = capsys.readouterr()
    assert (code, told.out) == (1, "")
    assert told.err.startswith(f"kwartier settle: {file}: readings.A.import: 0.16 is not text")
    assert told.err.count("\n") == 1


def test_a_file_that_is_away_or_no_text_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    binary = tmp_path / "case.bin"
    binary.write_bytes(b"\xff\xfe")

    assert main(["settle", "quarter", str(tmp_path / "away.json")]) == 1
    assert "cannot be read: No such file" in capsys.readouterr().err
    assert main(["settle", "quarter", str(binary)]) == 1
    assert "is not UTF-8 at byte 0" in capsys.readouterr().err


def test_wrong_usage_is_two() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["settle", "quarter"])


def test_an_answer_that_cannot_be_written_is_told_in_a_line(tmp_path: Path) -> None:
    case = tmp_path / "case.json"
    case.write_text('{"readings": {"A": {"import": "0.1"}}, "key": {"type": "proportional"}}')
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", RUN, "settle", "quarter", str(case)],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )

    assert done.returncode == 1
    assert done.stderr == (
        "kwartier settle: the answer could not be written: No space left on device\n"
    )
