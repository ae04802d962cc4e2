"""The weekly sheet: good hours as shapes and letters, in words where there are none."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from api.pages.language import language
from api.pages.paper_week import LastWeek, week_rows, week_values
from api.pages.render import Pages
from api.week import DayMoments, HourMoment, moments_of_week
from kwartier.interval import local_day
from optimizer.moment import Moment
from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.past import past_town
from tests.api.street import Street, street
from tests.api.town import Towns

NIGHT_S = int(datetime(2026, 7, 1, 21, 30, tzinfo=UTC).timestamp())


@pytest.fixture(scope="module")
def sunny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Street, httpx.Client]]:
    """Six homes at half past eleven in the evening of a sunny day."""
    folder = tmp_path_factory.mktemp("week")
    with street(folder, homes=6, now_s=NIGHT_S) as made, served(made) as client:
        yield made, client


def test_a_good_hour_is_a_letter_in_a_shape_with_its_name(
    sunny: tuple[Street, httpx.Client],
) -> None:
    _, client = sunny
    client.cookies.clear()
    page = client.get("/week").text

    assert '<td class="good"><span role="img" aria-label="goed moment">V</span></td>' in page
    assert page.count('<th scope="row" class="day">') == 7
    assert "donderdag 2 juli tot en met woensdag 8 juli" in page
    assert "Vraag het aan het bestuur van de wijk." in page
    assert "Vorige week" not in page
    assert "huis-01" not in page


def test_the_sheet_is_a_tagged_paper_in_either_language(
    sunny: tuple[Street, httpx.Client],
) -> None:
    made, client = sunny
    client.cookies.set("kwartier", made.session())
    dutch, english = client.get("/week.pdf"), client.get("/week/gang.pdf?lang=en")
    own, hallway = (PdfReader(io.BytesIO(each.content)) for each in (dutch, english))

    assert dutch.headers["content-type"] == "application/pdf"
    for reader, tag in ((own, "nl"), (hallway, "en")):
        assert entry(reader, "/Root", "/Lang") == tag
        assert str(entry(reader, "/Root", "/MarkInfo", "/Marked")).lower() == "true"
        assert len(reader.pages) == 1
    assert "huis-01" in own.pages[0].extract_text()
    assert "huis-01" not in hallway.pages[0].extract_text()
    assert "Good moments to use power" in hallway.pages[0].extract_text()


def entry(reader: PdfReader, *names: str) -> object:
    """Return what a PDF says in a place below its trailer."""
    found: object = reader.trailer
    for name in names:
        assert isinstance(found, DictionaryObject)
        found = found[name].get_object()
    return found


def test_the_same_week_is_told_to_programs(sunny: tuple[Street, httpx.Client]) -> None:
    _, client = sunny
    week = client.get("/api/v1/week").json()

    assert [day["day"] for day in week] == [f"2026-07-0{place}" for place in range(2, 9)]
    assert week[0]["hours"][12] == {"start": "2026-07-02T12:00:00+02:00", "state": "good"}


def test_the_last_week_stands_below_the_grid(sunny: tuple[Street, httpx.Client]) -> None:
    made, _ = sunny
    last = LastWeek(31_000, Decimal("4.4"))
    values = week_values(made.house, moments_of_week(made.house), "huis-01", last)

    html = Pages().draw("week_paper.html", language("nl"), css="", **values)

    assert "Gedeelde zon: 31,0 kWh. U bespaarde ongeveer €\xa04,40." in html


@pytest.mark.nightly
def test_a_home_reads_what_the_last_week_brought(towns: Towns, tmp_path: Path) -> None:
    """Asked on Monday 2 November: six days of October are in the books, 1 November is not."""
    with past_town(towns, Stage.CLOSED, tmp_path) as past, served(past.town) as client:
        client.cookies.set("kwartier", past.town.resident("home-1"))
        days = past.overview.days.home_days("home-1", date(2026, 10, 26), date(2026, 11, 2))
        newest = {day.day: day for day in sorted(days, key=lambda day: day.origin)}
        shared_wh = sum(day.bought_wh for day in newest.values())
        page = client.get("/week").text
        hallway = client.get("/week/gang").text

    assert len(newest) == 7
    assert f"Gedeelde zon: {shared_wh / 1000:.1f} kWh.".replace(".", ",", 1) in page
    assert "U bespaarde ongeveer €" in page
    assert "Gedeelde zon:" not in hallway
    assert "home-1" not in hallway


@pytest.mark.parametrize(
    ("states", "sentence"),
    [
        ([Moment.UNKNOWN] * 24, "unknown"),
        ([Moment.NORMAL] * 24, "none"),
        ([Moment.UNKNOWN] * 12 + [Moment.LATER] * 12, "none"),
        ([Moment.GOOD] * 7 + [Moment.NORMAL] * 17, "none"),
        ([Moment.LATER] * 12 + [Moment.GOOD] * 2 + [Moment.NORMAL] * 10, ""),
    ],
)
def test_a_day_without_a_good_hour_is_said_in_words(states: list[Moment], sentence: str) -> None:
    start_s, _ = local_day(date(2026, 7, 2))
    hours = tuple(HourMoment(start_s + 3600 * at, state) for at, state in enumerate(states))

    row = week_rows((DayMoments(date(2026, 7, 2), hours),))[0]

    assert row.sentence == sentence
    assert row.hours == tuple(states[8:21])


def test_the_hour_that_comes_twice_moves_no_other_hour() -> None:
    """On 25 October the thirteenth hour of the day is noon."""
    start_s, end_s = local_day(date(2026, 10, 25))
    hours = tuple(
        HourMoment(at_s, Moment.GOOD if at == 13 else Moment.NORMAL)
        for at, at_s in enumerate(range(start_s, end_s, 3600))
    )

    row = week_rows((DayMoments(date(2026, 10, 25), hours),))[0]

    assert len(hours) == 25
    assert [8 + at for at, state in enumerate(row.hours) if state is Moment.GOOD] == [12]
