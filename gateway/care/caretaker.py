"""Settings wished from afar: checked, tried, and taken back when the link or the meter is lost.

The parts of a gateway are built anew with each change; while a change is on trial nothing of the
old is forgotten. Time is counted on the monotonic clock, so a clock that jumps ends no trial.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.care.disk import Disk, RealDisk
from gateway.care.kept import Change, Kept, KeptFile, KeptWriteError
from gateway.care.overlay import Toml, devices, devices_changed, laid_over
from gateway.care.proof import Proof
from gateway.care.watch import kept_at_once
from kwartier.bus import Bus, Message
from kwartier.clock import Clock
from kwartier.configuration import (
    Report,
    Stage,
    Verifies,
    Wish,
    decode_wish,
    encode_report,
)
from kwartier.errors import InputError, KwartierError, LinkDownError, SettingsError
from kwartier.events import Event, EventKind
from kwartier.identity import CoopId, GatewayId
from kwartier.packing import MAX_PAYLOAD_BYTES
from kwartier.wire import Address, Lane

_log = logging.getLogger(__name__)

MOST_STARTS = 3
"""So often changes on trial may be started: what makes the program fall does not stay."""


@dataclass(frozen=True, slots=True)
class Home:
    """What the caretaker cares for.

    Attributes:
        coop: Its cooperative.
        gateway: Its gateway.
        settings: The settings that stand in the home, as parsed.
        check: Reads whole settings as the gateway would; raises what is wrong with them.
    """

    coop: CoopId
    gateway: GatewayId
    settings: Toml
    check: Callable[[Toml], None]


@dataclass(frozen=True, slots=True)
class _Refused:
    """A wish that changed nothing."""

    version: int
    sha256: str
    reason: str


class Caretaker:
    """Takes wishes from the bus's thread, and acts on them when it is told to look."""

    def __init__(
        self,
        home: Home,
        key: Verifies,
        folder: Path,
        clock: Clock,
        *,
        trial_s: float = 180.0,
        disk: Disk | None = None,
    ) -> None:
        """Read what was kept; nothing is in force before ``begin``.

        Args:
            home: What is cared for.
            key: Whose signature a wish needs.
            folder: Where it is kept what was wished.
            clock: Counts the time of a trial.
            trial_s: Within this time changes must prove themselves [s].
            disk: The machine's own when it is not given.
        """
        self._home = home
        self._key = key
        self._clock = clock
        self._trial_s = trial_s
        self._file = KeptFile(folder, disk or RealDisk())
        self._lock = threading.Lock()
        self._waiting: bytes | None = None
        self._refused: _Refused | None = None
        self._trying = False
        self._running: Change | None = None
        self._settings: Toml = home.settings
        self._heard_s: dict[str, float] = {}
        self._proof = Proof(())
        self._began_s = clock.monotonic_s()
        self._bus: Bus | None = None
        self._tell_event: Callable[[Event], None] | None = None
        self._up = False
        self._untold = True
        self._event: Event | None = None

    def begin(self) -> Toml:
        """Return the settings for the next life of the parts; a trial counts one start more."""
        self._began_s = self._clock.monotonic_s()
        self._heard_s = {}
        self._up, self._untold = False, True
        self._trying = self._may_try()
        kept = self._file.kept
        self._running = kept.trial.change if self._trying and kept.trial else kept.confirmed
        try:
            self._settings = self._with(self._running)
        except (InputError, SettingsError) as error:
            return self._without(error)
        self._proof = Proof(devices(self._settings, "p1"))
        if self._trying and kept.trial is not None:
            self._proof = Proof(
                devices(self._settings, "p1"),
                must_hear=kept.trial.must_hear,
                must_read_p1=kept.trial.must_read_p1,
            )
        return self._settings

    def attach(
        self,
        bus: Bus,
        tell: Callable[[Event], None],
        is_kept: Callable[[Event], bool] = kept_at_once,  # noqa: ARG002 - the seam
    ) -> None:
        """Listen for wishes on a bus, and report there."""
        self._bus, self._tell_event = bus, tell
        bus.subscribe(self._topic(Lane.CONFIG_DESIRED), self._take)
        bus.watch_link(self._linked)

    def heard(self, device: str) -> None:
        """Note that a device said something."""
        self._heard_s[device] = self._clock.monotonic_s()
        self._proof.heard(device)

    def look(self) -> bool:
        """Act on what arrived and on the time; return whether the parts are to be built anew."""
        if self._trying and self._trial_is_over():
            return True
        if not self._trying and self._consider():
            return True
        self._tell()
        return False

    def failed(self, error: KwartierError) -> bool:
        """Take a trial back under which the parts fell; return whether there was one."""
        if not self._trying:
            return False
        self._take_back(f"the parts could not run with it: {error}")
        return True

    def _may_try(self) -> bool:
        trial = self._file.kept.trial
        if trial is None:
            return False
        if trial.starts >= MOST_STARTS:
            self._take_back(f"it did not prove itself in {MOST_STARTS} starts")
            return False
        return self._keep(self._file.kept.started())

    def _with(self, change: Change | None) -> Toml:
        if change is None:
            return self._home.settings
        merged = laid_over(self._home.settings, change.changes)
        self._home.check(merged)
        return merged

    def _without(self, error: KwartierError) -> Toml:
        """Begin without changes that do not fit the home any more."""
        change = self._running
        assert change is not None, "the home's own settings were read before"
        if self._trying:
            self._take_back(f"it does not fit the home: {error}")
            return self.begin()
        _log.warning("version %d does not fit the home any more: %s", change.version, error)
        self._refused = _Refused(change.version, change.sha256, f"no longer fits: {error}")
        self._running, self._settings = None, self._home.settings
        self._proof = Proof(devices(self._settings, "p1"))
        return self._settings

    def _trial_is_over(self) -> bool:
        """Return whether the trial failed; when it is proved it becomes what is in force."""
        missing = self._proof.missing
        if not missing:
            if self._keep(self._file.kept.proved()):
                self._trying = False
                self._untold = True
                _log.info("settings of version %d are confirmed", self._file.kept.highest)
            return False
        if self._clock.monotonic_s() < self._began_s + self._trial_s:
            return False
        self._take_back(f"{missing} within {self._trial_s:g} s")
        return True

    def _take_back(self, reason: str) -> None:
        kept = self._file.kept
        _log.warning("settings of version %d are taken back: %s", kept.highest, reason)
        self._trying = False
        self._event = Event(
            EventKind.CONFIG_ROLLED_BACK,
            None,
            int(self._clock.now_s()),
            f"settings of version {kept.highest} are taken back: {reason}",
        )
        if not self._keep(kept.taken_back(reason)):
            self._file.kept = kept.taken_back(reason)

    def _consider(self) -> bool:
        """Return whether a wish that waited is to be tried."""
        with self._lock:
            payload, self._waiting = self._waiting, None
        if not payload:
            return False
        try:
            wish = decode_wish(payload, self._key)
        except InputError as error:
            return self._refuse(0, "", str(error))
        try:
            return self._judge(wish)
        except (InputError, SettingsError) as error:
            return self._refuse(wish.version, wish.sha256, str(error))

    def _judge(self, wish: Wish) -> bool:
        kept = self._file.kept
        if (wish.coop, wish.gateway) != (self._home.coop, self._home.gateway):
            raise InputError(f"it is meant for {wish.gateway} of {wish.coop}")
        if (wish.version, wish.sha256) == (kept.highest, kept.highest_sha256):
            if self._refused is not None and self._refused.sha256 != wish.sha256:
                self._refused = None
            self._untold = True
            return False
        if wish.version <= kept.highest:
            raise InputError(f"version {wish.version} is not above {kept.highest}, the last tried")
        merged = laid_over(self._home.settings, wish.changes)
        self._home.check(merged)
        if not self._keep(self._tried(kept, wish, merged)):
            raise InputError("it could not be written down: the disk takes nothing")
        self._refused = None
        return True

    def _tried(self, kept: Kept, wish: Wish, merged: Toml) -> Kept:
        since_s = self._clock.monotonic_s() - self._trial_s
        lately = {name for name, at_s in list(self._heard_s.items()) if at_s >= since_s}
        changed = devices_changed(self._settings, merged)
        must_hear = tuple(sorted(lately & changed))
        return kept.tried(wish, must_hear, must_read_p1=self._proof.read_p1)

    def _refuse(self, version: int, sha256: str, reason: str) -> bool:
        _log.warning("settings of version %d are refused: %s", version, reason)
        self._refused = _Refused(version, sha256, reason)
        self._untold = True
        return False

    def _keep(self, kept: Kept) -> bool:
        try:
            self._file.keep(kept)
        except KeptWriteError as error:
            _log.warning("%s", error)
            return False
        return True

    def _take(self, message: Message) -> None:
        if len(message.payload) <= MAX_PAYLOAD_BYTES:
            with self._lock:
                self._waiting = message.payload

    def _linked(self, up: bool) -> None:  # noqa: FBT001 - the bus says it so
        self._up = up
        if up:
            self._untold = True
            self._proof.reached()

    def _tell(self) -> None:
        if self._event is not None and self._tell_event is not None:
            self._tell_event(self._event)
            self._event = None
        if not self._untold or not self._up or self._bus is None:
            return
        try:
            self._bus.publish(
                self._topic(Lane.CONFIG_REPORTED), encode_report(self._report()), retain=True
            )
        except LinkDownError:
            return
        self._untold = False

    def _report(self) -> Report:
        kept, now_s = self._file.kept, int(self._clock.now_s())
        running, sha256 = (
            (self._running.version, self._running.sha256) if self._running else (0, "")
        )
        if self._refused is not None:
            told = self._refused
            return Report(
                Stage.REFUSED, told.version, told.sha256, running, sha256, told.reason, now_s
            )
        return Report(
            kept.stage, kept.highest, kept.highest_sha256, running, sha256, kept.reason, now_s
        )

    def _topic(self, lane: Lane) -> str:
        return Address(self._home.coop, self._home.gateway, lane).topic
