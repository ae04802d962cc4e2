"""Writes a plan as the JSON object that ``docs/plan.md`` describes."""

from __future__ import annotations

from kwartier.wire import Json
from optimizer.as_json.neighbourhood_answer import json_of_neighbourhood, rounded, rounded_list
from optimizer.model.stores import temperature_c
from optimizer.plan import Plan, Reason, Violation
from optimizer.problem import Problem, StoreKind
from optimizer.why.reason_facts import facts_of, json_of_facts


def json_of_plan(problem: Problem, plan: Plan) -> dict[str, Json]:
    """Return the answer to a problem; powers and energies to nine decimals.

    Reasons run from their first to their last step, both included. ``gap_eur`` appears where the
    plan is not proven the cheapest, ``end_value_eur`` where an end is free and has a worth.
    """
    answer: dict[str, Json] = {
        "status": plan.status.value,
        "cost_eur": rounded(plan.cost_eur),
        "batteries": [_store(problem, plan, row) for row in _rows(problem, StoreKind.BATTERY)],
        "grid": {
            "import_kw": rounded_list(plan.import_kw),
            "export_kw": rounded_list(plan.export_kw),
            "peak_kw": rounded(plan.peak_kw),
        },
        "curtailed_kw": {
            home: rounded_list(plan.curtailed_kw[row]) for row, home in enumerate(problem.home_ids)
        },
        "reasons": [
            _reason(reason) | json_of_facts(facts)
            for reason, facts in zip(plan.reasons, facts_of(problem, plan), strict=True)
        ],
    }
    if problem.sessions:
        answer["sessions"] = [
            _store(problem, plan, row) for row in _rows(problem, StoreKind.SESSION)
        ]
    if problem.heat_pumps:
        rows = _rows(problem, StoreKind.HEAT_PUMP)
        answer["heat_pumps"] = [
            {
                "id": pump.id,
                "power_kw": rounded_list(plan.charge_kw[row]),
                "temperature_c": rounded_list(temperature_c(pump, plan.soc_kwh[row])),
            }
            for row, pump in zip(rows, problem.heat_pumps, strict=True)
        ]
    answer |= json_of_neighbourhood(problem, plan)
    if plan.violations:
        answer["violations"] = [_violation(one) for one in plan.violations]
    if problem.end_value_eur_per_kwh[~problem.end_is_fixed].any():
        answer["end_value_eur"] = rounded(plan.end_value_eur)
    if plan.gap_eur is not None and plan.gap_eur > 0:
        answer["gap_eur"] = plan.gap_eur
    if plan.seconds is not None:
        answer["seconds"] = {
            "build": round(plan.seconds.build, 6),
            "solve": round(plan.seconds.solve, 6),
        }
    return answer


def _rows(problem: Problem, kind: StoreKind) -> list[int]:
    return [row for row, one in enumerate(problem.store_kinds) if one is kind]


def _store(problem: Problem, plan: Plan, row: int) -> Json:
    return {
        "id": problem.battery_ids[row],
        "charge_kw": rounded_list(plan.charge_kw[row]),
        "discharge_kw": rounded_list(plan.discharge_kw[row]),
        "soc_kwh": rounded_list(plan.soc_kwh[row]),
    }


def _reason(reason: Reason) -> dict[str, Json]:
    return {
        "from": reason.first,
        "to": reason.last,
        "battery": reason.battery,
        "action": reason.action.value,
        "because": reason.because.value,
        "text": reason.text_nl,
        "text_nl": reason.text_nl,
        "text_en": reason.text_en,
    }


def _violation(violation: Violation) -> Json:
    return {
        "limit": violation.limit,
        "step": violation.step,
        f"excess_{violation.unit}": rounded(violation.excess),
    }
