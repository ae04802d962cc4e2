"""Every error of the house, in one tree.

::

    KwartierError
    ├── InputError            refused input; the message names place, value and remedy   (exit 1)
    │   └── ContractError     a message or file breaks a published format
    ├── UsageError            a command was called in a way it does not know             (exit 2)
    ├── SettingsError         wrong configuration                                        (exit 78)
    │   └── MissingExtraError a part of the program is not installed
    └── TemporaryError        trying again can help
        ├── LinkDownError     the other side cannot be reached now
        └── StoreBusyError    the record cannot be written now

Other packages derive their own from these; the class says whether trying again can help.
"""

from __future__ import annotations


class KwartierError(Exception):
    """Something the house understands went wrong."""

    exit_code = 1


class InputError(KwartierError):
    """Input was refused: trying the same again will not help."""


class ContractError(InputError):
    """A message, file or value breaks a published format."""


class UsageError(KwartierError):
    """A command was called in a way it does not know."""

    exit_code = 2


class SettingsError(KwartierError):
    """The configuration is wrong; nothing was started."""

    exit_code = 78


class MissingExtraError(SettingsError):
    """A command needs a part that is not installed."""

    def __init__(self, command: str, extra: str, module: str) -> None:
        """Name the extra that brings the part."""
        super().__init__(
            f"'kwartier {command}' needs the Python module '{module}', which is not installed: "
            f"install kwartier[{extra}]"
        )
        self.extra = extra


class TemporaryError(KwartierError):
    """It failed now; trying again can help."""


class LinkDownError(TemporaryError):
    """The other side cannot be reached now."""


class StoreBusyError(TemporaryError):
    """The record cannot be written now: full, locked or away; nothing was stored."""
