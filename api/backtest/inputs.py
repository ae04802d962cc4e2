"""The files and options of a backtest, made into one question."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from api.backtest.prices import laid_beside
from api.backtest.question import Question
from api.backtest.weather import read_weather
from api.replay.meters import Measured, read_meters
from api.street_days import powers, whole_days
from collectors.prices.file import read_prices
from kwartier.errors import ContractError, InputError
from kwartier.interval import QUARTER_S, local_day
from kwartier.wire import Json
from optimizer.as_json.problem_json import problem_from_json
from optimizer.as_json.strict_json import parsed
from optimizer.backtest.course import Course
from optimizer.backtest.walk import BEYOND, Connection
from optimizer.forecast import DAY, WINDOW_DAYS
from optimizer.problem import Battery, Problem

_LOOK_BACK_DAYS = WINDOW_DAYS + 4
_AHEAD_QUARTERS = BEYOND + DAY
_EDGE = 0.05
"""A battery is kept this far from empty and full."""
_WEAR_EUR_PER_KWH = 0.02
_WAY_IN, _WAY_OUT = 0.96, 0.955
"""What is stored of a kWh put in, and given of one stored, where nobody tells."""
USUAL_KWH, USUAL_KW = 4.0, 2.0
"""The size of a battery a household, where none is named."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a kWh costs and earns beside its market price [EUR/kWh].

    Attributes:
        tax_eur_per_kwh: Energy tax on what is taken.
        mark_up_eur_per_kwh: The supplier's on what is taken.
        sell_less_eur_per_kwh: What the supplier keeps of what is given.
    """

    tax_eur_per_kwh: float
    mark_up_eur_per_kwh: float
    sell_less_eur_per_kwh: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands on the command line.

    Attributes:
        meters: The file of measured quarters.
        prices: The file of prices.
        first: The first local day; None for the first whole one.
        last: The last local day; None for the last whole one.
        households: Only these; all where empty.
        limit: Only the first so many.
        batteries: What is steered; where empty one of a usual size for so many households.
        connection: The neighbourhood's.
        tariff: What comes on top of prices.
        weeks: By how many weeks prices are moved; None finds out.
        forecast: What is expected: ``usual`` or ``blend``.
        weather: The file of what was told of the weather; only the blend listens to it.
    """

    meters: Path
    prices: Path
    first: date | None
    last: date | None
    households: tuple[str, ...]
    limit: int | None
    batteries: tuple[Battery, ...]
    connection: Connection
    tariff: Tariff
    weeks: int | None
    forecast: str = "usual"
    weather: Path | None = None


def question_of(asked: Asked) -> Question:
    """Return the question that files and options make.

    Raises:
        InputError: One cannot be used; the message names place, value and remedy.
    """
    prices = read_prices(asked.prices)
    measured = _chosen(read_meters(asked.meters, limit=asked.limit), asked)
    first, last = _days(measured, asked.first, asked.last)
    begin_s = max(_first_s(measured), local_day(first - timedelta(days=_LOOK_BACK_DAYS))[0])
    end_s = min(measured.end_s, local_day(last)[1] + _AHEAD_QUARTERS * QUARTER_S)
    use, sun = powers(measured.meters.values(), begin_s, end_s)
    laid = laid_beside(prices, begin_s, use.size, asked.weeks, (first, last))
    tariff = asked.tariff
    batteries = asked.batteries or (_usual_battery(len(measured.meters)),)
    course = Course(
        begin_s,
        use,
        sun,
        laid.eur_per_kwh + tariff.tax_eur_per_kwh + tariff.mark_up_eur_per_kwh,
        laid.eur_per_kwh - tariff.sell_less_eur_per_kwh,
        None if asked.weather is None else read_weather(asked.weather, begin_s, use.size),
    )
    told: dict[str, Json] = {
        "households": len(measured.meters),
        "prices": laid.said,
        "prices_shift_weeks": laid.weeks,
        "tariff": {
            "tax_eur_per_kwh": tariff.tax_eur_per_kwh,
            "mark_up_eur_per_kwh": tariff.mark_up_eur_per_kwh,
            "sell_less_eur_per_kwh": tariff.sell_less_eur_per_kwh,
            "peak_price_eur_per_kw": asked.connection.peak_price_eur_per_kw,
        },
        "forecast_method": asked.forecast,
    }
    return Question(course, batteries, asked.connection, first, last, told, asked.forecast)


