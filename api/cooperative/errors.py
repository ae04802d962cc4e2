"""What the books refuse.

::

    BooksError              refused; the message names place, value and remedy
    ├── ConflictError       the same key was used for something else
    ├── NotAllowedError     this officer may not do this
    ├── StateError          not in this state; the message says what comes first
    └── TamperedError       the chain, a hash or a sum is broken: stop and look
"""

from __future__ import annotations

from kwartier.errors import InputError


class BooksError(InputError):
    """The books refuse something."""


class ConflictError(BooksError):
    """The same key was used before, for something else."""


class NotAllowedError(BooksError):
    """This officer may not do this: a role is missing, or it is the officer's own proposal."""


class StateError(BooksError):
    """It cannot be done in this state; the message says what comes first."""


class TamperedError(BooksError):
    """A chain, a hash or a sum is broken: nothing goes on before somebody has looked."""
