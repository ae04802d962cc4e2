"""What a browser's form brings, bounded: a dependency, so that pages stay plain functions."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, TypeAlias
from urllib.parse import parse_qs

from fastapi import Depends, Request

from api.problems import RefusedError

FORM_BYTES = 16_384
"""The most a form may weigh [bytes]."""
MOST_FIELDS = 50
MOST_LETTERS = 4_000
"""The most letters of one field."""
_LINES = frozenset("\t\n\r")
_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


async def read_form(request: Request) -> Mapping[str, str]:
    """Return the fields of a small form, or refuse a large or broken one."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            raise RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a form of more than {FORM_BYTES} bytes"
            )
    try:
        found = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "this form cannot be read: open the page anew"
        ) from error
    return {name: _shown(values[0][:MOST_LETTERS]) for name, values in found.items()}


def _shown(text: str) -> str:
    """Return a text without what does not show: it could pass for another text."""
    return "".join(each for each in text if each in _LINES or not _is_hidden(each))


def _is_hidden(letter: str) -> bool:
    """Return whether a letter is a control, or turns the direction of what stands beside it."""
    turns = unicodedata.bidirectional(letter) in _TURNING
    return turns or unicodedata.category(letter) in {"Cc", "Cs"}


Form: TypeAlias = Annotated[Mapping[str, str], Depends(read_form)]
"""The fields of the form that was sent."""
