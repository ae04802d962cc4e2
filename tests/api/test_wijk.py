"""The board's report: sums over enough homes, as the books have them where they have them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import httpx
import pytest

from api.overview.day_sums import AreaDay
from api.overview.keeper import Overview
from api.overview.own import Standing
from api.overview.periods import Period, Span
from api.overview.wijk import AreaSums, area_sums, savings_this_year
from kwartier.clock import VirtualClock
from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.past import PastTown, past_town
from tests.api.street import DAY, street
from tests.api.town import Towns

OCTOBER = Period.of(Span.MONTH, date(2026, 10, 1))


@pytest.fixture(scope="module")
def past(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PastTown]:
    """October in the record and closed in the books, on 2 November."""
    with past_town(towns, Stage.CLOSED, tmp_path_factory.mktemp("wijk")) as made:
        yield made


@pytest.fixture(scope="module")
def pages(past: PastTown) -> Iterator[httpx.Client]:
    with served(past.town) as client:
        client.headers["Cookie"] = f"kwartier={past.town.officer('board')}"
        yield client


def october(past: PastTown) -> AreaSums:
    found = area_sums(past.town.house, past.overview.days, OCTOBER)
    assert found is not None
    return found


def test_a_month_adds_up_to_what_went_in_and_out(past: PastTown) -> None:
    sums = october(past)

    # Every home's use is its import: no roof of this street is read, so its sun is its export.
    made_and_taken = sums.solar_wh + sums.grid_in_wh + sums.discharged_wh
    assert made_and_taken == sums.use_wh + sums.grid_out_wh + sums.charged_wh
    assert sums.counted == sums.quarters == 30 * 96 + 100
    assert sums.homes == 8


def test_the_battery_went_as_often_as_it_gave_what_it_holds(past: PastTown) -> None:
    sums = october(past)

    # Eight quarters of 250 Wh in and of 200 Wh out on each of 31 days; it holds 120 kWh.
    assert (sums.charged_wh, sums.discharged_wh) == (31 * 2_000, 31 * 1_600)
    assert sums.efficiency == Fraction(4, 5)
    assert sums.cycles == Fraction(31 * 1_600, 120_000)


def test_shared_energy_and_money_are_those_of_the_booked_run(past: PastTown) -> None:
    sums, lines = october(past), past.overview.days.lines(["2026-10"])
    bought_wh = sum(line.energy_wh for line in lines if line.charge == "buy")
    buy, levy = (
        Decimal(sum(line.cents for line in lines if line.charge == charge)) / 100
        for charge in ("buy", "levy")
    )

    assert sums.standing is Standing.FINAL
    assert sums.shared_wh == bought_wh
    assert sums.saved_eur == Decimal(bought_wh) / 1000 * Decimal("0.25") - buy - levy
    assert sums.fund_eur == levy


def test_the_board_reads_page_file_and_json(past: PastTown, pages: httpx.Client) -> None:
    page = pages.get("/bestuur/wijk")
    file = pages.get("/bestuur/wijk.csv?jaar=2026").content.decode("utf-8-sig").split("\r\n")
    json = pages.get("/api/v1/board/wijk?year=2026").json()

    assert "oktober 2026" in page.text
    assert [row.partition(";")[0] for row in file] == ["Maand", "2026-10", "2026-11", ""]
    assert json["months"][0]["peak_in"]["power_w"] == october(past).peak_in.power_w  # type: ignore[union-attr]
    assert json["months"][0]["self_use"] == round(float(october(past).self_use or 0), 4)


@pytest.mark.parametrize("address", ["/bestuur/wijk", "/bestuur/wijk.csv", "/api/v1/board/wijk"])
def test_only_the_board_reads_it(past: PastTown, pages: httpx.Client, address: str) -> None:
    resident = {"Cookie": f"kwartier={past.town.resident('home-1')}"}

    assert pages.get(address, headers=resident).status_code == 403


@pytest.mark.parametrize("year", ["0", "99999", "-1", "x"])
def test_a_year_that_is_none_is_refused(pages: httpx.Client, year: str) -> None:
    assert pages.get(f"/bestuur/wijk?jaar={year}").status_code == 422


def test_a_link_to_grafana_stands_there_when_it_is_set(past: PastTown, pages: httpx.Client) -> None:
    assert "Grafana" not in pages.get("/bestuur/wijk").text
    past.overview.grafana_url = "https://grafana.wijk.example"
    try:
        assert 'href="https://grafana.wijk.example"' in pages.get("/bestuur/wijk").text
    finally:
        past.overview.grafana_url = ""


def test_of_four_homes_nothing_is_told(tmp_path: Path) -> None:
    with street(tmp_path, homes=4) as made:
        house = made.house
        file = tmp_path / "overview.db"
        overview = Overview(house.community, house.store, made.clock, file, people=house.people)
        overview.catch_up()
        told = area_sums(house, overview.days, Period.of(Span.DAY, DAY))
        made.clock.advance(3 * 86_400)
        saved = savings_this_year(replace(house, overview=overview))
        overview.close()

    assert told is None
    assert saved is None


def test_the_public_number_holds_whole_days_that_are_a_day_old(past: PastTown) -> None:
    house, file = past.town.house, past.overview.days
    saved = october(past).saved_eur
    today = AreaDay(date(2026, 11, 1), 0, 96, 96, 8, saved_ueur=50_000_000)
    file.keep_day(today, ())

    at_nine = savings_this_year(house)  # at nine on 2 November: the 1st ended nine hours ago
    later = VirtualClock(house.clock.now_s() + 86_400)
    a_day_later = savings_this_year(replace(house, clock=later))
    file.keep_day(AreaDay(today.day, 0, 96), ())

    assert at_nine == saved.to_integral_value("ROUND_FLOOR")
    assert a_day_later == (saved + 50).to_integral_value("ROUND_FLOOR")


def test_a_house_without_an_overview_says_that_it_comes(towns: Towns, tmp_path: Path) -> None:
    with towns.at(Stage.READY, tmp_path) as town, served(town) as client:
        resident = {"Cookie": f"kwartier={town.resident()}"}
        board = {"Cookie": f"kwartier={town.officer('board')}"}
        pages = [
            client.get("/overzicht", headers=resident).status_code,
            client.get("/bestuur/wijk", headers=board).status_code,
            client.get("/api/v1/overview", headers=resident).status_code,
            client.get("/overzicht.csv", headers=resident).status_code,
            client.get("/api/v1/board/wijk", headers=board).status_code,
        ]

        assert savings_this_year(town.house) is None
    assert pages == [200, 200, 404, 404, 404]


def test_a_peak_says_when_it_was(past: PastTown) -> None:
    sums = october(past)
    assert sums.peak_in is not None
    day = date(2026, 10, 1) + timedelta(seconds=sums.peak_in.start_s - 1_790_805_600)

    (of_day,) = past.overview.days.area_days(day, day + timedelta(days=1))
    assert sums.peak_in.power_w == 4 * of_day.peak_in_wh
    assert sums.peak_in.start_s == of_day.peak_in_s
