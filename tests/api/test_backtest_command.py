"""``kwartier backtest`` from files to answer: told with what-ifs, or refused in a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kwartier.cli import main
from tests.api.backtest_street import POLICIES, write_street


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_street(tmp_path_factory.mktemp("street"))


def run(street: tuple[Path, Path], *more: str) -> int:
    files = ["--meters", str(street[0]), "--prices", str(street[1])]
    named = [word for name in POLICIES for word in ("--policy", name)]
    return main(["backtest", *files, "--battery", "4:2", *named, *more])


def test_it_answers_with_one_object_and_a_page(
    street: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"

    code = run(street, "--report", str(page), "--lang", "en", "--peak-price", "2")

    out = capsys.readouterr()
    told = json.loads(out.out)
    assert code == 0
    assert out.err == "prices stand at their own time\n"
    assert (told["from"], told["to"], told["households"]) == ("2026-06-30", "2026-07-04", 2)
    assert list(told["policies"]) == list(POLICIES)
    none, own = told["policies"]["none"], told["policies"]["self-use"]
    # Nineteen hours of 2 kWh are taken a day, and in five of sun 3 kWh are given less 1 used.
    assert none["import_kwh"] == pytest.approx(5 * (19 * 2))
    assert none["export_kwh"] == pytest.approx(5 * (5 * 2))
    assert none["peak_eur"] == pytest.approx(2 * 2 * 2.0)
    assert own["saving_eur"] > 0
    text = page.read_text()
    assert "<script" not in text
    assert "http" not in text
    assert text.count("<svg") == 7


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["--policy", "magic"], "--policy 'magic' is not known"),
        (["--workers", "0"], "--workers 0"),
        (["--scheduler", "tcp://localhost:8786"], "--workers dask"),
        (["--from", "2025-01-01"], "whole days on record are 2026-06-30 to 2026-07-04"),
        (["--households", "three"], "--households three"),
        (["--tax", "inf"], "--tax inf"),
        (["--report", "no-such-folder/page.html"], "--report no-such-folder/page.html"),
        (["--report", "."], "--report .: is a folder"),
        (["--battery", "10"], "--battery '10'"),
        (["--prices-shift", "9999"], "--prices-shift 9999"),
        (["--weather", "told.csv", "--forecast", "usual"], "--forecast usual does not look"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    street: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    wrong: str,
) -> None:
    assert run(street, *words) == 1

    out = capsys.readouterr()
    assert out.out == ""
    assert wrong in out.err
    assert len(out.err.strip().splitlines()) <= 2


def test_without_a_battery_one_that_suits_the_households_is_steered(
    street: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--meters", str(street[0]), "--prices", str(street[1])]

    code = main(["backtest", *files, "--from", "2026-07-02", "--to", "2026-07-02"])

    answer = json.loads(capsys.readouterr().out)
    assert code == 0
    # Two households of 4 kWh and 2 kW each, of which a tenth stays unused.
    assert [(one["usable_kwh"], one["charge_kw"]) for one in answer["batteries"]] == [(7.2, 4.0)]


def test_days_in_the_wrong_order_are_told_so(
    street: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(street, "--from", "2026-07-03", "--to", "2026-07-02") == 1

    assert "the last day is before the first" in capsys.readouterr().err


def test_less_than_a_day_is_refused(
    street: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    meters = tmp_path / "meters.csv"
    meters.write_text("".join(street[0].read_text().splitlines(keepends=True)[:100]))

    assert run((meters, street[1])) == 1

    assert "there is no whole day on record" in capsys.readouterr().err


def test_a_what_if_is_played_beside_the_question(
    street: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = ["--work", str(tmp_path / "work")]

    page = tmp_path / "page.html"
    work += ["--report", str(page)]

    code = run(street, "--what-if", "sun=2", "--what-if", "battery=8:4,sell-less=0.05", *work)

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    brighter, larger = told["what_if"]
    assert (brighter["what_if"], larger["what_if"]) == ("sun=2", "battery=8:4,sell-less=0.05")
    # Five hours a day make 4 kWh more, all of it sold: at 15 cents less 1.
    none = brighter["policies"]["none"]["difference"]
    assert none["export_kwh"] == pytest.approx(5 * 5 * 4)
    assert none["cost_eur"] == pytest.approx(-5 * 5 * 4 * 0.14)
    # Without a battery 50 kWh are sold for 4 cents less.
    none = larger["policies"]["none"]["difference"]
    assert none["cost_eur"] == pytest.approx(50 * 0.04)
    assert larger["policies"]["self-use"]["difference"]["export_kwh"] < 0
    assert '<th scope="row">battery=8:4,sell-less=0.05</th>' in page.read_text()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("key=equal", "replay of a proposal"),
        ("sun=-1", "give 0 or more"),
        ("sun=much", "give a number"),
        ("battery=3", "--what-if battery=3"),
        ("roof=9000", "--what-if roof=9000: a roof is added"),
        ("roof=9000", "at least 350 days"),
    ],
)
def test_a_what_if_that_makes_no_sense_is_refused(
    street: tuple[Path, Path], capsys: pytest.CaptureFixture[str], text: str, wrong: str
) -> None:
    assert run(street, "--what-if", text) == 1

    assert wrong in capsys.readouterr().err
