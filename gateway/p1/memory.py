"""What a gateway must still know of its meters after a restart: which stood where."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path

from gateway.p1.plausible import Standing
from kwartier.durable import replace_file
from kwartier.identity import DeviceId

_log = logging.getLogger(__name__)

_MOST_BYTES = 65_536
_MOST_ROWS = 100


@dataclass(slots=True)
class MeterMemory:
    """Which meters were known.

    Attributes:
        standing: The electricity meter and those on its M-Bus, by device.
        owners: The serial behind the name of each meter on the M-Bus.
    """

    standing: dict[DeviceId, Standing] = field(default_factory=dict)
    owners: dict[DeviceId, str] = field(default_factory=dict)


def read_memory(path: Path) -> MeterMemory:
    """Return what was kept; a file that is away or damaged is the same as a first start."""
    try:
        with path.open(encoding="utf-8") as file:
            told = json.loads(file.read(_MOST_BYTES))
        standing = {
            str(device): Standing(str(meter), int(beginning))
            for device, (meter, beginning) in list(told["standing"].items())[:_MOST_ROWS]
        }
        owners = {str(name): str(key) for name, key in list(told["owners"].items())[:_MOST_ROWS]}
    except FileNotFoundError:
        return MeterMemory()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        _log.warning("%s cannot be read, meters are met anew: %s", path, type(error).__name__)
        return MeterMemory()
    return MeterMemory(standing, owners)


def write_memory(path: Path, memory: MeterMemory) -> None:
    """Keep it in one step that survives a power cut; where the disk takes nothing, say so only."""
    told = {
        "standing": {device: [one.meter, one.beginning] for device, one in memory.standing.items()},
        "owners": memory.owners,
    }
    try:
        replace_file(path, json.dumps(told).encode(), 0o600)
    except OSError as error:
        _log.warning("%s cannot be written: %s", path, error.strerror)
