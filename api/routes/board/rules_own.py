"""What a proposed rule would have meant for one resident, and for all in classes of five."""

from typing import Annotated

from fastapi import Depends, FastAPI, Path, Request, Response

from api.auth import Need
from api.cooperative.four_eyes import Matter, Proposal
from api.cooperative.law.versions import replay_hash_in
from api.cooperative.whatif import MemberEffect, Replay, replay_of
from api.house import House
from api.pages.language import Language
from api.pages.rules.answers import OwnEffectAnswer, own_answer
from api.pages.rules.proposals import outcome_of, rule_proposal
from api.pages.rules.replay import change, group_lines, missing_names, own_lines
from api.pages.rules.street import asset_facts, own_settled
from api.pages.rules.words import Fact, from_text, key_facts, tariff_facts
from api.pages.sheets import language_of
from api.pages.statement.list import sees_statements
from api.people.replays import kept_replay
from api.people.visitor import Visitor
from api.routes.board.rules_room import BooksRoom, away

Number = Annotated[int, Path(ge=1, le=2**31)]


def add_own_effect(app: FastAPI, room: BooksRoom) -> None:
    """Add a resident's own effect of a proposal."""
    home = Depends(room.require(Need.HOME))

    @app.get("/afrekening/voorstel/{proposal}", include_in_schema=False)
    def own(request: Request, visitor: Annotated[Visitor, home], proposal: Number) -> Response:
        lang = language_of(request, visitor)
        found, state, replay = _found(room, proposal)
        effect = _own(room.house, visitor, replay)
        values = {
            "matter": found.matter.value,
            "state": state,
            "from_day": from_text(found.body, lang),
            "facts": _facts(found, lang),
            "settled": "" if effect is None else own_settled(replay, effect.member, lang),
            "effect": effect,
            "months": [] if effect is None else own_lines(replay, effect, lang),
            "groups": group_lines(replay, lang),
            "members": len(replay.members),
            "missing": missing_names(replay, lang),
            "change": change,
            "now": replay.candidate.get("against") == "now",
        }
        return room.sheets.show(
            request,
            visitor,
            "whatif_own.html",
            values,
            title="title.whatif_own",
            tab="statement",
        )

    @app.get(
        "/api/v1/proposals/{proposal}", tags=["statement"], summary="A proposal's effect on you"
    )
    def own_told(visitor: Annotated[Visitor, home], proposal: Number) -> OwnEffectAnswer:
        found, state, replay = _found(room, proposal)
        effect = _own(room.house, visitor, replay)
        return own_answer(found.id, found.matter.value, state, replay, effect)


def _facts(found: Proposal, lang: Language) -> list[Fact]:
    if found.matter is Matter.ASSET:
        body = found.body
        return asset_facts(body if isinstance(body, dict) else {}, lang)
    tell = tariff_facts if found.matter is Matter.TARIFF else key_facts
    return tell(found.body, lang)


def replay_kept(house: House, found: Proposal) -> Replay | None:
    """Return the replay that a proposal was made with; None where it is not kept here."""
    with house.people.reading() as people:
        told = kept_replay(people, replay_hash_in(found.body))
    return None if told is None else replay_of(told)


def _own(house: House, visitor: Visitor, replay: Replay) -> MemberEffect | None:
    """Return the visitor's own effect, for who may see the statements that it is made of."""
    return replay.of(visitor.party) if sees_statements(house, visitor) else None


def _found(room: BooksRoom, number: int) -> tuple[Proposal, str, Replay]:
    with room.office.reading() as desk:
        found = rule_proposal(desk, number)
        state = "" if found is None else outcome_of(desk, found)
    replay = None if found is None else replay_kept(room.house, found)
    if found is None or replay is None:
        raise away(f"there is no proposal {number} to look at here")
    return found, state, replay
