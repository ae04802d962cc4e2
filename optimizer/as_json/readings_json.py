"""What a quarter and a period share as JSON: readings of a quarter, and how they are divided."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from kwartier.units import Wh
from optimizer.as_json.strict_json import Part
from optimizer.balance import Registers, SelfRule
from optimizer.settlement import Rules, Source
from optimizer.settling.rounding import Tie
from optimizer.sharing import SharingKey

Choice = TypeVar("Choice", bound=StrEnum)


class ReadingQuality(StrEnum):
    """How a value that is written with its quality is known."""

    MEASURED = "measured"
    ESTIMATED = "estimated"


def connections_of(part: Part) -> dict[str, Registers]:
    """Return the readings of the connections, in the order in which they are listed."""
    return {name: _registers(row, "import", "export") for name, row in part.names().items()}


def battery_of(part: Part | None) -> Registers:
    """Return the battery's readings; zero where there is no battery."""
    return Registers() if part is None else _registers(part, "charge", "discharge")


def rules_of(keys: Mapping[str, Part], key: SharingKey) -> Rules:
    """Return the rules that stand beside a key; what is not told is the house's rule."""
    return Rules(
        key,
        choice_of(keys, "self_rule", SelfRule.NO_SELF),
        choice_of(keys, "tie", Tie.ID),
        choice_of(keys, "source", Source.PROPORTIONAL),
    )


def choice_of(keys: Mapping[str, Part], key: str, default: Choice) -> Choice:
    """Return the word that stands under a key, or the default where the key is away."""
    return keys[key].choice(type(default)) if key in keys else default


def _registers(part: Part, taken: str, given: str) -> Registers:
    """Return what two registers counted; one that is not named is not there, and counts 0."""
    keys = part.object((taken, given))
    import_wh, import_estimated = _energy(keys.get(taken))
    export_wh, export_estimated = _energy(keys.get(given))
    return Registers(import_wh, export_wh, import_estimated, export_estimated)


def _energy(part: Part | None) -> tuple[Wh | None, bool]:
    """Return a value, None when it is missing, and whether it is an estimate."""
    if part is None:
        return 0, False
    if part.value is None:
        return None, False
    if not isinstance(part.value, dict):
        return part.energy_wh(), False
    keys = part.object(("value", "quality"), needed=("value", "quality"))
    quality = keys["quality"].choice(ReadingQuality)
    return keys["value"].energy_wh(), quality is ReadingQuality.ESTIMATED
