"""What a crowd does to one file: the same that the commands do to one, and as their answer prints.

Each is a function of a module, so that a process on another machine finds it by its name.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path

from api.crowd.many import Answered, Digesting
from kwartier.errors import KwartierError
from kwartier.wire import Json


def settled(file: str, question: str) -> Answered:
    """Settle a case, as ``kwartier settle QUESTION FILE`` does."""
    from api.commands.settle import answer_to

    try:
        with Path(file).open("rb") as opened:
            digesting = Digesting(opened)
            answer = answer_to(question, digesting)
    except KwartierError as error:
        return Answered("", "", str(error))
    except OSError as error:
        return Answered("", "", _unread(error))
    return Answered(_printed(answer), digesting.hexdigest())


def judged(file: str, first: date | None = None, last: date | None = None) -> Answered:
    """Judge the moment signal on one street, as ``kwartier moment backtest`` does."""
    from api.commands.moment import judgement_on

    try:
        with Path(file).open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return Answered(_printed(judgement_on(Path(file), first, last)), digest)
    except KwartierError as error:
        return Answered("", "", str(error))
    except OSError as error:
        return Answered("", "", _unread(error))


def _unread(error: OSError) -> str:
    return (
        f"cannot be read: {error.strerror}: the folder has to be at the same place on every machine"
    )


def _printed(answer: dict[str, Json]) -> str:
    return json.dumps(answer, ensure_ascii=False, allow_nan=False, indent=2) + "\n"
