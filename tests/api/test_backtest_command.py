"""``kwartier backtest`` from files to answer: refused, broken off, gone on with, and told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from api.backtest.inputs import Asked, Tariff, batteries_in, battery_of, question_of
from api.backtest.pool import Pool
from api.backtest.prices import laid_beside
from api.backtest.question import Question, WorkFolder, packed
from api.backtest.run import answer_of, outcomes, play
from api.backtest.weather import read_weather
from api.crowd.workers import Alone, CrowdGoneError, Outcome
from collectors.prices.file import read_prices
from kwartier.cli import main
from kwartier.errors import InputError
from kwartier.interval import Quarter
from kwartier.wire import Json
from optimizer.backtest.policies import policies_named
from optimizer.backtest.walk import Connection

POLICIES = ("none", "self-use", "daily", "bound")
BEGUN = datetime(2026, 6, 29, 22, 0, tzinfo=UTC)
DAYS = 5


def write_street(folder: Path) -> tuple[Path, Path]:
    """Write five days of two homes, one with sun, and cheap nights."""
    meters, prices = folder / "meters.csv", folder / "prices.csv"
    rows, costs = ["utc,household,kwh_import,kwh_export,kwh_pv"], ["utc,eur_per_mwh"]
    for place in range(DAYS * 96):
        stamp = (BEGUN + timedelta(minutes=15 * place)).isoformat()
        hour = place % 96 // 4
        sunny = 10 <= hour < 15
        rows.append(f"{stamp},one,0.25,0,0")
        rows.append(f"{stamp},two,{0 if sunny else 0.25},{0.75 if sunny else 0},{sunny:d}")
        costs.append(f"{stamp},{50 if hour < 6 else 150}")
    meters.write_text("\n".join(rows) + "\n")
    prices.write_text("\n".join(costs) + "\n")
    return meters, prices


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_street(tmp_path_factory.mktemp("street"))


@pytest.fixture(scope="module")
def question(street: tuple[Path, Path]) -> Question:
    return question_of(asked(street))


def asked(street: tuple[Path, Path]) -> Asked:
    return Asked(
        meters=street[0],
        prices=street[1],
        first=date(2026, 6, 30),
        last=date(2026, 7, 4),
        households=(),
        limit=None,
        batteries=(battery_of("4:2", 1),),
        connection=Connection(),
        tariff=Tariff(0.1, 0.0, 0.01),
        weeks=None,
    )


def run(street: tuple[Path, Path], *more: str) -> int:
    files = ["--meters", str(street[0]), "--prices", str(street[1])]
    named = [word for name in POLICIES for word in ("--policy", name)]
    return main(["backtest", *files, "--battery", "4:2", *named, *more])


def without_seconds(answer: Mapping[str, Json]) -> str:
    """Return an answer as text, without how long anything took."""
    text = json.dumps(answer, indent=1)
    return "\n".join(line for line in text.splitlines() if "seconds" not in line)


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


def test_the_page_is_whole_in_both_languages(question: Question, tmp_path: Path) -> None:
    from api.backtest.report import page_of

    folder = WorkFolder(tmp_path / "work")
    folder.take(question)
    policies = policies_named(POLICIES)
    play(folder, question, policies, Alone())
    answer = answer_of(folder, question, policies)

    pages = {lang: page_of(folder, question, policies, answer, lang) for lang in ("nl", "en")}

    for lang, page in pages.items():
        assert f'<html lang="{lang}">' in page
        svgs = page.split("<svg")[1:]
        for svg in svgs:
            ElementTree.fromstring("<svg" + svg.split("</svg>")[0] + "</svg>")  # noqa: S314 - ours
    assert "geen batterij" in pages["nl"]
    assert "no battery" in pages["en"]


def test_a_run_that_is_broken_off_goes_on_and_tells_the_same(
    question: Question, tmp_path: Path
) -> None:
    policies = policies_named(POLICIES)
    whole, broken = WorkFolder(tmp_path / "whole"), WorkFolder(tmp_path / "broken")
    for folder in (whole, broken):
        folder.take(question)
    play(whole, question, policies, Alone())

    with pytest.raises(CrowdGoneError):
        play(broken, question, policies, Leaving(3))
    kept = len(list(broken.folder.glob("*.npz"))) - 1
    broken.take(question)
    counting = Leaving(1000)
    play(broken, question, policies, counting)

    assert kept == 3
    assert counting.done == 10 - 3
    assert without_seconds(answer_of(whole, question, policies)) == without_seconds(
        answer_of(broken, question, policies)
    )


@pytest.mark.parametrize("left", ["course.npz", "course.npz.new", "question.json.new"])
def test_a_run_that_was_killed_before_its_question_stood_there_begins_again(
    question: Question, tmp_path: Path, left: str
) -> None:
    (tmp_path / left).write_bytes(b"half")
    folder = WorkFolder(tmp_path)

    folder.take(question)

    assert folder.question().first == question.first


@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.99])
def test_a_piece_that_was_cut_off_is_named(tmp_path: Path, part: float) -> None:
    folder = WorkFolder(tmp_path)
    whole = packed(use=np.arange(300.0))
    folder.put("none.2026-06", whole[: int(part * len(whole))])

    with pytest.raises(InputError, match=r"none\.2026-06\.npz: .*remove it"):
        folder.arrays("none.2026-06")


def test_a_piece_of_which_a_byte_is_another_is_named(tmp_path: Path) -> None:
    folder = WorkFolder(tmp_path)
    whole = bytearray(packed(use=np.arange(300.0)))
    whole[1000] ^= 1
    folder.put("none.2026-06", bytes(whole))

    with pytest.raises(InputError, match="remove it"):
        folder.arrays("none.2026-06")


def test_workers_end_when_the_process_they_work_for_is_killed() -> None:
    script = (
        "import multiprocessing, sys\n"
        "from api.backtest.pool import Pool\n"
        "for _ in Pool(1).each(len, ['a'] * 9):\n"
        "    print(*[one.pid for one in multiprocessing.active_children()], flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        workers = [int(word) for word in parent.stdout.readline().split()]
        parent.kill()

    assert workers
    until_s = time.monotonic() + 60
    while any(map(runs, workers)) and time.monotonic() < until_s:
        time.sleep(0.02)
    assert not any(map(runs, workers))


def runs(process: int) -> bool:
    """Return whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_many_processes_tell_what_one_does(question: Question, tmp_path: Path) -> None:
    policies = policies_named(("none", "daily-tracking"))
    alone, many = WorkFolder(tmp_path / "alone"), WorkFolder(tmp_path / "many")
    for folder, crowd in ((alone, Alone()), (many, Pool(2))):
        folder.take(question)
        play(folder, question, policies, crowd)

    told = [
        {name: one.cost_eur for name, one in outcomes(folder, question, policies).items()}
        for folder in (alone, many)
    ]

    assert told[0] == told[1]


