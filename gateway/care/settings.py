"""The settings of care from afar, the ``[care]`` of gateway.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.care.keys import PublicKey, read_public_key
from kwartier.errors import InputError, SettingsError
from kwartier.settings import Table


@dataclass(frozen=True, slots=True)
class CareSettings:
    """What may be changed from afar, and who may.

    Attributes:
        config_key: Whose signature settings need; None: no settings are taken from afar.
        trial_s: New settings or a new program must prove themselves within this time [s].
        slots: Where programs are installed by ``kwartier update``; None where they are not.
        trial_file: Where a trial is noted when somebody else moves the links to programs; None
            where the gateway may do that itself.
    """

    config_key: PublicKey | None = None
    trial_s: float = 180.0
    slots: Path | None = None
    trial_file: Path | None = None


def read_care(table: Table, folder: Path) -> CareSettings:
    """Return the care of a ``[care]`` table; files named in it are sought in ``folder``.

    Raises:
        SettingsError: A key is wrong or a file is away.
    """
    key_file, slots = table.text_or_none("config_key_file"), table.text_or_none("slots")
    trial_file = table.text_or_none("trial_file")
    try:
        key = None if key_file is None else read_public_key(folder / key_file)
    except InputError as error:
        raise SettingsError(f"{table.place}config_key_file: {error}") from error
    care = CareSettings(
        key,
        table.whole("trial_s", 180, low=1, high=3600),
        None if slots is None else folder / slots,
        None if trial_file is None else folder / trial_file,
    )
    table.refuse_the_rest()
    return care
