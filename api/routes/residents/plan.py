"""The battery's plan for who lives here: why, why not, and what it would have cost otherwise."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import AwareDatetime

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.pages.language import Language
from api.pages.sheets import Sheets, language_of
from api.people.errors import TooOftenError
from api.people.steering import refusal_of
from api.people.visitor import Visitor
from api.planned.answers import OtherwiseAnswer, WhyNotAnswer, otherwise_answer, why_not_answer
from api.planned.asked import NotPlannedError, PlanQuestions, Wanted
from api.planned.compared import Compared, Comparisons
from api.planned.kept import Planned
from api.planned.own import allowed_now, batteries_asked, own_batteries, own_plans
from api.planned.page import (
    ACTIONS,
    ShownAnswer,
    costs_values,
    hours_of,
    plan_lines,
    plan_made,
    shown_answer,
)
from api.problems import RefusedError
from api.readers import Onlooker, note_helper, onlooker
from kwartier.errors import InputError
from kwartier.interval import day_of
from kwartier.model import Battery
from optimizer.plan import Action
from optimizer.why.members import Share, SplitRule

_FEW = "fewer than six homes: what all of them use would show one"


def add_plan(
    app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets, comparisons: Comparisons
) -> None:
    """Add ``/batterij`` and what of the plan is for who lives here below ``/api/v1/plan``."""
    resident = Depends(Require(door, Need.HOME))
    questions = PlanQuestions(house.last_plan, house.clock)

    @app.get("/batterij", include_in_schema=False)
    def battery(
        request: Request,
        visitor: Annotated[Visitor, resident],
        b: Annotated[str, Query(max_length=64)] = "",
        om: int = 0,
        doe: Annotated[str, Query(max_length=16)] = "",
    ) -> Response:
        lang, now_s = language_of(request, visitor), house.clock.now_s()
        looks = onlooker(visitor, now_s)
        kept, may_know = house.last_plan.newest(), _may_know(house, looks)
        plan, known = house.plans.current(), batteries_asked(house, looks, now_s)
        mine = _mine(house, visitor, looks, now_s)
        values: dict[str, object] = {
            "lines": plan_lines(plan, kept if may_know else None, now_s, lang),
            "made": "" if plan is None else plan_made(plan, now_s, lang),
            "answer": _answer(
                questions, visitor, b if b in known else "", om, ACTIONS.get(doe), now_s, lang
            )
            if doe and may_know
            else None,
            "hours": hours_of(kept, now_s, lang) if kept and may_know and known else [],
            "batteries": known,
            "words": tuple(ACTIONS),
            "chosen": (b, om, doe),
            "homes": None,
            **_leave(house, visitor, looks, mine, kept, now_s, lang, may_ask=may_know),
        }
        try:
            compared = comparisons.newest()
        except NotPlannedError:
            pass
        else:
            if looks.reader.may_know(frozenset(compared.homes)):
                own = _own(house, comparisons, compared, visitor, looks)
                values |= costs_values(compared, own, lang)
        return sheets.show(
            request, visitor, "battery.html", values, title="title.battery", tab="today"
        )

    @app.get(
        "/api/v1/plan/why-not",
        tags=["plan"],
        summary="Why a battery does not do something else, and what that would cost",
    )
    def why_not(
        visitor: Annotated[Visitor, resident],
        battery: Annotated[str, Query(max_length=64)],
        action: Annotated[
            Wanted,
            Query(
                description="What it might do instead. `hold` and `idle` both mean waiting: "
                "`/api/v1/plan` says `idle`, the answer here says `hold`."
            ),
        ],
        at: AwareDatetime | None = None,
    ) -> WhyNotAnswer:
        now_s = house.clock.now_s()
        looks = onlooker(visitor, now_s)
        _refuse_others(house, looks, battery, now_s)
        if battery not in house.community.batteries:
            _mine(house, visitor, looks, now_s)
        at_s = int(now_s) if at is None else int(at.timestamp())
        try:
            planned, found = questions.why_not(visitor.account, battery, at_s, action.action)
        except NotPlannedError as error:
            raise RefusedError(HTTPStatus.NOT_FOUND, str(error)) from error
        return why_not_answer(planned, found)

    @app.get(
        "/api/v1/plan/otherwise",
        tags=["plan"],
        summary="What the plan would have cost without battery, without sharing, by another key",
    )
    def otherwise(visitor: Annotated[Visitor, resident]) -> OtherwiseAnswer:
        looks = onlooker(visitor, house.clock.now_s())
        if not _may_know(house, looks):
            raise RefusedError(HTTPStatus.NOT_FOUND, _FEW)
        try:
            compared = comparisons.newest()
        except NotPlannedError as error:
            raise RefusedError(HTTPStatus.NOT_FOUND, str(error)) from error
        if not looks.reader.may_know(frozenset(compared.homes)):
            raise RefusedError(HTTPStatus.NOT_FOUND, _FEW)
        return otherwise_answer(compared, _own(house, comparisons, compared, visitor, looks))


def _may_know(house: House, looks: Onlooker) -> bool:
    """Return whether a sum over all homes hides each of them from a reader who lives here."""
    return looks.reader.inside and looks.reader.may_know(frozenset(house.community.connections))


def _refuse_others(house: House, looks: Onlooker, battery: str, now_s: float) -> None:
    """Refuse a question about a battery that is somebody else's; it is as one that is not there."""
    if not _may_know(house, looks):
        raise RefusedError(HTTPStatus.NOT_FOUND, _FEW)
    if battery not in batteries_asked(house, looks, now_s):
        raise InputError("there is no such battery in the plan: ask about one of the plan's")


