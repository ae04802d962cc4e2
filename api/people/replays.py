"""What a proposed rule would have done to everybody's bills, kept for who has to decide on it."""

from __future__ import annotations

import json

from api.cooperative.canonical import canonical, text_digest
from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.tables import ReplayRow
from kwartier.wire import Json


def keep_replay(desk: PeopleDesk, account: str, told: Json) -> str:
    """Keep what a replay told and return its hash; the same twice is kept once.

    Args:
        desk: The open book.
        account: Who proposes with it.
        told: The replay as JSON.
    """
    text = canonical(told)
    digest = text_digest(text)
    if desk.session.get(ReplayRow, digest) is None:
        sealed = desk.keys.seal(text)
        desk.session.add(ReplayRow(hash=digest, told=sealed, kept_at_s=desk.at_s))
        record(desk, account, "replay.keep", digest)
    return digest


def kept_replay(desk: PeopleDesk, digest: str) -> Json:
    """Return what was kept under a hash, or None; what no longer fits its hash is not told."""
    row = desk.session.get(ReplayRow, digest) if digest else None
    if row is None:
        return None
    text = desk.keys.open(row.told)
    told: Json = json.loads(text)
    return told if text_digest(text) == digest else None
