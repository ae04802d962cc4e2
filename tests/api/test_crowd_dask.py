"""A real Dask scheduler and its workers behind the seam of a crowd."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

from api.crowd.dask import crowd_at
from kwartier.cli import main
from kwartier.errors import ContractError, InputError

FILES = [f"wijk-{number}" for number in range(20)]


@pytest.fixture(scope="module")
def threads() -> Iterator[str]:
    """A scheduler with two workers in this process."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


def shout(file: str) -> str:
    return file.upper()


def stumble(file: str) -> str:
    raise ContractError(f"{file}: a mistake of ours")


def end_the_worker(file: str) -> str:
    if file == "wijk-3":
        os.kill(os.getpid(), signal.SIGKILL)
    return file.upper()


def test_each_file_comes_back_once_with_its_own_outcome(threads: str) -> None:
    with crowd_at(threads) as crowd:
        found = list(crowd.each(shout, FILES))

    assert sorted(found) == sorted((file, file.upper()) for file in FILES)


def test_nothing_to_do_is_done_at_once(threads: str) -> None:
    with crowd_at(threads) as crowd:
        assert list(crowd.each(shout, [])) == []


def test_a_mistake_of_ours_is_not_hidden(threads: str) -> None:
    with crowd_at(threads) as crowd, pytest.raises(ContractError, match="a mistake of ours"):
        list(crowd.each(stumble, FILES))


def test_few_files_are_under_way_at_a_time(threads: str) -> None:
    asked: list[str] = []

    def files() -> Iterator[str]:
        for file in FILES:
            asked.append(file)
            yield file

    with crowd_at(threads) as crowd:
        done = crowd.each(shout, files())
        next(done)
        ahead = len(asked)
        rest = list(done)

    assert ahead == 2 * 2 + 1
    assert len(rest) == len(FILES) - 1


def test_the_command_reckons_streets_and_cases_with_a_scheduler(
    threads: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = {
        "readings": {"A": {"import": "0.160", "export": "0"}},
        "key": {"type": "proportional"},
    }
    (tmp_path / "wijk.json").write_text(json.dumps(case))
    (tmp_path / "street.csv").write_text("utc,household,kwh_import\nnonsense,A,1\n")

    settled = main(["settle", "many", str(tmp_path), "--as", "quarter", "--scheduler", threads])
    capsys.readouterr()
    main(["settle", "quarter", str(tmp_path / "wijk.json")])
    alone = capsys.readouterr().out
    judged = main(["moment", "many", str(tmp_path), "--scheduler", threads])
    summary = json.loads(capsys.readouterr().out)

    assert settled == 0
    assert (tmp_path / "answers" / "wijk.json").read_text() == alone
    assert judged == 1
    assert list(summary["refused"]) == ["street"]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense"])
def test_a_scheduler_that_is_not_there_is_named(address: str) -> None:
    with pytest.raises(InputError, match=f"scheduler {address}"), crowd_at(address, 0.3):
        pass


@pytest.mark.nightly
def test_a_file_over_which_processes_end_is_told_as_such() -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        crowd_at(cluster.scheduler_address) as crowd,
    ):
        found = dict(crowd.each(end_the_worker, FILES))

    assert found == {file: None if file == "wijk-3" else file.upper() for file in FILES}
