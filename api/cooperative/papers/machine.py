"""For programs: canonical JSON that comes back as the same statement, and a plain CSV."""

from __future__ import annotations

from collections.abc import Sequence

from api.cooperative.statement import Statement
from kwartier.wire import Json


def statement_json(statement: Statement) -> str:
    """Return a statement as canonical JSON: cents and Wh whole, fractions as text."""
    raise NotImplementedError


def read_statement(text: str) -> Statement:
    """Return the statement of a JSON text; the other way round it is the same text.

    Raises:
        ContractError: The text is no statement; the message names the place.
    """
    raise NotImplementedError


def statement_schema() -> Json:
    """Return the published JSON Schema (draft 2020-12) of a statement."""
    raise NotImplementedError


def machine_csv(statements: Sequence[Statement]) -> bytes:
    """Return every line with dots and ISO 8601 instants with their offset."""
    raise NotImplementedError
