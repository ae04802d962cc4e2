"""The members' statements of a run, from what was frozen and what was numbered."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace

from api.cooperative.checks import Finding
from api.cooperative.checks.sentences import LANGUAGES, sentence
from api.cooperative.database import Desk
from api.cooperative.documents import Document, Series
from api.cooperative.papers.wording import wording
from api.cooperative.registry import ibans_to_pay, mandates_on, party_parts
from api.cooperative.runs.changes import delta_of
from api.cooperative.runs.energy_parts import energy_parts
from api.cooperative.runs.lines import Terms, lines_of, vat_of
from api.cooperative.runs.papers import live_papers, replaced_by, stated
from api.cooperative.runs.states import BOOKED, Run, State, run_of
from api.cooperative.runs.storing import Computation, computation_of
from api.cooperative.runs.waiving import FoundInRun, found_of
from api.cooperative.settings import CoopSettings
from api.cooperative.statement import (
    ConnectionPart,
    CoopPart,
    CorrectionPart,
    PartyPart,
    Statement,
    StatementState,
)
from kwartier.interval import day_of
from optimizer.balance import BATTERY
from optimizer.settling.invoicing import MemberInvoice


def statements(
    desk: Desk, settings: CoopSettings, run: str, party: str | None = None
) -> list[Statement]:
    """Return every member's statement of a run, in order of their ids; or one member's alone.

    A statement whose papers are numbered is what was numbered, word for word.
    """
    known = run_of(desk, run)
    if known.state not in (State.INVOICED, State.CLOSED):
        return assembled(desk, settings, known, only=party)
    papers = live_papers(desk, known, party)
    own = {place: paper for place, paper in papers.items() if paper.run == known.id}
    said = {name: stated(desk, paper) for (name, _), paper in own.items()}
    whole = list(said.values())
    if party is None or party not in said:
        whole += assembled(desk, settings, known, without=said, only=party)
    told = [_numbered(each, known, papers) for each in whole]
    return sorted(told, key=lambda each: each.party.id)


def assembled(
    desk: Desk,
    settings: CoopSettings,
    run: Run,
    *,
    without: Container[str] = (),
    only: str | None = None,
) -> list[Statement]:
    """Return members' statements as the books know them now, without numbers.

    Args:
        desk: The open books.
        settings: The cooperative.
        run: The run.
        without: Members who are left out.
        only: The one member who is wanted; everybody when None.
    """
    computation = computation_of(desk, run)
    terms = Terms.of(computation.inputs)
    invoices = {
        name: invoice
        for name, invoice in computation.invoices.items()
        if name not in without and only in (None, name)
    }
    parties = party_parts(desk, invoices, run.name.month.last)
    energy = energy_parts(desk, run, computation, invoices)
    found = [each for each in found_of(desk, run) if each.waived]
    deltas = None if run.corrects is None else delta_of(desk, run, computation)
    coop = CoopPart.of(settings)
    made = []
    for name, invoice in invoices.items():
        party, parts = parties[name], energy[name]
        statement = _statement(run, computation, terms, coop, party, invoice)
        statement = replace(statement, connections=parts, waivers=_waivers(found, party, parts))
        if deltas is not None:
            cents = deltas.cents[name]
            statement = replace(
                statement,
                correction=CorrectionPart((), run.reason, invoice.to_pay - cents, cents),
            )
        made.append(statement)
    return _payable(desk, made)


def _statement(
    run: Run,
    computation: Computation,
    terms: Terms,
    coop: CoopPart,
    party: PartyPart,
    invoice: MemberInvoice,
) -> Statement:
    state = StatementState.PROVISIONAL
    if run.state in BOOKED:
        state = StatementState.FINAL if run.corrects is None else StatementState.CORRECTED
    lines = lines_of(terms, party.id, invoice)
    return Statement(
        run=run.id,
        run_hash=computation.result_hash,
        state=state,
        first=run.name.month.first,
        last=run.name.month.last,
        coop=coop,
        party=party,
        invoice_number="",
        purchase_number="",
        issued=None,
        due=None,
        lines=lines,
        vat=vat_of(invoice, lines),
        net_cents=invoice.net,
        vat_cents=invoice.vat_due,
        earned_cents=invoice.earned,
        earned_vat_cents=invoice.earned_vat,
        to_pay_cents=invoice.to_pay,
        connections=(),
        warnings=terms.warnings,
    )


def _waivers(
    found: list[FoundInRun], party: PartyPart, connections: tuple[ConnectionPart, ...]
) -> tuple[str, ...]:
    """Return what was waived about a member, its connections or everybody, in words."""
    language = party.language if party.language in LANGUAGES else "nl"
    told = []
    for each in found:
        finding = each.finding
        about_all = not finding.member and finding.connection in ("", BATTERY)
        if about_all or finding.member == party.id or _touches(finding, connections):
            what = sentence(finding, language)
            told.append(wording(language).say("waivers.because", found=what, reason=each.waived))
    return tuple(told)


def _touches(finding: Finding, connections: tuple[ConnectionPart, ...]) -> bool:
    """Return whether a finding is about a connection while the member owned it."""
    return any(
        part.id == finding.connection
        and (finding.first is None or day_of(finding.first.start_s) <= part.last)
        and (finding.last is None or day_of(finding.last.start_s) >= part.first)
        for part in connections
    )


def _payable(desk: Desk, made: Iterable[Statement]) -> list[Statement]:
    """Return statements with the mandate or the account by which each of them is paid."""
    unpaid = {each.party.id: each for each in made}
    owing = [name for name, each in unpaid.items() if each.to_pay_cents > 0]
    mandates = mandates_on(desk, owing, day_of(desk.at_s))
    ibans = ibans_to_pay(desk, [name for name in unpaid if name not in mandates])
    payable = []
    for name, statement in unpaid.items():
        mandate = mandates.get(name)
        if mandate is not None:
            told = replace(statement, mandate=mandate.reference, account=_masked(mandate.iban))
        elif name in ibans:
            told = replace(statement, account=_masked(ibans[name]))
        else:
            told = statement
        payable.append(told)
    return payable


def _numbered(
    said: Statement, run: Run, papers: Mapping[tuple[str, Series], Document]
) -> Statement:
    """Return a statement with the numbers of the papers that stand for it."""
    invoice = papers.get((said.party.id, Series.INVOICE))
    purchase = papers.get((said.party.id, Series.PURCHASE))
    standing = [paper for paper in (invoice, purchase) if paper is not None]
    own = [paper for paper in standing if paper.run == run.id]
    correction = said.correction
    if correction is not None:
        correction = replace(correction, replaces=replaced_by(own))
    return replace(
        said,
        invoice_number="" if invoice is None else invoice.number,
        purchase_number="" if purchase is None else purchase.number,
        issued=(own or standing)[0].day if standing else None,
        correction=correction,
    )


def _masked(iban: str) -> str:
    return f"…{iban[-4:]}"
