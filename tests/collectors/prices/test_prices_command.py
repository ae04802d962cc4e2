from __future__ import annotations

import json
from pathlib import Path

import pytest

from kwartier.cli import main
from kwartier.interval import Quarter
from tests.collectors.prices.answers import awattar, entsoe_no, nordpool, rest

NOON = Quarter.parse("2026-07-01T10:00:00Z")


def test_the_prices_of_a_day_are_shown_with_their_gaps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "day.csv").write_text(
        "utc,eur_per_mwh\n2026-07-01T10:00:00Z,-5.10\n2026-07-01T10:15:00Z,7\n"
    )
    words = ["prices", "fetch", "--source", "file", "--file", str(tmp_path / "day.csv")]

    code = main([*words, "--day", "2026-07-01"])

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (told["quarters"], told["missing"]) == (96, 94)
    assert told["prices"][48] == {"utc": "2026-07-01T10:00:00Z", "eur_per_mwh": "-5.10"}
    assert told["prices"][50]["eur_per_mwh"] is None


def test_kept_answers_are_read_whosever_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = {
        "a": nordpool(NOON.start_s, [1.5]),
        "b": awattar(NOON.start_s, [2]),
        "c": rest(NOON.start_s, ["0.003"]),
        "d": entsoe_no("No matching data found"),
        "e": b"utc,eur_per_kwh\n2026-07-01T10:00:00Z,0.004\n",
    }
    for name, body in kept.items():
        (tmp_path / name).write_bytes(body)

    code = main(["prices", "decode", *(str(tmp_path / name) for name in kept)])

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 1, "one of them is a refusal"
    first = [row["prices"][str(NOON)] for row in told if "prices" in row]
    assert [float(price) for price in first] == [1.5, 2, 3, 4]
    assert (told[3]["error"], told[1]["quarters"]) == ("NothingToldError", 4)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--source", "epex"], "use energyzero"),
        (["--source", "entsoe"], "--token-file"),
        (["--source", "file"], "--file"),
        (["--source", "awattar"], "not of NL"),
    ],
)
def test_a_source_that_cannot_be_asked_is_named(
    words: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["prices", "fetch", "--day", "2026-07-01", *words])

    assert code == 2
    assert named in capsys.readouterr().err


def test_a_key_that_cannot_be_read_is_a_wrong_setting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["prices", "fetch", "--day", "2026-07-01", "--source", "entsoe", "--token-file"]

    assert main([*words, str(tmp_path)]) == 78
    assert f"--token-file: {tmp_path}: Is a directory" in capsys.readouterr().err
