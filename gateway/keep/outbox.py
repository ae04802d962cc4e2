"""The gateway's memory: every block on disk from before it is sent until long after it arrived.

SQLite in WAL with ``synchronous=FULL``: with NORMAL a power cut takes acknowledged commits with
it. Blocks are numbered 1, 2, 3 … within an epoch, a random name given when the file is made. A file
that is damaged is set aside and a new epoch begins: a gateway never refuses to run.

The watermark is written with the next block and not by itself, so that an acknowledgement costs
the card nothing; losing it means that some blocks are sent again, which does no harm.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.keep import outbox_events, outbox_file, outbox_rows
from gateway.keep.blocks import Draft
from gateway.keep.outbox_file import Connect, OutboxWriteError, connected
from gateway.keep.outbox_rows import CHUNK, ROW_BYTES, transaction
from gateway.keep.payloads import payloads_of, renamed
from gateway.keep.position import Kept as Kept  # noqa: PLC0414 - also a word of the outbox
from gateway.keep.position import Position as Position  # noqa: PLC0414 - also a word of the outbox
from kwartier.clock import Clock
from kwartier.identity import GatewayId

_log = logging.getLogger(__name__)

_MOST_IN_MEMORY_BYTES = 32_000_000
_PRUNE_EVERY_S = 900.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept.

    Attributes:
        keep_s: How long an acknowledged block stays, for a record restored from a copy [s].
        max_bytes: Above it acknowledged blocks go first, then detail; never a block that is owed.
    """

    keep_s: int = 14 * 86_400
    max_bytes: int = 1_000_000_000


