"""``kwartier p1``: what can be done with a meter's port by hand."""

from __future__ import annotations

import argparse

from gateway.p1 import decode, homewizard_pair


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kwartier p1``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    decode.add_arguments(
        actions.add_parser(
            "decode",
            help="print one JSON line per telegram found in recorded bytes",
            epilog=(
                "examples:\n  kwartier p1 decode telegram.txt\n"
                "  kwartier p1 decode --key-file p1.key sealed.bin"
            ),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    homewizard_pair.add_arguments(
        actions.add_parser(
            "pair",
            help="get a token of a HomeWizard P1 meter whose button is pressed",
            epilog="example:\n  kwartier p1 pair homewizard://192.168.1.20 --token-file p1.token",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )


def run(chosen: argparse.Namespace) -> int:
    """Do what was asked and return its exit code."""
    return homewizard_pair.run(chosen) if chosen.action == "pair" else decode.run(chosen)
