"""The rules as the books know them: versions of tariff and key, VAT codes, values of the law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from api.cooperative.database import Desk
from api.cooperative.four_eyes import Approval, Matter, approval, waiting_proposal
from api.cooperative.law import (
    KeyRecord,
    Parameter,
    TariffRecord,
    VatCode,
    key_records,
    parameters,
    tariff_records,
    vat_codes,
    warnings_at,
)
from api.cooperative.law.versions import in_force_between, replay_hash_in
from kwartier.interval import QUARTER_S
from kwartier.units import EpochS
from kwartier.wire import Json

Written: TypeAlias = KeyRecord | TariffRecord


class VersionState(StrEnum):
    """Where a version stands."""

    NOW = "now"
    """It holds."""
    LATER = "later"
    """It is approved and will hold."""
    PAST = "past"
    """Another one took its place."""
    WAITING = "waiting"
    """It waits for a second person."""
    REJECTED = "rejected"
    """Nobody approved it."""


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One version of the tariff or the key; it is never changed, only followed.

    Attributes:
        id: Its name in the books.
        matter: ``tariff`` or ``key``.
        from_s: From when it holds [s].
        state: Where it stands.
        decision: The number of the decision that made it.
        body: What exactly was proposed.
        proposal: The number of its proposal; None where none is known.
        proposed_by: The officer who proposed it; empty when that is not known.
        approved_by: The officer who approved it; empty when nobody did.
        approved_at_s: When [s]; None when nobody did.
        replay: The hash of the replay it was proposed with; empty without one.
        warnings: The keys of the remarks it brings.
    """

    id: str
    matter: Matter
    from_s: EpochS
    state: VersionState
    decision: str
    body: Json
    proposal: int | None
    proposed_by: str
    approved_by: str
    approved_at_s: EpochS | None
    replay: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Every rule.

    Attributes:
        tariffs: Versions of the tariff, the newest first.
        keys: Versions of the key, the newest first.
        vat: The rates of VAT codes, the newest first.
        values: The values of the law's rules, by name and time.
    """

    tariffs: tuple[RuleVersion, ...]
    keys: tuple[RuleVersion, ...]
    vat: tuple[VatCode, ...]
    values: tuple[Parameter, ...]


def rule_book(desk: Desk) -> RuleBook:
    """Return every rule with who proposed and who approved it."""
    tariffs = _versions(desk, Matter.TARIFF, tariff_records(desk))
    keys = _versions(desk, Matter.KEY, key_records(desk))
    vat = sorted(vat_codes(desk), key=lambda code: (code.code, -code.from_s))
    return RuleBook(tariffs, keys, tuple(vat), tuple(parameters(desk)))


def in_force(versions: Sequence[RuleVersion]) -> RuleVersion | None:
    """Return the version that holds now; None when none does."""
    return next((each for each in versions if each.state is VersionState.NOW), None)


def _versions(desk: Desk, matter: Matter, records: Sequence[Written]) -> tuple[RuleVersion, ...]:
    given = {each.id: approval(desk, matter, each.id, each.body) for each in records}
    approved = [each for each in records if given[each.id] is not None]
    holding = in_force_between(approved, desk.at_s, desk.at_s + QUARTER_S)
    found = [_version(desk, matter, each, given[each.id], holding) for each in records]
    return tuple(sorted(found, key=lambda each: (-each.from_s, each.id)))


def _version(
    desk: Desk,
    matter: Matter,
    record: Written,
    given: Approval | None,
    holding: Sequence[Written],
) -> RuleVersion:
    waiting = None if given else waiting_proposal(desk, matter, record.id)
    if given is None:
        state = VersionState.REJECTED if waiting is None else VersionState.WAITING
    elif record.from_s > desk.at_s:
        state = VersionState.LATER
    else:
        here = any(each.id == record.id for each in holding)
        state = VersionState.NOW if here else VersionState.PAST
    warnings: tuple[str, ...] = ()
    if isinstance(record, TariffRecord):
        warnings = warnings_at(desk, record, max(record.from_s, desk.at_s))
    return RuleVersion(
        record.id,
        matter,
        record.from_s,
        state,
        record.decision,
        record.body,
        given.proposal if given else waiting.id if waiting else None,
        given.proposed_by if given else waiting.officer if waiting else "",
        given.officer if given else "",
        given.at_s if given else None,
        replay_hash_in(record.body),
        warnings,
    )
