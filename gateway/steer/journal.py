"""What was commanded and written, on disk: a restart obeys nothing old and leaves nothing on.

A restart goes on with the schedule it had accepted, and releases only a set-point that it wrote.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.steer.steering import Held
from kwartier.durable import replace_file
from kwartier.errors import ContractError, TemporaryError
from kwartier.reading import Schedule
from kwartier.schedule import decode_schedule, encode_schedule
from kwartier.units import Watt

_log = logging.getLogger(__name__)

SLACK_W = 300
"""So far a set-point may move before it is noted anew [W]: not every watt is worth a write."""
_SLACK_PART = 5
"""And by this part of itself: a shared battery on its way to 150 kW moves by 500 W each second."""


class JournalWriteError(TemporaryError):
    """What must be remembered before the battery is moved could not be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        """Name the file and what the disk said."""
        super().__init__(f"{path} cannot be written: {error.strerror}; free or mend its disk")
        self.path = path


@dataclass(frozen=True, slots=True)
class Accepted:
    """A schedule and the time it was accepted by.

    Attributes:
        schedule: As it came.
        zero_s: The monotonic count less the wall's time then [s].
        boot: The life of the machine in which the monotonic count means something.
    """

    schedule: Schedule
    zero_s: float
    boot: str


@dataclass(frozen=True, slots=True)
class Wrote:
    """What of ours may be in the device.

    Attributes:
        low_w: The least set-point it can be [W].
        high_w: The most it can be [W].
        before_w: What the device held before our first write [W]; None for nothing.
    """

    low_w: Watt
    high_w: Watt
    before_w: Watt | None = None

    def holds(self, power_w: Watt) -> bool:
        """Return whether this set-point can be ours."""
        return self.low_w <= power_w <= self.high_w


@dataclass(frozen=True, slots=True)
class _Kept:
    command: int = 0
    holding: bool = False
    accepted: Accepted | None = None
    wrote: Wrote | None = None


class SteerJournal:
    """Remembers the schedule in force and which set-point of ours may be in the device."""

    def __init__(self, path: Path) -> None:
        """Read the file; one that cannot be read counts as 'a set-point may be left'."""
        self._path = path
        self._kept = self._read()

    @property
    def command(self) -> int:
        """The newest command; 0 before the first."""
        return self._kept.command

    @property
    def holding(self) -> bool:
        """Whether a set-point of ours may be in the device."""
        return self._kept.holding

    @property
    def accepted(self) -> Accepted | None:
        """The schedule in force, and how it was timed."""
        return self._kept.accepted

    def is_ours(self, held: Held) -> bool:
        """Return whether what the device holds can be ours; unknown when the file was damaged."""
        if held.power_w is None or not self.holding:
            return False
        return self._kept.wrote is None or self._kept.wrote.holds(held.power_w)

    def commanded(self, accepted: Accepted) -> None:
        """Note the newest command and its schedule.

        Raises:
            JournalWriteError: The disk takes nothing; the command is not to be obeyed.
        """
        self._write(replace(self._kept, command=accepted.schedule.command, accepted=accepted))

    def writes(self, power_w: Watt, last_w: Watt | None, before_w: Watt | None = None) -> None:
        """Note, before the write, that this set-point may be in the device.

        Args:
            power_w: What is going to be written [W].
            last_w: What the device is known to hold of ours [W]; None where that is not known.
            before_w: What the device held before our first write [W].

        Raises:
            JournalWriteError: The disk takes nothing; no set-point is to be written.
        """
        wrote = self._kept.wrote
        if self.holding and wrote is not None:
            if wrote.holds(power_w):
                return
            before_w = wrote.before_w
        # A write that gets lost leaves what was there before it, so either may be there.
        slack_w = max(SLACK_W, abs(power_w) // _SLACK_PART)
        either = [power_w - slack_w, power_w + slack_w]
        if last_w is not None:
            either.append(last_w)
        elif wrote is not None:
            either += [wrote.low_w, wrote.high_w]
        noted = Wrote(min(either), max(either), before_w)
        self._write(replace(self._kept, holding=True, wrote=noted))

    def released(self) -> None:
        """Note that none is left; where the disk takes nothing a restart releases once more."""
        kept = replace(self._kept, holding=False, wrote=None)
        try:
            self._write(kept)
        except JournalWriteError as error:
            self._kept = kept
            _log.warning("a release was not noted: %s", error)

    def _read(self) -> _Kept:
        try:
            return _kept(json.loads(self._path.read_text()))
        except FileNotFoundError:
            return _Kept()
        except (OSError, ValueError, KeyError, TypeError, ContractError) as error:
            _log.warning("%s cannot be read, the battery is released first: %s", self._path, error)
            return _Kept(holding=True)

    def _write(self, kept: _Kept) -> None:
        """Replace the file in one step that survives a power cut."""
        try:
            replace_file(self._path, json.dumps(_told(kept)).encode())
        except OSError as error:
            raise JournalWriteError(self._path, error) from error
        self._kept = kept


def _told(kept: _Kept) -> dict[str, object]:
    told: dict[str, object] = {"command": kept.command, "holding": kept.holding}
    if kept.accepted is not None:
        payload = base64.b64encode(encode_schedule(kept.accepted.schedule)).decode()
        told["accepted"] = [payload, kept.accepted.zero_s, kept.accepted.boot]
    if kept.wrote is not None:
        told["wrote"] = [kept.wrote.low_w, kept.wrote.high_w, kept.wrote.before_w]
    return told


def _kept(told: Mapping[str, object]) -> _Kept:
    command, holding = told["command"], told["holding"]
    if type(command) is not int or type(holding) is not bool:
        raise ValueError("command or holding is of another kind")
    return _Kept(command, holding, _accepted(told.get("accepted")), _wrote(told.get("wrote")))


def _accepted(told: object) -> Accepted | None:
    match told:
        case [str(payload), int() | float() as zero_s, str(boot)]:
            return Accepted(decode_schedule(base64.b64decode(payload)), float(zero_s), boot)
        case None:
            return None
    raise ValueError("the accepted schedule is of another kind")


def _wrote(told: object) -> Wrote | None:
    match told:
        case [int(low_w), int(high_w), int() | None as before_w]:
            return Wrote(low_w, high_w, before_w)
        case None:
            return None
    raise ValueError("what was written is of another kind")
