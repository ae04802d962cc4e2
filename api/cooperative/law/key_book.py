"""Sharing keys by decision: what divides the neighbourhood's supply, from when on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import select

from api.cooperative.canonical import canonical
from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, ConflictError
from api.cooperative.four_eyes import Matter, Proposal, propose
from api.cooperative.law.decision import adopted_decision
from api.cooperative.law.versions import (
    check_replay,
    in_force_between,
    is_approved,
    replayed,
)
from api.cooperative.officers import DECIDERS
from api.cooperative.stamp import stamp
from api.cooperative.tables.law import KeyVersionRow
from kwartier.errors import ContractError
from kwartier.identity import checked_name
from kwartier.interval import Quarter, instant_text
from kwartier.units import EpochS
from kwartier.wire import Json
from optimizer.as_json.key_json import key_of
from optimizer.as_json.strict_json import Part
from optimizer.balance import SelfRule
from optimizer.settlement import Rules, Source
from optimizer.settling.battery_models import BatteryModel
from optimizer.settling.period import KeyVersion, Rounding
from optimizer.settling.rounding import Tie
from optimizer.sharing import SharingKey


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What a version of the key says.

    Attributes:
        definition: The key as JSON, of the form of ``kwartier settle``.
        self_rule: Whether one's own export may come back.
        tie: Who gets the watt-hour that cannot be halved.
        rounding: When amounts become whole; a run takes ``quarter`` only.
        battery_model: Who carries the battery's loss; None without a battery.
        efficiency: Of the battery, as exact text such as ``0.9``; empty without one.
        replay: The hash of what this key would have done to everybody's last months; empty
            where nobody looked.

    Raises:
        ContractError: The key, or the efficiency, is none; the message names the place.
    """

    definition: Json
    self_rule: SelfRule = SelfRule.NO_SELF
    tie: Tie = Tie.ROTATE
    rounding: Rounding = Rounding.QUARTER
    battery_model: BatteryModel | None = None
    efficiency: str = ""
    replay: str = ""

    def __post_init__(self) -> None:
        check_replay(self.replay)
        key_of(Part(self.definition, "key"))
        if self.rounding is not Rounding.QUARTER:
            raise ContractError(
                f'rounding "{self.rounding}": a run rounds in every quarter, so that each '
                'quarter can be shown: use "quarter"'
            )
        if (self.battery_model is None) != (self.efficiency == ""):
            raise ContractError("battery: name its model and its efficiency, or neither")
        if self.battery_model is not None and not 0 < self._exact_efficiency() <= 1:
            raise ContractError(f"efficiency {self.efficiency}: use more than 0, at most 1")

    def _exact_efficiency(self) -> Fraction:
        return Part(self.efficiency, "efficiency").fraction("0.9")


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A version of the key that was decided.

    Attributes:
        id: Its name in the books.
        decision: The decision that made it.
        from_s: From when it holds [s].
        key: How the supply is divided.
        rules: The same key with the rest of what was decided about sharing.
        battery_model: Who carries the battery's loss; None without a battery.
        efficiency: Of the battery; None without one.
        body: All of it as JSON, as it was approved.
    """

    id: str
    decision: str
    from_s: EpochS
    key: SharingKey
    rules: Rules
    battery_model: BatteryModel | None
    efficiency: Fraction | None
    body: Json

    @property
    def version(self) -> KeyVersion:
        """The key as the engine takes it."""
        return KeyVersion(self.from_s, self.key)


def add_key(desk: Desk, key: str, decision: str, from_s: EpochS, terms: KeyTerms) -> Proposal:
    """Write down a version of the key, and propose it; it holds once another officer approved.

    Raises:
        BooksError: There is no such decision, or it does not hold by then.
        ConflictError: Another version has that name.
    """
    desk.officer.need(*DECIDERS)
    checked_name(key, "key")
    Quarter(from_s)
    adopted_decision(desk, decision, from_s, f"key {key}")
    body = _body(key, decision, from_s, terms)
    row = desk.session.get(KeyVersionRow, key)
    if row is None:
        row = KeyVersionRow(
            id=key, decision=decision, start_s=from_s, body=canonical(body), **stamp(desk)
        )
        desk.session.add(row)
        desk.session.flush()
        record(desk, "key.add", key, body)
    elif row.body != canonical(body):
        raise ConflictError(f"key {key} is there already and says something else: use another id")
    return propose(desk, Matter.KEY, key, body)


def key_records(desk: Desk) -> list[KeyRecord]:
    """Return every version that was written down, approved or not, in order of writing."""
    rows = desk.session.scalars(
        select(KeyVersionRow).order_by(KeyVersionRow.recorded_at_s, KeyVersionRow.id)
    )
    return [_record(row) for row in rows]


def key_is_approved(desk: Desk, key: KeyRecord) -> bool:
    """Return whether a second officer approved a version."""
    return is_approved(desk, Matter.KEY, key.id, key.body)


def key_versions(desk: Desk, start_s: EpochS, end_s: EpochS) -> tuple[KeyRecord, ...]:
    """Return the approved versions that hold in ``[start_s, end_s)``, in order of time.

    Raises:
        BooksError: None holds at the start; the message names those that wait.
    """
    known = key_records(desk)
    approved = [key for key in known if key_is_approved(desk, key)]
    found = in_force_between(approved, start_s, end_s)
    if not found or found[0].from_s > start_s:
        waiting = ", ".join(key.id for key in known if key not in approved and key.from_s < end_s)
        raise BooksError(
            f"no key holds at {instant_text(start_s)}: "
            + (f"let a second officer approve {waiting}" if waiting else "decide on one first")
        )
    return found


def _body(key: str, decision: str, from_s: EpochS, terms: KeyTerms) -> dict[str, Json]:
    battery: Json = None
    if terms.battery_model is not None:
        battery = {"model": terms.battery_model.value, "efficiency": terms.efficiency}
    return {
        "id": key,
        "decision": decision,
        "from": instant_text(from_s),
        "key": terms.definition,
        "self_rule": terms.self_rule.value,
        "tie": terms.tie.value,
        "source": Source.PROPORTIONAL.value,
        "rounding": terms.rounding.value,
        "battery": battery,
        **replayed(terms.replay),
    }


def _record(row: KeyVersionRow) -> KeyRecord:
    body: Json = json.loads(row.body)
    parts = Part(body).names()
    key = key_of(parts["key"])
    rules = Rules(
        key,
        parts["self_rule"].choice(SelfRule),
        parts["tie"].choice(Tie),
        parts["source"].choice(Source),
    )
    model, efficiency = None, None
    if parts["battery"].value is not None:
        battery = parts["battery"].names()
        model = battery["model"].choice(BatteryModel)
        efficiency = battery["efficiency"].fraction("0.9")
    return KeyRecord(row.id, row.decision, row.start_s, key, rules, model, efficiency, body)
