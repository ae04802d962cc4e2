"""Rules and replays as programs read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from api.cooperative.whatif import Group, Replay, Tryout, groups_of, replay_hash, told_of
from api.cooperative.whatif.effects import MemberEffect
from api.pages.rules.front import RuleBook, RuleVersion
from api.schemas import moment_time, time_or_none


@dataclass(frozen=True, slots=True)
class VersionAnswer:
    """A version of the tariff or the key."""

    id: str
    valid_from: datetime
    state: str
    decision: str
    body: JsonValue
    proposal: int | None
    proposed_by: str
    approved_by: str
    approved_at: datetime | None
    replay_hash: str
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class VatAnswer:
    """The rate of a VAT code from an instant on, as an exact part."""

    code: str
    valid_from: datetime
    rate: str
    mark: str
    source: str
    decision: str


@dataclass(frozen=True, slots=True)
class ValueAnswer:
    """The value of a rule from an instant on."""

    name: str
    valid_from: datetime
    value: str
    mark: str
    source: str
    decision: str


@dataclass(frozen=True, slots=True)
class RulesAnswer:
    """Every rule; versions are never changed, only followed by a new one."""

    tariffs: list[VersionAnswer]
    keys: list[VersionAnswer]
    vat: list[VatAnswer]
    values: list[ValueAnswer]


@dataclass(frozen=True, slots=True)
class TryoutAnswer:
    """How far a replay is, and what came of it.

    Attributes:
        key: Under what it is remembered.
        done: How much is done, from 0 to 1.
        problem: Why it was refused; empty when it was not.
        hash: The hash of what came of it; empty before.
        replay: What came of it, as ``kwartier coop whatif`` prints it; null before.
    """

    key: str
    done: float
    problem: str
    hash: str
    replay: JsonValue


@dataclass(frozen=True, slots=True)
class GroupAnswer:
    """At least five members with effects of about a size; null where a class has no end."""

    from_cents: int | None
    to_cents: int | None
    members: int


@dataclass(frozen=True, slots=True)
class OwnEffectAnswer:
    """What a proposed rule would have meant for the visitor, and how others fare in classes.

    Attributes:
        proposal: Its number.
        matter: ``tariff`` or ``key``.
        state: ``waiting``, ``approved`` or ``rejected``.
        months: The months that were reckoned, the oldest first.
        old_cents: The own bills as they were, by month; below zero was paid out.
        new_cents: The own bills as they would have been.
        difference_cents: How much more it would have been together; null without own bills.
        classes: Everybody's effect in classes of at least five members.
    """

    proposal: int
    matter: str
    state: str
    months: list[str]
    old_cents: list[int]
    new_cents: list[int]
    difference_cents: int | None
    classes: list[GroupAnswer]


def rules_answer(book: RuleBook) -> RulesAnswer:
    """Return every rule."""
    return RulesAnswer(
        [_version(each) for each in book.tariffs],
        [_version(each) for each in book.keys],
        [
            VatAnswer(
                each.code,
                moment_time(each.from_s),
                str(each.rate),
                each.mark.value,
                each.source,
                each.decision,
            )
            for each in book.vat
        ],
        [
            ValueAnswer(
                each.name,
                moment_time(each.start_s),
                each.value,
                each.mark.value,
                each.source,
                each.decision,
            )
            for each in book.values
        ],
    )


def tryout_answer(tryout: Tryout) -> TryoutAnswer:
    """Return how far a replay is."""
    told = None if tryout.replay is None else told_of(tryout.replay)
    return TryoutAnswer(
        tryout.draft.key,
        tryout.done,
        tryout.problem,
        "" if told is None else replay_hash(told),
        told,
    )


def own_answer(
    proposal: int, matter: str, state: str, found: Replay, effect: MemberEffect | None
) -> OwnEffectAnswer:
    """Return one member's own effect, and nothing of another one."""
    return OwnEffectAnswer(
        proposal,
        matter,
        state,
        [each.month for each in found.months],
        [] if effect is None else list(effect.old),
        [] if effect is None else list(effect.new),
        None if effect is None else effect.difference,
        [_group(each) for each in groups_of([each.difference for each in found.members])],
    )


def _group(group: Group) -> GroupAnswer:
    return GroupAnswer(group.low, group.high, group.members)


def _version(version: RuleVersion) -> VersionAnswer:
    return VersionAnswer(
        version.id,
        moment_time(version.from_s),
        version.state.value,
        version.decision,
        version.body,
        version.proposal,
        version.proposed_by,
        version.approved_by,
        time_or_none(version.approved_at_s),
        version.replay,
        list(version.warnings),
    )
