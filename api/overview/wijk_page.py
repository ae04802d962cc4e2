"""What the board's page Wijk shows, in words, and the same as a file."""

from __future__ import annotations

import csv
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from io import StringIO

from api.overview.csv_files import BYTE_ORDER_MARK
from api.overview.drawing import Bars, Stack, bars_of
from api.overview.wijk import AreaSums, Peak, WijkReport
from api.pages.language import Language
from kwartier.interval import HOME_ZONE, day_of
from kwartier.units import kwh_text

COLUMNS = (
    "self_use",
    "self_sufficiency",
    "solar",
    "use",
    "shared",
    "grid_in",
    "grid_out",
    "peak_in",
    "peak_out",
    "cycles",
    "efficiency",
    "saved",
    "fund",
)
"""What is told of each month, by the names of its words."""


DASH = "\N{EN DASH}"
"""Stands for what is not known."""


def wijk_values(report: WijkReport, lang: Language, grafana_url: str) -> dict[str, object]:
    """Return everything that the template ``board_wijk`` asks for."""
    whole = report.whole
    rows = [
        (lang.month_name(month.first), cells(month, lang), month)
        for month in report.months
        if month is not None
    ]
    return {
        "report": report,
        "whole": whole,
        "columns": COLUMNS,
        "rows": rows,
        "total": None if whole is None else cells(whole, lang),
        "trends": _trends(report, lang),
        "solar_bars": _bars(report, lang, "solar"),
        "use_bars": _bars(report, lang, "use"),
        "percent": lambda part: _percent(part, lang),
        "power": lambda peak: _power(peak, lang),
        "when": lambda peak: "" if peak is None else _when(peak, lang),
        "grafana_url": grafana_url,
    }


def cells(sums: AreaSums, lang: Language) -> list[str]:
    """Return one month's cells, in the order of the columns; a dash for what is not known."""
    measured = sums.counted > 0

    def energy(energy_wh: int) -> str:
        return lang.kwh(energy_wh, 0) if measured else DASH

    return [
        _percent(sums.self_use, lang),
        _percent(sums.self_sufficiency, lang),
        energy(sums.solar_wh),
        energy(sums.use_wh),
        lang.kwh(sums.shared_wh, 0),
        energy(sums.grid_in_wh),
        energy(sums.grid_out_wh),
        _power(sums.peak_in, lang),
        _power(sums.peak_out, lang),
        DASH if sums.cycles is None or not measured else lang.number(float(sums.cycles)),
        _percent(sums.efficiency, lang),
        lang.euro(sums.saved_eur),
        lang.euro(sums.fund_eur),
    ]


def wijk_file(report: WijkReport, lang: Language) -> str:
    """Return the months as a file for a spreadsheet: ``;`` between, commas in numbers."""
    text = StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    names = [f"{lang.say(f'wijk.column.{name}')} ({_UNITS[name]})" for name in COLUMNS]
    writer.writerow(
        [
            lang.say("wijk.column.month"),
            *names,
            *(lang.say(f"wijk.column.{name}") for name in _ENDS),
        ]
    )
    for month in report.months:
        if month is not None:
            writer.writerow([f"{month.first:%Y-%m}", *_plain(month), *_ends(month, lang)])
    return BYTE_ORDER_MARK + text.getvalue()


_ENDS = ("peak_in_when", "peak_out_when", "counted", "homes", "standing")
_UNITS = {
    "self_use": "%",
    "self_sufficiency": "%",
    "solar": "kWh",
    "use": "kWh",
    "shared": "kWh",
    "grid_in": "kWh",
    "grid_out": "kWh",
    "peak_in": "kW",
    "peak_out": "kW",
    "cycles": "1",
    "efficiency": "%",
    "saved": "EUR",
    "fund": "EUR",
}


def _plain(month: AreaSums) -> list[str]:
    """Return a month's numbers as a spreadsheet reads them; empty for what is not known."""
    measured = month.counted > 0
    energies = [
        month.solar_wh if measured else None,
        month.use_wh if measured else None,
        month.shared_wh,
        month.grid_in_wh if measured else None,
        month.grid_out_wh if measured else None,
    ]
    told = [
        _decimals(month.self_use, 100),
        _decimals(month.self_sufficiency, 100),
        *("" if one is None else kwh_text(one) for one in energies),
        *("" if one is None else kwh_text(one.power_w) for one in (month.peak_in, month.peak_out)),
        _decimals(month.cycles if measured else None, 1),
        _decimals(month.efficiency, 100),
        str(round(month.saved_eur, 2)),
        str(round(month.fund_eur, 2)),
    ]
    return [one.replace(".", ",") for one in told]


def _ends(month: AreaSums, lang: Language) -> list[str]:
    whens = ["" if peak is None else _instant(peak) for peak in (month.peak_in, month.peak_out)]
    counted = "" if not month.quarters else _decimals(Fraction(month.counted, month.quarters), 100)
    standing = lang.say(f"overview.standing.{month.standing}")
    return [*whens, counted.replace(".", ","), str(month.homes), standing]


def _decimals(value: Fraction | None, times: int) -> str:
    if value is None:
        return ""
    return str(round(Decimal(value.numerator * times) / value.denominator, 1))


def _instant(peak: Peak) -> str:
    return datetime.fromtimestamp(peak.start_s, HOME_ZONE).isoformat()


def _percent(part: Fraction | None, lang: Language) -> str:
    return DASH if part is None else lang.say("wijk.percent", n=lang.whole(round(part * 100)))


def _power(peak: Peak | None, lang: Language) -> str:
    return DASH if peak is None else lang.kw(peak.power_w)


def _when(peak: Peak, lang: Language) -> str:
    day = day_of(peak.start_s)
    return lang.say("wijk.when", day=lang.full_date(day), time=lang.quarter_name(peak.start_s))


def _trends(report: WijkReport, lang: Language) -> list[str]:
    """Return how the last whole months did beside the same months of the year before."""
    told = []
    for month, before in zip(report.months, report.before, strict=True):
        if month is None or before is None or _is_partial(month) or _is_partial(before):
            continue
        if month.self_use is not None and before.self_use is not None:
            name = lang.month_name(month.first)
            now, then = _percent(month.self_use, lang), _percent(before.self_use, lang)
            told.append(lang.say("wijk.trend.month", month=name, now=now, then=then))
    return told[-3:]


def _bars(report: WijkReport, lang: Language, what: str) -> Bars | None:
    """Return the sun or the use of each month, what stayed in the neighbourhood below."""
    stacks = []
    for place, month in enumerate(report.months):
        parts = None
        if month is not None and month.counted:
            whole, grid = (
                (month.solar_wh, month.grid_out_wh)
                if what == "solar"
                else (month.use_wh, month.grid_in_wh)
            )
            parts = max(0, whole - grid), min(whole, grid)
        label = "" if place % 2 else lang.short_month(date(report.year, place + 1, 1))
        stacks.append(Stack(parts, is_partial=_is_partial(month), label=label))
    return bars_of(stacks, 2) if any(one.parts_wh is not None for one in stacks) else None


def _is_partial(month: AreaSums | None) -> bool:
    return month is not None and 0 < month.counted < month.quarters
