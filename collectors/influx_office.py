"""What InfluxDB holds beside points: organisations, buckets, tasks and tokens, by their names.

Source:
    docs.influxdata.com, InfluxDB OSS v2 API: setup, orgs, buckets, tasks, authorizations, health.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from collectors.influx import Influx
from collectors.influx_wanted import Right, WantedTask, WantedToken
from kwartier.charts import Bucket
from kwartier.errors import ContractError

_PAGE = 100
_PAGES = 100
_BUCKETS = "buckets"


@dataclass(frozen=True, slots=True)
class HeldBucket:
    """A bucket as it is there; ``keep_s`` is 0 where it keeps points for ever."""

    id: str
    keep_s: int


@dataclass(frozen=True, slots=True)
class HeldTask:
    """A task as it is there."""

    id: str
    flux: str
    active: bool


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token as it is there.

    Attributes:
        id: Its id.
        rights: What it may do with buckets, by their ids; None where it may do anything else.
        active: Whether it is let in.
        secret: The token itself, where the server tells it.
    """

    id: str
    rights: frozenset[Right] | None
    active: bool
    secret: str = field(repr=False)


class Office:
    """Asks and changes what one organisation holds; `Influx.manage` tells what may be raised."""

    def __init__(self, influx: Influx) -> None:
        """Speak with the token of an open door."""
        self._influx = influx

    def version(self) -> str:
        """Return the server's version, and so that it is there and well."""
        told = self._influx.manage("GET", "/health")
        if told.get("status") != "pass":
            raise ContractError(f"InfluxDB is not well: {str(told.get('message'))[:200]}")
        return _text(told, "version")

    def is_new(self) -> bool:
        """Return whether nobody has set it up yet."""
        return self._influx.manage("GET", "/api/v2/setup").get("allowed") is True

    def begin(self, organisation: str, bucket: Bucket, user: str, password: str, token: str) -> str:
        """Set a new server up with its first user, whose token may do all; return the id."""
        told = self._influx.manage(
            "POST",
            "/api/v2/setup",
            body={
                "username": user,
                "password": password,
                "token": token,
                "org": organisation,
                "bucket": bucket.name,
                "retentionPeriodSeconds": bucket.keep_s,
            },
        )
        return _text(_table(told, "org"), "id")

    def organisation(self, name: str) -> str | None:
        """Return the id of an organisation, or None when there is none of that name."""
        for one in self._pages("/api/v2/orgs", "orgs", {}):
            if one.get("name") == name:
                return _text(one, "id")
        return None

    def make_organisation(self, name: str) -> str:
        """Make an organisation and return its id."""
        return _text(self._influx.manage("POST", "/api/v2/orgs", body={"name": name}), "id")

    def buckets(self, org: str) -> dict[str, HeldBucket]:
        """Return the buckets of an organisation by their names."""
        return {
            _text(one, "name"): HeldBucket(_text(one, "id"), _keep_s(one))
            for one in self._pages("/api/v2/buckets", _BUCKETS, {"orgID": org})
        }

    def make_bucket(self, org: str, bucket: Bucket) -> HeldBucket:
        """Make a bucket."""
        told = self._influx.manage(
            "POST",
            "/api/v2/buckets",
            body={
                "orgID": org,
                "name": bucket.name,
                "description": bucket.meaning,
                "retentionRules": _rules(bucket),
            },
        )
        return HeldBucket(_text(told, "id"), bucket.keep_s)

    def keep(self, held: HeldBucket, bucket: Bucket) -> None:
        """Change how long a bucket keeps points."""
        self._influx.manage(
            "PATCH", f"/api/v2/buckets/{held.id}", body={"retentionRules": _rules(bucket)}
        )

    def tasks(self, org: str) -> dict[str, HeldTask]:
        """Return the tasks of an organisation by their names."""
        found: dict[str, HeldTask] = {}
        query = {"orgID": org, "limit": str(_PAGE)}
        for _ in range(_PAGES):
            told = _tables(self._influx.manage("GET", "/api/v2/tasks", query), "tasks")
            for one in told:
                task = HeldTask(_text(one, "id"), _text(one, "flux"), one.get("status") == "active")
                found[_text(one, "name")] = task
            if len(told) < _PAGE:
                return found
            query["after"] = _text(told[-1], "id")
        raise ContractError(f"InfluxDB tells of more than {_PAGE * _PAGES} tasks")

    def make_task(self, org: str, task: WantedTask) -> None:
        """Make a task that runs."""
        body = {"orgID": org, "flux": task.flux, "status": "active"}
        self._influx.manage("POST", "/api/v2/tasks", body=body)

    def change_task(self, held: HeldTask, task: WantedTask) -> None:
        """Give a task its text, and let it run."""
        body = {"flux": task.flux, "status": "active"}
        self._influx.manage("PATCH", f"/api/v2/tasks/{held.id}", body=body)

    def tokens(self, org: str) -> dict[str, list[HeldToken]]:
        """Return the tokens of an organisation by their descriptions, which may be the same."""
        told = self._influx.manage("GET", "/api/v2/authorizations", {"orgID": org})
        found: dict[str, list[HeldToken]] = {}
        for one in _tables(told, "authorizations"):
            secret = one.get("token")
            token = HeldToken(
                _text(one, "id"),
                _rights(one),
                one.get("status") == "active",
                secret if isinstance(secret, str) else "",
            )
            found.setdefault(str(one.get("description", "")), []).append(token)
        return found

    def make_token(self, org: str, token: WantedToken, buckets: Mapping[str, HeldBucket]) -> str:
        """Make a token for buckets by their names and return its secret, which is told once."""
        permissions = [
            {
                "action": right.action,
                "resource": {"type": _BUCKETS, "id": buckets[right.bucket].id, "orgID": org},
            }
            for right in sorted(token.rights)
        ]
        body = {"orgID": org, "description": token.name, "permissions": permissions}
        return _text(self._influx.manage("POST", "/api/v2/authorizations", body=body), "token")

    def drop_token(self, held: HeldToken) -> None:
        """Take a token back: whoever uses it is no longer let in."""
        self._influx.manage("DELETE", f"/api/v2/authorizations/{held.id}")

    def _pages(
        self, path: str, name: str, query: Mapping[str, str]
    ) -> Iterator[Mapping[str, object]]:
        for page in range(_PAGES):
            asked = {**query, "limit": str(_PAGE), "offset": str(page * _PAGE)}
            told = _tables(self._influx.manage("GET", path, asked), name)
            yield from told
            if len(told) < _PAGE:
                return
        raise ContractError(f"InfluxDB tells of more than {_PAGE * _PAGES} {name}")


