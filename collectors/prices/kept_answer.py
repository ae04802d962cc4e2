"""An answer of a price service that somebody kept in a file: whose it is shows in its shape."""

from __future__ import annotations

from pathlib import Path

from collectors.answers import AnswerError, json_object
from collectors.outside import MAX_ANSWER_BYTES
from collectors.prices.awattar import parse_awattar
from collectors.prices.energyzero_answer import parse_answer
from collectors.prices.entsoe_answer import parse_entsoe
from collectors.prices.file import read_prices
from collectors.prices.model import PriceSeries
from collectors.prices.nordpool import parse_nordpool
from kwartier.errors import InputError


def read_answer(path: Path, area: str = "NL") -> PriceSeries:
    """Return the quarters of a kept answer or of a file of prices.

    Raises:
        InputError: The file cannot be read.
        NothingToldError: It holds no price.
        RefusedError: It is a refusal.
        SourceDownError: It is a service's failure.
        AnswerError: It has no shape that is known here.
        PriceFileError: It is a file of prices with something wrong in it.
    """
    try:
        with path.open("rb") as file:
            body = file.read(MAX_ANSWER_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    first = body.lstrip()[:1]
    if first not in {b"<", b"{"}:
        return read_prices(path)
    if len(body) > MAX_ANSWER_BYTES:
        raise AnswerError(f"{path}: is longer than {MAX_ANSWER_BYTES} bytes: no service tells that")
    if first == b"<":
        return parse_entsoe(body)
    told = json_object(body, str(path))
    if "multiAreaEntries" in told:
        return parse_nordpool(body, area)
    if told.get("object") == "list":
        return parse_awattar(body)
    return parse_answer(body)
