"""Plays what has not been played yet, and puts the answer together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial

import numpy as np

from api.backtest.pieces import FORECAST, piece_name, played
from api.backtest.question import Question, WorkFolder, walked_from
from api.crowd.workers import Crowd
from kwartier.wire import Json
from optimizer.backtest.outcome import Outcome, outcome_of
from optimizer.backtest.policies import NONE, PERFECT, Policy
from optimizer.backtest.stores import stores_of
from optimizer.backtest.walk import Stretch, Walked
from optimizer.problem import FloatArray

Walks = list[tuple[Stretch, Walked]]


def pieces_of(question: Question, policies: Sequence[Policy]) -> list[str]:
    """Return the names of all pieces, those that take longest first."""
    names = [policy.name for policy in reversed(policies)] + [FORECAST]
    return [piece_name(name, month) for name in names for month in question.stretches()]


def play(
    folder: WorkFolder,
    question: Question,
    policies: Sequence[Policy],
    crowd: Crowd,
    show: Callable[[int], None] = lambda _: None,
) -> None:
    """Play the pieces that are not there yet, and keep each as soon as it is done.

    Raises:
        InputError: One cannot be kept.
        CrowdGoneError: Nobody is left to play them; what was played is kept.
    """
    pieces = pieces_of(question, policies)
    due = [piece for piece in pieces if not folder.holds(piece)]
    done = len(pieces) - len(due)
    show(done)
    work = partial(played, folder=str(folder.folder.absolute()))
    for piece, content in crowd.each(work, due):
        if content is not None:
            folder.put(piece, content)
        done += 1
        show(done)


def walks_of(folder: WorkFolder, question: Question, policy: str) -> Walks:
    """Return what one way of steering did, month after month."""
    return [
        (stretch, walked_from(folder.arrays(piece_name(policy, month))))
        for month, stretch in question.stretches().items()
    ]


def outcomes(
    folder: WorkFolder, question: Question, policies: Sequence[Policy]
) -> dict[str, Outcome]:
    """Return what came of each way of steering."""
    stores = stores_of(question.batteries)
    return {
        policy.name: outcome_of(
            question.course,
            stores,
            question.connection,
            walks_of(folder, question, policy.name),
        )
        for policy in policies
    }


def answer_of(
    folder: WorkFolder, question: Question, policies: Sequence[Policy]
) -> dict[str, Json]:
    """Return the answer as it is printed."""
    found = outcomes(folder, question, policies)
    stores = stores_of(question.batteries)
    first, last = next(iter(question.stretches().values())), list(question.stretches().values())[-1]
    known = question.course.is_known[first.first : last.end]
    priced = ~np.isnan(question.course.buy_eur_per_kwh[first.first : last.end])
    return {
        "from": question.first.isoformat(),
        "to": question.last.isoformat(),
        **question.told,
        "quarters": int(known.size),
        "quarters_not_measured": int((~known).sum()),
        "quarters_without_price": int((~priced).sum()),
        "batteries": [
            {
                "id": one.id,
                "usable_kwh": round(float(stores.high_kwh[row] - stores.low_kwh[row]), 3),
                "charge_kw": float(stores.charge_kw[row]),
                "discharge_kw": float(stores.discharge_kw[row]),
                "round_trip": round(one.charge_efficiency * one.discharge_efficiency, 4),
            }
            for row, one in enumerate(stores.batteries)
        ],
        "forecast": _forecast(folder, question),
        "policies": {name: _told(name, found) for name in found},
    }


def saving_eur(name: str, found: dict[str, Outcome]) -> float | None:
    """Return what a way of steering saves over no battery; None where that was not played."""
    return found[NONE].cost_eur - found[name].cost_eur if NONE in found else None


def of_perfect(name: str, found: dict[str, Outcome]) -> float | None:
    """Return which part of what hindsight saves a way of steering saves; None where unknown."""
    if PERFECT not in found or NONE not in found:
        return None
    perfect, own = saving_eur(PERFECT, found), saving_eur(name, found)
    return own / perfect if perfect is not None and own is not None and perfect > 0 else None


def _told(name: str, found: dict[str, Outcome]) -> dict[str, Json]:
    one = found[name]
    part = of_perfect(name, found)
    saved = saving_eur(name, found)
    return {
        "cost_eur": round(one.cost_eur, 2),
        "saving_eur": None if saved is None else round(saved, 2),
        "of_perfect": None if part is None else round(part, 4),
        **{
            key: round(value, 4) if isinstance(value, float) else value
            for key, value in asdict(one).items()
            if key != "cost_eur"
        },
    }


def _forecast(folder: WorkFolder, question: Question) -> dict[str, Json]:
    """Return the mean error of forecasts as a part of the mean, over all that was judged."""
    sums: dict[str, FloatArray] = {"use": np.zeros(4), "sun": np.zeros(4)}
    for month in question.stretches():
        arrays = folder.arrays(piece_name(FORECAST, month))
        sums = {name: before + arrays[name] for name, before in sums.items()}
    told: dict[str, Json] = {}
    for name, (ahead, hour, of_day, of_hour) in sums.items():
        told[f"{name}_day_ahead"] = round(float(ahead / of_day), 4) if of_day > 0 else None
        told[f"{name}_next_hour"] = round(float(hour / of_hour), 4) if of_hour > 0 else None
    return told