def _mine(house: House, visitor: Visitor, looks: Onlooker, now_s: float) -> tuple[Battery, ...]:
    """Return the reader's own batteries; a helper who looks at them is noted."""
    mine = own_batteries(house, looks, now_s)
    if mine and looks.home is not None:
        note_helper(house, visitor, looks.home, day_of(now_s), day_of(now_s))
    return mine


def _leave(
    house: House,
    visitor: Visitor,
    looks: Onlooker,
    mine: tuple[Battery, ...],
    kept: Planned | None,
    now_s: float,
    lang: Language,
    *,
    may_ask: bool,
) -> dict[str, object]:
    """Return what is planned for the reader's own batteries, and the leave they gave for it.

    When leave was taken back is told to who lived there then.
    """
    if not mine or looks.home is None:
        return {"mine": [], "leave": False, "refused": False}
    with house.people.reading() as desk:
        refusal = refusal_of(desk, looks.home)
    refused = refusal is not None
    leave = any(one.steered for one in allowed_now(kept, mine))
    told = own_plans(kept, mine, now_s, lang, may_ask=may_ask, refused=refused)
    return {
        "mine": told,
        "leave": leave,
        "refused": refused and leave,
        "refused_at": lang.moment(refusal.from_s)
        if refusal is not None and looks.sees_home(refusal.from_s)
        else "",
        "may_choose": visitor.companion is None,
    }


def _own(
    house: House, comparisons: Comparisons, compared: Compared, visitor: Visitor, looks: Onlooker
) -> Share | None:
    """Return what the plan does for the reader's own home; None where they live there no more."""
    now_s = house.clock.now_s()
    if looks.home not in compared.homes or not looks.sees_home(now_s):
        return None
    note_helper(house, visitor, looks.home, day_of(now_s), day_of(now_s))
    _, found = comparisons.split(SplitRule.EQUAL)
    return next((one for one in found.shares if one.member == looks.home), None)


def _answer(
    questions: PlanQuestions,
    visitor: Visitor,
    battery: str,
    at_s: int,
    asked: Action | None,
    now_s: float,
    lang: Language,
) -> ShownAnswer:
    """Return the answer to a question of an address; one that makes no sense is told so."""
    gone = ShownAnswer(lang.say("battery.gone"), (lang.say("battery.gone.what"),))
    if asked is None:
        return gone
    try:
        planned, found = questions.why_not(visitor.account, battery, at_s or int(now_s), asked)
    except TooOftenError:
        raise
    except InputError:
        return gone
    return shown_answer(planned, found, now_s, lang)
