"""The handover: every number that was measured, who agreed, and a signature of the device's key."""

from __future__ import annotations

import hashlib
from importlib.metadata import version

from gateway.commission.book import STEPS, Book, Mark, Step
from gateway.enrol.identity import Identity
from gateway.enrol.signed import canonical
from kwartier.packing import Json


def record_of(book: Book, identity: Identity, now_s: float) -> dict[str, Json]:
    """Return the record of a home; serial numbers by their last four, the home by its address."""
    enrolled = identity.enrolled()
    steps: dict[str, Json] = {}
    for step in STEPS:
        one = book.outcome(step)
        if one is not None and step is not Step.HANDOVER:
            steps[step.value] = {"mark": one.mark.value, "at_s": one.at_s, "facts": one.facts}
    home: dict[str, Json] = {
        "gateway": identity.gateway,
        "fingerprint": identity.fingerprint,
        "coop": "" if enrolled is None else enrolled.coop,
        "address": "" if enrolled is None else enrolled.address,
    }
    return {
        "version": 1,
        "made_at_s": int(now_s),
        "begun_at_s": book.started_s,
        "software": version("kwartier"),
        "home": home,
        "devices": [_device(one.as_json()) for one in book.devices],
        "steps": steps,
        "steering": may_steer(book),
    }


def may_steer(book: Book) -> bool:
    """Return whether batteries may be steered: everything passed, and the resident agreed."""
    consent = book.outcome(Step.CONSENT)
    return has_passed(book) and consent is not None and consent.facts.get("steering") is True


def has_passed(book: Book) -> bool:
    """Return whether signs and live test passed."""
    outcomes = (book.outcome(Step.SIGNS), book.outcome(Step.LIVE))
    return all(one is not None and one.mark is Mark.GOOD for one in outcomes)


def digest_of(record: dict[str, Json]) -> str:
    """Return the SHA-256 of a record's one JSON text, in hex."""
    return hashlib.sha256(canonical(record)).hexdigest()


def address_of(record: dict[str, Json], server_url: str, gateway: str) -> str:
    """Return what the QR says: the home's page at the server, or the record's mark without one."""
    if server_url and gateway:
        return f"{server_url.rstrip('/')}/gateways/{gateway}/overdracht"
    return f"kwartier:overdracht:{digest_of(record)[:32]}"


def _device(told: dict[str, Json]) -> dict[str, Json]:
    shown = ("name", "kind", "make", "model", "serial4", "unit", "profile", "status", "turned")
    return {key: told[key] for key in shown}
