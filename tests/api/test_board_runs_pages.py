"""What the board sees of its settlements: the same numbers on pages, in files and for programs."""

from __future__ import annotations

import io
import re
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from openpyxl import load_workbook
from sqlalchemy import select, text

from api.cooperative.bundle.checking import verify_bundle
from api.cooperative.papers.gathering import RunPapers
from api.cooperative.runs import run_of
from api.cooperative.runs.storing import computation_of
from api.pages.runs.files import Printery
from api.pages.runs.refusals import BusyError
from api.pages.runs.work import Share, Workshop
from api.people.tables import ActRow, LookRow
from tests.api.conftest import served
from tests.api.cooperative.stages import BOARD, REASON, Stage
from tests.api.town import Town, Towns

RUN = "/bestuur/runs/2026-10/2"
DATA = "/api/v1/board/runs"


@pytest.fixture(scope="module")
def corrected(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town whose October was closed, read again and corrected."""
    with towns.at(Stage.CORRECTED, tmp_path_factory.mktemp("corrected")) as town:
        yield town


@pytest.fixture(scope="module")
def board(corrected: Town) -> Iterator[httpx.Client]:
    """The board member at a browser."""
    with served(corrected) as client:
        client.headers["Cookie"] = f"kwartier={corrected.officer('board')}"
        client.headers["Accept-Language"] = "nl"
        client.headers["Origin"] = corrected.house.public_url
        yield client


def page(client: httpx.Client, path: str) -> str:
    """Return what a page says."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text[:500]
    return unescape(answer.text)


def looks(town: Town, what: str) -> list[LookRow]:
    """Return who looked, in order."""
    with town.house.people.reading() as desk:
        asked = select(LookRow).where(LookRow.what == what).order_by(LookRow.id)
        return list(desk.session.scalars(asked))


def test_the_list_tells_where_each_month_stands_and_what_comes_next(board: httpx.Client) -> None:
    told = page(board, "/bestuur")
    data = board.get(DATA).json()

    assert [(run["run"], run["state"]) for run in data["runs"]] == [
        ("2026-10/2", "invoiced"),
        ("2026-10/1", "closed"),
    ]
    assert data["runs"][0]["next"] == {"key": "close", "path": f"{RUN}/afsluiten", "count": 0}
    assert data["runs"][1]["next"]["key"] == "older"
    assert data["runs"][0]["counts"]["members"] == 10
    assert data["runs"][0]["hash"][:12] in told
    assert data["following"] is None
    assert "De facturen zijn er. Sluit de maand af." in told


def test_a_run_adds_up_on_the_page_and_for_programs(corrected: Town, board: httpx.Client) -> None:
    data = board.get(f"{DATA}/2026-10/2").json()
    with corrected.books.reading(BOARD) as desk:
        known = computation_of(desk, run_of(desk, "2026-10/2"))

    paid = {one["member"]: one["to_pay_cents"] for one in data["members"]}
    assert paid == {name: invoice.to_pay for name, invoice in known.invoices.items()}
    assert sum(paid.values()) == data["totals"]["to_pay_cents"] == data["run"]["to_pay_cents"]
    assert sum(one["shared_wh"] for one in data["members"]) == data["totals"]["bought_wh"]
    assert data["adds_up"] is True
    assert data["result_hash"] == known.result_hash
    assert data["reason"] == REASON
    assert "som leden = wijk" in page(board, RUN)


def test_members_are_sorted_and_found_by_the_address(board: httpx.Client) -> None:
    def homes(asked: str) -> list[str]:
        rows = re.findall(r'/leden/[^"]+">([^<]+)</a><br>', page(board, f"{RUN}?{asked}"))
        return [str(home) for home in rows]

    assert homes("volgorde=huis&oplopend=1")[:3] == ["home-1", "home-2", "home-3"]
    assert homes("volgorde=huis")[0] == "home-8"
    assert homes("zoek=lid-3") == ["home-3", "home-3"]
    assert homes("zoek=nobody") == []
    # Two homes have panels: they are paid, so they stand at the end.
    assert sorted(homes("volgorde=bedrag")[-2:]) == ["home-1", "home-2"]
    assert board.get(f"{RUN}?volgorde=iets").status_code == 422


def test_a_comparison_says_which_member_which_line_and_why(board: httpx.Client) -> None:
    data = board.get(f"{DATA}/2026-10/2/diff").json()
    told = page(board, f"{RUN}/vergelijk")

    # Somebody read 40 kWh more at home-4 on 16 October, and nothing else.
    assert data["other"] == "2026-10/1"
    assert data["why"] == ["readings"]
    assert len(data["days"]) == 1
    changed = data["days"][0]
    assert (changed["connection"], changed["day"]) == ("home-4", "2026-10-16")
    assert changed["after_use_wh"] - changed["before_use_wh"] == 40_000
    assert data["members"][0]["member"] == "lid-4"
    assert {line["charge"] for line in data["members"][0]["lines"]} == {"buy", "levy"}
    assert "de metingen" in told
    assert board.get(f"{RUN}/vergelijk?met=2020-01/1").status_code == 404


def test_the_board_sees_a_statement_as_its_resident_does_and_that_is_known(
    corrected: Town, board: httpx.Client
) -> None:
    before = len(looks(corrected, "statement"))

    told = page(board, f"{RUN}/leden/lid-4")
    data = board.get(f"{DATA}/2026-10/2/members/lid-4").json()

    assert "U ziet wat de bewoner ziet" in told
    assert REASON in told
    net = sum(one["amount_cents"] for one in data["lines"] if one["charge"] != "sell")
    assert net == data["net_cents"]
    noted = looks(corrected, "statement")[before:]
    assert [(look.home, look.as_what) for look in noted] == [("home-4", "board")] * 2
    with corrected.house.people.reading() as desk:
        last = desk.session.scalars(select(ActRow).order_by(ActRow.id.desc())).first()
        assert last is not None
        assert (last.act, last.subject) == ("statement.look", "lid-4")


def test_quarter_hours_of_a_home_need_a_reason_that_the_resident_reads(
    corrected: Town, board: httpx.Client
) -> None:
    days = page(board, f"{RUN}/huis/home-4")
    silent = board.post(f"{RUN}/huis/home-4", data={"dag": "2026-10-25", "reden": "zo"})
    before = len(looks(corrected, "quarters"))

    shown = board.post(
        f"{RUN}/huis/home-4", data={"dag": "2026-10-25", "reden": "the resident asked why"}
    )

    assert "Kwartieren tellen als privé" in days
    assert silent.status_code == 422
    assert before == 0
    assert shown.status_code == 200
    # The day of a hundred quarters, two of its hours by name.
    assert unescape(shown.text).count('<th scope="row">') == 100
    assert "02.15 (zomertijd)" in shown.text
    assert "02.15 (wintertijd)" in shown.text
    (look,) = looks(corrected, "quarters")
    assert (look.home, str(look.first_day), look.reason) == (
        "home-4",
        "2026-10-25",
        "the resident asked why",
    )


def test_files_are_taken_along_and_the_auditor_s_parcel_with_a_reason(
    corrected: Town, board: httpx.Client, tmp_path: Path
) -> None:
    book = load_workbook(io.BytesIO(board.get(f"{RUN}/bestanden/xlsx").content))
    dutch = board.get(f"{RUN}/bestanden/csv")
    machine = board.get(f"{RUN}/bestanden/machine-csv").text
    refused = board.post(f"{RUN}/bestanden/controle", data={"reden": ""})
    parcel = board.post(f"{RUN}/bestanden/controle", data={"reden": "the auditors' yearly look"})
    file = tmp_path / "parcel.zip"
    file.write_bytes(parcel.content)

    assert book.worksheets[0].max_row == 12  # ten members between their titles and the sums
    assert dutch.content.startswith(b"\xef\xbb\xbf")
    assert dutch.headers["content-disposition"] == "attachment; filename=run-2026-10-2.csv"
    assert machine.startswith("run,")
    assert refused.status_code == 422
    assert verify_bundle(file).faults == ()
    assert [look.home for look in looks(corrected, "export")] == [
        f"home-{number}" for number in range(1, 9)
    ]


@pytest.mark.nightly
def test_all_papers_are_printed_beside_the_pages(board: httpx.Client) -> None:
    begun = board.post(f"{RUN}/bestanden/papieren")
    place = begun.headers["location"]
    for _ in range(600):
        answer = board.get(place)
        place = answer.headers.get("location", place)
        if "/bestanden" in place:
            break
        threading.Event().wait(0.1)

    packed = zipfile.ZipFile(io.BytesIO(board.get(f"{RUN}/bestanden/papieren").content))

    names = packed.namelist()
    assert sum(name.startswith("statement-") for name in names) == 10
    assert any(name.startswith("credit-") or "C2026" in name for name in names)


def test_no_paper_stays_on_the_disk_when_the_server_stops(
    corrected: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    printery = Printery()
    with corrected.books.reading(BOARD) as desk:
        run = run_of(desk, "2026-10/2")
    begun = list(folder.iterdir())

    printery.print_run(run, RunPapers((), (), frozenset()))
    kept = printery.printed(run)
    assert kept is not None
    assert kept.is_file()
    printery.close()

    assert (begun, list(folder.iterdir()), printery.printed(run)) == ([], [], None)


def test_only_the_board_sees_settlements(corrected: Town, board: httpx.Client) -> None:
    places = ["/bestuur", RUN, f"{RUN}/leden/lid-1", f"{RUN}/bestanden/xlsx", DATA]
    strangers = {
        "nobody": "",
        "resident": corrected.resident("home-1"),
        "operator": corrected.operator(),
        "installer": corrected.installer(),
    }

    for who, session in strangers.items():
        for place in places:
            answer = board.get(place, headers={"Cookie": f"kwartier={session}"})
            assert answer.status_code in {303, 401, 403}, (who, place)


def test_what_is_not_there_is_said_so(board: httpx.Client) -> None:
    for place in (
        "/bestuur/runs/2026-09/1",
        "/bestuur/runs/2026-10/9/boeken",
        f"{RUN}/bevinding/A1-home-9-000000000000",
        f"{RUN}/leden/nobody",
        f"{RUN}/huis/nobody",
        f"{DATA}/2026-10/9",
        "/bestuur/werk/999",
    ):
        assert board.get(place).status_code == 404, place


def test_broken_books_are_told_in_words(towns: Towns, tmp_path: Path) -> None:
    with towns.at(Stage.COMPUTED, tmp_path) as town, served(town) as client:
        client.headers["Cookie"] = f"kwartier={town.officer('board')}"
        client.headers["Accept-Language"] = "nl"
        with town.books.engine.connect() as connection:
            names = connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).scalars()
            for name in [each for each in names if "run_computation" in each]:
                connection.execute(text(f"DROP TRIGGER {name}"))
            connection.execute(text("UPDATE run_computation SET result_hash = 'f'"))
            connection.commit()

        answer = client.get("/bestuur/runs/2026-10/1")

        assert answer.status_code == 409
        assert "De boeken kloppen niet" in answer.text
        assert "Bel de beheerder" in answer.text


def test_one_long_thing_is_done_at_a_time() -> None:
    workshop, held = Workshop(), threading.Event()

    def slow(show: Share) -> str:
        show(0.4)
        held.wait(20)
        return "/done"

    first = workshop.begin("compute", "2026-10", "treasurer", slow)
    again = workshop.begin("compute", "2026-10", "treasurer", slow)
    with pytest.raises(BusyError, match="treasurer began to compute 2026-10"):
        workshop.begin("compute", "2026-09", "board", slow)

    assert again is first
    assert (first.share, first.path) == (0.4, "")
    held.set()
    assert first.ended.wait(20)
    assert first.path == "/done"
    assert workshop.begin("compute", "2026-09", "board", lambda _: "/next").path == "/next"
