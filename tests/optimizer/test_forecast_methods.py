"""Blends, newcomers and the choice between methods: what they know, and what they never invent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest

from kwartier.errors import InputError
from optimizer.forecast import Forecast
from optimizer.forecasting.blend import weigh
from optimizer.forecasting.choose import Why, choose
from optimizer.forecasting.clear_sky import ClearSky
from optimizer.forecasting.days import Days
from optimizer.forecasting.history import History, Weather, local_quarters
from optimizer.forecasting.methods import (
    LAST_WEEK,
    USUAL,
    YESTERDAY,
    load_blend,
    load_trees,
    sun_blend,
)
from optimizer.forecasting.newcomer import Newcomer, YoungRoof, usual_shape
from optimizer.forecasting.score import Judged, beside, midnights, said_at, widening
from optimizer.forecasting.sun_experts import clear_at_level
from optimizer.problem import FloatArray

START_S = int(datetime(2026, 1, 4, 23, tzinfo=UTC).timestamp())  # Monday 5 January, 00:00 local
NOTHING = float("nan")


def plain_sky(start_s: int, count: int) -> FloatArray:
    """A sun that stands high at 12:00 UTC and is away from 18:00 to 06:00."""
    hour = (start_s // 900 + np.arange(count)) % 96 / 4
    light: FloatArray = 800 * np.maximum(0.0, np.cos((hour - 12) * np.pi / 12))
    return np.round(light, 6)


@dataclass(frozen=True)
class Always:
    """A method that says the same for ever."""

    name: str
    kw: float
    reach: float = 0.1

    def forecast(self, history: History, steps: int) -> Forecast:  # noqa: ARG002 - it never looks
        likely = np.full(steps, self.kw)
        return Forecast(likely, likely - self.reach, likely + self.reach, np.ones(steps))


def a_week_that_repeats(weeks: int) -> FloatArray:
    """Work days of 1 kW, in the evening 3; weekends of 2 kW all day."""
    work = np.ones(96)
    work[68:88] = 3.0
    return np.tile(np.concatenate([work] * 5 + [np.full(96, 2.0)] * 2), weeks)


def test_a_blend_learns_that_weekends_differ() -> None:
    known = a_week_that_repeats(6)

    friday = load_blend().forecast(History(START_S, known[: -96 * 3]), 96 * 3)

    # Friday, Saturday and Sunday, each within a tenth on average of what always came.
    off = np.abs(friday.likely - known[-96 * 3 :]).reshape(3, 96).mean(axis=1)
    assert off.max() <= 0.2


def test_a_blend_asked_twice_says_the_same_bit_for_bit_and_so_does_another() -> None:
    noise = np.random.default_rng(1).uniform(0.5, 1.5, 96 * 40)
    history, method = History(START_S, noise), load_blend()

    first, again, other = (one.forecast(history, 120) for one in (method, method, load_blend()))

    assert first.likely.tobytes() == again.likely.tobytes() == other.likely.tobytes()
    assert first.low.tobytes() == again.low.tobytes() == other.low.tobytes()


def test_what_comes_later_changes_no_forecast() -> None:
    noise = np.random.default_rng(2).uniform(0.5, 1.5, 96 * 40)
    other = noise.copy()
    other[96 * 30 :] = 9.0

    told = [
        load_blend().forecast(History(START_S, values).until(96 * 30), 96).likely
        for values in (noise, other)
    ]

    assert told[0].tobytes() == told[1].tobytes()


def test_the_rest_of_the_day_follows_what_was_measured_of_it() -> None:
    whole = np.concatenate([np.ones(96 * 20), np.full(40, 1.5)])

    told = load_blend().forecast(History(START_S, whole), 96)

    assert told.likely[0] > 1.4
    assert told.likely[40] < 1.2


def test_a_blend_is_between_zero_and_what_is_known_and_never_makes_up_a_week() -> None:
    told = load_blend().forecast(History(START_S, np.ones(96 * 3)), 8)

    assert np.isnan(told.likely).all()
    assert told.days.tolist() == [0.0] * 8


def test_days_that_are_missing_are_no_zeros() -> None:
    known = np.ones(96 * 30)
    known[96 * 10 : 96 * 14] = NOTHING
    known[5::7] = NOTHING

    told = load_blend().forecast(History(START_S, known), 96)

    assert told.likely == pytest.approx(np.ones(96), abs=1e-6)


def test_weights_go_to_the_expert_who_is_right() -> None:
    came = np.random.default_rng(3).uniform(1, 2, 400)
    said = np.array([came, came + 1.0, 3.0 - came]).T

    weights = weigh(said, came, np.ones(400))

    assert weights[0] > 0.9
    assert (weights >= 0).all()


def test_a_roof_is_learned_without_its_slope_and_dark_stays_dark() -> None:
    sky = plain_sky(START_S, 96 * 32)
    clouds = np.repeat(np.random.default_rng(4).uniform(0.3, 1.0, 32), 96)
    facing = np.where(np.arange(96 * 32) % 96 < 52, 0.8, 1.2)  # better after noon
    made = sky * clouds * facing / 200

    told = sun_blend(plain_sky).forecast(History(START_S, made[: 96 * 31]), 96)

    dark = sky[96 * 31 :] == 0
    assert told.likely[dark].tolist() == told.high[dark].tolist() == [0.0] * int(dark.sum())
    ratio = told.likely[52] / sky[96 * 31 + 52] / (told.likely[48] / sky[96 * 31 + 48])
    assert ratio == pytest.approx(1.2 / 0.8, rel=0.35)


def test_a_day_that_was_asked_in_part_is_known_in_whole_later() -> None:
    made = plain_sky(START_S, 96 * 31) / 200
    method, night = sun_blend(plain_sky), 96 * 30

    method.forecast(History(START_S, made[:night]), 8)
    noon = method.forecast(History(START_S, made[: night + 48]), 8)

    assert noon.likely == pytest.approx(made[night + 48 : night + 56], rel=0.05)


def test_sunlight_that_is_told_until_noon_helps_until_noon() -> None:
    sky = plain_sky(START_S, 96 * 41)
    clouds = np.repeat(np.random.default_rng(6).uniform(0.1, 1.0, 41), 96)
    sun, made = sky * clouds, sky * clouds / 200
    history = History(
        START_S, made[: 96 * 40], Weather(sun[: 96 * 40 + 48], np.full(sun.size, NOTHING))
    )

    told = sun_blend(plain_sky).forecast(history, 48)

    came = made[96 * 40 : 96 * 40 + 48]
    assert np.abs(told.likely - came).sum() < 0.1 * came.sum()


def test_the_first_light_of_a_clear_sky_is_divided_by_nothing() -> None:
    # Just before the sun is up a clear sky tells less than any number can be divided by.
    dawn = np.full((8, 96), 1e-310)
    dawn[:, 40:60] = 500.0
    days = Days(20_000, np.full((8, 96), 1.0), dawn)

    assert clear_at_level(days, 7)[40:60] == pytest.approx(np.full(20, 1.0))


def test_told_weather_makes_a_roof_surer_and_may_vanish() -> None:
    sky = plain_sky(START_S, 96 * 41)
    clouds = np.repeat(np.random.default_rng(5).uniform(0.1, 1.0, 41), 96)
    sun, made = sky * clouds, sky * clouds / 200
    unknown = np.full(sun.size, NOTHING)
    gone = sun.copy()
    gone[96 * 40 :] = NOTHING

    off = {}
    for name, told in (("told", sun), ("gone", gone), ("never", None)):
        weather = None if told is None else Weather(told, unknown)
        history = History(START_S, made[: 96 * 40], weather)
        forecast = sun_blend(plain_sky).forecast(history, 96)
        off[name] = float(np.abs(forecast.likely - made[96 * 40 :]).sum() / made[96 * 40 :].sum())

    assert off["told"] < 0.1
    assert off["gone"] == pytest.approx(off["never"])


def test_the_clear_sky_of_utrecht_is_bright_at_midsummer_noon_and_dark_at_night() -> None:
    start_s = int(datetime(2026, 6, 21, tzinfo=UTC).timestamp())

    light = ClearSky()(start_s, 96)

    # The sun stands 61.3 degrees high: Haurwitz gives 1098 * cos(z) * exp(-0.057 / cos(z)) = 902.
    assert light.max() == pytest.approx(902, abs=8)
    assert 44 <= int(light.argmax()) <= 48  # 11:40 UTC at 5.2 degrees east
    assert light[:8].max() == 0.0
    assert ClearSky()(start_s + 900 * 40, 4).tolist() == light[40:44].tolist()
    with pytest.raises(InputError, match="no place on earth"):
        ClearSky(91, 0)


def test_a_newcomer_gets_the_usual_shape_at_the_level_of_its_first_hours() -> None:
    shape = usual_shape(local_quarters(START_S, 192))
    history = History(START_S, 0.5 * shape[:40])

    told = Newcomer().forecast(history, 96)

    # What the ten hours hold is taken from them, with an hour around; the rest is the shape.
    assert told.likely[4:52] == pytest.approx(0.5 * shape[44:92])
    assert (told.low[4:52] < told.likely[4:52]).all()
    assert (told.high[4:52] > told.likely[4:52]).all()
    assert told.likely[60:90] == pytest.approx(0.5 * shape[100 - 96 : 130 - 96], rel=0.1)


def test_the_usual_shape_is_about_one_over_a_year_and_a_third_more_in_winter() -> None:
    year = usual_shape(local_quarters(START_S, 365 * 96)).reshape(365, 96).mean(axis=1)

    assert year.mean() == pytest.approx(1.0, abs=0.02)
    assert year[:28].mean() / year[182:210].mean() == pytest.approx(1.32, abs=0.03)


def test_who_was_never_measured_has_no_forecast() -> None:
    silent = History(START_S, np.full(96, NOTHING))

    assert np.isnan(Newcomer().forecast(silent, 4).likely).all()
    assert np.isnan(YoungRoof(plain_sky).forecast(silent, 4).likely).all()
    assert (Newcomer(yearly_kwh=2500).forecast(silent, 4).likely > 0).all()


def test_a_young_roof_goes_by_the_days_it_has() -> None:
    made = plain_sky(START_S, 96 * 3) / 200

    told = YoungRoof(plain_sky).forecast(History(START_S, made[: 96 * 2]), 96)

    assert told.likely == pytest.approx(made[96 * 2 :], abs=0.02)


def test_yesterday_and_last_week_say_what_was() -> None:
    known = a_week_that_repeats(2)
    history = History(START_S, known)

    assert LAST_WEEK.forecast(history, 96 * 8).likely.tolist() == [*known[:672], *known[:96]]
    assert YESTERDAY.forecast(history, 192).likely.tolist() == [2.0] * 192  # Sunday, twice


def test_the_method_that_did_best_is_chosen_and_stays_until_another_is_clearly_better() -> None:
    history = History(START_S, np.full(96 * 20, 1.0))
    newcomer = Newcomer()
    methods = [Always("far", 2.0), Always("near", 1.1), Always("nearer", 1.099)]

    fresh = choose(history, methods, newcomer)
    kept = choose(history, methods, newcomer, in_use="near")
    left = choose(history, methods, newcomer, in_use="far")

    assert (fresh.method.name, fresh.why) == ("nearer", Why.BEST)
    assert (kept.method.name, kept.why) == ("near", Why.STAYS)
    assert (left.method.name, left.why) == ("nearer", Why.BEST)
    assert fresh.scores["far"].error == pytest.approx(1.0)
    assert fresh.scores["far"].bias == pytest.approx(1.0)


def test_a_newcomer_is_forecast_by_the_profile_until_a_week_is_known() -> None:
    week = choose(History(START_S, np.ones(96 * 6)), [USUAL], Newcomer())
    more = choose(History(START_S, np.ones(96 * 8)), [USUAL], Newcomer())

    assert (week.method.name, week.why) == ("few-days", Why.NEWCOMER)
    assert (more.method.name, more.why) == ("usual", Why.TOO_FEW_DAYS)


def test_a_range_that_held_too_seldom_is_widened_to_four_times_in_five() -> None:
    # Values 0.01 to 1.00 above what was likely, and a range of 0.1: the 80 % quantile is 0.81.
    came = 5 + np.arange(1, 101) / 100
    likely = np.full(100, 5.0)

    times = widening(Judged(likely, likely - 0.1, likely + 0.1, came))

    assert times == pytest.approx(4.0)  # 8.1 is more than the most
    assert widening(Judged(likely, likely - 0.5, likely + 0.5, came)) == pytest.approx(1.62)


def test_nights_of_a_roof_count_for_no_range() -> None:
    came = np.array([0.0, 0.0, 2.0, 2.0])
    said = Judged(came, came, np.array([0.0, 0.0, 2.5, 1.5]), came)

    assert said.score().coverage == 0.5
    assert said.score().quarters == 4


def test_a_method_is_judged_by_what_was_known_then() -> None:
    history = History(START_S, np.repeat(np.arange(1.0, 5.0), 96))
    at = list(midnights(history))

    said = beside(said_at(YESTERDAY, history, at[1:]))

    assert at == [96, 192, 288]  # whether the first day is whole is not known
    assert (said.came - said.likely)[-96:].tolist() == [1.0] * 96


@pytest.mark.nightly  # loading scikit-learn alone takes seconds
def test_trees_learn_a_day_and_say_when_they_cannot() -> None:
    known = a_week_that_repeats(4)

    grown = load_trees().learn(History(START_S, known[: -96 * 2]))
    told = grown.forecast(History(START_S, known[: -96 * 2]), 96)

    assert np.abs(told.likely - 2.0).mean() < 0.4
    assert (told.low <= told.likely).all()
    assert (told.likely <= told.high).all()
    with pytest.raises(InputError, match="too few"):
        load_trees().learn(History(START_S, known[:96]))
