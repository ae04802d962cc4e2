"""Limits that change while the loop runs: the neighbourhood's file is looked at every while."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from kwartier.errors import SettingsError
from kwartier.model import Battery, Community, Connection, Group, read_community
from kwartier.units import Watt

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a plan keeps to.

    Attributes:
        import_limit_w: Of the neighbourhood; None for none [W].
        export_limit_w: Likewise.
        groups: With the limits of each.
        home_batteries: With what each home allows.
        fuses_w: Of the homes that have one [W].
    """

    import_limit_w: Watt | None
    export_limit_w: Watt | None
    groups: tuple[Group, ...]
    home_batteries: tuple[Battery, ...]
    fuses_w: tuple[Watt, ...]


class StreetFile:
    """The neighbourhood with the limits that hold now; for one thread."""

    def __init__(self, community: Community, path: Path | None = None) -> None:
        """Begin with what was read; without a path nothing changes.

        Args:
            community: As it was read at the start.
            path: Its file.
        """
        self._community = community
        self._path = path
        self._stamp = self._stamped()

    def now(self) -> Community:
        """Return the neighbourhood with today's limits; all else is as at the start.

        A file that is away or wrong changes nothing, and that is said once.
        """
        stamp = self._stamped()
        if self._path is None or stamp == self._stamp:
            return self._community
        self._stamp = stamp
        try:
            read = read_community(self._path)
        except SettingsError as error:
            _log.warning("changed limits are not taken over: %s", error)
            return self._community
        self._community = replace(
            self._community,
            import_limit_w=read.import_limit_w,
            export_limit_w=read.export_limit_w,
            groups={
                name: read.groups.get(name, group) for name, group in self._community.groups.items()
            },
            connections={
                name: _with_limit(home, read.connections.get(name))
                for name, home in self._community.connections.items()
            },
            home_batteries={
                name: _with_leave(battery, read.home_batteries.get(name))
                for name, battery in self._community.home_batteries.items()
            },
        )
        return self._community

    def _stamped(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            told = self._path.stat()
        except OSError:
            return None
        return told.st_mtime_ns, told.st_size


def limits_of(community: Community) -> Limits:
    """Return all limits that a plan keeps to, to hold against those of before."""
    return Limits(
        community.import_limit_w,
        community.export_limit_w,
        tuple(community.groups.values()),
        tuple(community.home_batteries.values()),
        tuple(community.connections[name].limit_w for name in community.batteries_by_home()),
    )


def _with_limit(home: Connection, read: Connection | None) -> Connection:
    return home if read is None else replace(home, limit_w=read.limit_w)


def _with_leave(battery: Battery, read: Battery | None) -> Battery:
    """Return a home's battery with what its home allows now; one that is gone is left alone."""
    if read is None or read.home != battery.home:
        return replace(battery, steered=False)
    return replace(battery, steered=read.steered, reserve_permille=read.reserve_permille)
