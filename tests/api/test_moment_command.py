"""``kwartier moment backtest`` on a small file: one JSON, and refusals in one sentence."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.commands.moment import MOMENT
from kwartier.errors import InputError

BEGIN = datetime(2026, 5, 31, 22, tzinfo=UTC)
"""Midnight of 1 June in Amsterdam."""


@pytest.fixture(scope="module")
def meters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten days of two homes: one takes 1 kW, the other gives 9 kW from 12 to 18."""
    file = tmp_path_factory.mktemp("moment") / "street.csv"
    rows = ["utc,household,kwh_import,kwh_export"]
    for place in range(10 * 96):
        at = (BEGIN + timedelta(minutes=15 * place)).strftime("%Y-%m-%dT%H:%M:%SZ")
        sunny = 12 <= place % 96 // 4 < 18
        rows += [f"{at},a,0.25,0", f"{at},b,0,{2.25 if sunny else 0}"]
    file.write_text("\n".join(rows) + "\n")
    return file


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    MOMENT.configure(parser)
    return MOMENT.run(parser.parse_args(["backtest", *words]))


def test_it_prints_one_json_with_the_figures(
    meters: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--meters", str(meters)) == 0

    told = capsys.readouterr()
    answer = json.loads(told.out)
    assert told.err == ""
    assert (answer["homes"], answer["days"], answer["quarters"]) == (2, 3, 288)
    assert (answer["said_good"], answer["right"]) == (72, 72)
    assert answer["precision"] == answer["recall"] == 1.0
    assert answer["always_11_to_15"]["said_good"] == 48


def test_the_days_can_be_chosen(meters: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("--meters", str(meters), "--from", "2026-06-09", "--to", "2026-06-09")

    assert json.loads(capsys.readouterr().out)["days"] == 1


def test_days_outside_the_record_are_refused(meters: Path) -> None:
    with pytest.raises(InputError, match="2026-06-01 to 2026-06-10"):
        run("--meters", str(meters), "--from", "2026-07-01")
