"""A period as JSON: quarters or one flat day, keys and owners in; volumes by member out."""

from __future__ import annotations

from collections.abc import Mapping

from kwartier.interval import quarters_of_day
from kwartier.wire import Json
from optimizer.balance import QuarterReadings
from optimizer.key_json import key_of
from optimizer.period import (
    Agreement,
    KeyVersion,
    Ownership,
    PeriodSettlement,
    Rounding,
    settle_period,
)
from optimizer.readings_json import battery_of, choice_of, connections_of, rules_of
from optimizer.sharing import Proportional
from optimizer.strict_json import Part, parsed

MAX_QUARTERS = 40_000
"""The most quarters in one file; a year has 35,040."""

_AGREED = ("keys", "ownership", "rounding", "self_rule", "tie", "source")


def period_text(text: str) -> dict[str, Json]:
    """Return the volumes of a period written as JSON.

    Raises:
        ContractError: The text is no such period; the message names key, value and remedy.
    """
    document = parsed(text)
    if "local_day" in document.names():
        keys = document.told(
            ("local_day", "flat_readings", "battery", *_AGREED),
            needed=("local_day", "flat_readings", "keys"),
        )
        quarters = _flat_day(keys)
    else:
        keys = document.told(("quarters", *_AGREED), needed=("quarters", "keys"))
        quarters = _quarters(keys["quarters"])
    return _answer(settle_period(quarters, _agreement(keys)))


def _quarters(part: Part) -> list[QuarterReadings]:
    rows = part.list()
    if len(rows) > MAX_QUARTERS:
        raise part.wrong(f"{len(rows)} quarters: at most {MAX_QUARTERS}, so settle it in parts")
    return [_quarter(row) for row in rows]


def _quarter(part: Part) -> QuarterReadings:
    keys = part.told(("ts", "readings", "battery"), needed=("ts", "readings"))
    return QuarterReadings(
        keys["ts"].quarter(), connections_of(keys["readings"]), battery_of(keys.get("battery"))
    )


def _flat_day(keys: Mapping[str, Part]) -> list[QuarterReadings]:
    """Return one reading repeated over every quarter of a Dutch day."""
    connections = connections_of(keys["flat_readings"])
    battery = battery_of(keys.get("battery"))
    return [
        QuarterReadings(quarter, connections, battery)
        for quarter in quarters_of_day(keys["local_day"].day())
    ]


def _agreement(keys: Mapping[str, Part]) -> Agreement:
    ownership = None
    if "ownership" in keys:
        ownership = tuple(_ownership(row) for row in keys["ownership"].list())
    return Agreement(
        tuple(_version(row) for row in keys["keys"].list()),
        rules_of(keys, Proportional()),
        ownership,
        choice_of(keys, "rounding", Rounding.QUARTER),
    )


def _version(part: Part) -> KeyVersion:
    keys = part.object(("from", "key"), needed=("from", "key"))
    return KeyVersion(keys["from"].instant_s(), key_of(keys["key"]))


def _ownership(part: Part) -> Ownership:
    needed = ("connection", "member", "from")
    keys = part.object((*needed, "to"), needed=needed)
    end = keys.get("to")
    return Ownership(
        keys["connection"].name(),
        keys["member"].name(),
        keys["from"].instant_s(),
        None if end is None or end.value is None else end.instant_s(),
    )


def _answer(settled: PeriodSettlement) -> dict[str, Json]:
    return {
        "status": settled.status.value,
        "missing": len(settled.missing),
        "quarters": settled.quarters,
        "members": {
            name: {"bought": volume.bought_wh, "sold": volume.sold_wh}
            for name, volume in settled.members.items()
        },
        "orphan": dict(settled.orphan_wh),
    }
