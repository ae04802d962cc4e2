"""Rules of law and of the statutes as dated records, each with its source and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.law.decision import adopted_decision
from api.cooperative.law.dutch import RULES
from api.cooperative.law.rule import Mark, Parameter
from api.cooperative.officers import DECIDERS
from api.cooperative.stamp import stamp
from api.cooperative.tables.law import ParameterRow
from kwartier.interval import instant_text
from kwartier.units import EpochS

SHARING_SUPPLIER = "sharing_supplier"
"""The one supplier of the sharing group; empty for each connection's first one."""
_KNOWN = {rule.name: rule for rule in RULES}


def parameter(desk: Desk, name: str, at_s: EpochS) -> Parameter:
    """Return the value of a rule at an instant [s].

    Raises:
        BooksError: There is no such rule, or no value of it then.
    """
    found = parameter_or_none(desk, name, at_s)
    if found is None:
        raise BooksError(
            f"rule {name!r} has no value at {instant_text(at_s)}: "
            "see `kwartier coop parameter list`"
        )
    return found


def parameter_or_none(desk: Desk, name: str, at_s: EpochS) -> Parameter | None:
    """Return the value of a rule at an instant [s]; None where it has none."""
    begun = [found for found in _records(desk, name) if found.start_s <= at_s]
    return begun[-1] if begun else None


def parameters(desk: Desk) -> list[Parameter]:
    """Return all records of all rules, by name and start."""
    return [found for name in sorted(_KNOWN) for found in _records(desk, name)]


def steps_of(desk: Desk, name: str) -> list[tuple[EpochS, str]]:
    """Return each value of a rule and from when it holds [s], in order of time."""
    return [(found.start_s, found.value) for found in _records(desk, name)]


def set_parameter(
    desk: Desk, name: str, value: str, start_s: EpochS, decision: str, source: str = ""
) -> Parameter:
    """Let a rule have another value from an instant on [s], by a decision.

    Raises:
        BooksError: The rule is not known, the value is of another kind, or nothing was decided.
    """
    desk.officer.need(*DECIDERS)
    if name not in _KNOWN:
        raise BooksError(f"rule {name[:40]!r} is not known; there are: {', '.join(sorted(_KNOWN))}")
    _KNOWN[name].check(value)
    adopted_decision(desk, decision, start_s, f"rule {name}")
    before = parameter_or_none(desk, name, start_s)
    set_to = Parameter(
        name, start_s, value, Mark.SOURCE, source or f"decision {decision}", decision
    )
    desk.session.add(
        ParameterRow(
            name=name,
            start_s=start_s,
            value=value,
            mark=set_to.mark,
            source=set_to.source,
            decision=decision,
            **stamp(desk),
        )
    )
    desk.session.flush()
    record(
        desk,
        "parameter.set",
        name,
        {"value": value, "from": instant_text(start_s), "decision": decision},
        None if before is None else {"value": before.value},
    )
    return set_to


def _records(desk: Desk, name: str) -> Sequence[Parameter]:
    """Return the records of a rule by start; the cooperative's own come after the law's."""
    of_law = _KNOWN[name].steps if name in _KNOWN else ()
    rows = desk.session.scalars(
        select(ParameterRow).where(ParameterRow.name == name).order_by(ParameterRow.id)
    )
    own = [
        Parameter(row.name, row.start_s, row.value, Mark(row.mark), row.source, row.decision)
        for row in rows
    ]
    return sorted([*of_law, *own], key=lambda found: found.start_s)
