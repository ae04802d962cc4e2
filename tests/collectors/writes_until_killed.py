"""Takes blocks in, one by one, and says each number once it is stored; started by a test.

``python -m tests.collectors.writes_until_killed FILE`` goes on until it is killed; with ``half`` as
second word it kills itself inside a transaction, with all of it written and nothing committed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from collectors.sqlite_store import SqliteStore
from kwartier.wire import Block, encode_block
from tests.collectors.blocks import RECEIVED_S, registers, take_in

ROWS = 60
STEP_S = 15


def minute_block(seq: int) -> Block:
    """Return the block of a number: a quarter of readings 15 s apart, 2 Wh a reading."""
    first = (seq - 1) * ROWS
    return registers(seq, *((row * STEP_S, row * 2) for row in range(first, first + ROWS)))


def main() -> None:
    """Take in from the watermark on."""
    store = SqliteStore(Path(sys.argv[1]))
    with store.intake() as intake:
        seq = intake.watermark("gw-1", "one")
    if sys.argv[2:] == ["half"]:
        with store.intake() as intake:
            one = minute_block(seq + 1)
            intake.add(one, encode_block(one), RECEIVED_S)
            intake.advance("gw-1", "one", one.seq)
            intake.finish()
            os.kill(os.getpid(), signal.SIGKILL)
    while True:
        seq += 1
        take_in(store, minute_block(seq))
        sys.stdout.write(f"{seq}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