def test_a_folder_of_another_question_is_refused(question: Question, tmp_path: Path) -> None:
    folder = WorkFolder(tmp_path / "work")
    folder.take(question)
    other = Question(
        question.course,
        (battery_of("5:2", 1),),
        question.connection,
        question.first,
        question.last,
        question.told,
    )

    with pytest.raises(InputError, match="another question"):
        folder.take(other)


def test_a_folder_of_a_version_that_steered_otherwise_is_refused(
    question: Question, tmp_path: Path
) -> None:
    folder = WorkFolder(tmp_path / "work")
    folder.take(question)
    paper = folder.folder / "question.json"
    paper.write_text(re.sub(r'"format": \d+', '"format": 2', paper.read_text()))

    with pytest.raises(InputError, match="or by another version"):
        folder.take(question)


def test_a_folder_with_other_things_in_it_is_refused(question: Question, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear board")

    with pytest.raises(InputError, match="not empty"):
        WorkFolder(tmp_path).take(question)


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


def test_batteries_are_read_as_those_of_a_plan(tmp_path: Path) -> None:
    file = tmp_path / "batteries.json"
    battery = {
        "id": "school", "soc_min_kwh": 5, "soc_max_kwh": 95, "soc_start_kwh": 50,
        "charge_max_kw": 40, "discharge_max_kw": 30, "charge_efficiency": 0.95,
        "discharge_efficiency": 0.94, "wear_eur_per_kwh": 0.01,
    }  # fmt: skip
    file.write_text(json.dumps([battery]))

    (read,) = batteries_in(file)

    assert (read.id, read.soc_max_kwh, read.discharge_max_kw) == ("school", 95.0, 30.0)
    file.write_text(json.dumps([{**battery, "soc_min_kwh": 99}]))
    with pytest.raises(InputError, match=r"school\.soc_min_kwh is 99, above soc_max_kwh 95"):
        batteries_in(file)


def test_a_list_of_batteries_without_end_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "batteries.json"
    file.write_text("[" * 200_000)

    with pytest.raises(InputError, match="is no JSON that can be read"):
        batteries_in(file)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b'[{"id": "school", "id": "hall"}]', "key 'id' stands twice"),
        (b"[\n{]", "line 2, column 2: is no JSON"),
        (b"[\xff]", "is no UTF-8 text"),
        (b"[]", "names no battery"),
    ],
)
def test_batteries_that_cannot_be_read_are_refused_by_place(
    tmp_path: Path, content: bytes, wrong: str
) -> None:
    file = tmp_path / "batteries.json"
    file.write_bytes(content)

    with pytest.raises(InputError, match=rf"batteries\.json: {wrong}"):
        batteries_in(file)


