from __future__ import annotations

import json
from pathlib import Path

import pytest

from kwartier.cli import main
from tests.collectors.weather.answers import KNMI, PVGIS_JSON


def test_a_kept_answer_is_shown_with_the_time_of_each_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hours.txt").write_bytes(KNMI)

    code = main(["weather", "decode", "--source", "knmi", str(tmp_path / "hours.txt")])

    told = json.loads(capsys.readouterr().out)["measures"]
    assert code == 0
    assert told["ghi_w_m2"][0] == {
        "from": "2026-07-01T11:00:00Z",
        "to": "2026-07-01T12:00:00Z",
        "value": 700,
    }


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["decode", "--source", "knmi", "away.txt"], 1, "cannot be read"),
        (["fetch", "--source", "pvgis"], 2, "--year"),
        (["fetch", "--source", "open-meteo", "--latitude", "999"], 2, "--latitude 999"),
        (["fetch", "--source", "open-meteo", "--longitude", "nan"], 2, "--longitude nan"),
    ],
)
def test_what_cannot_be_done_is_named(
    words: list[str], code: int, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["weather", *words]) == code
    assert named in capsys.readouterr().err


def test_the_wrong_source_refuses_the_answer_of_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "year.json").write_bytes(PVGIS_JSON)

    assert main(["weather", "decode", "--source", "knmi", str(tmp_path / "year.json")]) == 1
    said = capsys.readouterr().err
    assert f"{tmp_path / 'year.json'}: KNMI's text" in said
    assert len(said.splitlines()) == 1
