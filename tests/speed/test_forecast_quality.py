"""How far off forecasts are, on measured homes and roofs, on days that chose nothing.

``KWARTIER_SAMPLES`` names a folder with ``households/*.parquet``; the series are not ours to
publish. What was tried out was tried on other days and other groups: sixteen homes on groups 1 to
10, the street on its first 200 days, the single house before day 200, its roof in odd weeks. Here
are the others. A day is forecast at its midnight, with what was known then. Seasonal naive is the
better of yesterday and the same day last week, per series.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from optimizer.forecasting.choose import choose
from optimizer.forecasting.clear_sky import ClearSky
from optimizer.forecasting.history import (
    History,
    IntArray,
    Method,
    Weather,
    local_quarters,
)
from optimizer.forecasting.methods import (
    LAST_WEEK,
    SAME_WEEKDAY,
    SUN_FOLLOW,
    USUAL,
    YESTERDAY,
    load_blend,
    load_trees,
    sun_blend,
)
from optimizer.forecasting.newcomer import Newcomer, usual_shape
from optimizer.forecasting.score import Judged, Score, beside, midnights, said_at
from optimizer.nowcast import DEFAULT_NOWCAST, Follow
from optimizer.problem import FloatArray

pytestmark = [pytest.mark.speed, pytest.mark.timeout(1200)]
"""The longest takes two minutes on a quiet machine; a busy one takes ten times as long."""
FOLDER = Path(os.environ.get("KWARTIER_SAMPLES", "")) / "households"
HELD = 0.05
GROUP = 16
DAY = 96
EVERY_HOUR = range(0, DAY, 4)
FRENCH_ALPS = (45.83, 6.86)
"""Where the single house may be; nobody says so. Two degrees do not matter to what is learned."""


def columns(name: str) -> tuple[int, dict[str, FloatArray]]:
    """Return the start [s] and the columns of a file with one row a quarter or half-hour."""
    table = pq.read_table(_file(name))
    starts, size = _places(table)
    found = {}
    for column in table.schema.names:
        if pa.types.is_floating(table.schema.field(column).type):
            whole = np.full(size, np.nan)
            whole[starts[1]] = table[column].to_numpy()
            found[column] = whole
    return starts[0], found


def homes(name: str, column: str) -> tuple[int, FloatArray]:
    """Return the start [s] and the power of each home, shape ``(H, N)`` [kW]."""
    table = pq.read_table(_file(name))
    (start_s, place), size = _places(table)
    names, home = np.unique(np.array(table["household"].to_pylist()), return_inverse=True)
    whole = np.full((names.size, size), np.nan)
    whole[home, place] = 4 * table[column].to_numpy()
    return start_s, whole


def show(title: str, found: dict[str, Score]) -> None:
    print(f"\n{title}")
    for name, one in found.items():
        parts = [
            f"{100 * part:6.1f}" if part is not None else "     -"
            for part in (one.error, one.bias, one.coverage)
        ]
        print(f"  {name:28} error {parts[0]} %  bias {parts[1]} %  in range {parts[2]} %")


def scores(history: History, methods: Sequence[Method], at: list[int]) -> dict[str, Judged]:
    return {method.name: beside(said_at(method, history, at)) for method in methods}


def chosen(history: History, methods: Sequence[Method], newcomer: Method, at: list[int]) -> Judged:
    """Return what the method chosen each week would have said, its range made to hold."""
    return with_next_hour(history, methods, newcomer, at, [])[0]


def with_next_hour(
    history: History,
    methods: Sequence[Method],
    newcomer: Method,
    at: list[int],
    slots: Sequence[int] = EVERY_HOUR,
    follow: Follow = DEFAULT_NOWCAST.use,
) -> tuple[Judged, Judged]:
    """Return the same, and what it would have said of the next hour at some quarters of each day.

    The method in use stays until another is clearly better, as on a server.

    A whole number of hours after midnight is the odd day out twice a year, and does not matter.
    """
    days, hours = [], []
    in_use: str | None = None
    for first in range(0, len(at), 7):
        week = at[first : first + 7]
        known = history.until(week[0])
        method = choose(known, methods, newcomer, in_use=in_use, follow=follow).method
        in_use = method.name
        days.append(beside(said_at(method, history, week)))
        hours.append(
            beside(said_at(method, history, [day + slot for day in week for slot in slots], 4))
        )
    return Judged.of(days), Judged.of(hours)


def error(one: Score) -> float:
    assert one.error is not None
    return one.error


def assert_held(one: Score) -> None:
    assert one.coverage is not None
    assert one.coverage == pytest.approx(0.8, abs=HELD)


def test_sixteen_homes_are_forecast_better_than_by_a_fifth() -> None:
    start_s, all_kw = homes("ch_2018_15min.parquet", "kwh_import")
    order = np.random.default_rng(1).permutation(len(all_kw))
    parts: dict[str, list[Judged]] = {}
    methods: list[Method] = [YESTERDAY, LAST_WEEK, USUAL, SAME_WEEKDAY, load_blend()]
    for number in range(10, 20):
        members = order[number * GROUP : (number + 1) * GROUP]
        history = History(start_s, all_kw[members].sum(axis=0))
        at = list(midnights(history))[20:]
        told = scores(history, methods, at)
        told["chosen"], told["next hour"] = with_next_hour(
            history, [USUAL, SAME_WEEKDAY, load_blend()], Newcomer(), at
        )
        for name, one in told.items():
            parts.setdefault(name, []).append(one)
    found = {name: Judged.of(some).score() for name, some in parts.items()}
    show("Swiss homes 2018, ten groups of 16, day ahead", found)

    naive = min(error(found["yesterday"]), error(found["last-week"]))
    print(f"  goal {100 * min(0.2, 0.85 * naive):.1f} %: the harder of 20 % and 0.85 x naive")
    assert error(found["chosen"]) <= min(0.2, 0.85 * naive)
    assert_held(found["chosen"])
    assert_held(found["next hour"])


def test_homes_one_by_one_are_forecast_better_than_by_yesterday_and_their_ranges_hold() -> None:
    start_s, all_kw = homes("ch_2018_15min.parquet", "kwh_import")
    order = np.random.default_rng(1).permutation(len(all_kw))
    parts: dict[str, list[Judged]] = {"chosen": [], "next hour": [], "yesterday": [], "usual": []}
    began = time.process_time()
    for home in order[10 * GROUP : 10 * GROUP + 40]:
        history = History(start_s, all_kw[home])
        at = list(midnights(history))[20:]
        # Each home has a blend of its own, which remembers.
        day, hour = with_next_hour(
            history, [load_blend(), USUAL, SAME_WEEKDAY], Newcomer(), at, range(0, DAY, 12)
        )
        for name, one in (("chosen", day), ("next hour", hour)):
            parts[name].append(one)
        for method in (YESTERDAY, USUAL):
            parts[method.name].append(beside(said_at(method, history, at)))
    took_s = time.process_time() - began
    found = {name: Judged.of(some).score() for name, some in parts.items()}
    show(f"Swiss homes 2018, forty by themselves ({took_s:.0f} s)", found)
    for name in ("chosen", "next hour"):
        each = [one.score() for one in parts[name]]
        for what in ("error", "bias", "coverage"):
            over = [100 * part for part in (getattr(one, what) for one in each) if part is not None]
            low, middle, high = np.quantile(over, [0.25, 0.5, 0.75])
            print(f"  {name}, {what}: {middle:.1f} % ({low:.1f} to {high:.1f}) over the homes")

    assert error(found["chosen"]) < min(error(found["yesterday"]), error(found["usual"]))
    assert_held(found["chosen"])
    assert_held(found["next hour"])


def test_a_street_of_39_is_forecast_better_than_by_a_fifth() -> None:
    name = "de_simbench_neighbourhood_2016_15min.parquet"
    start_s, taken = homes(name, "kwh_import")
    use = taken.sum(axis=0) + homes(name, "pv_kwh")[1].sum(axis=0)
    history = History(start_s, use - homes(name, "kwh_export")[1].sum(axis=0))
    at = list(midnights(history))[200:]
    told = scores(history, [YESTERDAY, LAST_WEEK, USUAL, SAME_WEEKDAY, load_blend()], at)
    told["chosen"], told["next hour"] = with_next_hour(
        history, [USUAL, SAME_WEEKDAY, load_blend()], Newcomer(), at
    )
    found = {name: one.score() for name, one in told.items()}
    show("SimBench street 2016 of 39 connections, day 201 on, day ahead", found)

    naive = min(error(found["yesterday"]), error(found["last-week"]))
    print(f"  goal {100 * min(0.2, 0.85 * naive):.1f} %: the harder of 20 % and 0.85 x naive")
    assert error(found["chosen"]) <= min(0.2, 0.85 * naive)
    assert_held(found["chosen"])


def test_one_house_is_mostly_chance_and_its_range_says_so() -> None:
    start_s, found = columns("fr_house_2024_30min.parquet")
    history = History(start_s, _halves(found["load_w"]) / 1000)
    at = list(midnights(history))[199:]
    told = scores(history, [YESTERDAY, LAST_WEEK, USUAL, load_blend()], at)
    told["chosen"], told["next hour"] = with_next_hour(
        history, [USUAL, load_blend()], Newcomer(), at
    )
    began = time.perf_counter()
    grown = load_trees().learn(history.until(at[0]))
    print(f"\ntrees were grown in {time.perf_counter() - began:.1f} s")
    month = at[:28]
    some = scores(history, [USUAL, load_blend(), grown], month)
    show("French house 2024, day 200 on, day ahead", {n: one.score() for n, one in told.items()})
    show("the same, the first 28 of those days", {n: one.score() for n, one in some.items()})

    assert error(told["chosen"].score()) < error(told["usual"].score())
    assert_held(told["chosen"].score())
    assert_held(told["next hour"].score())


def test_a_roof_without_weather_is_forecast_within_43_and_25_percent_and_better_with_it() -> None:
    start_s, found = columns("fr_house_2024_30min.parquet")
    sky = ClearSky(*FRENCH_ALPS)
    light = sky(start_s, found["pv_w"].size)
    made = np.where(light <= 0, 0.0, _halves(found["pv_w"]) / 1000)
    sun = _halves(found["pv_forecast_w"])
    alone = History(start_s, made)
    told = History(start_s, made, Weather(sun, np.full(sun.size, np.nan)))
    whole = [start for start in midnights(alone) if np.isnan(made[start : start + DAY]).sum() <= 4]
    judged_days = [start for start in whole if start >= 30 * DAY and _week(start) % 2 == 0]
    dark = np.where(light <= 20, 0.0, sun)
    with_told = [one for one in judged_days if np.isnan(dark[one : one + DAY]).sum() <= 8]
    blend = sun_blend(sky)
    found_all = scores(alone, [YESTERDAY, blend], judged_days)
    by_day = range(20, 84, 2)
    found_all["chosen"], next_hour = with_next_hour(
        alone, [YESTERDAY, blend], Newcomer(), judged_days, by_day, SUN_FOLLOW
    )
    hour = next_hour.score()
    hours = [day + slot for day in judged_days for slot in by_day]
    some = {
        "without weather": beside(said_at(blend, alone, with_told)).score(),
        "with weather": beside(said_at(blend, told, with_told)).score(),
        "next hour without": beside(said_at(blend, alone, hours[::5], 4)).score(),
    }
    show(
        f"French roof 2024, {len(judged_days)} days of even weeks, day ahead",
        {name: one.score() for name, one in found_all.items()} | {"next hour": hour},
    )
    show(f"the {len(with_told)} of them with a logged forecast", some)

    assert error(found_all["chosen"].score()) <= 0.43
    assert error(hour) <= 0.25
    assert error(some["with weather"]) < error(some["without weather"])
    assert_held(found_all["chosen"].score())
    assert_held(hour)


def test_feeders_of_the_grid_are_forecast_better_than_by_last_week() -> None:
    start_s, found = columns("nl_feeders_2020q4_15min.parquet")
    for name, power in found.items():
        history = History(start_s, power)
        at = list(midnights(history))[28:]
        told = scores(history, [YESTERDAY, LAST_WEEK, USUAL, load_blend()], at)
        told["chosen"] = chosen(history, [USUAL, load_blend()], Newcomer(), at)
        show(f"Dutch feeder {name}, last quarter of 2020", {n: o.score() for n, o in told.items()})

        naive = min(error(told["yesterday"].score()), error(told["last-week"].score()))
        assert error(told["chosen"].score()) < naive


def test_the_shape_for_newcomers_is_near_the_official_one() -> None:
    start_s, found = columns("nl_standard_profiles_2020q4_15min.parquet")
    official = found["sjv_E1A"]
    known = ~np.isnan(official)
    shape = usual_shape(local_quarters(start_s, official.size))
    level = official[known].mean() / shape[known].mean()
    off = np.abs(level * shape[known] - official[known]).mean() / official[known].mean()
    print(f"\nnewcomer's shape against profile E1A, last quarter of 2020: {100 * off:.1f} % off")

    assert off < 0.2


def _file(name: str) -> Path:
    path = FOLDER / name
    if "KWARTIER_SAMPLES" not in os.environ or not path.is_file():
        pytest.skip(f"set KWARTIER_SAMPLES to a folder with households/{name}")
    return path


def _places(table: pa.Table) -> tuple[tuple[int, IntArray], int]:
    at_s = table["utc"].to_numpy().astype("datetime64[s]").astype(np.int64)
    place = (at_s - at_s.min()) // 900
    return (int(at_s.min()), place), int(place.max()) + 2


def _halves(values: FloatArray) -> FloatArray:
    """Return half-hours as two quarters each."""
    whole = values.copy()
    whole[1::2] = whole[: whole.size // 2 * 2 : 2]
    return whole


def _week(start: int) -> int:
    return (start // DAY + 2) // 7
