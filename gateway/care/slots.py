"""Two places for the program, and which of them runs; whole at every moment of a power cut.

``slots/a`` and ``slots/b`` each hold a whole program. The link ``current`` names the one that
runs, the link ``trusted`` the one that last proved itself. While they differ a program is on
trial; taking it back is one change of one link. What starts the gateway, and takes a program back
that does not prove itself, is always the trusted one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from gateway.care.bundle import ANY, Bundle, version_of
from gateway.care.disk import Disk, RealDisk, replace_durably
from gateway.care.wheel import MAX_BYTES, files_of
from kwartier.errors import ContractError, InputError, TemporaryError

_log = logging.getLogger(__name__)

MOST_STARTS = 3
"""So often a program on trial may be started."""
_NAMES = ("a", "b")
_COMPLETE = "complete"
_LAUNCHER = b"""#!/usr/bin/python3 -I
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lib"))
from kwartier.cli import main

sys.exit(main())
"""


class SlotWriteError(TemporaryError):
    """The disk takes nothing; the program that ran still runs."""


class Slots:
    """The places for programs below one folder, such as ``/opt/kwartier``."""

    def __init__(
        self,
        root: Path,
        disk: Disk | None = None,
        prepare: Callable[[Path], None] | None = None,
    ) -> None:
        """Look at a folder.

        Args:
            root: The folder.
            disk: The machine's own when it is not given.
            prepare: Done to the files of a new program before it has its place.
        """
        self.root = root
        self._disk = disk or RealDisk()
        self._prepare = prepare

    @property
    def current(self) -> str | None:
        """The place of the program that runs; None where none is installed."""
        return self._named("current")

    @property
    def trusted(self) -> str | None:
        """The place of the program that last proved itself."""
        return self._named("trusted")

    @property
    def on_trial(self) -> bool:
        """Whether the program that runs has yet to prove itself."""
        return self.current is not None and self.current != self.trusted

    @property
    def highest(self) -> str:
        """The highest version that ever proved itself here; ``0.0`` for none."""
        try:
            told = json.loads((self.root / "highest.json").read_bytes())
            version = str(told["version"])
            version_of(version)
        except FileNotFoundError:
            return "0.0"
        except (OSError, ValueError, KeyError, TypeError, ContractError) as error:
            raise InputError(
                f"{self.root / 'highest.json'} cannot be read, so no update can be judged: {error}"
            ) from error
        return version

    @property
    def installs(self) -> int:
        """How often a program was installed: the number that tells one trial from another."""
        return self._told_starts()[2]

    def folder(self, name: str) -> Path:
        """Return the folder of a place."""
        return self.root / "slots" / name

    def version(self, name: str) -> str | None:
        """Return the version in a place; None where none is whole."""
        try:
            return (self.folder(name) / _COMPLETE).read_text(encoding="ascii").strip() or None
        except (OSError, UnicodeDecodeError):
            return None

    def install(self, bundle: Bundle, machines: Collection[str]) -> str:
        """Unpack an update into the free place and let it run next, on trial; return its place.

        The very first program is trusted at once: there is none to go back to.

        Args:
            bundle: The update, its signatures checked.
            machines: What this machine is, as targets name it.

        Raises:
            InputError: It is older, for other machines or for a later program; nothing changed.
            ContractError: A wheel is not what was signed, or not fit to unpack.
            SlotWriteError: The disk takes nothing.
        """
        self._judge(bundle, machines)
        try:
            return self._fill(bundle.manifest.version, bundle.wheels())
        except OSError as error:
            raise SlotWriteError(f"{self.root}: cannot be written: {error.strerror}") from error

    def install_first(self, version: str, wheels: Iterable[tuple[str, bytes]]) -> bool:
        """Unpack the very first program, from a card; return whether there was none before.

        Args:
            version: Of the program.
            wheels: Their names and contents.

        Raises:
            ContractError: A wheel is not fit to unpack.
            SlotWriteError: The disk takes nothing.
        """
        try:
            if self.trusted is not None:
                if self.current is None:  # the power went between the two links
                    self._point("current", self.trusted)
                return False
            self._fill(version, wheels)
        except OSError as error:
            raise SlotWriteError(f"{self.root}: cannot be written: {error.strerror}") from error
        return True

    def begin(self) -> bool:
        """Get ready to start the current program; return whether it is on trial.

        A start of a trial is counted before it happens; after the last one the trusted program
        is taken back.
        """
        if self.current is None and self.trusted is not None:
            self._point("current", self.trusted)
        current = self.current
        if current is None or not self.on_trial:
            return False
        starts = self._starts(current)
        if starts >= MOST_STARTS:
            self.take_back(f"it did not prove itself in {MOST_STARTS} starts")
            return False
        self._note_starts(current, starts + 1, self.installs)
        return True

    def confirm(self) -> None:
        """Trust the current program from now on; no older one is taken any more."""
        current = self.current
        if current is None or not self.on_trial:
            return
        self._note_highest(self.version(current) or "0.0")
        self._point("trusted", current)
        _log.info("version %s is confirmed", self.version(current))

    def take_back(self, reason: str) -> None:
        """Let the trusted program run again."""
        if self.trusted is None or not self.on_trial:
            return
        _log.warning("version %s is taken back: %s", self.version(self.current or ""), reason)
        self._point("current", self.trusted)

    def _fill(self, version: str, wheels: Iterable[tuple[str, bytes]]) -> str:
        """Put a program into the free place and let it run next; return its place."""
        name = next(place for place in _NAMES if place not in {self.current, self.trusted})
        self._unpack(version, wheels, name)
        self._note_starts(name, 0, self.installs + 1)
        if self.trusted is None:
            self._note_highest(version)
            self._point("trusted", name)
        self._point("current", name)
        return name

    def _judge(self, bundle: Bundle, machines: Collection[str]) -> None:
        manifest = bundle.manifest
        if self.on_trial:
            raise InputError("another update is on trial: wait until it is over")
        if ANY not in manifest.targets and not set(machines) & set(manifest.targets):
            raise InputError(f"the update is for {', '.join(manifest.targets)}, not this machine")
        running = self.version(self.current) if self.current else None
        version, highest = version_of(manifest.version), version_of(self.highest)
        if version < highest or (running and version == version_of(running)):
            raise InputError(
                f"version {manifest.version} is not above {running or self.highest}, which ran here"
            )
        if running and version_of(running) < version_of(manifest.minimum):
            raise InputError(
                f"version {manifest.version} follows {manifest.minimum} at the earliest, here runs "
                f"{running}: install one in between first"
            )

    def _unpack(self, version: str, wheels: Iterable[tuple[str, bytes]], name: str) -> None:
        """Fill a place: everything is on the disk before the place has its name."""
        place, building = self.folder(name), self.folder(name + ".building")
        self._disk.folder(place.parent)
        self._disk.remove(building)
        self._disk.remove(place)
        self._disk.folder(building / "bin")
        try:
            folders = self._write_files(wheels, building / "lib")
        except InputError:
            self._disk.remove(building)
            raise
        launcher = building / "bin" / "kwartier"
        self._disk.write(launcher, _LAUNCHER, 0o755)
        self._disk.sync(launcher)
        if self._prepare is not None:
            self._prepare(building / "lib")
        complete = building / _COMPLETE
        self._disk.write(complete, version.encode() + b"\n")
        self._disk.sync(complete)
        for folder in (*sorted(folders), building / "bin", building):
            self._disk.sync(folder)
        self._disk.rename(building, place)
        self._disk.sync(place.parent)

    def _write_files(self, wheels: Iterable[tuple[str, bytes]], lib: Path) -> set[Path]:
        """Write every file of every wheel; return the folders that hold them."""
        folders = {lib}
        room = MAX_BYTES
        self._disk.folder(lib)
        for wheel, content in wheels:
            for inside, file in files_of(wheel, content, room):
                path = lib / inside
                if path.exists():
                    raise ContractError(f"{wheel}: {inside} is there twice")
                if path.parent not in folders:
                    self._disk.folder(path.parent)
                    upwards = [up for up in path.parents if up.is_relative_to(lib)]
                    folders.update(upwards)
                self._disk.write(path, file)
                self._disk.sync(path)
                room -= len(file)
        return folders

    def _point(self, link: str, name: str) -> None:
        new = self.root / f"{link}.new"
        self._disk.remove(new)
        self._disk.link(new, f"slots/{name}")
        self._disk.rename(new, self.root / link)
        self._disk.sync(self.root)

    def _named(self, link: str) -> str | None:
        try:
            name = (self.root / link).readlink().name
        except OSError:
            return None
        return name if name in _NAMES else None

    def _starts(self, name: str) -> int:
        slot, starts, _ = self._told_starts()
        return starts if slot == name else 0

    def _told_starts(self) -> tuple[str, int, int]:
        """Return the place that was started, how often, and how often was installed."""
        try:
            told = json.loads((self.root / "starts.json").read_bytes())
            return str(told["slot"]), int(told["starts"]), int(told.get("installs", 0))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return "", 0, 0

    def _note_starts(self, name: str, starts: int, installs: int) -> None:
        told = json.dumps({"slot": name, "starts": starts, "installs": installs}).encode()
        replace_durably(self._disk, self.root / "starts.json", told)

    def _note_highest(self, version: str) -> None:
        if version_of(version) > version_of(self.highest):
            told = json.dumps({"version": version}).encode()
            replace_durably(self._disk, self.root / "highest.json", told)
