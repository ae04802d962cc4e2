"""A change of the rules, tried before it is proposed: the form, the replay, the proposal."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Query, Request, Response

from api.auth import Need
from api.cooperative.database import Desk
from api.cooperative.errors import StateError
from api.cooperative.four_eyes import Matter, Proposal, propose
from api.cooperative.law import (
    Result,
    TariffTerms,
    add_key,
    add_tariff,
    decisions,
    vat_codes,
)
from api.cooperative.law.versions import REPLAY
from api.cooperative.registry import connections
from api.cooperative.whatif import (
    Draft,
    StreetTerms,
    Tryout,
    Tryouts,
    last_months,
    replay_hash,
    told_of,
)
from api.pages.rules.answers import TryoutAnswer, tryout_answer
from api.pages.rules.forms import Typed, key_draft, key_form, tariff_draft, tariff_form
from api.pages.rules.front import in_force, rule_book
from api.pages.rules.replay import change, drawn_bars, missing_names, month_lines, page_of
from api.pages.rules.street import street_facts, street_lines, street_notes
from api.pages.rules.words import from_day, key_facts, tariff_facts, vat_name
from api.pages.sheets import go, language_of
from api.people.replays import keep_replay
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.board.rules_room import BooksRoom, away
from api.routes.forms import Form
from kwartier.errors import InputError
from kwartier.interval import instant_text
from kwartier.wire import Json

RELOAD_S = 2
"""How often the page of a replay under way loads itself anew [s]."""
TryKey = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_SOON_S = 0.7
"""How long a short replay is waited for, so that its page is whole at once [s]."""


_TELL = {
    Matter.TARIFF: tariff_facts,
    Matter.KEY: key_facts,
    Matter.ASSET: street_facts,
}


def add_tries(app: FastAPI, room: BooksRoom, tries: Tryouts) -> None:
    """Add the forms, the page of a replay, and the proposal it leads to."""
    _add_form(app, room, tries, Matter.TARIFF)
    _add_form(app, room, tries, Matter.KEY)
    _add_tryout(app, room, tries)
    _add_proposing(app, room, tries)


def _add_form(app: FastAPI, room: BooksRoom, tries: Tryouts, matter: Matter) -> None:
    board = Depends(room.require(Need.BOARD))
    path = "/bestuur/regels/tarief" if matter is Matter.TARIFF else "/bestuur/regels/sleutel"
    template, title = f"rules_{matter.value}.html", f"title.rules_{matter.value}"

    @app.get(path, include_in_schema=False)
    def form(request: Request, visitor: Annotated[Visitor, board]) -> Response:
        with room.office.reading() as desk:
            values = _form_values(desk, matter, None)
        return room.show(request, visitor, template, _worded(values), title)

    @app.post(path, include_in_schema=False)
    def attempt(request: Request, visitor: Annotated[Visitor, board], sent: Form) -> Response:
        typed = Typed(sent)
        with room.office.reading() as desk:
            known = [each.id for each in connections(desk)]
        try:
            draft = tariff_draft(typed) if matter is Matter.TARIFF else key_draft(typed, known)
            key = tries.begin(draft)
        except InputError as error:
            with room.office.reading() as desk:
                values = _form_values(desk, matter, sent)
            return room.show(request, visitor, template, _worded(values), title, error)
        return go(f"/bestuur/regels/proef/{key}")


def _add_tryout(app: FastAPI, room: BooksRoom, tries: Tryouts) -> None:
    board = Depends(room.require(Need.BOARD))

    @app.get("/bestuur/regels/proef/{key}", include_in_schema=False)
    def trial(
        request: Request,
        visitor: Annotated[Visitor, board],
        key: TryKey,
        page: Annotated[int, Query(alias="blad", ge=1, le=1000)] = 1,
    ) -> Response:
        tryout = tries.wait(key, _SOON_S)
        if tryout is None:
            raise _forgotten()
        return trial_page(room, request, visitor, tryout, page)

    @app.get("/api/v1/board/whatif/{key}", tags=["board"], summary="How far a replay is")
    def trial_told(_: Annotated[Visitor, board], key: TryKey) -> TryoutAnswer:
        tryout = tries.look(key)
        if tryout is None:
            raise _forgotten()
        return tryout_answer(tryout)


def _add_proposing(app: FastAPI, room: BooksRoom, tries: Tryouts) -> None:
    money = Depends(room.require(Need.MONEY))

    @app.post("/bestuur/regels/proef/{key}", include_in_schema=False)
    def put_forward(
        request: Request, visitor: Annotated[Visitor, money], key: TryKey, sent: Form
    ) -> Response:
        tryout = tries.look(key)
        if tryout is None:
            raise _forgotten()
        try:
            made = _propose(room, visitor, tryout, sent.get("hash", ""))
        except InputError as error:
            return trial_page(room, request, visitor, tryout, 1, error)
        return go(f"/bestuur/voorstellen/{made.id}", done="rules_proposed")


def trial_page(
    room: BooksRoom,
    request: Request,
    visitor: Visitor,
    tryout: Tryout,
    page: int,
    refused: InputError | None = None,
) -> Response:
    """Return the page of a replay: how far it is, or what came of it."""
    lang = language_of(request, visitor)
    draft, body = tryout.draft, tryout.draft.candidate.body["terms"]
    values: dict[str, object] = {
        "draft": draft,
        "matter": draft.candidate.matter.value,
        "facts": _TELL[draft.candidate.matter](body, lang),
        "from_day": from_day(draft.from_s, lang),
        "tryout": tryout,
        "percent": int(100 * tryout.done),
        "path": f"/bestuur/regels/proef/{draft.key}",
    }
    if tryout.replay is not None:
        effects, pages = page_of(tryout.replay.members, page)
        values |= {
            "replay": tryout.replay,
            "change": change,
            "spread": tryout.replay.distribution,
            "bars": drawn_bars(tryout.replay, lang),
            "months": month_lines(tryout.replay, lang),
            "missing": missing_names(tryout.replay, lang),
            "effects": effects,
            "page": min(page, pages),
            "pages": pages,
            "hash": replay_hash(told_of(tryout.replay)),
            "street": street_lines(tryout.replay, lang),
            "notes": street_notes(tryout.replay, lang),
        }
    answer = room.show(request, visitor, "whatif.html", values, "title.whatif", refused)
    if tryout.replay is None and not tryout.problem:
        answer.headers["Refresh"] = str(RELOAD_S)
    return answer


def _propose(room: BooksRoom, visitor: Visitor, tryout: Tryout, seen: str) -> Proposal:
    """Keep what the replay told, and propose the version with its hash."""
    if tryout.replay is None:
        raise StateError("the replay is not ready: look at what it tells before you propose")
    told = told_of(tryout.replay)
    digest = replay_hash(told)
    now_s = int(room.house.clock.now_s())
    known = {each.month for each in tryout.replay.months}
    known |= {each.month for each in tryout.replay.missing}
    if seen != digest or known != {str(each) for each in last_months(now_s)}:
        raise StateError("this page is no longer true: fill the form in again and look anew")
    with room.house.people.writing() as people:
        keep_replay(people, visitor.account, told)
    with room.office.writing_as(visitor) as desk:
        return _write(desk, tryout.draft, digest)


def _write(desk: Desk, draft: Draft, digest: str) -> Proposal:
    terms = draft.candidate.terms
    if isinstance(terms, TariffTerms):
        signed = replace(terms, replay=digest)
        return add_tariff(desk, draft.name, draft.decision, draft.from_s, signed)
    if isinstance(terms, StreetTerms):
        body: dict[str, Json] = {
            "from": instant_text(draft.from_s),
            "terms": terms.body,
            REPLAY: digest,
        }
        return propose(desk, Matter.ASSET, draft.name, body)
    key = replace(terms, replay=digest)
    return add_key(desk, draft.name, draft.decision, draft.from_s, key)


def _form_values(desk: Desk, matter: Matter, sent: Mapping[str, str] | None) -> dict[str, object]:
    """Return what a form begins with: what holds now, or what was typed."""
    book = rule_book(desk)
    now = in_force(book.tariffs if matter is Matter.TARIFF else book.keys)
    begin: Mapping[str, str] = {}
    if now is not None:
        begin = tariff_form(now.body) if matter is Matter.TARIFF else key_form(now.body)
    adopted = [each for each in decisions(desk) if each.result is Result.ADOPTED]
    return {
        "typed": Typed(begin if sent is None else sent),
        "now": now,
        "decisions": sorted(adopted, key=lambda each: (each.decided_on, each.id))[::-1],
        "codes": sorted({each.code for each in vat_codes(desk)}),
        "homes": [each.id for each in connections(desk)],
    }


def _worded(values: Mapping[str, object]) -> dict[str, object]:
    return {**values, "vat_name": vat_name}


def _forgotten() -> RefusedError:
    return away("this replay is no longer here: fill the form in again")
