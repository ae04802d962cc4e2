"""Numbered papers of a run: which ones stand, and the statement that each of them holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from api.cooperative.canonical import canonical
from api.cooperative.database import Desk
from api.cooperative.documents import Document, Series, documents
from api.cooperative.errors import TamperedError
from api.cooperative.runs.states import Run, runs
from api.cooperative.settings import Address
from api.cooperative.statement import Statement
from api.cooperative.statement_json import plain_of, statement_of
from kwartier.wire import Json


def live_papers(
    desk: Desk, run: Run, party: str | None = None
) -> dict[tuple[str, Series], Document]:
    """Return the papers that stand for a month after a run, by member and series.

    Papers of earlier versions stand as long as no credit note of this run or before took them
    back. With a party only that member's are read.
    """
    standing: dict[tuple[str, Series], Document] = {}
    for version in runs(desk, str(run.name.month)):
        if version.name.version > run.name.version:
            break
        papers = documents(desk, run=version.id, party=party)
        taken = {paper.replaces for paper in papers if paper.series is Series.CREDIT}
        standing = {place: old for place, old in standing.items() if old.number not in taken}
        for paper in papers:
            if paper.series is not Series.CREDIT:
                standing[paper.party, paper.series] = paper
    return standing


def paper_body(desk: Desk, statement: Statement, series: Series) -> dict[str, Json]:
    """Return what stands on an invoice or purchase note: the member's statement.

    Whoever is named in it stands there sealed: the law asks to keep an invoice as it was, and
    nobody without the keys can read whose it is.
    """
    amount = statement.owed_cents if series is Series.INVOICE else statement.earned_gross_cents
    party = statement.party
    nameless = replace(
        statement,
        party=replace(
            party,
            name="",
            address=Address("", "", "", "", ""),
            email="",
            vat_number="",
            kvk="",
            oin="",
        ),
        account="",
    )
    sealed: Json = {"party": plain_of(party), "account": statement.account}
    return {
        "amount_cents": amount,
        "statement": plain_of(nameless),
        "sealed": desk.keys.seal(canonical(sealed)),
    }


def stated(desk: Desk, paper: Document) -> Statement:
    """Return the statement that an invoice or purchase note holds, opened.

    Raises:
        TamperedError: It holds none.
    """
    body = paper.body
    if not isinstance(body, dict) or not isinstance(body.get("statement"), dict):
        raise TamperedError(f"paper {paper.number} holds no statement: stop and look")
    statement, sealed = body["statement"], body["sealed"]
    assert isinstance(statement, dict), paper.number
    assert isinstance(sealed, str), paper.number
    opened = json.loads(desk.keys.open(sealed))
    return statement_of({**statement, **opened})


def replaced_by(papers: Iterable[Document]) -> tuple[str, ...]:
    """Return the numbers of the papers whose place some papers take."""
    return tuple(paper.replaces for paper in papers if paper.replaces)
