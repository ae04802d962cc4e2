"""The page of a backtest: one file, no script, nothing fetched, readable on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from api.backtest.drawings import Played, plots_of, savings_plot
from api.backtest.question import Question, WorkFolder
from api.backtest.run import of_perfect, outcomes, saving_eur
from api.backtest.words import (
    Language,
    day_name,
    euros,
    number,
    percent,
    policy_name,
    word,
)
from kwartier.durable import replace_file
from kwartier.errors import InputError
from kwartier.wire import Json
from optimizer.backtest.outcome import Outcome
from optimizer.backtest.policies import NONE, PERFECT, TRACKING, Policy

_DASH = "\u2013"


def write_report(
    path: Path,
    folder: WorkFolder,
    question: Question,
    policies: Sequence[Policy],
    answer: dict[str, Json],
    lang: Language,
) -> None:
    """Write the page.

    Raises:
        InputError: It cannot be written.
    """
    page = page_of(folder, question, policies, answer, lang)
    try:
        replace_file(path, page.encode())
    except OSError as error:
        raise InputError(f"--report {path}: {error.strerror}: name another file") from error


def page_of(
    folder: WorkFolder,
    question: Question,
    policies: Sequence[Policy],
    answer: dict[str, Json],
    lang: Language,
) -> str:
    """Return the page."""
    found = outcomes(folder, question, policies)
    played = Played.of(folder, question, policies)
    best = _best(found)
    parts = [
        f"<h1>{escape(word('title', lang))}</h1>",
        f"<p>{escape(word('lead', lang))}</p>",
        _about(question, answer, lang),
        _headline(found, best, lang),
        '<div class="plots">',
        savings_plot(found, lang),
        *plots_of(question, played, best, lang),
        "</div>",
        _table(found, lang),
        _what_ifs(answer, best, lang),
        _foreseen(answer, lang),
    ]
    title = escape(word("title", lang))
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main>"
        + "\n".join(parts)
        + "</main></body></html>\n"
    )


def _about(question: Question, answer: dict[str, Json], lang: Language) -> str:
    weeks = answer["prices_shift_weeks"]
    assert isinstance(weeks, int)
    key = "own_time" if weeks == 0 else "shifted" if weeks > 0 else "earlier"
    usable = sum(
        float(np.mean(one.soc_max_kwh) - np.mean(one.soc_min_kwh)) for one in question.batteries
    )
    power = sum(float(np.mean(one.discharge_max_kw)) for one in question.batteries)
    told = [
        ", ".join(
            [
                word(
                    "days",
                    lang,
                    first=day_name(question.first, lang),
                    last=day_name(question.last, lang),
                ),
                word("homes", lang, count=str(answer["households"])),
                word("battery", lang, kwh=number(usable, lang), kw=number(power, lang)),
            ]
        )
        + ".",
        word(key, lang, weeks=str(abs(weeks))),
    ]
    for name, key in (
        ("quarters_without_price", "no_price"),
        ("quarters_not_measured", "not_measured"),
    ):
        if answer[name]:
            told.append(word(key, lang, count=str(answer[name])))
    return f'<p class="about">{escape(" ".join(told))}</p>'


def _best(found: dict[str, Outcome]) -> str:
    """Return the way of steering that the page speaks of: tracking, or the best that was played."""
    if TRACKING in found:
        return TRACKING
    others = [name for name in found if name not in {NONE, PERFECT, "bound"}]
    return min(others or list(found), key=lambda name: found[name].cost_eur)


def _headline(found: dict[str, Outcome], best: str, lang: Language) -> str:
    saved, part = saving_eur(best, found), of_perfect(best, found)
    if saved is None or part is None:
        return ""
    text = word(
        "headline",
        lang,
        name=policy_name(best, lang).capitalize(),
        saving=euros(saved, lang),
        part=percent(part, lang),
    )
    return f'<p class="headline">{escape(text)}</p>'


def _table(found: dict[str, Outcome], lang: Language) -> str:
    heads = ["way", "cost", "saving", "part", "peak", "self_use", "sufficiency", "cycles", "age"]
    rows = []
    for name, one in found.items():
        saved = saving_eur(name, found)
        cells = [
            euros(one.cost_eur, lang),
            _DASH if saved is None else euros(saved, lang),
            percent(of_perfect(name, found), lang),
            f"{number(one.peak_kw, lang)} kW",
            percent(one.self_use, lang),
            percent(one.self_sufficiency, lang),
            number(one.cycles, lang),
            _DASH
            if one.plan_age_hours is None
            else f"{number(one.plan_age_hours, lang, 1)} {word('hours', lang)}",
        ]
        told = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        rows.append(f'<tr><th scope="row">{escape(policy_name(name, lang))}</th>{told}</tr>')
    head = "".join(f'<th scope="col">{escape(word(key, lang))}</th>' for key in heads)
    title = escape(word("table", lang))
    return (
        f'<h2>{title}</h2><div class="wide" tabindex="0" role="region" aria-label="{title}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _what_ifs(answer: dict[str, Json], best: str, lang: Language) -> str:
    """Return what else was asked, a line each."""
    asked = answer.get("what_if")
    if not isinstance(asked, list):
        return ""
    rows = []
    for one in asked:
        assert isinstance(one, dict)
        policies = one["policies"]
        assert isinstance(policies, dict)
        later = policies[best]
        assert isinstance(later, dict)
        more = later["difference"]
        assert isinstance(more, dict)
        cells = [
            _euros_of(later["cost_eur"], lang),
            _euros_of(more["cost_eur"], lang),
            _euros_of(later["saving_eur"], lang),
            f"{_number_of(later['peak_kw'], lang)} kW",
        ]
        told = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        rows.append(f'<tr><th scope="row">{escape(str(one["what_if"]))}</th>{told}</tr>')
    heads = ["change", "cost", "difference", "saving", "peak"]
    head = "".join(f'<th scope="col">{escape(word(key, lang))}</th>' for key in heads)
    title = escape(word("what_if", lang, name=policy_name(best, lang)))
    return (
        f'<h2>{title}</h2><div class="wide" tabindex="0" role="region" aria-label="{title}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _euros_of(value: Json, lang: Language) -> str:
    return euros(value, lang) if isinstance(value, float | int) else _DASH


def _number_of(value: Json, lang: Language) -> str:
    return number(value, lang) if isinstance(value, float | int) else _DASH


def _foreseen(answer: dict[str, Json], lang: Language) -> str:
    forecast = answer["forecast"]
    assert isinstance(forecast, dict)
    told = []
    for name in ("use", "sun"):
        ahead, hour = forecast[f"{name}_day_ahead"], forecast[f"{name}_next_hour"]
        if isinstance(ahead, float) and isinstance(hour, float):
            told.append(
                word(
                    f"foreseen_{name}",
                    lang,
                    ahead=percent(ahead, lang),
                    hour=percent(hour, lang),
                )
            )
    return f"<h2>{escape(word('foreseen', lang))}</h2><p>{escape(' '.join(told))}</p>"


_STYLE = """
:root{color-scheme:light dark;--ink:#1d2522;--soft:#5c6763;--paper:#fbfbf8;--rule:#d9dcd6;
--c0:#0a6b4a;--c1:#b45309;--c2:#1d4f9e;--c3:#6b6f76;--c4:#7a3e9d}
@media (prefers-color-scheme:dark){:root{--ink:#eceeea;--soft:#aab3ae;--paper:#151917;
--rule:#39413d;--c0:#4cc79a;--c1:#f0a45a;--c2:#82b1ff;--c3:#a7adb4;--c4:#c79be6}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{max-width:76rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;line-height:1.2;margin:.5rem 0}
h2{font-size:1.15rem;margin:1.5rem 0 .5rem}
p{max-width:44rem}
.about{color:var(--soft)}
.headline{font-size:1.25rem;font-weight:600;border-left:.3rem solid var(--c0);padding-left:.75rem}
.plots{display:grid;gap:1.5rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,28rem),1fr))}
figure{margin:0;min-width:0}
figcaption{font-weight:600;margin-bottom:.25rem}
.unit{font-weight:400;color:var(--soft)}
svg{display:block;width:100%;height:auto}
svg text{font:11px system-ui,sans-serif;fill:var(--ink)}
svg .up{text-anchor:end}svg .mark{text-anchor:middle}svg .axis{text-anchor:end;fill:var(--soft)}
.grid{stroke:var(--rule);stroke-width:.7}.zero{stroke:var(--soft);stroke-width:1}
.line{fill:none;stroke-width:1.4;stroke-linejoin:round}
.line.look0{stroke:var(--c0)}.line.look1{stroke:var(--c1);stroke-dasharray:5 2}
.line.look2{stroke:var(--c2);stroke-dasharray:2 2}.line.look3{stroke:var(--c3);stroke-width:1}
.line.look4{stroke:var(--c4);stroke-dasharray:7 2 2 2}
.bar.look0{fill:var(--c0)}.bar.look1{fill:var(--c1)}.bar.look2{fill:var(--c2)}
.bar.look3{fill:var(--c3)}.bar.look4{fill:var(--c4)}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}
th:first-child{text-align:left}
""".replace("\n", "")
