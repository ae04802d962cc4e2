"""A folder of cases, reckoned by one process or many, goes on past refusals and after a break."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest

from api.crowd.many import DONE_FILE, Answered, cases_in, reckon_all
from api.crowd.reckonings import settled
from api.crowd.workers import Alone, CrowdGoneError, Outcome
from kwartier.cli import main
from kwartier.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-c", "from kwartier.cli import main; raise SystemExit(main())"]
REFUSED = "wijk-03"

Said = pytest.CaptureFixture[str]


def period(number: int) -> str:
    """Return a neighbourhood's period: four quarters of two homes, each with its own volumes."""
    quarters = [
        {
            "ts": f"2026-07-01T10:{15 * quarter:02d}:00Z",
            "readings": {
                "A": {"import": f"0.{100 + number}", "export": "0"},
                "P": {"import": "0", "export": f"0.{200 + 7 * quarter}"},
            },
        }
        for quarter in range(4)
    ]
    keys = [{"from": "2026-01-01T00:00:00Z", "key": {"type": "proportional"}}]
    return json.dumps({"quarters": quarters, "keys": keys})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six neighbourhoods, of which one cannot be settled."""
    cases = tmp_path / "july"
    cases.mkdir()
    for number in range(6):
        (cases / f"wijk-{number:02d}.json").write_text(period(number))
    (cases / f"{REFUSED}.json").write_text(period(3).replace("proportional", "by-shoe-size"))
    return cases


def alone(folder: Path, name: str, said: Said) -> str:
    """Return what the command for one file prints."""
    main(["settle", "period", str(folder / f"{name}.json")])
    return said.readouterr().out


def test_each_answer_is_what_the_command_for_one_file_prints(folder: Path, capsys: Said) -> None:
    code = main(["settle", "many", str(folder)])
    told = capsys.readouterr()
    summary = json.loads(told.out)

    assert code == 1
    assert (summary["cases"], summary["answered"], summary["kept"]) == (6, 5, 0)
    assert list(summary["refused"]) == [REFUSED]
    assert "by-shoe-size" in summary["refused"][REFUSED]
    assert told.err.startswith(f"{REFUSED}: ")
    for number in (0, 1, 2, 4, 5):
        name = f"wijk-{number:02d}"
        answer = (folder / "answers" / f"{name}.json").read_text()
        assert answer == alone(folder, name, capsys)
    # Four quarters in which A took 100 Wh and P gave more than that: A bought 400 Wh of P.
    first = json.loads((folder / "answers" / "wijk-00.json").read_text())
    assert first["members"] == {"A": {"bought": 400, "sold": 0}, "P": {"bought": 0, "sold": 400}}
    assert not (folder / "answers" / f"{REFUSED}.json").exists()


def test_a_case_that_is_refused_now_leaves_no_answer_to_what_it_was(
    folder: Path,
) -> None:
    main(["settle", "many", str(folder)])
    (folder / "wijk-01.json").write_text(period(1).replace("proportional", "by-shoe-size"))

    assert main(["settle", "many", str(folder)]) == 1

    assert not (folder / "answers" / "wijk-01.json").exists()
    assert (folder / "answers" / "wijk-02.json").exists()


def test_an_answer_to_another_case_than_stands_here_is_refused(folder: Path) -> None:
    def elsewhere(file: str) -> Answered:
        return Answered("{}\n", hashlib.sha256(b"an older copy of it").hexdigest())

    summary = reckon_all(
        cases_in(folder, (".json",)), folder / "answers", elsewhere, "settle period", Alone()
    )

    assert (summary.answered, len(summary.refused)) == (0, 6)
    assert list((folder / "answers").glob("wijk-*")) == []


def test_run_again_only_what_is_new_or_changed_is_settled(folder: Path, capsys: Said) -> None:
    main(["settle", "many", str(folder)])
    (folder / f"{REFUSED}.json").write_text(period(3))
    (folder / "wijk-01.json").write_text(period(8))
    (folder / "answers" / "wijk-02.json").write_text("half an ans")
    capsys.readouterr()

    assert main(["settle", "many", str(folder)]) == 0

    summary = json.loads(capsys.readouterr().out)
    assert (summary["answered"], summary["kept"], summary["refused"]) == (3, 3, {})
    for name in (REFUSED, "wijk-01", "wijk-02"):
        assert (folder / "answers" / f"{name}.json").read_text() == alone(folder, name, capsys)


def test_answers_of_another_version_are_kept_and_counted(folder: Path, capsys: Said) -> None:
    (folder / f"{REFUSED}.json").write_text(period(3))
    main(["settle", "many", str(folder)])
    assert json.loads(capsys.readouterr().out)["older"] == 0
    done = folder / "answers" / DONE_FILE
    first, *rest = [json.loads(line) for line in done.read_text().splitlines() if line]
    first["version"], rest[0] = "0.0.1", {k: v for k, v in rest[0].items() if k != "version"}
    done.write_text("".join(f"{json.dumps(line)}\n" for line in [first, *rest]))

    assert main(["settle", "many", str(folder)]) == 0
    told = capsys.readouterr()

    assert (json.loads(told.out)["kept"], json.loads(told.out)["older"]) == (6, 2)
    assert "2 of 6 answers that were kept are another version's" in told.err


def test_an_answer_to_another_question_is_not_taken_for_one(folder: Path, capsys: Said) -> None:
    main(["settle", "many", str(folder)])
    capsys.readouterr()

    assert main(["settle", "many", str(folder), "--as", "quarter"]) == 1

    summary = json.loads(capsys.readouterr().out)
    assert (summary["answered"], summary["kept"], len(summary["refused"])) == (0, 0, 6)


class CutOff(Alone):
    """A crowd that goes away after some files."""

    def __init__(self, after: int) -> None:
        self._after = after

    def each(
        self, work: Callable[[str], Outcome], files: Iterable[str]
    ) -> Iterator[tuple[str, Outcome | None]]:
        for place, done in enumerate(super().each(work, files)):
            if place == self._after:
                raise CrowdGoneError("the workers are gone: run it again")
            yield done


def test_what_was_done_before_the_workers_went_is_kept(folder: Path, tmp_path: Path) -> None:
    work, to = partial(settled, question="period"), tmp_path / "answers"
    cases = cases_in(folder, (".json",))
    with pytest.raises(CrowdGoneError):
        reckon_all(cases, to, work, "settle period", CutOff(2))
    with (to / DONE_FILE).open("ab") as done:
        done.write(b'{"name": "wijk-05", "wh')  # as a power cut leaves it

    summary = reckon_all(cases, to, work, "settle period", Alone())

    assert (summary.kept, summary.answered, list(summary.refused)) == (2, 3, [REFUSED])
    assert reckon_all(cases, to, work, "settle period", Alone()).kept == 5


class Exhausted(Alone):
    """A crowd whose processes end over one of the files."""

    def each(
        self, work: Callable[[str], Outcome], files: Iterable[str]
    ) -> Iterator[tuple[str, Outcome | None]]:
        for file, outcome in super().each(work, files):
            yield file, None if file.endswith("wijk-04.json") else outcome


def test_a_case_over_which_processes_end_is_named_and_the_rest_goes_on(
    folder: Path, tmp_path: Path
) -> None:
    work = partial(settled, question="period")
    shown: list[int] = []

    summary = reckon_all(
        cases_in(folder, (".json",)), tmp_path / "to", work, "x", Exhausted(), shown.append
    )

    assert summary.answered == 4
    assert "may lack memory" in summary.refused["wijk-04"]
    assert shown == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "No such file"),
        (["."], "0 files end in .json"),
        (["july", "--answers", "july"], "name another folder"),
        (["july", "--workers", "0"], "--workers 0"),
    ],
)
def test_a_folder_that_cannot_be_settled_is_said_in_one_line(
    words: list[str], said: str, folder: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)

    assert main(["settle", "many", *words]) == 1

    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_two_cases_of_one_name_are_refused(folder: Path) -> None:
    (folder / "wijk-01.b.json").write_text(period(1))

    with pytest.raises(InputError, match="would have one answer"):
        cases_in(folder, (".json",))


def test_a_disk_that_takes_nothing_is_said(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match="nothing more can be written"):
        reckon_all([], tmp_path / "file" / "to", lambda _: Answered("", ""), "x", Alone())


@pytest.mark.nightly
def test_many_processes_answer_as_one_does_to_the_last_byte(folder: Path, capsys: Said) -> None:
    main(["settle", "many", str(folder)])
    capsys.readouterr()

    crowd = subprocess.run(
        [*PROGRAM, "settle", "many", str(folder), "--workers", "2", "--answers", "crowd"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    assert crowd.returncode == 1, crowd.stderr
    assert json.loads(crowd.stdout)["answered"] == 5
    assert [line for line in crowd.stderr.splitlines() if line] == [
        line for line in crowd.stderr.splitlines() if line.startswith(REFUSED)
    ]
    for one in (folder / "answers").glob("wijk-*.json"):
        assert (folder / "crowd" / one.name).read_bytes() == one.read_bytes()
    assert len(list((folder / "crowd").glob("wijk-*.json"))) == 5
