from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from collectors.influx import Influx, InfluxSettings
from dashboards import flux
from kwartier.charts import COMMUNITY, PLAN, SUMS
from tests.collectors.loopback import Reply, far_side
from tests.dashboards import asking
from tests.dashboards import sums_scene as scene

Row = tuple[str, float | None]


def told(question: str) -> list[Row]:
    """Return what was recorded: each time and value, as a client reads them off the wire."""
    body = "\r\n".join(asking.recorded()[question]).encode()
    reply = Reply(200, body, {"Content-Type": "text/csv; charset=utf-8"})
    with (
        far_side(reply) as server,
        Influx(InfluxSettings(server.url, "t", "wijk", COMMUNITY.name)) as door,
    ):
        rows = list(door.ask(question, {}))
    found: list[Row] = []
    for row in rows:
        value = row["_value"]
        assert value is None or isinstance(value, int | float)
        found.append((str(row["_time"])[:16] if "_time" in row else "", value))
    return found


def test_every_question_of_the_boards_was_asked_of_a_real_server() -> None:
    assert sorted(asking.recorded()) == sorted(asking.questions())


@pytest.mark.parametrize("question", asking.questions())
def test_every_question_asks_the_bucket_and_the_range_that_grafana_names(question: str) -> None:
    assert question.count("from(bucket: v.defaultBucket)") == 1
    assert question.count("range(start:") == 1
    assert "stop: v.timeRangeStop)" in question
    assert ("every: 1d" in question) == ('timezone.location(name: "Europe/Amsterdam")' in question)


def test_a_line_has_a_gap_where_nothing_is_known() -> None:
    assert told(flux.over_time(SUMS, "solar_w")) == [
        ("2026-10-25 12:00", 2000),
        ("2026-10-25 12:15", 3000),
        ("2026-10-25 12:30", None),
        ("2026-10-25 12:45", None),
    ]


def test_what_is_shown_in_another_unit_is_divided() -> None:
    full = told(flux.over_time(SUMS, "soc_permille", 10))
    price = told(flux.over_time(PLAN, "price_ct_per_mwh", 100_000))

    assert [value for _, value in full] == [53.5, 53.7, None, None]
    assert [value for _, value in price] == [-0.0125, None, None, None]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (flux.surplus_now(), 3000 - 1500),
        (flux.newest(SUMS, "load_w"), 1500),
        (flux.newest(SUMS, "soc_permille", 10), 53.7),
        (flux.newest(SUMS, "homes"), 6),
        (flux.taken_peak(), 7000 - 1000),
        (flux.self_use(), 100 * (6000 + 1000 + 2000) / (8000 + 2000 + 3000)),
        (flux.self_sufficiency(), 100 * (2000 + 2000 + 1000 + 1000 + 1000 + 1500) / 18000),
    ],
    ids=["surplus", "use", "full", "homes", "peak", "self use", "self sufficiency"],
)
def test_a_number_is_what_a_hand_works_out(question: str, expected: float) -> None:
    assert [value for _, value in told(question)] == [pytest.approx(expected)]


@pytest.mark.parametrize(
    ("question", "first", "second"),
    [
        (flux.shared_by_day(), 200 + 300, 50),
        (flux.sun_used_by_day(), (2000 + 6000) / 4, (1000 + 2000) / 4),
        (flux.sun_given_by_day(), (2000 + 2000) / 4, (1000 + 1000) / 4),
        (flux.taken_peak_by_day(), 3000, 6000),
        (flux.given_peak_by_day(), 2000, 2000),
    ],
    ids=["shared", "used", "given", "taken peak", "given peak"],
)
def test_a_day_is_a_whole_day_of_amsterdam_also_when_clocks_change(
    question: str, first: float, second: float
) -> None:
    assert told(question) == [("2026-10-23 22:00", first), ("2026-10-24 22:00", second)]


def test_the_grid_is_use_and_battery_less_the_sun() -> None:
    assert [value for _, value in told(flux.grid_over_time())] == [-1000, -1000, None, None]


@pytest.fixture(scope="module")
def access() -> tuple[str, str, str]:
    url, token, org = (os.environ.get(name, "") for name in asking.NAMES)
    if not (url and token and org):
        pytest.skip(f"no InfluxDB 2 was named: set {', '.join(asking.NAMES)}")
    return url, token, org


@pytest.fixture(scope="module")
def with_scene(access: tuple[str, str, str]) -> Iterator[InfluxSettings]:
    with asking.bucket_with(*access, scene.lines()) as settings:
        yield settings


@pytest.mark.influx
@pytest.mark.parametrize("question", asking.questions())
def test_a_real_server_answers_as_it_was_recorded(
    with_scene: InfluxSettings, question: str
) -> None:
    flux_text = asking.in_scene(question, with_scene.bucket)

    assert asking.asked(with_scene, flux_text) == asking.recorded()[question]


@pytest.mark.influx
@pytest.mark.parametrize(
    "keeps",
    [
        lambda _: False,
        lambda line: "battery_w" not in line,
        lambda line: line.startswith("plan"),
    ],
    ids=["nothing", "no battery", "only the plan"],
)
def test_a_question_about_little_or_nothing_is_answered_without_an_error(
    access: tuple[str, str, str], keeps: Callable[[str], bool]
) -> None:
    with asking.bucket_with(*access, [line for line in scene.lines() if keeps(line)]) as settings:
        for question in asking.questions():
            answer = asking.asked(settings, asking.in_scene(question, settings.bucket))

            assert not any(",error," in line for line in answer), question


@pytest.mark.influx
def test_without_a_battery_none_is_waited_for(access: tuple[str, str, str]) -> None:
    lines = [line for line in scene.lines() if "battery_w" not in line]
    with asking.bucket_with(*access, lines) as settings:
        answer = asking.asked(settings, asking.in_scene(flux.taken_peak(), settings.bucket))

    assert any(line.startswith(",,0,2026-10-24T10:00:00Z,0") for line in answer)
