"""The gateway's commands: one line each, their work stands elsewhere."""

from __future__ import annotations

from gateway import decode
from kwartier.cli import Command

P1 = Command(
    summary="read telegrams of a P1 port",
    example="kwartier p1 decode telegram.txt",
    extra="gateway",
    configure=decode.add_arguments,
    run=decode.run,
)
