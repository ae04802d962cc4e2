"""The folder in which a server keeps what is its own: plans, cards, sessions, releases."""

from __future__ import annotations

from pathlib import Path

from kwartier.errors import SettingsError


def make_state(folder: Path) -> None:
    """Make the folder where it is not there yet.

    Raises:
        SettingsError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"state: {folder} cannot be made: {error.strerror}; name a folder that this account "
            "may write in"
        ) from error
