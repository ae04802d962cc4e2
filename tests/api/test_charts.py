"""The server sends sums and plans to the boards' bucket, with a token of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.charts import ChartsSettings, PlanPoints, read_charts, start_charts
from api.plan_book import SqlitePlanBook
from api.plans import NeighbourhoodPlan, PlannedQuarter
from kwartier.errors import SettingsError
from kwartier.settings import Table
from tests.api.street import street
from tests.collectors.influx_far_side import InfluxFarSide

NOON_S = 1_782_900_000  # 2026-07-01T10:00:00Z


def test_the_keys_are_read_and_the_token_is_in_no_text(tmp_path: Path) -> None:
    (tmp_path / "community.token").write_text("s3cret\n")
    keys = {"url": "http://influx:8086", "organisation": "wijk", "token_file": "community.token"}

    settings = read_charts(Table(keys), tmp_path)

    assert settings == ChartsSettings("http://influx:8086", "wijk", "community", "s3cret")
    assert not settings.residents_only
    assert "s3cret" not in repr(settings)
    assert read_charts(Table({**keys, "audience": "residents"}), tmp_path).residents_only
    with pytest.raises(SettingsError, match="audience is 'all': say one of anybody, residents"):
        read_charts(Table({**keys, "audience": "all"}), tmp_path)
    with pytest.raises(SettingsError, match="colour is not known here"):
        read_charts(Table({**keys, "colour": "green"}), tmp_path)


def test_a_plan_is_told_with_whole_prices(tmp_path: Path) -> None:
    book = SqlitePlanBook(tmp_path / "plans.db")
    quarter = PlannedQuarter(NOON_S, 1000, 750, 500, 610, -0.01234)
    book.keep(NeighbourhoodPlan("p", NOON_S, "optimal", (quarter,), (), 0.0, 0.0))

    (told,) = PlanPoints(book).between(NOON_S - 900, NOON_S + 900)
    nothing = PlanPoints(book).between(NOON_S + 9000, NOON_S + 9900)
    book.close()

    assert (told.start_s, told.solar_wh, told.use_wh) == (NOON_S, 1000, 750)
    assert (told.battery_w, told.soc_permille) == (500, 610)
    assert told.price_ct_per_mwh == -1234
    assert nothing == []


def filled(folder: Path, homes: int) -> dict[str, int]:
    """Return the lines that a server sends of a street, each with how often."""
    server = InfluxFarSide()
    settings = ChartsSettings(server.url, "wijk", "community", "s3cret")
    with street(folder, homes=homes) as place:
        end_of_charts = start_charts(settings, place.house, place.clock)
        end_of_charts()  # it ends after the round it is in
    server.close()
    assert {asked.path for asked in server.asked} <= {
        "/api/v2/write?org=wijk&bucket=community&precision=s"
    }
    return server.stored


def test_a_server_fills_the_boards_with_what_anybody_may_know(tmp_path: Path) -> None:
    lines = filled(tmp_path, homes=6)

    # From midnight in Amsterdam to one o'clock there are 52 quarter-hours, and a day is planned.
    sums = [line for line in lines if line.startswith("community,site=zonnehof homes=6i,solar_w=")]
    plan = [line for line in lines if line.startswith("plan,site=zonnehof solar_w=")]
    assert (len(sums), len(plan), len(lines)) == (52, 96, 148)
    assert not [line for line in lines if "load_w" in line or "import_w" in line]


def test_of_four_homes_nothing_leaves_the_server(tmp_path: Path) -> None:
    assert filled(tmp_path, homes=4) == {}
