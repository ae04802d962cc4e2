"""Limits and leave that change while the loop runs: file and residents are asked every while."""

from __future__ import annotations

import logging
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

from kwartier.errors import SettingsError, StoreBusyError
from kwartier.model import Battery, Community, Connection, Group, read_community
from kwartier.settings import Table, read_toml
from kwartier.units import Watt

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a plan keeps to.

    Attributes:
        import_limit_w: Of the neighbourhood; None for none [W].
        export_limit_w: Likewise.
        groups: With the limits of each.
        batteries: The shared ones that are planned.
        home_batteries: With what each home allows.
        fuses_w: Of the homes with a battery of their own [W].
    """

    import_limit_w: Watt | None
    export_limit_w: Watt | None
    groups: tuple[Group, ...]
    batteries: tuple[str, ...]
    home_batteries: tuple[Battery, ...]
    fuses_w: tuple[Watt, ...]


class StreetFile:
    """The neighbourhood with the limits that hold now; for one thread."""

    def __init__(
        self,
        community: Community,
        path: Path | None = None,
        refusing: Callable[[], frozenset[str]] = frozenset,
        *,
        without: AbstractSet[str] = frozenset(),
    ) -> None:
        """Begin with what was read; without a path nothing in it changes.

        Args:
            community: As it was read at the start.
            path: Its file.
            refusing: Returns the homes whose residents took their leave back themselves.
            without: Shared batteries that are not planned.
        """
        self._begun = replace(
            community,
            batteries={
                name: one for name, one in community.batteries.items() if name not in without
            },
        )
        self._path = path
        self._ask = refusing
        # Read at the first look: it may have been changed since the neighbourhood was read from it.
        self._stamp: tuple[int, int] | None = None
        self.written = community
        """What the file said last."""
        self.refusing: frozenset[str] | None = None
        """Who took their leave back, as far as it is known; None before it was asked."""

    def now(self) -> Community:
        """Return the neighbourhood with today's limits and leave; all else is as at the start.

        A file that is away or wrong changes no limit, and that is said once. Leave that it gives no
        more is gone all the same, as long as it is TOML.

        Raises:
            StoreBusyError: It was never known who took leave back, and cannot be asked now.
        """
        self._look()
        try:
            self.refusing = self._ask()
        except StoreBusyError:
            # Nobody can take anything back meanwhile: what was known still holds.
            if self.refusing is None:
                raise
        return _taken_over(self._begun, self.written, self.refusing)

    def allowed(self) -> dict[str, Battery]:
        """Return the batteries of homes with what the file allows, whatever residents say."""
        return dict(_taken_over(self._begun, self.written, frozenset()).home_batteries)

    def _look(self) -> None:
        stamp = self._stamped()
        if self._path is None or stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.written = read_community(self._path)
        except SettingsError as error:
            _log.warning("changed limits are not taken over: %s", error)
            self.written = _with_leave_of(self.written, self._path)

    def _stamped(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            told = self._path.stat()
        except OSError:
            return None
        return told.st_mtime_ns, told.st_size


def limits_of(community: Community) -> Limits:
    """Return all limits and leave that a plan keeps to, to hold against those of before."""
    return Limits(
        community.import_limit_w,
        community.export_limit_w,
        tuple(community.groups.values()),
        tuple(community.batteries),
        tuple(community.home_batteries.values()),
        tuple(community.connections[name].limit_w for name in community.batteries_by_home()),
    )


def _taken_over(begun: Community, read: Community, refusing: AbstractSet[str]) -> Community:
    """Return the neighbourhood of the start with the limits and the leave of a file read later."""
    return replace(
        begun,
        import_limit_w=read.import_limit_w,
        export_limit_w=read.export_limit_w,
        groups={name: read.groups.get(name, group) for name, group in begun.groups.items()},
        connections={
            name: _with_limit(home, read.connections.get(name))
            for name, home in begun.connections.items()
        },
        batteries={
            name: one
            for name, one in begun.batteries.items()
            if _is_same(one, read.batteries.get(name))
        },
        home_batteries={
            name: _with_leave(battery, read.home_batteries.get(name), refusing)
            for name, battery in begun.home_batteries.items()
        },
    )


def _with_limit(home: Connection, read: Connection | None) -> Connection:
    return home if read is None else replace(home, limit_w=read.limit_w)


def _with_leave(battery: Battery, read: Battery | None, refusing: AbstractSet[str]) -> Battery:
    """Return a home's battery with what its home allows now; one that is gone is left alone."""
    if read is None or not _is_same(battery, read):
        return replace(battery, steered=False)
    return replace(
        battery,
        steered=read.steered and battery.home not in refusing,
        reserve_permille=read.reserve_permille,
    )


def _is_same(battery: Battery, read: Battery | None) -> bool:
    """Return whether a battery is in the file still, and stands where it stood at the start."""
    if read is None:
        return False
    place = battery.home, battery.gateway, battery.device
    return place == (read.home, read.gateway, read.device)


def _with_leave_of(written: Community, path: Path) -> Community:
    """Return a neighbourhood without the leave that a file, wrong elsewhere, gives no more."""
    try:
        named = read_toml(path, _homes_and_leave)
    except SettingsError:  # it is no TOML: nobody meant that
        return written
    return replace(
        written,
        home_batteries={
            name: replace(battery, steered=battery.steered and named[name, battery.home])
            for name, battery in written.home_batteries.items()
            if (name, battery.home) in named
        },
    )


def _homes_and_leave(top: Table) -> dict[tuple[object, object], bool]:
    """Return which batteries name which home that is there, and whether they are steered."""
    homes = [row.values.get("id") for row in top.tables("connection")]
    rows = [row.values for row in top.tables("battery")]
    return {
        (str(row.get("id")), row["home"]): row.get("steered") is True
        for row in rows
        if isinstance(row.get("home"), str) and row["home"] in homes
    }
