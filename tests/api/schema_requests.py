"""Requests that the schema allows, and such as it forbids, and what is wrong with their answers.

Imported by the one test that sends them, when it runs: schemathesis is much to load for every
process of the suite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.core.adapter import OperationParameter, ResponsesContainer
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.adapter.security import OpenApiSecurityParameters
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.api.matrix import Who, session_of
from tests.api.town import Town

Operation: TypeAlias = APIOperation[
    OperationParameter, ResponsesContainer[object], OpenApiSecurityParameters, OpenApiSchema
]
Request: TypeAlias = Case[Operation]
ENDLESS = "/api/v1/stream"
THERE: Mapping[str, object] = {
    "gateway": "gw-00",
    "home": "home-1",
    "month": "2026-10",
    "version": 1,
    "line": 1,
    "day": "2026-10-25",
    "party": "lid-1",
    "number": 1,
    "proposal": 1,
    "key": "A9-home-3",
    "job": 1,
}
"""What a path may name and is there."""
ASKED: Mapping[str, object] = {
    "from": "2026-10-25T00:00:00Z",
    "to": "2026-10-25T06:00:00Z",
    "limit": 5,
    "with": "2026-10/1",
}
"""What a path may be asked that is answered with a body."""
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


@dataclass(frozen=True, slots=True)
class Place:
    """A town at a port, and what it says of itself."""

    town: Town
    client: httpx.Client
    operations: list[Operation]


def place_of(town: Town, client: httpx.Client) -> Place:
    """Return a town with the operations that its own document tells of."""
    document = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    found = [each.ok() for each in document.get_all_operations() if isinstance(each, Ok)]
    return Place(town, client, [each for each in found if each.path != ENDLESS])


def wrong_answers(place: Place, who: Who, most: int) -> list[str]:
    """Return what each operation answered wrongly to somebody, one fault each."""
    session = session_of(place.town, who)
    headers = {"Origin": place.town.house.public_url}
    if session is not None:
        headers["Cookie"] = f"kwartier={session}"
    wrong: list[str] = []
    for operation in place.operations:
        wrong += _faults(place, operation, headers, most)
    return wrong


def _faults(place: Place, operation: Operation, headers: Mapping[str, str], most: int) -> list[str]:
    told: dict[str, str] = {}

    @seed(20_261_102)
    @settings(
        max_examples=most,
        deadline=None,
        database=None,
        derandomize=False,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases_of(operation))
    def tried(case: Request) -> None:
        fault = _fault(place.client, case, headers)
        if fault:
            told.setdefault(fault.partition("\n")[0], fault)

    tried()
    return list(told.values())


def cases_of(operation: Operation) -> st.SearchStrategy[Request]:
    """Return requests of every kind: of what is there, allowed, and not allowed."""
    path = {each.name: THERE[each.name] for each in operation.path_parameters}
    query = {each.name: ASKED[each.name] for each in operation.query if each.name in ASKED}
    kinds = [
        operation.as_strategy(GenerationMode.POSITIVE, path_parameters=path, query=query),
        operation.as_strategy(GenerationMode.POSITIVE, path_parameters=path),
        operation.as_strategy(GenerationMode.POSITIVE),
    ]
    if path or query or list(operation.query):
        kinds.append(operation.as_strategy(GenerationMode.NEGATIVE))
    return st.one_of(kinds)


def _fault(client: httpx.Client, case: Request, headers: Mapping[str, str]) -> str:
    sent = case.as_transport_kwargs(base_url=str(client.base_url))
    reply = client.request(
        sent["method"],
        sent["url"],
        params=sent.get("params"),
        headers={**(sent.get("headers") or {}), **headers},
        content=sent.get("data"),
    )
    if reply.status_code >= 500 and reply.status_code != 503:
        return f"{case.method} {case.formatted_path} {sent.get('params')} fails: {reply.text[:200]}"
    try:
        case.validate_response(reply, checks=CHECKS)
    except schemathesis.errors.FailureGroup as failures:
        first = str(failures.exceptions[0])[:400]
        return f"{case.operation.label} {reply.status_code}: {first}\n{reply.url}"
    return ""
