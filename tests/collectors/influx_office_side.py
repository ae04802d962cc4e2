"""A stand-in for what InfluxDB keeps beside points: it begins empty and remembers what it is told.

It answers as a real InfluxDB OSS 2.7 does to the questions of `collectors.influx_office`; the tests
marked ``influx`` ask the same of a real one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from tests.collectors.influx_far_side import refusal
from tests.collectors.loopback import Asked, FarSide, Reply

Thing = dict[str, object]
NAMES = {
    "orgs": "orgs", "buckets": "buckets", "tasks": "tasks", "authorizations": "authorizations"
}  # fmt: skip


class InfluxOfficeSide(FarSide):
    """Organisations, buckets, tasks and tokens in memory."""

    def __init__(self) -> None:
        self.things: dict[str, list[Thing]] = {name: [] for name in NAMES}
        self.admin = ""
        self.changes: list[str] = []
        """Every request that changed something."""
        self.tells_secrets = True
        self._made = 0
        super().__init__(Reply(500))

    def reply(self, asked: Asked) -> Reply:
        address = urlsplit(asked.path)
        path, query = address.path, parse_qs(address.query)
        body: Thing = json.loads(asked.body) if asked.body else {}
        if path == "/health":
            return said({"status": "pass", "name": "influxdb", "version": "v2.7.12"})
        if path == "/api/v2/setup":
            return self._setup(asked.method, body)
        secret = asked.headers.get("Authorization", "").removeprefix("Token ")
        if secret not in {self.admin, *(one["token"] for one in self.things["authorizations"])}:
            return refusal(401, "unauthorized access", "unauthorized")
        name, _, one = path.removeprefix("/api/v2/").partition("/")
        if asked.method == "GET":
            return said({name: [self._shown(name, thing) for thing in self._found(name, query)]})
        self.changes.append(f"{asked.method} {name}")
        if asked.method == "POST":
            return said(self._make(name, body), 201)
        (thing,) = [thing for thing in self.things[name] if thing["id"] == one]
        if asked.method == "DELETE":
            self.things[name].remove(thing)
            return Reply(204)
        thing.update(body)
        return said(thing)

    def named(self, kind: str, name: str) -> Thing:
        """Return the one thing of a name."""
        word = "description" if kind == "authorizations" else "name"
        (found,) = [thing for thing in self.things[kind] if thing[word] == name]
        return found

    def _setup(self, method: str, body: Thing) -> Reply:
        if method == "GET":
            return said({"allowed": not self.admin})
        if self.admin:
            return refusal(422, "onboarding has already been completed", "conflict")
        self.changes.append("POST setup")
        self.admin = str(body["token"])
        org = self._make("orgs", {"name": body["org"]})
        rules = [{"type": "expire", "everySeconds": body["retentionPeriodSeconds"]}]
        self._make("buckets", {"name": body["bucket"], "orgID": org["id"], "retentionRules": rules})
        return said({"org": org, "auth": {"token": self.admin}}, 201)

    def _make(self, name: str, body: Thing) -> Thing:
        self._made += 1
        thing: Thing = {"id": f"{self._made:016x}", "status": "active", **body}
        if name == "tasks":
            thing["name"] = str(body["flux"]).partition('name: "')[2].partition('"')[0]
        if name == "authorizations":
            thing["token"] = f"secret-{self._made}"
        self.things[name].append(thing)
        return thing

    def _found(self, name: str, query: dict[str, list[str]]) -> list[Thing]:
        org = query.get("orgID", [None])[0]
        held = [thing for thing in self.things[name] if org is None or thing.get("orgID") == org]
        start = int(query.get("offset", ["0"])[0])
        return held[start : start + int(query.get("limit", ["1000"])[0])]

    def _shown(self, name: str, thing: Thing) -> Thing:
        if name == "authorizations" and not self.tells_secrets:
            return {key: value for key, value in thing.items() if key != "token"}
        return thing


def said(body: Thing, status: int = 200) -> Reply:
    """An answer in JSON."""
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


@contextmanager
def influx_office() -> Iterator[InfluxOfficeSide]:
    """Serve an empty one."""
    server = InfluxOfficeSide()
    try:
        yield server
    finally:
        server.close()
