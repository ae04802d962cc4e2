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
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.keep import outbox_file
from gateway.keep.blocks import Draft
from gateway.keep.outbox_file import Connect, OutboxWriteError, connected
from gateway.keep.thinning import STEPS_S, thinned
from kwartier.clock import Clock
from kwartier.errors import ContractError
from kwartier.identity import DeviceId, GatewayId
from kwartier.wire import MAX_PAYLOAD_BYTES, block_of, decode_block, encode_block

_log = logging.getLogger(__name__)

_ROW_BYTES = 64
_MOST_IN_MEMORY_BYTES = 32_000_000
_COUNTED_PAGES = 16_384
"""Up to 64 MB of pages blocks are counted one by one at the start; above, their pages are."""
_PRUNE_EVERY_S = 900.0
_CHUNK = 64
_DAMAGED = b"!"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept.

    Attributes:
        keep_s: How long an acknowledged block stays, for a record restored from a copy [s].
        max_bytes: Above it acknowledged blocks go first, then detail; never a block that is owed.
    """

    keep_s: int = 14 * 86_400
    max_bytes: int = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Position:
    """Where an outbox stands.

    Attributes:
        epoch: Its life.
        oldest: The first block it still has; ``last + 1`` when it has none.
        last: The last block written; 0 for none.
        unproven: The last block there was when the file was opened, until the record has shown
            that nothing after it was used before; 0 once it has, and in an epoch begun since.
        upto: The last block known to be in the record; 0 for none.
        store_gen: The life of the record that said so; empty for none.
    """

    epoch: str
    oldest: int
    last: int
    unproven: int
    upto: int
    store_gen: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A block as it lies in the outbox, ready to be sent."""

    seq: int
    device: DeviceId
    payload: bytes


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
                rows = self._db.execute(
                    "SELECT seq, device, crc, payload FROM block WHERE seq >= ? AND seq < ?"
                    " ORDER BY seq",
                    (wanted.start, wanted.stop),
                ).fetchall()
            except sqlite3.DatabaseError as error:
                if not outbox_file.is_damaged(error):
                    raise OutboxWriteError(self._path, error) from error
                self._replace_file(str(error))
                return []
            return [Kept(seq, device, _whole(payload, crc)) for seq, device, crc, payload in rows]

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
                with self._transaction() as db:
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
                with self._transaction() as db:
                    db.execute("DELETE FROM block")
                    for seq, kept in enumerate(owed, 1):
                        self._insert(db, seq, kept.device, _renamed(kept.payload, epoch, seq))
                    db.execute(
                        "UPDATE life SET epoch = ?, last = ?, unproven = 0, upto = 0,"
                        " store_gen = ''",
                        (epoch, len(owed)),
                    )
            except sqlite3.DatabaseError as error:
                raise OutboxWriteError(self._path, error) from error
            _log.warning("outbox is older than the record: %d blocks get a new epoch", len(owed))
            self._load()

    def close(self) -> None:
        """Write the watermark and let go of the file."""
        with self._lock:
            try:
                with self._transaction() as db:
                    self._write_life(db, self._position.last)
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
        """Set the open file aside and go on with an empty one."""
        self._db.close()
        self._begin_again(why)
        self._load()

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
        epoch, last, unproven, upto, store_gen = self._db.execute(
            "SELECT epoch, last, unproven, upto, store_gen FROM life"
        ).fetchone()
        (oldest,) = self._db.execute("SELECT min(seq) FROM block").fetchone()
        self._position = Position(epoch, oldest or last + 1, last, unproven, upto, store_gen)
        self._held_bytes = self._counted_bytes()

    def _counted_bytes(self) -> int:
        """Return how much the blocks take; a large file is not read for that."""
        (pages,) = self._db.execute("PRAGMA page_count").fetchone()
        (free,) = self._db.execute("PRAGMA freelist_count").fetchone()
        (page_bytes,) = self._db.execute("PRAGMA page_size").fetchone()
        if pages - free > _COUNTED_PAGES:
            return int((pages - free) * page_bytes)
        held, count = self._db.execute(
            "SELECT total(length(payload)), count(*) FROM block"
        ).fetchone()
        return int(held) + int(count) * _ROW_BYTES

    def _append(self, drafts: Sequence[Draft]) -> range:
        first = self._position.last + 1
        seq, added = first, 0
        with self._transaction() as db:
            for draft in drafts:
                for device, payload in self._payloads(draft, seq):
                    self._insert(db, seq, device, payload)
                    added += len(payload) + _ROW_BYTES
                    seq += 1
            self._write_life(db, seq - 1)
        self._position = replace(self._position, last=seq - 1)
        self._held_bytes += added
        try:
            self._make_room()
        except sqlite3.DatabaseError as error:
            _log.warning("the outbox could not make room: %s", error)  # what came is written
        return range(first, seq)

    def _payloads(self, draft: Draft, seq: int) -> Iterator[tuple[DeviceId, bytes]]:
        """Yield the payload of a draft, or of its halves where one would be too large."""
        readings = list(draft.readings)
        block = block_of(readings, self._gateway, self._position.epoch, seq, draft.crc_failures)
        payload = encode_block(block)
        if len(payload) <= MAX_PAYLOAD_BYTES or len(readings) == 1:
            yield block.device, payload
            return
        middle = len(readings) // 2
        for part in (
            Draft(tuple(readings[:middle]), draft.crc_failures),
            Draft(tuple(readings[middle:])),
        ):
            for piece in self._payloads(part, seq):
                yield piece
                seq += 1

    def _insert(self, db: sqlite3.Connection, seq: int, device: DeviceId, payload: bytes) -> None:
        db.execute(
            "INSERT INTO block (seq, device, stored_s, crc, payload) VALUES (?, ?, ?, ?, ?)",
            (seq, device, int(self._clock.now_s()), zlib.crc32(payload), payload),
        )

    def _write_life(self, db: sqlite3.Connection, last: int) -> None:
        db.execute(
            "UPDATE life SET last = ?, upto = ?, store_gen = ?",
            (last, self._position.upto, self._position.store_gen),
        )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _make_room(self) -> None:
        """Let go of old acknowledged blocks; when still too much is held, of detail."""
        now_s = self._clock.monotonic_s()
        if now_s >= self._prune_at_s:
            self._prune_at_s = now_s + _PRUNE_EVERY_S
            before_s = int(self._clock.now_s()) - self._limits.keep_s
            (young,) = self._db.execute(
                "SELECT min(seq) FROM block WHERE stored_s >= ?", (before_s,)
            ).fetchone()
            self._forget(self._position.last if young is None else young - 1)
        while self._held_bytes > self._limits.max_bytes:
            if not self._forget(self._position.oldest + _CHUNK - 1) and not self._thin_some():
                return

    def _forget(self, until: int) -> bool:
        """Delete blocks from the old end, acknowledged ones only; return whether any went."""
        until = min(until, self._position.upto)
        if until < self._position.oldest:
            return False
        count, freed = self._db.execute(
            "SELECT count(*), total(length(payload)) FROM block WHERE seq <= ?", (until,)
        ).fetchone()
        with self._transaction() as db:
            db.execute("DELETE FROM block WHERE seq <= ?", (until,))
        self._position = replace(self._position, oldest=until + 1)
        self._held_bytes -= int(freed) + count * _ROW_BYTES
        return True

    def _thin_some(self) -> bool:
        """Take detail from the oldest blocks that still have it; return whether any had."""
        for step_s in STEPS_S:
            rows = self._db.execute(
                "SELECT seq, crc, payload FROM block WHERE step_s < ? ORDER BY seq LIMIT ?",
                (step_s, _CHUNK),
            ).fetchall()
            if not rows:
                continue
            with self._transaction() as db:
                for seq, crc, payload in rows:
                    less = _with_less_detail(_whole(payload, crc), step_s)
                    db.execute(
                        "UPDATE block SET step_s = ?, crc = ?, payload = ? WHERE seq = ?",
                        (step_s, zlib.crc32(less), less, seq),
                    )
                    self._held_bytes += len(less) - len(payload)
            self._thinned_blocks += len(rows)
            return True
        return False


def _new_epoch() -> str:
    return secrets.token_hex(8)


def _whole(payload: bytes, crc: int) -> bytes:
    """Return a payload as written, or marked so that nobody takes it for readings.

    The collector sets a marked one aside with its bytes, and it counts as delivered.
    """
    if zlib.crc32(payload) == crc or payload.startswith(_DAMAGED):
        return payload
    _log.error("a block in the outbox has changed on the disk: it is sent for the record only")
    return (_DAMAGED + payload)[:MAX_PAYLOAD_BYTES]


def _renamed(payload: bytes, epoch: str, seq: int) -> bytes:
    """Return a payload under another number; one that cannot be read stays as it is."""
    try:
        return encode_block(replace(decode_block(payload), epoch=epoch, seq=seq))
    except ContractError:
        return payload


def _with_less_detail(payload: bytes, step_s: int) -> bytes:
    try:
        return min(payload, encode_block(thinned(decode_block(payload), step_s)), key=len)
    except ContractError:
        return payload
