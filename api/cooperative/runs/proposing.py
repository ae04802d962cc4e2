"""Proposing and approving a run: two people sign one hash."""

from __future__ import annotations

from api.cooperative import four_eyes
from api.cooperative.canonical import digest
from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, StateError
from api.cooperative.four_eyes import Matter, Proposal
from api.cooperative.runs.changes import delta_of
from api.cooperative.runs.states import Run, State, run_of, take
from api.cooperative.runs.storing import Computation, computation_of
from api.cooperative.runs.waiving import FoundInRun, found_of
from kwartier.wire import Json
from optimizer.settling.invoicing import Charge


def run_body(desk: Desk, run: str) -> Json:
    """Return what is signed: totals, hashes, open warnings and waivers."""
    known = run_of(desk, run)
    return body_of(desk, known, computation_of(desk, known))


def body_of(desk: Desk, run: Run, computation: Computation) -> dict[str, Json]:
    """Return what is signed of a run at hand."""
    found = found_of(desk, run)
    body: dict[str, Json] = {
        "run": run.id,
        "corrects": run.corrects,
        "reason": run.reason,
        "decision": run.decision,
        "computation": computation.number,
        "code_version": computation.code_version,
        "input_hash": computation.input_hash,
        "result_hash": computation.result_hash,
        "status": computation.status,
        "totals": dict(totals_of(computation)),
        "warnings": [
            {"finding": each.finding.key, "effect_cents": each.finding.effect_cents}
            for each in found
            if not each.waived
        ],
        "waivers": [
            {"finding": each.finding.key, "reason": each.waived, "by": each.waived_by}
            for each in found
            if each.waived
        ],
    }
    if run.corrects is not None:
        body["delta_cents"] = dict(delta_of(desk, run, computation).cents)
    return body


def totals_of(computation: Computation) -> dict[str, int]:
    """Return a run's totals: energy [Wh], cents by charge, and what is to pay."""
    invoices = computation.invoices.values()
    lines = [line for invoice in invoices for line in invoice.lines]
    totals = {
        f"{charge.value}_cents": sum(line.cents for line in lines if line.priced.charge is charge)
        for charge in Charge
    }
    return {
        "members": len(computation.invoices),
        "bought_wh": _energy_wh(computation, Charge.BUY),
        "sold_wh": _energy_wh(computation, Charge.SELL),
        "battery_wh": _energy_wh(computation, Charge.BATTERY),
        **totals,
        "net_cents": sum(invoice.net for invoice in invoices),
        "vat_cents": sum(invoice.vat_due for invoice in invoices),
        "earned_cents": sum(invoice.earned for invoice in invoices),
        "earned_vat_cents": sum(invoice.earned_vat for invoice in invoices),
        "to_pay_cents": sum(invoice.to_pay for invoice in invoices),
    }


def propose(desk: Desk, run: str) -> Proposal:
    """Propose a computed run to a second person.

    Raises:
        StateError: It is not computed, a blocker or a gap is not waived, or it is a correction
            that changes less than a cent.
    """
    known = run_of(desk, run)
    known.need(State.COMPUTED)
    computation = computation_of(desk, known)
    _refuse_open(known, found_of(desk, known))
    if known.corrects is not None and delta_of(desk, known, computation).under_a_cent:
        raise StateError(
            f"run {known.id} changes less than a cent in all: it is stored, and nothing is "
            "posted or invoiced; withdraw it with `kwartier coop run withdraw`"
        )
    proposal = four_eyes.propose(desk, Matter.RUN, known.id, body_of(desk, known, computation))
    take(desk, known, State.PROPOSED, proposal=proposal.id, body_hash=proposal.body_hash)
    record(
        desk,
        "run.propose",
        known.id,
        {"proposal": proposal.id, "body_hash": proposal.body_hash},
    )
    return proposal


def approve(desk: Desk, run: str, body_hash: str) -> None:
    """Approve a proposed run as the second person, by the hash of what was looked at.

    Again by the same officer it changes nothing.

    Raises:
        NotAllowedError: It is the officer's own proposal, or the same person's.
        StateError: It is not proposed, or no longer what was proposed.
    """
    known = run_of(desk, run)
    last = known.last
    if last.state is State.APPROVED and (last.officer, last.body_hash) == (
        desk.officer.id,
        body_hash,
    ):
        return
    known.need(State.PROPOSED)
    body = body_of(desk, known, computation_of(desk, known))
    if digest(body) != last.body_hash:
        raise StateError(f"run {known.id} is no longer what was proposed: reject it, and look")
    assert last.proposal is not None, known.id
    given = four_eyes.approval(desk, Matter.RUN, known.id, body)
    if given is None or given.officer != desk.officer.id:
        four_eyes.approve(desk, last.proposal, body_hash)
    take(desk, known, State.APPROVED, proposal=last.proposal, body_hash=body_hash)
    record(desk, "run.approve", known.id, {"proposal": last.proposal, "body_hash": body_hash})


def reject(desk: Desk, run: str, reason: str) -> None:
    """Send a proposed run back to draft: as the second person, or as who proposed it.

    A proposal that was rejected by itself is over already, and the run follows it.

    Raises:
        StateError: It is not proposed.
    """
    known = run_of(desk, run)
    known.need(State.PROPOSED)
    if not reason.strip():
        raise BooksError(f"run {known.id}: say why, in a few words")
    assert known.last.proposal is not None, known.id
    if any(each.id == known.last.proposal for each in four_eyes.open_proposals(desk)):
        four_eyes.reject(desk, known.last.proposal, reason)
    take(desk, known, State.DRAFT, reason=reason)
    record(desk, "run.reject", known.id, {"proposal": known.last.proposal, "reason": reason})


def _energy_wh(computation: Computation, charge: Charge) -> int:
    return sum(
        line.priced.energy_wh or 0
        for invoice in computation.invoices.values()
        for line in invoice.lines
        if line.priced.charge is charge
    )


def _refuse_open(run: Run, found: list[FoundInRun]) -> None:
    stopping = [each.finding for each in found if each.stops]
    if stopping:
        named = ", ".join(each.key for each in stopping[:5])
        raise StateError(
            f"run {run.id}: findings stop it ({len(stopping)}): {named}; "
            "mend the data and compute again, or waive each with a reason"
        )
