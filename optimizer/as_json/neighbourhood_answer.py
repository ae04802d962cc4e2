"""What a plan says of homes, machines, groups and calls, as JSON; only of what was asked about."""

from __future__ import annotations

import numpy as np

from kwartier.wire import Json
from optimizer.model.lending import lending_of
from optimizer.model.meters import net_by_meter, shared_of
from optimizer.model.neighbourhood import FloatArray, Group
from optimizer.model.runs import runs_kw
from optimizer.plan import Plan
from optimizer.problem import Problem

_DECIMALS = 9


def json_of_neighbourhood(problem: Problem, plan: Plan) -> dict[str, Json]:
    """Return ``runs``, ``homes``, ``shared_kw``, ``groups`` and ``calls`` where they were asked.

    ``homes`` comes with limits of homes, with groups and with sharing; ``beside_pays_eur`` is what
    is paid for all that stands at the neighbourhood's own connection.
    """
    answer: dict[str, Json] = {}
    if problem.runs:
        used = runs_kw(problem.runs, plan.starts, problem.steps)
        answer["runs"] = [
            {"id": run.id, "start": start, "power_kw": rounded_list(used[row])}
            for row, (run, start) in enumerate(zip(problem.runs, plan.starts, strict=True))
        ]
    if problem.boundaries is None and problem.sharing is None:
        return answer | _calls(problem)
    steered = plan.charge_kw - plan.discharge_kw
    nets = net_by_meter(problem, steered, plan.curtailed_kw, plan.starts)
    homes: list[dict[str, Json]] = [
        {
            "id": home,
            "import_kw": rounded_list(np.maximum(nets[row], 0.0)),
            "export_kw": rounded_list(np.maximum(-nets[row], 0.0)),
        }
        for row, home in enumerate(problem.home_ids)
    ]
    answer["homes"] = [*homes]
    if problem.sharing is not None:
        shared = shared_of(problem, nets)
        for row, home_answer in enumerate(homes):
            home_answer["pays_eur"] = rounded(shared.pays_eur[row])
        answer["shared_kw"] = rounded_list(shared.shared_kw)
        answer["beside_pays_eur"] = rounded(shared.pays_eur[-1])
    if problem.groups:
        answer["groups"] = [_group(problem, plan, group, nets) for group in problem.groups]
    return answer | _calls(problem)


def rounded_list(values: FloatArray) -> list[Json]:
    """Return numbers to nine decimals, without minus zero."""
    return [rounded(value) for value in values.tolist()]


def rounded(value: float) -> float:
    """Return a number to nine decimals, without minus zero."""
    return round(float(value), _DECIMALS) + 0.0


def _calls(problem: Problem) -> dict[str, Json]:
    if not problem.calls:
        return {}
    paid = zip(problem.calls, problem.call_rewards_eur, strict=True)
    return {"calls": [{"id": call.id, "reward_eur": rounded(eur)} for call, eur in paid]}


def _group(problem: Problem, plan: Plan, group: Group, nets: FloatArray) -> Json:
    rows = [problem.home_ids.index(home) for home in group.homes]
    beside = [problem.battery_ids.index(name) for name in group.batteries]
    batteries = [row for row in beside if problem.store_home[row] < 0]
    own = nets[rows]
    net = own.sum(axis=0) + (plan.charge_kw - plan.discharge_kw)[batteries].sum(axis=0)
    answer: dict[str, Json] = {
        "id": group.id,
        "import_kw": rounded_list(np.maximum(net, 0.0)),
        "export_kw": rounded_list(np.maximum(-net, 0.0)),
    }
    if not group.shares_kw:
        return answer
    share = np.array([group.shares_kw.get(home, 0.0) for home in group.homes])
    lending = lending_of(own, share, problem.step_h)
    answer["members"] = [
        {
            "home": home,
            "share_kw": float(share[row]),
            "over_kw": rounded_list(lending.over_kw[row]),
            "borrowed_kw": rounded_list(lending.borrowed_kw[row]),
            "lent_kw": rounded_list(lending.lent_kw[row]),
        }
        for row, home in enumerate(group.homes)
    ]
    givers, takers = np.nonzero(lending.between_kwh > 0)
    answer["loans"] = [
        {
            "from": group.homes[giver],
            "to": group.homes[taker],
            "kwh": rounded(lending.between_kwh[giver, taker]),
        }
        for giver, taker in zip(givers.tolist(), takers.tolist(), strict=True)
    ]
    return answer