def battery_of(text: str, number: int) -> Battery:
    """Return the battery of ``KWH:KW`` or ``KWH:KW:EFFICIENCY`` (there and back).

    Raises:
        InputError: It is written otherwise, or makes no sense.
    """
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        parts = []
    right = (
        2 <= len(parts) <= 3
        and all(math.isfinite(part) and part > 0 for part in parts)
        and (len(parts) < 3 or parts[2] <= 1)
    )
    if not right:
        raise InputError(
            f"--battery {text!r}: write kWh and kW, and what comes out of what is put in if you "
            "know it, such as 150:75 or 10:5:0.9"
        )
    size_kwh, power_kw = parts[0], parts[1]
    told = len(parts) == 3
    way_in = math.sqrt(parts[2]) if told else _WAY_IN
    way_out = math.sqrt(parts[2]) if told else _WAY_OUT
    return Battery(
        id=f"battery{number}",
        soc_min_kwh=_EDGE * size_kwh,
        soc_max_kwh=(1 - _EDGE) * size_kwh,
        soc_start_kwh=size_kwh / 2,
        charge_max_kw=power_kw,
        discharge_max_kw=power_kw,
        charge_efficiency=way_in,
        discharge_efficiency=way_out,
        wear_eur_per_kwh=_WEAR_EUR_PER_KWH,
    )


def _usual_battery(households: int) -> Battery:
    """Return the battery that is steered where none is named."""
    return battery_of(f"{USUAL_KWH * households:g}:{USUAL_KW * households:g}", 1)


def batteries_in(path: Path) -> tuple[Battery, ...]:
    """Return the batteries of a file: a JSON list, as ``batteries`` of ``kwartier plan``.

    Raises:
        InputError: It cannot be read, names no battery, or an entry makes no sense.
    """
    try:
        told = parsed(path.read_text("utf-8-sig")).value
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read: {error.strerror}: check the name and the file"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no UTF-8 text: write the file as UTF-8") from error
    except ContractError as error:
        raise InputError(f"{path}: {error}") from error
    if not isinstance(told, list):
        raise InputError(f"{path}: give a list of batteries")
    if not told:
        raise InputError(f"{path}: names no battery: name one, or leave --batteries out")
    asked: Json = {
        "interval_hours": 0.25,
        "buy_eur_per_kwh": [0.0],
        "sell_eur_per_kwh": [0.0],
        "batteries": told,
    }
    try:
        problem = problem_from_json(asked)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    _refuse_crossed(path, problem)
    return tuple(
        Battery(
            id=name,
            soc_min_kwh=float(problem.soc_min_kwh[row, 0]),
            soc_max_kwh=float(problem.soc_max_kwh[row, 0]),
            soc_start_kwh=float(problem.soc_start_kwh[row]),
            charge_max_kw=float(problem.charge_max_kw[row, 0]),
            discharge_max_kw=float(problem.discharge_max_kw[row, 0]),
            charge_efficiency=float(problem.charge_efficiency[row]),
            discharge_efficiency=float(problem.discharge_efficiency[row]),
            wear_eur_per_kwh=float(problem.wear_eur_per_kwh[row]),
        )
        for row, name in enumerate(problem.battery_ids)
    )


def _refuse_crossed(path: Path, problem: Problem) -> None:
    """Refuse a band without room: a plan can name that, but nothing can be played again in it."""
    low, high = problem.soc_min_kwh[:, 0], problem.soc_max_kwh[:, 0]
    for name, least, most in zip(problem.battery_ids, low.tolist(), high.tolist(), strict=True):
        if least > most:
            raise InputError(
                f"{path}: batteries.{name}.soc_min_kwh is {least:g}, above soc_max_kwh {most:g}: "
                "lower the one or raise the other"
            )


def _chosen(measured: Measured, asked: Asked) -> Measured:
    if not asked.households:
        return measured
    for name in asked.households:
        if name not in measured.meters:
            raise InputError(f"--households {name}: {asked.meters} has no household of that name")
    return replace(measured, meters={name: measured.meters[name] for name in asked.households})


def _first_s(measured: Measured) -> int:
    return min(meter.start_s for meter in measured.meters.values())


def _days(measured: Measured, first: date | None, last: date | None) -> tuple[date, date]:
    """Return the days that are judged; the whole ones of the file where none are named."""
    begun, ended = whole_days(measured)
    chosen = (first or begun, last or ended)
    if first and last and first > last:
        raise InputError(f"--from {first} --to {last}: the last day is before the first: swap them")
    if not begun <= chosen[0] <= chosen[1] <= ended:
        raise InputError(
            f"--from {chosen[0]} --to {chosen[1]}: the whole days on record are {begun} to {ended}"
        )
    return chosen
