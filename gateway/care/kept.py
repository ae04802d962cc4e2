"""What a gateway keeps of wishes, in one file that a power cut leaves old or new."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.care.disk import Disk, replace_durably
from kwartier.configuration import Stage, Wish
from kwartier.errors import ContractError, TemporaryError
from kwartier.packing import Json, choice, integer, text

_log = logging.getLogger(__name__)

_FILE = "settings-from-afar.json"


class KeptWriteError(TemporaryError):
    """The disk takes nothing: what was wished stays undone."""


@dataclass(frozen=True, slots=True)
class Change:
    """Changes laid over the home's settings."""

    version: int
    changes: str

    @property
    def sha256(self) -> str:
        """The fingerprint of the changes."""
        return hashlib.sha256(self.changes.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Trial:
    """Changes that have yet to prove themselves.

    Attributes:
        change: What is tried.
        starts: How often it was started.
        must_hear: Devices that were heard before and are found in another way now.
        must_read_p1: Whether a P1 meter was heard before.
    """

    change: Change
    starts: int
    must_hear: tuple[str, ...]
    must_read_p1: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """All that is kept.

    Attributes:
        confirmed: What is in force; None for the home's settings alone.
        trial: What is tried; None where nothing is.
        highest: The highest version ever tried; 0 for none.
        highest_sha256: Its fingerprint.
        stage: How far the newest wish that was tried came.
        reason: Why it was taken back.
    """

    confirmed: Change | None = None
    trial: Trial | None = None
    highest: int = 0
    highest_sha256: str = ""
    stage: Stage = Stage.CONFIRMED
    reason: str = ""

    def tried(self, wish: Wish, must_hear: tuple[str, ...], *, must_read_p1: bool) -> Kept:
        """Return it with a wish on trial."""
        change = Change(wish.version, wish.changes)
        trial = Trial(change, 0, must_hear, must_read_p1)
        return Kept(self.confirmed, trial, wish.version, change.sha256, Stage.APPLIED)

    def started(self) -> Kept:
        """Return it with one more start of the trial."""
        assert self.trial is not None, "nothing is on trial"
        return replace(self, trial=replace(self.trial, starts=self.trial.starts + 1))

    def proved(self) -> Kept:
        """Return it with the trial in force."""
        assert self.trial is not None, "nothing is on trial"
        return replace(self, confirmed=self.trial.change, trial=None, stage=Stage.CONFIRMED)

    def taken_back(self, reason: str) -> Kept:
        """Return it without the trial."""
        return replace(self, trial=None, stage=Stage.ROLLED_BACK, reason=reason)


class KeptFile:
    """Reads and replaces what is kept."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        """Read the file of a folder; a damaged one is set aside and counts as none."""
        self._path = folder / _FILE
        self._disk = disk
        self.kept = self._read()

    def keep(self, kept: Kept) -> None:
        """Write it down for good.

        Raises:
            KeptWriteError: The disk takes nothing; the old stays in force.
        """
        try:
            replace_durably(self._disk, self._path, json.dumps(_told(kept)).encode())
        except OSError as error:
            raise KeptWriteError(
                f"{self._path} cannot be written: {error.strerror}; free or mend its disk"
            ) from error
        self.kept = kept

    def _read(self) -> Kept:
        try:
            return _understood(json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return Kept()
        except (OSError, ValueError, ContractError) as error:
            _log.error("%s cannot be read, the home's settings hold: %s", self._path, error)
        try:
            self._disk.rename(self._path, self._path.with_suffix(".damaged"))
        except OSError as error:
            _log.warning("%s cannot be set aside: %s", self._path, error.strerror)
        return Kept()


def _told(kept: Kept) -> dict[str, Json]:
    trial = kept.trial
    return {
        "confirmed": None if kept.confirmed is None else _change_told(kept.confirmed),
        "trial": None
        if trial is None
        else {
            **_change_told(trial.change),
            "starts": trial.starts,
            "must_hear": list(trial.must_hear),
            "must_read_p1": trial.must_read_p1,
        },
        "highest": kept.highest,
        "highest_sha256": kept.highest_sha256,
        "state": kept.stage.value,
        "reason": kept.reason[:200],
    }


def _change_told(change: Change) -> dict[str, Json]:
    return {"version": change.version, "changes": change.changes, "sha256": change.sha256}


def _understood(told: Json) -> Kept:
    if not isinstance(told, dict):
        raise ContractError("it is no JSON object")
    return Kept(
        _change(told.get("confirmed")),
        _trial(told.get("trial")),
        integer(told, "highest"),
        text(told, "highest_sha256"),
        Stage(choice(told, "state", [stage.value for stage in Stage])),
        text(told, "reason"),
    )


def _change(told: Json) -> Change | None:
    if told is None:
        return None
    if not isinstance(told, dict) or not isinstance(changes := told.get("changes"), str):
        raise ContractError("a change is no object with 'changes'")
    change = Change(integer(told, "version"), changes)
    if told.get("sha256") != change.sha256:
        raise ContractError("a change does not have its fingerprint")
    return change


def _trial(told: Json) -> Trial | None:
    change = _change(told)
    if change is None or not isinstance(told, dict):
        return None
    must_hear = told.get("must_hear")
    if not isinstance(must_hear, list):
        raise ContractError("'must_hear' is no list")
    names = tuple(name for name in must_hear if isinstance(name, str))
    return Trial(change, integer(told, "starts"), names, told.get("must_read_p1") is True)
