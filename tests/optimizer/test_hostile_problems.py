"""``kwartier plan`` on files that were mistyped, cut off or meant to do harm.

Each gets a plan or one readable line: never a trace, never a number that is none.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from kwartier.cli import main
from kwartier.wire import Json
from tests.optimizer.examples import document as plain_document
from tests.optimizer.neighbourhood_problems import document

Place = tuple[str | int, ...]
MOST_LETTERS = 600
"""The longest line that is still read."""
ODD_VALUES: tuple[Json, ...] = (
    None, True, False, 0, -0.0, -1, 1, 2, 3.5, -3.5, 1e-320, 1e308, -1e308, 1.0000001e9,
    10**400, -(10**400), "NaN", "1", "", "x" * 200, "h0", "a\nb", "\x1b[31m", "\u202e", "\ud800",
    [], [[]], [None], ["1"], [1e308] * 3, [0] * 1000, {}, {"id": "x"}, float("nan"), float("inf"),
    -float("inf"), 35_136, 35_137, 100_000,
)  # fmt: skip
ODD_TEXTS = (
    "", "null", "[]", "1e999", "[" * 100_000, '{"a":' * 50_000, '{"buy_eur_per_kwh": [NaN]}',
    '{"interval_hours": 1, "buy_eur_per_kwh": [0.1], "sell_eur_per_kwh": [0.1]',
)  # fmt: skip


def told(file: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """Run ``kwartier plan``; return its exit code once what it printed is in order."""
    code = main(["plan", "--time-limit", "3", str(file)])
    printed = capsys.readouterr()
    if code == 0:
        json.dumps(json.loads(printed.out), allow_nan=False)
        printed.out.encode("utf-8")
        assert printed.err == ""
    else:
        assert code == 1
        assert printed.out == ""
        line = printed.err.removesuffix("\n")
        assert line.isprintable()
        assert len(line) <= MOST_LETTERS
    return code


@pytest.mark.parametrize("seed", range(40))
def test_a_file_with_odd_values_gets_a_plan_or_one_line(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(_spoiled(seed, tmp_path), capsys)


@pytest.mark.parametrize("hours", [1e-320, [1e-320, 0.25]], ids=["all", "one"])
def test_a_step_too_short_to_count_is_refused(
    hours: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = plain_document()
    if isinstance(hours, list):
        assert isinstance(body["buy_eur_per_kwh"], list)
        hours = [*hours[:1], *hours[1:] * (len(body["buy_eur_per_kwh"]) - 1)]
    body["interval_hours"] = hours
    file = tmp_path / "problem.json"
    file.write_text(json.dumps(body), encoding="utf-8")

    assert main(["plan", str(file)]) == 1

    assert "in hours, 1e-06 to 24" in capsys.readouterr().err


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_twenty_thousand_files_with_odd_values_get_a_plan_or_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = [told(_spoiled(seed, tmp_path), capsys) for seed in range(40, 20_040)]

    assert {0, 1} == set(codes)


@pytest.mark.parametrize("text", ODD_TEXTS, ids=range(len(ODD_TEXTS)))
def test_a_file_that_is_no_problem_gets_one_line(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "problem.json"
    file.write_text(text, encoding="utf-8")

    assert told(file, capsys) == 1


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31mred", "\ud800", "\u202eeman"])
def test_a_name_that_cannot_be_printed_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = plain_document()
    assert isinstance(body["homes"], list)
    assert isinstance(body["homes"][0], dict)
    body["homes"][0]["id"] = name
    file = tmp_path / "problem.json"
    file.write_text(json.dumps(body), encoding="utf-8")

    assert told(file, capsys) == 1


def test_a_word_that_is_no_option_is_a_matter_of_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["plan", "--fast", str(tmp_path)])

    assert left.value.code == 2
    assert "--fast" in capsys.readouterr().err


def _spoiled(seed: int, folder: Path) -> Path:
    """Return a file with a random problem in which a few values were replaced."""
    order = random.Random(seed)  # noqa: S311  # a seed, no secret
    body: Json = document(order.randrange(3000))
    for _ in range(order.choice([1, 1, 1, 2, 3])):
        places = [place for place in _places(body) if place]
        _spoil(body, order.choice(places), copy.deepcopy(order.choice(ODD_VALUES)), order)
    text = json.dumps(body)
    if order.random() < 0.05:
        text = text[: order.randrange(len(text))]
    file = folder / "problem.json"
    file.write_text(text, encoding="utf-8")
    return file


def _places(body: Json, place: Place = ()) -> Iterator[Place]:
    yield place
    if isinstance(body, dict):
        for key, value in body.items():
            yield from _places(value, (*place, key))
    elif isinstance(body, list):
        for row, value in enumerate(body[:6]):
            yield from _places(value, (*place, row))


def _spoil(body: Json, place: Place, value: Json, order: random.Random) -> None:
    for step in place[:-1]:
        body = _inside(body, step)
    last, kind = place[-1], order.random()
    if isinstance(body, dict):
        if kind < 0.7:
            body[str(last)] = value
        elif kind < 0.85:
            del body[str(last)]
        else:
            body[order.choice(["x", "", "id", "home", "homes", "grid", "a\nb"])] = value
    elif isinstance(body, list):
        assert isinstance(last, int)
        if kind < 0.8:
            body[last] = value
        else:
            body.append(copy.deepcopy(body[last]) if kind < 0.9 else value)


def _inside(body: Json, step: str | int) -> Json:
    if isinstance(body, dict):
        return body[str(step)]
    assert isinstance(body, list)
    assert isinstance(step, int)
    return body[step]
