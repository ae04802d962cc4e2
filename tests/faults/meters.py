"""What the virtual meters of a fault run say: every block follows from its number alone.

So a gateway that was killed goes on where its outbox ends, and the checker knows every reading.
"""

from __future__ import annotations

from kwartier.reading import Reading

T0 = 1_767_225_600
"""2026-01-01T00:00Z [s]."""
ROWS = 60
STEP_S = 10
POISON_EVERY = 50
"""Each block of such a number holds a value that no decoder takes."""
_TOO_LARGE = 2**60


def is_poison(seq: int) -> bool:
    """Return whether a block cannot be taken in."""
    return seq % POISON_EVERY == 0


def good_blocks(blocks: int) -> int:
    """Return how many of the first ``blocks`` blocks can be taken in."""
    return blocks - blocks // POISON_EVERY


def register_wh(meter: int, row: int) -> int:
    """Return the import register of a meter at its row: it rises by 1 to 7 Wh a step."""
    whole, rest = divmod(row, 7)
    return 1_000_000 * meter + 28 * whole + (0, 1, 3, 6, 10, 15, 21)[rest]


def at_s(row: int) -> int:
    """Return the instant of a row [s]."""
    return T0 + STEP_S * row


def readings(meter: int, seq: int) -> tuple[Reading, ...]:
    """Return what block ``seq`` of a meter holds."""
    first = good_blocks(seq - 1) * ROWS
    if is_poison(seq):
        return (Reading("p1", f"E{meter:04d}", at_s(first), {"import_wh": _TOO_LARGE}),)
    return tuple(
        Reading(
            "p1",
            f"E{meter:04d}",
            at_s(row),
            {"import_wh": register_wh(meter, row), "import_w": (row * 37) % 4000},
        )
        for row in range(first, first + ROWS)
    )