class Outbox:
    """Blocks on disk; usable from several threads, owned by one process."""

    def __init__(
        self,
        path: Path,
        gateway: GatewayId,
        clock: Clock,
        limits: Limits | None = None,
        connect: Connect = connected,
    ) -> None:
        """Open or make the file; a damaged one is set aside first.

        Where the disk takes nothing, blocks are kept in memory.

        Args:
            path: The file.
            gateway: Whose readings it keeps.
            clock: What time it is.
            limits: How much is kept.
            connect: How the file is opened as a database.

        Raises:
            OutboxInUseError: Another process has it open.
            SettingsError: Its folder cannot be made, or it is a folder.
        """
        self._path = path
        self._gateway = gateway
        self._clock = clock
        self._limits = limits or Limits()
        self._connect = connect
        self._lock = threading.RLock()
        self._prune_at_s = clock.monotonic_s()
        self._thinned_blocks = 0
        self._damaged_files = 0
        self._is_on_disk = True
        self._db: sqlite3.Connection
        self._position: Position
        self._held_bytes: int
        self._open()

    @property
    def position(self) -> Position:
        """Where it stands now."""
        with self._lock:
            return self._position

    @property
    def held_bytes(self) -> int:
        """How much the blocks take [bytes]."""
        with self._lock:
            return self._held_bytes

    @property
    def thinned_blocks(self) -> int:
        """How many blocks lost detail since the start, because the outbox was full."""
        with self._lock:
            return self._thinned_blocks

    @property
    def is_on_disk(self) -> bool:
        """Whether blocks survive a power cut: the disk took an outbox at the start."""
        return self._is_on_disk

    @property
    def damaged_files(self) -> int:
        """How many files were set aside since the start, because they could not be trusted."""
        with self._lock:
            return self._damaged_files

    def append(self, drafts: Sequence[Draft]) -> range:
        """Write drafts as the next blocks, in one durable transaction, and return their numbers.

        Raises:
            OutboxWriteError: The disk takes nothing now; nothing was written.
        """
        with self._lock:
            try:
                return self._append(drafts)
            except sqlite3.DatabaseError as error:
                if not outbox_file.is_damaged(error):
                    raise OutboxWriteError(self._path, error) from error
                self._replace_file(str(error))
                return self._append(drafts)

    def read(self, wanted: range) -> list[Kept]:
        """Return those of the wanted blocks that are kept, in order."""
        with self._lock:
            try:
                return outbox_rows.blocks_in(self._db, wanted)
            except sqlite3.DatabaseError as error:
                if not outbox_file.is_damaged(error):
                    raise OutboxWriteError(self._path, error) from error
                self._replace_file(str(error))
                return []

    def acknowledge(self, upto: int, store_gen: str) -> None:
        """Note what the record holds; a lower number than before is taken as said."""
        with self._lock:
            self._position = replace(
                self._position, upto=min(upto, self._position.last), store_gen=store_gen
            )

    def prove(self) -> None:
        """Note for good that this is no older copy: numbers after the opening are free.

        Raises:
            OutboxWriteError: The disk takes nothing now; nothing was noted.
        """
        with self._lock:
            try:
                with transaction(self._db) as db:
                    db.execute("UPDATE life SET unproven = 0")
            except sqlite3.DatabaseError as error:
                raise OutboxWriteError(self._path, error) from error
            self._position = replace(self._position, unproven=0)

    def renew(self) -> None:
        """Begin a new epoch with what is not known to be in the record.

        For an outbox that is older than the record: a card put back from a copy. Its numbers have
        been used for other readings, so they must not be used again.

        Raises:
            OutboxWriteError: The disk takes nothing now; nothing was changed.
        """
        with self._lock:
            old = self._position
            owed = self.read(range(old.upto + 1, old.last + 1))
            epoch = _new_epoch()
            try:
                with transaction(self._db) as db:
                    db.execute("DELETE FROM block")
                    for seq, kept in enumerate(owed, 1):
                        payload = renamed(kept.payload, epoch, seq)
                        outbox_rows.insert(db, seq, kept.device, payload, self._now_s())
                    db.execute(
                        "UPDATE life SET epoch = ?, last = ?, unproven = 0, upto = 0,"
                        " store_gen = ''",
                        (epoch, len(owed)),
                    )
            except sqlite3.DatabaseError as error:
                raise OutboxWriteError(self._path, error) from error
            _log.warning("outbox is older than the record: %d blocks get a new epoch", len(owed))
            self._load()

    def events(self) -> list[bytes]:
        """Return the events that are kept, oldest first; none where they cannot be read."""
        with self._lock:
            try:
                return outbox_events.kept(self._db)
            except sqlite3.DatabaseError as error:
                if outbox_file.is_damaged(error):
                    self._replace_file(str(error))
                _log.warning("outbox could not read its events: %s", error)
                return []

    def change_events(self, new: Sequence[bytes], gone: Collection[str]) -> None:
        """Keep events, and let go of others, in one durable transaction.

        Thinning takes none of them, and their number is bounded by whoever hands them over.

        Args:
            new: Payloads; one that is kept already is kept once.
            gone: Marks of those that need not be kept any longer.

        Raises:
            OutboxWriteError: The disk takes nothing now; nothing was changed.
        """
        with self._lock:
            try:
                with transaction(self._db) as db:
                    outbox_events.change(db, new, gone)
            except sqlite3.DatabaseError as error:
                if outbox_file.is_damaged(error):
                    self._replace_file(str(error))
                raise OutboxWriteError(self._path, error) from error

    def close(self) -> None:
        """Write the watermark and let go of the file."""
        with self._lock:
            try:
                with transaction(self._db) as db:
                    outbox_rows.write_position(db, self._position)
            except sqlite3.DatabaseError as error:
                _log.warning("outbox could not write its watermark: %s", error)
            self._db.close()

    def _open(self) -> None:
        """Open the file, an empty one where it is damaged, or memory where the disk takes none."""
        try:
            self._db = outbox_file.opened(self._path, _new_epoch(), self._connect)
        except outbox_file.DamagedError as error:
            self._begin_again(str(error))
        except OutboxWriteError as error:
            self._go_on_in_memory(error)
        self._load()

    def _replace_file(self, why: str) -> None:
        """Set the open file aside and go on with an empty one, but for its events."""
        events = outbox_events.readable(self._db)
        self._db.close()
        self._begin_again(why)
        self._load()
        if events:
            try:
                self.change_events(events, ())
            except OutboxWriteError as error:
                _log.warning("events of the damaged outbox are not kept: %s", error)

    def _begin_again(self, why: str) -> None:
        self._damaged_files += 1
        try:
            kept = outbox_file.set_aside(self._path)
            _log.error(
                "outbox %s is damaged (%s): kept as %s, a new epoch begins",
                self._path.name,
                why,
                kept.name,
            )
            self._db = outbox_file.opened(self._path, _new_epoch(), self._connect)
        except (OSError, outbox_file.DamagedError, OutboxWriteError) as error:
            self._go_on_in_memory(error)

    def _go_on_in_memory(self, why: Exception) -> None:
        """Keep what comes until the next start in memory: a gateway never refuses to run."""
        _log.error("%s; until the next start blocks are kept in memory only", why)
        self._is_on_disk = False
        self._limits = replace(
            self._limits, max_bytes=min(self._limits.max_bytes, _MOST_IN_MEMORY_BYTES)
        )
        self._db = outbox_file.in_memory(_new_epoch())

    def _load(self) -> None:
        self._position = outbox_rows.position_in(self._db)
        self._held_bytes = outbox_rows.counted_bytes(self._db)

    def _append(self, drafts: Sequence[Draft]) -> range:
        first, added = self._position.last + 1, 0
        seq, epoch = first, self._position.epoch
        with transaction(self._db) as db:
            for draft in drafts:
                for device, payload in payloads_of(draft, self._gateway, epoch, seq):
                    outbox_rows.insert(db, seq, device, payload, self._now_s())
                    added += len(payload) + ROW_BYTES
                    seq += 1
            reached = replace(self._position, last=seq - 1)
            outbox_rows.write_position(db, reached)
        self._position = reached
        self._held_bytes += added
        try:
            self._make_room()
        except sqlite3.DatabaseError as error:
            _log.warning("the outbox could not make room: %s", error)  # what came is written
        return range(first, seq)

    def _make_room(self) -> None:
        """Let go of old acknowledged blocks; when still too much is held, of detail."""
        now_s = self._clock.monotonic_s()
        if now_s >= self._prune_at_s:
            self._prune_at_s = now_s + _PRUNE_EVERY_S
            before_s = self._now_s() - self._limits.keep_s
            self._forget(outbox_rows.youngest_before(self._db, before_s, self._position.last))
        while self._held_bytes > self._limits.max_bytes:
            if not self._forget(self._position.oldest + CHUNK - 1) and not self._thin_some():
                return

    def _forget(self, until: int) -> bool:
        """Delete blocks from the old end, acknowledged ones only; return whether any went."""
        until = min(until, self._position.upto)
        if until < self._position.oldest:
            return False
        self._held_bytes -= outbox_rows.forget(self._db, until)
        self._position = replace(self._position, oldest=until + 1)
        return True

    def _thin_some(self) -> bool:
        """Take detail from the oldest blocks that still have it; return whether any had."""
        blocks, freed = outbox_rows.thin_some(self._db)
        self._thinned_blocks += blocks
        self._held_bytes -= freed
        return blocks > 0

    def _now_s(self) -> int:
        return int(self._clock.now_s())


def _new_epoch() -> str:
    return secrets.token_hex(8)
