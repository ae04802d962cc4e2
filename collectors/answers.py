"""What sources outside answer: the ways it can go wrong, and JSON read exactly."""

from __future__ import annotations

import json
from typing import TypeAlias

from kwartier.errors import ContractError, InputError, LinkDownError, TemporaryError

Told: TypeAlias = "bool | str | list[Told] | dict[str, Told] | None"
"""JSON whose numbers are still the text that was sent, so that nothing is rounded."""


class AnswerError(ContractError):
    """A source's answer has no shape that is known here."""


class RefusedError(InputError):
    """A source refused the question: asking the same again will not help."""


class NothingToldError(TemporaryError):
    """A source has nothing for the time asked for, or not yet."""


class SourceDownError(LinkDownError):
    """A source cannot be reached or cannot answer now."""


def json_object(body: bytes, who: str) -> dict[str, Told]:
    """Return a JSON object with its numbers as text.

    Raises:
        AnswerError: It is no JSON, or no object.
    """
    try:
        told = json.loads(body, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise AnswerError(
            f"{who}'s answer is no JSON: {error}; it starts with "
            f"{shown(body[:60].decode('utf-8', 'replace'))}"
        ) from error
    if not isinstance(told, dict):
        raise AnswerError(f"{who}'s answer is no JSON object: {shown(told)}")
    return told


def json_rows(told: Told, name: str, who: str, most: int) -> list[dict[str, Told]]:
    """Return a list of objects of an answer.

    Raises:
        AnswerError: It is no such list, or longer than ``most``.
    """
    if not isinstance(told, list) or len(told) > most:
        raise AnswerError(f"{who}'s answer: {name!r} must be a list of at most {most} rows")
    rows = [row for row in told if isinstance(row, dict)]
    if len(rows) != len(told):
        wrong = next(row for row in told if not isinstance(row, dict))
        raise AnswerError(f"{who}'s answer: {name!r} holds {shown(wrong)}")
    return rows


def is_whole(text: str, digits: int) -> bool:
    """Return whether a text is a whole number of at most so many digits, 0 to 9 and no others."""
    return 0 < len(text) <= digits and text.isascii() and text.isdigit()


def shown(told: Told) -> str:
    """Return the beginning of what was told, as it may stand in a message."""
    return repr(told)[:120]


def refusal(body: bytes) -> str:
    """Return what a refusing answer says, short enough for a message."""
    try:
        told = json_object(body, "the service")
    except AnswerError:
        return shown(" ".join(body.decode("utf-8", "replace").split()))
    for name in ("message", "reason", "error", "title"):
        if told.get(name):
            return shown(told[name])
    return shown(told)