def _rules(bucket: Bucket) -> list[dict[str, object]]:
    return [{"type": "expire", "everySeconds": bucket.keep_s}]


def _keep_s(bucket: Mapping[str, object]) -> int:
    rules = _tables(bucket, "retentionRules") if bucket.get("retentionRules") else []
    keep_s = rules[0].get("everySeconds") if rules else 0
    return keep_s if isinstance(keep_s, int) else 0


def _rights(token: Mapping[str, object]) -> frozenset[Right] | None:
    rights: set[Right] = set()
    for one in _tables(token, "permissions"):
        resource = _table(one, "resource")
        bucket = resource.get("id")
        if resource.get("type") != _BUCKETS or not isinstance(bucket, str):
            return None
        rights.add(Right(_text(one, "action"), bucket))
    return frozenset(rights)


def _table(told: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = told.get(name)
    if not isinstance(value, dict):
        raise ContractError(f"InfluxDB's answer has no table {name!r}")
    return value


def _tables(told: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    value = told.get(name)
    rows = value if isinstance(value, list) else []
    if value is not None and (rows is not value or not all(isinstance(row, dict) for row in rows)):
        raise ContractError(f"InfluxDB's answer has no list of tables {name!r}")
    return rows


def _text(told: Mapping[str, object], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str):
        raise ContractError(f"InfluxDB's answer has no text {name!r}")
    return value
