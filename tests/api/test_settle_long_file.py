"""``kwartier settle period`` on files that are longer than what is read at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kwartier.cli import main
from optimizer.as_json.strict_json import MAX_TEXT

RUN = "import sys; from kwartier.cli import main; sys.exit(main())"
QUARTER = (
    '{"ts": "2026-07-01T09:00:00Z", "readings": {"é": {"import": "1"}, "P": {"export": "0.1"}}}'
)
KEYS = '"keys": [{"from": "2020-01-01T00:00:00Z", "key": {"type": "proportional"}}]'
BLANKS = b" " * (MAX_TEXT - 20) + b"\n"
"""A long pause, after which the piece that is read first ends within the quarter."""

HEAD = b'{"quarters": ['
BAD_BYTE = len(HEAD) + len(BLANKS) + QUARTER.index("é")


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    file = tmp_path / "long.json"
    file.write_bytes(HEAD + BLANKS + f"{QUARTER}], {KEYS}}}\n".encode())
    return file


def test_a_long_file_is_settled_from_disk_and_from_standard_input(
    long_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["settle", "period", str(long_file)])
    told = capsys.readouterr()
    with long_file.open("rb") as opened:
        piped = subprocess.run(
            [sys.executable, "-c", RUN, "settle", "period", "-"],
            stdin=opened,
            capture_output=True,
            check=True,
            timeout=60,
        )

    assert (code, told.err) == (0, "")
    members = {"P": {"bought": 0, "sold": 100}, "é": {"bought": 100, "sold": 0}}
    assert json.loads(told.out)["members"] == members
    assert piped.stdout.decode() == told.out


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"}], ", b"}, ], ", f"line 2, column {len(QUARTER) + 3}: is no JSON: Expecting value"),
        ("é".encode(), b"\xe9", f"is not UTF-8 at byte {BAD_BYTE}: save it as UTF-8"),
        (b'"1"', b'"-1"', "quarters[0].readings.é.import: energy '-1' is not kWh"),
        (b'{"import": "1"}', b'{"import": "1", "import": "1"}', "key 'import' stands twice"),
        (KEYS.encode(), b'"rounding": "period"', "key 'keys' is missing: add it"),
    ],
)
def test_what_is_wrong_in_a_long_file_is_told_in_one_line(
    long_file: Path, old: bytes, new: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    long_file.write_bytes(long_file.read_bytes().replace(old, new))

    code = main(["settle", "period", str(long_file)])

    told = capsys.readouterr()
    assert (code, told.out) == (1, "")
    assert told.err.startswith(f"kwartier settle: {long_file}: {message}")
    assert told.err.count("\n") == 1


def test_only_a_period_may_be_that_long(
    long_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["settle", "bill", str(long_file)])

    assert code == 1
    assert f"at most {MAX_TEXT} are read" in capsys.readouterr().err
