"""The grid operators' interval readings (P4), as their portal answers a batch: XML.

A metering point has meters, a meter has registers, a register has readings of its counter at
instants. What a quarter-hour counted is the difference of two readings that lie a quarter apart,
over the registers of a direction: the total one, or those of both tariffs together. A reading that
is away makes two quarters missing; nothing is divided over a longer time.

Source:
    Message P4CollectedDataBatchResultResponse of the Dutch energy sector's data exchange
    (urn:nedu:edsn:data:p4collecteddatabatchresultresponse:2:standard): names and nesting of its
    elements. Register ids are OBIS codes. The shape was not checked against a recorded answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from collectors.answers import AnswerError
from collectors.xml_answer import child_text, local_name
from kwartier.errors import ContractError
from kwartier.identity import checked_ean
from kwartier.interval import QUARTER_S, epoch_s, parse_instant
from kwartier.packing import printable
from kwartier.units import EpochS, Wh, wh_from_kwh

MOST_READINGS = 40_000
"""More readings of one register (a year of quarters) are not taken."""

_ROOT = "P4CollectedDataBatchResultResponseEnvelope"
_POINT = "P4MeteringPoint"
_REGISTER = re.compile(r"(?:1-[0-9]:)?([12])\.8\.([012])(?:\.255)?", re.ASCII)
_TARIFFS = ("1", "2")
_DIRECTIONS = {"1": "import", "2": "export"}


@dataclass(frozen=True, slots=True)
class ValidatedQuarter:
    """What a connection took and gave in one quarter-hour.

    Attributes:
        ean: The connection.
        start_s: The quarter's start [s].
        import_wh: What it took [Wh]; None where it is missing.
        export_wh: What it gave [Wh]; None where it is missing.
    """

    ean: str
    start_s: EpochS
    import_wh: Wh | None
    export_wh: Wh | None


@dataclass(slots=True)
class MeteringPoint:
    """One connection's part of a message.

    Attributes:
        ean: The connection; empty where it is wrong or away.
        quarters: What it counted, in order of time.
        refused: Why there is nothing, or not all, of it; empty where all is well.
    """

    ean: str
    quarters: list[ValidatedQuarter] = field(default_factory=list)
    refused: str = ""


def read_p4(file: BinaryIO) -> Iterator[MeteringPoint]:
    """Yield the connections of a message, one at a time, however long it is.

    Raises:
        AnswerError: It is no whole XML, declares a document type, or is another message.
    """
    depth = 0
    try:
        for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
            name = local_name(element)
            if event == "start":
                if not depth and name not in {_ROOT, "Envelope"}:
                    raise AnswerError(f"this is a {name[:60]!r}: a P4 answer is a {_ROOT}")
                depth += 1
                continue
            depth -= 1
            if name == _POINT:
                yield _point(element)
                element.clear()
    except DefusedXmlException:
        raise AnswerError("it declares a document type, which no grid operator's does") from None
    except (ParseError, ValueError, LookupError) as error:
        raise AnswerError(f"this is no whole XML: {error}") from error


def _point(element: Element) -> MeteringPoint:
    text = _text(element, "EANID")
    try:
        point = MeteringPoint(checked_ean(text))
    except ContractError:
        return MeteringPoint("", refused="its EANID is no EAN of 18 digits")
    for rejection in _all(element, "Rejection"):
        code, why = _text(rejection, "RejectionCode"), _text(rejection, "RejectionText")
        said = printable(f"{code} {why}".strip()[:120])
        point.refused = f"the grid operator gives nothing: {said}"
        return point
    try:
        for meter in _all(element, "P4EnergyMeter"):
            point.quarters += _quarters(point.ean, meter)
    except ContractError as error:
        return MeteringPoint(point.ean, refused=str(error))
    if len({quarter.start_s for quarter in point.quarters}) < len(point.quarters):
        return MeteringPoint(point.ean, refused="two of its meters tell of the same quarter")
    point.quarters.sort(key=lambda quarter: quarter.start_s)
    if not point.quarters:
        point.refused = "no two readings lie a quarter-hour apart: ask for interval readings (INT)"
    return point


def _quarters(ean: str, meter: Element) -> Iterator[ValidatedQuarter]:
    counted = {name: _differences(registers) for name, registers in _registers(meter).items()}
    imported, exported = counted.get("import", {}), counted.get("export", {})
    for start_s in sorted(imported.keys() | exported.keys()):
        yield ValidatedQuarter(ean, start_s, imported.get(start_s), exported.get(start_s))


def _registers(meter: Element) -> dict[str, dict[str, dict[EpochS, Wh]]]:
    """Return the counters of electricity, by direction, tariff and instant [s]."""
    found: dict[str, dict[str, dict[EpochS, Wh]]] = {}
    for register in _all(meter, "P4Register"):
        match = _REGISTER.fullmatch(_text(register, "ID"))
        if match is None:
            continue
        direction, tariff = _DIRECTIONS[match[1]], match[2]
        counters = found.setdefault(direction, {})
        if tariff in counters:
            raise ContractError(f"register {match[0]} stands there twice")
        counters[tariff] = _readings(register)
    return found


def _readings(register: Element) -> dict[EpochS, Wh]:
    unit = _text(register, "MeasureUnit").upper()
    if unit not in {"KWH", "WH"}:
        raise ContractError(f"a register of electricity counts in {unit[:20]!r}, not in KWH")
    told: dict[EpochS, Wh] = {}
    for reading in _all(register, "P4Reading"):
        value = _text(reading, "Reading")
        at_s = epoch_s(parse_instant(_text(reading, "ReadingDateTime")))
        if not value or at_s % QUARTER_S:
            continue
        energy_wh = wh_from_kwh(value) if unit == "KWH" else _whole(value)
        if told.setdefault(at_s, energy_wh) != energy_wh:
            raise ContractError("two readings of one register at one instant")
        if len(told) > MOST_READINGS:
            raise ContractError(f"more than {MOST_READINGS} readings of one register")
    return told


def _differences(registers: Mapping[str, Mapping[EpochS, Wh]]) -> dict[EpochS, Wh]:
    """Return what each quarter counted: by the total register, or by all tariffs together."""
    if "0" not in registers and len(registers) < len(_TARIFFS):
        (lone,) = registers
        raise ContractError(f"tariff {lone} stands there without the other: ask for both registers")
    counters = [registers["0"]] if "0" in registers else list(registers.values())
    found: dict[EpochS, Wh] = {}
    for start_s in counters[0]:
        steps = [
            counter[start_s + QUARTER_S] - counter[start_s]
            for counter in counters
            if start_s in counter and start_s + QUARTER_S in counter
        ]
        if any(step < 0 for step in steps):
            raise ContractError("a register counts backwards: was the meter changed?")
        if len(steps) == len(counters):
            found[start_s] = sum(steps)
    return found


def _whole(text: str) -> Wh:
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise ContractError(f"a reading of {text[:20]!r} is no whole Wh")
    return int(text)


def _all(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element.iter() if local_name(child) == name)


def _text(element: Element, name: str) -> str:
    """Return the text of the first child of a name, or nothing where it is away."""
    return child_text(element, name) or ""
