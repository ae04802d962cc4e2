"""A trial of a program as the gateway sees it, which may not change its own program.

On a Pi root owns the programs and the links to them. The gateway notes starts and outcome of a
trial in one small file of its own; root reads that file and moves the links (decision 0019).
"""

from __future__ import annotations

import json
import logging
import os
import stat
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from gateway.care.disk import Disk, RealDisk, replace_durably
from gateway.care.slots import MOST_STARTS, Slots
from kwartier.errors import InputError

_log = logging.getLogger(__name__)

_MOST_BYTES = 4096


class Programs(Protocol):
    """The programs of a machine, to whom runs one and proves it."""

    @property
    def root(self) -> Path:
        """The folder they are in."""

    @property
    def current(self) -> str | None:
        """The place of the program that runs."""

    @property
    def on_trial(self) -> bool:
        """Whether the program that runs has yet to prove itself."""

    def folder(self, name: str) -> Path:
        """Return the folder of a place."""

    def begin(self) -> bool:
        """Get ready to start the current program; return whether it is on trial."""

    def confirm(self) -> None:
        """Trust the current program from now on."""

    def take_back(self, reason: str) -> None:
        """Let the trusted program run again."""


class Outcome(StrEnum):
    """What came of a trial."""

    NONE = "none"
    CONFIRMED = "confirmed"
    TAKEN_BACK = "taken-back"


@dataclass(frozen=True, slots=True)
class Note:
    """What the gateway says of a trial.

    Attributes:
        installs: The number of the installation it is about.
        starts: How often the program was started.
        outcome: What came of it.
    """

    installs: int
    starts: int = 0
    outcome: Outcome = Outcome.NONE


class NotedTrial:
    """Programs of which only the notes on a trial may be written."""

    def __init__(self, slots: Slots, file: Path, disk: Disk | None = None) -> None:
        """Look at programs, and at the file of notes."""
        self._slots = slots
        self._file = file
        self._disk = disk or RealDisk()
        self._unable = False

    @property
    def root(self) -> Path:
        """The folder they are in."""
        return self._slots.root

    @property
    def current(self) -> str | None:
        """The place of the program that is to run, whether or not root moved the links yet."""
        if self._slots.on_trial and (self._unable or self._outcome is Outcome.TAKEN_BACK):
            return self._slots.trusted
        return self._slots.current

    @property
    def on_trial(self) -> bool:
        """Whether the program that runs has yet to prove itself."""
        return self._slots.on_trial and not self._unable and self._outcome is Outcome.NONE

    @property
    def _outcome(self) -> Outcome:
        return note_of(self._slots, self._file).outcome

    def folder(self, name: str) -> Path:
        """Return the folder of a place."""
        return self._slots.folder(name)

    def begin(self) -> bool:
        """Note a start of the program on trial; return whether there is one.

        Without a disk that takes the note the trusted program runs: a trial that is not counted
        would not end.
        """
        if not self.on_trial:
            return False
        note = note_of(self._slots, self._file)
        if note.starts >= MOST_STARTS:
            self.take_back(f"it did not prove itself in {MOST_STARTS} starts")
            return False
        try:
            self._write(replace(note, starts=note.starts + 1))
        except OSError as error:
            _log.warning("%s: a trial cannot be noted: %s", self._file, error.strerror)
            self._unable = True
            return False
        return True

    def confirm(self) -> None:
        """Note that the program proved itself."""
        if self.on_trial:
            note = note_of(self._slots, self._file)
            self._write(replace(note, outcome=Outcome.CONFIRMED))
            _log.info("version %s is confirmed", self._slots.version(self.current or ""))

    def take_back(self, reason: str) -> None:
        """Note that the program failed; the trusted one runs from now on."""
        if not self.on_trial:
            return
        version = self._slots.version(self.current or "")
        _log.warning("version %s is taken back: %s", version, reason)
        note = note_of(self._slots, self._file)
        try:
            self._write(replace(note, outcome=Outcome.TAKEN_BACK))
        except OSError as error:
            _log.warning("%s: a trial cannot be noted: %s", self._file, error.strerror)
            self._unable = True

    def _write(self, note: Note) -> None:
        told = {"installs": note.installs, "starts": note.starts, "outcome": note.outcome.value}
        replace_durably(self._disk, self._file, json.dumps(told).encode())


def programs_at(root: Path, trial_file: Path | None) -> Programs:
    """Return the programs below a folder.

    Args:
        root: The folder.
        trial_file: Where a trial is noted; None where the links themselves may be moved.
    """
    slots = Slots(root)
    return slots if trial_file is None else NotedTrial(slots, trial_file)


def settle(slots: Slots, file: Path) -> None:
    """Move the links as a trial ended; root does this, and believes only what may be so.

    Whoever writes the notes chooses between two programs that two people have signed, and nothing
    else: notes on another installation, or no plain file, say nothing.

    Raises:
        OSError: The links cannot be moved.
    """
    if not slots.on_trial:
        return
    match note_of(slots, file).outcome:
        case Outcome.CONFIRMED:
            slots.confirm()
        case Outcome.TAKEN_BACK:
            slots.take_back("the gateway said so")
        case Outcome.NONE:
            pass


def note_of(slots: Slots, file: Path) -> Note:
    """Return the notes on the trial that goes on; empty ones where there are none."""
    nothing = Note(slots.installs)
    try:
        told = json.loads(plain_file(file, _MOST_BYTES))
        note = Note(int(told["installs"]), int(told["starts"]), Outcome(told["outcome"]))
    except (InputError, ValueError, KeyError, TypeError, RecursionError):
        return nothing
    return note if note.installs == slots.installs else nothing


def plain_file(path: Path, most: int) -> bytes:
    """Return a file of somebody who is not trusted: no link, no pipe, no more than ``most`` bytes.

    Raises:
        InputError: It is away, too long or something else.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(path, flags), "rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise InputError(f"{path} is no plain file")
            content = opened.read(most + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > most:
        raise InputError(f"{path}: is longer than {most} bytes")
    return content
