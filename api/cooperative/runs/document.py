"""A run as one document: everything frozen, ids and no names."""

from __future__ import annotations

from api.cooperative.database import Desk
from api.cooperative.runs.freezing import document_of
from api.cooperative.runs.proposing import body_of
from api.cooperative.runs.states import run_of
from api.cooperative.runs.storing import computation_of, days_kept
from api.cooperative.runs.waiving import found_of
from kwartier.wire import Json


def run_document(desk: Desk, run: str) -> Json:
    """Return readings as they were used, rules, owners, tariffs, results and hashes of a run.

    :func:`api.cooperative.runs.frozen.recompute` reckons it again without a database.
    """
    known = run_of(desk, run)
    computation = computation_of(desk, known)
    facts: dict[str, Json] = {
        "run": known.id,
        "corrects": known.corrects,
        "reason": known.reason,
        "decision": known.decision,
        "state": known.state.value,
        "steps": [
            {
                "state": step.state.value,
                "at_s": step.at_s,
                "officer": step.officer,
                "body_hash": step.body_hash,
                "reason": step.reason,
            }
            for step in known.steps
        ],
        "computation": computation.number,
        "input_hash": computation.input_hash,
        "result_hash": computation.result_hash,
        "body": body_of(desk, known, computation),
        "findings": [
            {
                "key": each.finding.key,
                "severity": each.finding.severity.value,
                "effect_cents": each.finding.effect_cents,
                "facts": dict(each.finding.facts),
                "waived": each.waived,
                "waived_by": each.waived_by,
            }
            for each in found_of(desk, known)
        ],
    }
    days = days_kept(desk, computation.id)
    return document_of(computation.inputs, computation.result, days, facts)
