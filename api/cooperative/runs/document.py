"""A run as one document: everything frozen, ids and no names."""

from __future__ import annotations

from api.cooperative.database import Desk
from kwartier.wire import Json


def run_document(desk: Desk, run: str) -> Json:
    """Return readings as they were used, rules, owners, tariffs, results and hashes of a run.

    :func:`api.cooperative.runs.frozen.recompute` reckons it again without a database.
    """
    raise NotImplementedError
