"""The gateway's commands: one line each, their work stands elsewhere."""

from __future__ import annotations

from gateway import provision, serve
from gateway.modbus import scan
from gateway.p1 import command
from kwartier.cli import Command

P1 = Command(
    summary="read telegrams of a P1 port, or pair with a meter that asks for a token",
    example="kwartier p1 decode telegram.txt",
    extra="gateway",
    configure=command.add_arguments,
    run=command.run,
)

MODBUS = Command(
    summary="decode a recording of a Modbus device, or read one over the network",
    example="kwartier modbus scan 192.0.2.10:502 --unit 1",
    extra="gateway",
    configure=scan.add_arguments,
    run=scan.run,
)

GATEWAY = Command(
    summary="read a home's devices, keep what they say, and obey the plan within its limits",
    example="kwartier gateway --config gateway.toml",
    extra="gateway",
    configure=serve.add_arguments,
    run=serve.run,
)

PROVISION = Command(
    summary="write what stands on the card of one home's gateway",
    example='kwartier provision --address "Zonnehof 14" --gateway gw-14 --coop zonnehof --out card',
    extra="gateway",
    configure=provision.add_arguments,
    run=provision.run,
)
