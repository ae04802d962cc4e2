"""InfluxDB made ready: what is wanted is compared with what is there, and only the rest is done.

Twice the same changes nothing. What somebody changed is put right, with one exception: a bucket
that keeps points longer than wanted would lose them, so that is only said unless it is asked for.
Secrets go to files that their owner alone may read, and nowhere else.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from collectors.influx import Influx, InfluxSettings, InfluxSettingsError
from collectors.influx_office import HeldBucket, HeldToken, Office
from collectors.influx_wanted import TASKS, TOKENS, Right, WantedToken
from kwartier.charts import BUCKETS, RAW, Bucket
from kwartier.durable import replace_file
from kwartier.errors import SettingsError

ADMIN_FILE = "admin.token"
PASSWORD_FILE = "admin.password"  # noqa: S105 - a file's name
ADMIN = "kwartier"
_MODE = 0o600


class Did(StrEnum):
    """What became of one thing."""

    THERE = "there"
    """It was as wanted."""
    MADE = "made"
    """It was missing."""
    REPAIRED = "repaired"
    """It was otherwise."""
    LEFT = "left"
    """It is otherwise, and was left so: the note says why."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing and what became of it, or would.

    Attributes:
        what: Such as ``bucket raw``.
        did: What became of it; with a dry run what would.
        note: What was otherwise; empty where nothing was.
    """

    what: str
    did: Did
    note: str = ""


@dataclass(frozen=True, slots=True)
class SetupPlace:
    """Where to set up, and how.

    Attributes:
        url: InfluxDB's address.
        organisation: The organisation's name.
        folder: Where the token files are; ``admin.token`` in it opens the server.
        dry_run: Only say what would be done.
        shorten: Also shorten how long a bucket keeps points; older ones are deleted there.
    """

    url: str
    organisation: str
    folder: Path
    dry_run: bool = False
    shorten: bool = False


def set_up(place: SetupPlace) -> list[Step]:
    """Make what is missing and put right what is otherwise; return what became of each thing.

    Raises:
        SettingsError: The folder or a file in it cannot be used, or the server does not know us.
        InfluxDownError: The server is away; run it again, what was done stands.
        InfluxRefusedError: The server refuses something.
        ContractError: The server answers in no known form.
    """
    if not place.folder.is_dir():
        raise SettingsError(f"{place.folder}: is no folder: make it first, with mode 0700")
    admin = _read(place.folder / ADMIN_FILE)
    steps: list[Step] = []
    with _door(place, admin or "nobody") as door:
        is_new = Office(door).is_new()
    if is_new:
        steps.append(Step("server", Did.MADE, "its first user, with all rights"))
        if place.dry_run:
            return steps + [Step(what, Did.MADE) for what in _everything()]
        admin = _begun(place, admin or secrets.token_urlsafe(48))
    elif not admin:
        raise SettingsError(
            f"{place.folder / ADMIN_FILE}: is away or empty: put a token with all rights in it, "
            "as `influx auth create --all-access` makes one"
        )
    with _door(place, admin) as door:
        return steps + _Setup(place, Office(door)).steps()


class _Setup:
    """One comparison of what is there with what is wanted."""

    def __init__(self, place: SetupPlace, office: Office) -> None:
        self._place = place
        self._office = office

    def steps(self) -> list[Step]:
        """Do it."""
        name = self._place.organisation
        org = self._office.organisation(name)
        done = Step(f"organisation {name}", Did.THERE if org else Did.MADE)
        if org is None:
            if self._place.dry_run:
                return [done, *(Step(what, Did.MADE) for what in _everything()[1:])]
            org = self._office.make_organisation(name)
        buckets = self._office.buckets(org)
        return [
            done,
            *[self._bucket(org, bucket, buckets) for bucket in BUCKETS],
            *self._tasks(org),
            *self._tokens(org, buckets),
        ]

    def _bucket(self, org: str, bucket: Bucket, held: dict[str, HeldBucket]) -> Step:
        what = f"bucket {bucket.name}"
        one = held.get(bucket.name)
        if one is None:
            if self._does():
                held[bucket.name] = self._office.make_bucket(org, bucket)
            return Step(what, Did.MADE, _days(bucket.keep_s))
        if one.keep_s == bucket.keep_s:
            return Step(what, Did.THERE, _days(bucket.keep_s))
        note = f"keeps {_days(one.keep_s)} where {_days(bucket.keep_s)} are wanted"
        is_longer = one.keep_s == 0 or one.keep_s > bucket.keep_s
        if is_longer and not self._place.shorten:
            return Step(what, Did.LEFT, f"{note}: --shorten deletes what is older")
        if self._does():
            self._office.keep(one, bucket)
        return Step(what, Did.REPAIRED, note)

    def _tasks(self, org: str) -> Iterator[Step]:
        held = self._office.tasks(org)
        for task in TASKS:
            what, one = f"task {task.name}", held.get(task.name)
            if one is None:
                if self._does():
                    self._office.make_task(org, task)
                yield Step(what, Did.MADE)
            elif one.flux == task.flux and one.active:
                yield Step(what, Did.THERE)
            else:
                if self._does():
                    self._office.change_task(one, task)
                yield Step(
                    what, Did.REPAIRED, "had another text" if one.active else "was switched off"
                )

    def _tokens(self, org: str, buckets: Mapping[str, HeldBucket]) -> Iterator[Step]:
        held = self._office.tokens(org)
        for token in TOKENS:
            path = self._place.folder / token.file
            ones = held.get(token.name, [])
            why = self._wrong(token, ones, path, buckets)
            if why is None:
                yield Step(f"token {token.name}", Did.THERE)
                continue
            if self._does():
                # The new one first: without it in its file the old one stays in force.
                secret = self._office.make_token(org, token, buckets)
                _write(path, secret)
                for one in ones:
                    self._office.drop_token(one)
            yield Step(f"token {token.name}", Did.REPAIRED if ones else Did.MADE, why)

    def _wrong(
        self,
        token: WantedToken,
        held: list[HeldToken],
        path: Path,
        buckets: Mapping[str, HeldBucket],
    ) -> str | None:
        """Return what is wrong with a token or its file; None when both are as wanted."""
        if not held:
            return f"goes to {path.name}"
        if len(held) > 1:
            return "was there more than once"
        (one,) = held
        wanted = frozenset(
            Right(right.action, buckets[right.bucket].id)
            for right in token.rights
            if right.bucket in buckets
        )
        if one.rights != wanted or len(wanted) < len(token.rights):
            return "had other rights"
        if not one.active:
            return "was switched off"
        secret = _read(path)
        if not secret:
            return f"{path.name} was away"
        if not (secret == one.secret if one.secret else self._is_let_in(secret, token)):
            return f"{path.name} held another token"
        if path.stat().st_mode & 0o077:
            return f"{path.name} was open to others"
        return None

    def _is_let_in(self, secret: str, token: WantedToken) -> bool:
        """Return whether a secret opens the server, and is not that of a token with other rights.

        Asked where the server does not tell secrets.
        """
        others = {ADMIN_FILE, *(one.file for one in TOKENS)} - {token.file}
        if secret in {_read(self._place.folder / file) for file in others}:
            return False
        try:
            with _door(self._place, secret) as door:
                door.manage("GET", "/api/v2/buckets", {"limit": "1"})
        except InfluxSettingsError:
            return False
        return True

    def _does(self) -> bool:
        return not self._place.dry_run


def _begun(place: SetupPlace, token: str) -> str:
    """Set a new server up and return its first token; it is on disk before the server knows it."""
    password = secrets.token_urlsafe(48)
    _write(place.folder / PASSWORD_FILE, password)
    _write(place.folder / ADMIN_FILE, token)
    with _door(place, token) as door:
        Office(door).begin(place.organisation, RAW, ADMIN, password, token)
    return token


def _door(place: SetupPlace, token: str) -> Influx:
    return Influx(InfluxSettings(place.url, token, place.organisation, RAW.name))


def _everything() -> list[str]:
    return [
        "organisation",
        *(f"bucket {bucket.name}" for bucket in BUCKETS),
        *(f"task {task.name}" for task in TASKS),
        *(f"token {token.name}" for token in TOKENS),
    ]


def _days(keep_s: int) -> str:
    return f"{keep_s // 86_400} days" if keep_s else "for ever"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no text"
        raise SettingsError(f"{path}: cannot be read: {reason}") from None


def _write(path: Path, secret: str) -> None:
    try:
        replace_file(path, f"{secret}\n".encode(), _MODE)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written: {error.strerror}") from None
