"""How far bringing a home on the air is: one JSON file, always whole, also when the power goes."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from gateway.commission.found import Found, found_of
from gateway.enrol.kept import IdentityWriteError, write_whole
from kwartier.errors import ContractError, InputError
from kwartier.packing import Json

_log = logging.getLogger(__name__)
BOOK = "wizard.json"
"""Its file in the gateway's folder."""
_MOST_BYTES = 262_144
_MOST_SESSIONS = 8


class Step(StrEnum):
    """The steps, in order."""

    ENROL = "enrol"
    METER = "meter"
    DEVICES = "devices"
    SIGNS = "signs"
    LIVE = "live"
    CONSENT = "consent"
    HANDOVER = "handover"


STEPS = tuple(Step)


class Mark(StrEnum):
    """How a step ended."""

    GOOD = "good"
    LATER = "later"
    """It goes on by itself: when the sun shines, when there is internet."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step came to.

    Attributes:
        mark: How it ended.
        at_s: When, by the gateway's clock [s].
        facts: Every number that was measured.
    """

    mark: Mark
    at_s: int
    facts: dict[str, Json]


@dataclass(frozen=True, slots=True)
class _Admitted:
    """Who was let in: the mark of a session, and when it was last used [s]."""

    session: str
    used_s: int


@dataclass(frozen=True, slots=True)
class _Kept:
    outcomes: dict[Step, Outcome]
    devices: tuple[Found, ...] = ()
    started_s: int = 0
    sessions: tuple[_Admitted, ...] = ()
    pressed: int = 0


class Book:
    """What was found so far; every change is on disk before it is shown."""

    def __init__(self, path: Path, now_s: float) -> None:
        """Open a file; one that is damaged is set aside and begun anew.

        Raises:
            InputError: It cannot be read.
            IdentityWriteError: The disk takes nothing, so it cannot be set aside.
        """
        self._path = path
        self._lock = threading.RLock()
        self._kept = self._read() or _Kept({}, started_s=int(now_s))

    @property
    def devices(self) -> tuple[Found, ...]:
        """Return the devices that were found."""
        return self._kept.devices

    @property
    def started_s(self) -> int:
        """Return when it began [s]."""
        return self._kept.started_s

    def outcome(self, step: Step) -> Outcome | None:
        """Return what a step came to; None when it is still to do."""
        return self._kept.outcomes.get(step)

    def next(self) -> Step:
        """Return the first step that is still to do; the last when none is."""
        return next((step for step in STEPS if step not in self._kept.outcomes), Step.HANDOVER)

    def put(self, step: Step, outcome: Outcome) -> None:
        """Keep what a step came to."""
        with self._lock:
            self._write(replace(self._kept, outcomes={**self._kept.outcomes, step: outcome}))

    def drop(self, *steps: Step) -> None:
        """Do steps again."""
        with self._lock:
            left = {k: v for k, v in self._kept.outcomes.items() if k not in steps}
            if left != self._kept.outcomes:
                self._write(replace(self._kept, outcomes=left))

    def put_devices(self, devices: tuple[Found, ...]) -> None:
        """Keep the devices."""
        with self._lock:
            self._write(replace(self._kept, devices=devices))

    @property
    def pressed(self) -> int:
        """Return the number of the last press from afar that was taken; 0 for none."""
        return self._kept.pressed

    def take_press(self, number: int) -> None:
        """Keep that a press from afar was taken; it is not done again, also after a restart."""
        with self._lock:
            self._write(replace(self._kept, pressed=number))

    def admit(self, session: str, now_s: float) -> None:
        """Keep the mark of a session that is used now; the oldest goes when there are too many."""
        with self._lock:
            others = [one for one in self._kept.sessions if one.session != session]
            kept = (*others, _Admitted(session, int(now_s)))[-_MOST_SESSIONS:]
            self._write(replace(self._kept, sessions=kept))

    def used_s(self, session: str) -> int | None:
        """Return when a session is known to have been used [s]; None when it was not let in."""
        return next((one.used_s for one in self._kept.sessions if one.session == session), None)

    def _write(self, kept: _Kept) -> None:
        told = {
            "version": 1,
            "started_s": kept.started_s,
            "pressed": kept.pressed,
            "sessions": [{"mark": one.session, "used_s": one.used_s} for one in kept.sessions],
            "devices": [device.as_json() for device in kept.devices],
            "outcomes": {
                step.value: {"mark": one.mark.value, "at_s": one.at_s, "facts": one.facts}
                for step, one in kept.outcomes.items()
            },
        }
        write_whole(self._path, json.dumps(told, ensure_ascii=False).encode(), 0o600)
        self._kept = kept

    def _read(self) -> _Kept | None:
        try:
            with self._path.open("rb") as file:
                content = file.read(_MOST_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"{self._path}: cannot be read: {error.strerror}") from error
        try:
            return _kept_of(json.loads(content))
        except (ValueError, ContractError) as error:
            aside = self._put_aside()
            _log.warning(
                "%s cannot be read (%s): it is %s now, begun anew", self._path, error, aside
            )
            return None

    def _put_aside(self) -> Path:
        try:
            return self._path.replace(self._path.with_suffix(".damaged"))
        except OSError as error:
            raise IdentityWriteError(self._path, error) from error


def _kept_of(told: Json) -> _Kept:
    if not isinstance(told, dict):
        raise ContractError("it is no object")
    started, devices, outcomes = told.get("started_s"), told.get("devices"), told.get("outcomes")
    sessions, pressed = told.get("sessions"), told.get("pressed", 0)
    if not isinstance(devices, list) or not isinstance(outcomes, dict):
        raise ContractError("'devices' or 'outcomes' is away")
    if type(started) is not int or not isinstance(sessions, list):
        raise ContractError("'started_s' or 'sessions' is away")
    if type(pressed) is not int:
        raise ContractError("'pressed' is no number")
    return _Kept(
        {Step(step): _outcome_of(one) for step, one in outcomes.items()},
        tuple(found_of(one) for one in devices),
        started,
        tuple(_admitted_of(one) for one in sessions if isinstance(one, dict)),
        pressed,
    )


def _admitted_of(told: Mapping[str, Json]) -> _Admitted:
    used_s = told.get("used_s")
    return _Admitted(str(told.get("mark")), used_s if type(used_s) is int else 0)


def _outcome_of(told: Json) -> Outcome:
    if not isinstance(told, dict):
        raise ContractError("an outcome is no object")
    at_s, facts = told.get("at_s"), told.get("facts")
    if type(at_s) is not int or not isinstance(facts, dict):
        raise ContractError("an outcome has no time or no facts")
    return Outcome(Mark(str(told.get("mark"))), at_s, facts)
