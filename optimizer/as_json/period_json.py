"""A period as JSON: quarters or one flat day, keys and owners in; volumes by member out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kwartier.errors import ContractError
from kwartier.interval import quarters_of_day
from kwartier.wire import Json
from optimizer.as_json.json_pieces import JsonPieces
from optimizer.as_json.key_json import key_of
from optimizer.as_json.readings_json import battery_of, choice_of, connections_of, rules_of
from optimizer.as_json.strict_json import Part, once, parsed
from optimizer.balance import QuarterReadings
from optimizer.settling.listing import Listing, ListingInProgress
from optimizer.settling.period import Agreement, KeyVersion, Ownership, Rounding
from optimizer.settling.period_volumes import PeriodVolumes, settle_listing
from optimizer.settling.quarter_rows import QuarterRows
from optimizer.sharing import Proportional

MAX_QUARTERS = 40_000
"""The most quarters in one file; a year has 35,040."""
MAX_CONNECTIONS = 100_000
"""The most connections in one file."""
MAX_READINGS = 50_000_000
"""The most connection-quarters in one file; a year of 1,000 connections has 35 million."""
READ_TWICE = 8 * 1024 * 1024
"""The longest text that is read a second time, all at once, to say what is wrong [characters]."""
FIRST_YEAR = 1970
"""The first year of a local day; long before it, Dutch clocks were off the grid of quarters."""
LAST_YEAR = 9998
"""The last year of a local day, which ends in the same or the next year."""

_AGREED = ("keys", "ownership", "rounding", "self_rule", "tie", "source")
_QUARTERS = ("quarters", *_AGREED)
_FLAT_DAY = ("local_day", "flat_readings", "battery", *_AGREED)


def period_text(text: str) -> dict[str, Json]:
    """Return the volumes of a period written as JSON.

    Raises:
        ContractError: The text is no such period; the message names key, value and remedy.
    """
    try:
        return period_pieces(iter([text]))
    except ContractError:
        if len(text) > READ_TWICE:
            raise
        # The whole text at once has the last word: of many faults it always tells the same one.
        return _answer(_settled(parsed(text), ListingInProgress()))


def period_pieces(pieces: Iterator[str]) -> dict[str, Json]:
    """Return the volumes of a period written as JSON that arrives in pieces.

    Raises:
        ContractError: The text is no such period; the message names key, value and remedy.
    """
    listing = ListingInProgress()
    document = _read(JsonPieces(pieces), listing)
    return _answer(_settled(document, listing))


def _settled(document: Part, listing: ListingInProgress) -> PeriodVolumes:
    """Return the volumes of a document, whose quarters may be in the listing already."""
    if "local_day" in document.names():
        keys = document.told(_FLAT_DAY, needed=("local_day", "flat_readings", "keys"))
        flat_day = Listing.of(_flat_day(keys))
        return settle_listing(flat_day, _agreement(keys))
    keys = document.told(_QUARTERS, needed=("quarters", "keys"))
    for quarter in _quarters(keys["quarters"]):
        listing.add(quarter)
    agreement = _agreement(keys)
    return settle_listing(listing.finished(), agreement)


def _read(text: JsonPieces, listing: ListingInProgress) -> Part:
    """Return a document whose quarters went into a listing; an empty list stands for them."""
    if text.next_character() != "{":
        return Part(text.value())
    text.pass_by("{", "")
    pairs: list[tuple[str, Json]] = []
    while text.next_character() != "}" or pairs:
        if text.next_character() != '"':
            raise text.no_json("Expecting property name enclosed in double quotes")
        key = str(text.value())
        text.pass_by(":", "Expecting ':' delimiter")
        if key not in (*_QUARTERS, *_FLAT_DAY):
            Part({key: None}).object(_QUARTERS)
        if key == "quarters" and text.next_character() == "[":
            _read_quarters(text, listing)
            pairs.append((key, []))
        else:
            pairs.append((key, text.value()))
        if text.next_character() == "}":
            break
        text.pass_by(",", "Expecting ',' delimiter")
    text.pass_by("}", "Expecting ',' delimiter")
    text.end()
    return Part(once(pairs))


def _read_quarters(text: JsonPieces, listing: ListingInProgress) -> None:
    rows = QuarterRows(listing)
    row = 0
    text.pass_by("[", "Expecting value")
    while text.next_character() != "]" or row:
        if not rows.add(*text.loose_value()):
            listing.add(_quarter(Part(text.same_value(), f"quarters[{row}]")))
        row += 1
        for what, count, most in (
            ("quarters", row, MAX_QUARTERS),
            ("connections", listing.connections, MAX_CONNECTIONS),
            ("readings", listing.readings, MAX_READINGS),
        ):
            if count > most:
                raise ContractError(f"quarters: more than {most} {what}: settle it in parts")
        if text.next_character() == "]":
            break
        text.pass_by(",", "Expecting ',' delimiter")
    text.pass_by("]", "Expecting ',' delimiter")


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
    day = keys["local_day"].day()
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise keys["local_day"].wrong(f"{day}: use a day from {FIRST_YEAR} to {LAST_YEAR}")
    connections = connections_of(keys["flat_readings"])
    battery = battery_of(keys.get("battery"))
    return [QuarterReadings(quarter, connections, battery) for quarter in quarters_of_day(day)]


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


def _answer(settled: PeriodVolumes) -> dict[str, Json]:
    return {
        "status": settled.status.value,
        "missing": settled.missing,
        "quarters": settled.quarters,
        "members": {
            name: {"bought": volume.bought_wh, "sold": volume.sold_wh}
            for name, volume in settled.members.items()
        },
        "orphan": dict(settled.orphan_wh),
    }