def test_batteries_that_are_not_there_are_told_without_a_number(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"batteries\.json: cannot be read: No such file"):
        batteries_in(tmp_path / "batteries.json")


def test_prices_of_another_year_keep_weekday_and_time_of_day(tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    begun = Quarter.parse("2024-12-31T23:00:00Z").start_s
    rows = [
        f"{datetime.fromtimestamp(begun + 900 * place, UTC).isoformat()},{place // 96}"
        for place in range(365 * 96)
    ]
    file.write_text("utc,eur_per_mwh\n" + "\n".join(rows) + "\n")
    prices = read_prices(file)
    # Monday 4 January 2016 meets Monday 6 January 2025, the sixth day of prices.
    monday_s = Quarter.parse("2016-01-03T23:00:00Z").start_s

    laid = laid_beside(prices, monday_s, 8 * 96)

    assert laid.weeks == 470
    assert laid.eur_per_kwh * 1000 == pytest.approx(np.repeat(np.arange(5.0, 13.0), 96))


def test_weather_of_whole_hours_holds_for_four_quarters(tmp_path: Path) -> None:
    file = tmp_path / "weather.csv"
    file.write_text(
        "utc,sun_w_per_m2,outside_c\n2026-07-01T09:00:00Z,400,\n2026-07-01T10:00:00Z,500,21\n"
    )

    told = read_weather(file, Quarter.parse("2026-07-01T09:30:00Z").start_s, 8)

    assert told.sun_w_per_m2[:6].tolist() == [400, 400, 500, 500, 500, 500]
    assert np.isnan(told.sun_w_per_m2[6:]).all()
    assert np.isnan(told.outside_c[:2]).all()
    assert told.outside_c[2:6].tolist() == [21] * 4


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("utc,ghi\n", "needs utc and sun_w_per_m2"),
        ("utc,sun_w_per_m2\n2026-07-01T09:00:00Z,9999\n", "give 0 to 1500"),
        ("utc,sun_w_per_m2\nnoon,9\n", "no instant"),
        ("sun_w_per_m2,utc\n9\n", "line 2: utc is '', which is no instant"),
        ("utc,sun_w_per_m2\n2020-07-01T09:00:00Z,9\n", "tells no sunlight on the days"),
    ],
)
def test_weather_that_cannot_be_used_is_refused(tmp_path: Path, text: str, wrong: str) -> None:
    file = tmp_path / "weather.csv"
    file.write_text(text)

    with pytest.raises(InputError, match=wrong):
        read_weather(file, Quarter.parse("2026-07-01T09:30:00Z").start_s, 8)


class Leaving:
    """A crowd that goes away after a while, as a process that is killed."""

    def __init__(self, after: int) -> None:
        self._after = after
        self.done = 0

    def each(
        self, work: Callable[[str], Outcome], files: Iterable[str]
    ) -> Iterator[tuple[str, Outcome | None]]:
        for file, outcome in Alone().each(partial(work), files):
            if self.done == self._after:
                raise CrowdGoneError("gone")
            self.done += 1
            yield file, outcome


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


@pytest.mark.nightly
def test_a_process_that_is_killed_leaves_what_it_had_played(
    street: tuple[Path, Path], tmp_path: Path
) -> None:
    words = [str(Path(sys.executable).with_name("kwartier")), "backtest", "--battery", "4:2"]
    words += ["--meters", str(street[0]), "--prices", str(street[1]), "--work"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    first = subprocess.run([*words, str(whole)], capture_output=True, check=True)

    for pieces in (2, 5, 9):
        process = subprocess.Popen([*words, str(killed)], stdout=subprocess.DEVNULL)
        until_s = time.monotonic() + 300
        while len(list(killed.glob("*.*.npz"))) < pieces and process.poll() is None:
            assert time.monotonic() < until_s
            time.sleep(0.01)
        process.kill()
        process.wait()
    again = subprocess.run([*words, str(killed)], capture_output=True, check=True)

    assert without_seconds(json.loads(again.stdout)) == without_seconds(json.loads(first.stdout))
