"""For programs: canonical JSON that comes back as the same statement, and a plain CSV.

The CSV keeps every text as it is; a spreadsheet is served by :mod:`api.cooperative.papers.sheet`,
which guards against formulas.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib.resources import files

from api.cooperative.canonical import canonical
from api.cooperative.papers.legal import EARNED
from api.cooperative.statement import Statement, StatementLine
from api.cooperative.statement_json import plain_of, statement_of
from kwartier.errors import ContractError
from kwartier.interval import HOME_ZONE
from kwartier.units import kwh_text
from kwartier.wire import Json

FORMAT = "kwartier.statement/1"
"""What stands in a statement's JSON under ``format``."""
COLUMNS = (
    "run",
    "state",
    "party",
    "connection",
    "charge",
    "from",
    "until",
    "energy_wh",
    "energy_kwh",
    "days",
    "price_eur",
    "amount_cents",
    "amount_eur",
    "vat_code",
    "tariff",
    "tariff_from",
    "tariff_decision",
    "key",
    "key_decision",
    "quarters",
    "estimated",
    "paper",
)
"""The machine CSV's columns."""


def statement_json(statement: Statement) -> str:
    """Return a statement as canonical JSON: cents and Wh whole, fractions and days as text."""
    body = plain_of(statement)
    assert isinstance(body, dict)
    return canonical({"format": FORMAT, **body})


def read_statement(text: str) -> Statement:
    """Return the statement of a JSON text; the other way round it is the same text.

    Raises:
        ContractError: The text is no statement; the message names the place.
    """
    try:
        body = json.loads(text, parse_float=_refuse_float, parse_constant=_refuse_float)
    except (ValueError, RecursionError) as error:
        raise ContractError(f"statement: no JSON: {error}") from error
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise ContractError(f'statement: "format" must be {FORMAT!r}')
    return statement_of({name: value for name, value in body.items() if name != "format"})


def statement_schema() -> Json:
    """Return the published JSON Schema (draft 2020-12) of a statement."""
    text = files("api.cooperative.papers").joinpath("schemas", "statement.schema.json")
    schema: Json = json.loads(text.read_text("utf-8"))
    return schema


def machine_csv(statements: Sequence[Statement]) -> bytes:
    """Return every line with dots and ISO 8601 instants with their offset; UTF-8, LF."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for statement in statements:
        first = datetime(*statement.first.timetuple()[:3], tzinfo=HOME_ZONE)
        after = statement.last + timedelta(days=1)
        until = datetime(*after.timetuple()[:3], tzinfo=HOME_ZONE)
        for line in statement.lines:
            energy = (
                ("", "") if line.energy_wh is None else (line.energy_wh, kwh_text(line.energy_wh))
            )
            writer.writerow(
                (
                    statement.run,
                    statement.state,
                    statement.party.id,
                    line.connection,
                    line.charge,
                    first.isoformat(),
                    until.isoformat(),
                    *energy,
                    "" if line.days is None else line.days,
                    line.price_eur,
                    line.amount_cents,
                    cents_text(line.amount_cents),
                    line.vat_code,
                    line.tariff,
                    line.tariff_from.isoformat(),
                    line.tariff_decision,
                    line.key,
                    line.key_decision,
                    line.quarters,
                    line.estimated,
                    paper_number(statement, line),
                )
            )
    return out.getvalue().encode()


def paper_number(statement: Statement, line: StatementLine) -> str:
    """Return the number of the paper a line stands on, or nothing as long as there is none."""
    return statement.purchase_number if line.charge in EARNED else statement.invoice_number


def cents_text(cents: int) -> str:
    """Return cents as euro with two decimals, such as ``-6.14``."""
    euros, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{euros}.{rest:02d}"


def _refuse_float(text: str) -> Json:
    raise ValueError(f"{text} is no whole number")
