"""What-ifs of a backtest: written as NAME=VALUE, played beside the question they change."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from api.backtest.inputs import Tariff, battery_of
from api.backtest.question import Question, WorkFolder
from api.backtest.run import outcomes, play, saving_eur
from api.crowd.workers import Crowd
from kwartier.errors import InputError
from kwartier.wire import Json
from optimizer.backtest.outcome import Outcome
from optimizer.backtest.policies import Policy
from optimizer.what_if.course import Change, changed_connection, changed_course, difference

MOST_VARIANTS = 50
_NAMES = (
    "battery", "sun", "roof", "tax", "mark-up", "sell-less", "peak-price", "import-limit",
    "export-limit",
)  # fmt: skip
_LARGEST = 1e6


@dataclass(frozen=True, slots=True)
class Variant:
    """One what-if.

    Attributes:
        text: As it was asked, such as ``battery=200:100,peak-price=2``.
        question: What is played then.
    """

    text: str
    question: Question


def variant_of(text: str, tariff: Tariff, question: Question) -> Variant:
    """Return the what-if of ``NAME=VALUE``, or of several joined by commas.

    Args:
        text: What was asked.
        tariff: As it is without it.
        question: What is played without it.

    Raises:
        InputError: A name is unknown, or its value makes no sense for these days.
    """
    change = Change()
    for part in text.split(","):
        name, _, value = part.partition("=")
        change = _with(change, name.strip(), value.strip(), tariff, part)
    try:
        return Variant(text, _changed(question, text, change))
    except InputError as error:
        raise InputError(f"--what-if {text}: {error}") from error


def play_variants(
    folder: WorkFolder,
    question: Question,
    variants: Sequence[Variant],
    policies: Sequence[Policy],
    crowd: Crowd,
    show: Callable[[int], None] = lambda _: None,
) -> list[Json]:
    """Return what each what-if makes of each way of steering.

    Args:
        folder: Where the question stands, played.
        question: The question.
        variants: What is asked.
        policies: The ways of steering.
        crowd: Who plays.
        show: Is told how many pieces were played.
    """
    before = outcomes(folder, question, policies)
    told: list[Json] = []
    played = 0
    for variant in variants:
        own = WorkFolder(folder.folder / _folder_name(variant))
        own.take(variant.question)

        def shown(done: int, played: int = played) -> None:
            show(played + done)

        play(own, variant.question, policies, crowd, shown)
        played += (len(policies) + 1) * len(question.stretches())
        later = outcomes(own, variant.question, policies)
        told.append({"what_if": variant.text, "policies": _told(before, later)})
    return told


def _told(before: dict[str, Outcome], later: dict[str, Outcome]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, one in later.items():
        saved = saving_eur(name, later)
        more = asdict(difference(before[name], one))
        found[name] = {
            "cost_eur": round(one.cost_eur, 2),
            "saving_eur": None if saved is None else round(saved, 2),
            "peak_kw": round(one.peak_kw, 4),
            "difference": {key: round(value, 4) for key, value in more.items()},
        }
    return found


def _changed(question: Question, text: str, change: Change) -> Question:
    return Question(
        changed_course(question.course, change),
        change.batteries or question.batteries,
        changed_connection(question.connection, change),
        question.first,
        question.last,
        {**question.told, "what_if": text},
        question.forecast,
    )


def _folder_name(variant: Variant) -> Path:
    return Path("what-if-" + hashlib.sha256(variant.text.encode()).hexdigest()[:12])


def _with(change: Change, name: str, value: str, tariff: Tariff, part: str) -> Change:
    if name == "battery":
        number = 1 + len(change.batteries or ())
        try:
            battery = battery_of(value, number)
        except InputError as error:
            raise InputError(f"--what-if {part}: {error}") from error
        return replace(change, batteries=(*(change.batteries or ()), battery))
    if name not in _NAMES:
        raise InputError(
            f"--what-if {part}: there are {', '.join(_NAMES)}; another key changes no plan, only "
            "who pays: the replay of a proposal tells that"
        )
    amount = _number(value, part)
    if name in {"tax", "mark-up"}:
        was = tariff.tax_eur_per_kwh if name == "tax" else tariff.mark_up_eur_per_kwh
        more = change.buy_more_eur_per_kwh + amount - was
        return replace(change, buy_more_eur_per_kwh=more)
    if name == "sell-less":
        return replace(change, sell_more_eur_per_kwh=tariff.sell_less_eur_per_kwh - amount)
    if amount < 0:
        raise InputError(f"--what-if {part}: give 0 or more")
    match name:
        case "sun":
            return replace(change, sun_factor=amount)
        case "roof":
            return replace(change, more_sun_kwh=amount)
        case "peak-price":
            return replace(change, peak_price_eur_per_kw=amount)
        case "import-limit":
            return replace(change, import_limit_kw=amount)
        case _:
            return replace(change, export_limit_kw=amount)


def _number(value: str, part: str) -> float:
    try:
        amount = float(value)
    except ValueError:
        amount = math.nan
    if not -_LARGEST <= amount <= _LARGEST:
        raise InputError(f"--what-if {part}: give a number after =")
    return amount
