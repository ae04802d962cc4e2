"""P4 answers of our own making: counters at quarter-hours, in kWh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kwartier.interval import instant_text
from kwartier.units import kwh_text

NAMESPACE = "urn:nedu:edsn:data:p4collecteddatabatchresultresponse:2:standard"


def readings(
    start_s: int, energies_wh: Sequence[int], begins_wh: int = 5_000_000
) -> dict[int, int]:
    """Return a counter at the ends of quarters that counted so much [Wh]."""
    told = {start_s: begins_wh}
    for place, energy_wh in enumerate(energies_wh, 1):
        begins_wh += energy_wh
        told[start_s + place * 900] = begins_wh
    return told


def register(name: str, told: Mapping[int, int], unit: str = "KWH") -> str:
    """One register."""
    rows = "".join(
        f"<P4Reading><Reading>{kwh_text(wh)}</Reading>"
        f"<ReadingDateTime>{instant_text(at_s)}</ReadingDateTime></P4Reading>"
        for at_s, wh in told.items()
    )
    return f"<P4Register><ID>{name}</ID><MeasureUnit>{unit}</MeasureUnit>{rows}</P4Register>"


def point(ean: str, *registers: str) -> str:
    """One connection with one meter."""
    return (
        f"<P4MeteringPoint><EANID>{ean}</EANID><QueryReason>INT</QueryReason><P4EnergyMeter>"
        f"<ID>E0001</ID>{''.join(registers)}</P4EnergyMeter></P4MeteringPoint>"
    )


def rejected(ean: str, code: str, text: str) -> str:
    """One connection of which nothing is told."""
    return (
        f"<P4MeteringPoint><EANID>{ean}</EANID><P4Rejection><Rejection><RejectionCode>{code}"
        f"</RejectionCode><RejectionText>{text}</RejectionText></Rejection></P4Rejection>"
        "</P4MeteringPoint>"
    )


def answer(*points: str, namespace: str = NAMESPACE) -> bytes:
    """A whole message."""
    name = "P4CollectedDataBatchResultResponseEnvelope"
    return (
        f'<?xml version="1.0"?><{name} xmlns="{namespace}"><EDSNBusinessDocumentHeader/>'
        f"<P4Content>{''.join(points)}</P4Content></{name}>"
    ).encode()
