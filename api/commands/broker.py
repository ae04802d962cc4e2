"""``kwartier broker``: settings for mosquitto that let in who has a certificate, nobody else."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from kwartier.cli import Command, print_json

_ADVICE = """mosquitto 2.0 cannot refuse MQTT 3.1.1, which answers a forbidden publish with success.
Our own programs speak MQTT 5 only. As root:
  chgrp -R mosquitto {folder}; chmod 2770 {folder}; chmod 640 {folder}/*   (and let the account of
  'kwartier serve' be of that group: it writes revoked.crl)
  cp -r {folder}/systemd/. /etc/systemd/system/; systemctl daemon-reload
  systemctl restart mosquitto; systemctl enable --now kwartier-broker-reload.path"""


def _configure(parser: argparse.ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    config = words.add_parser(
        "config",
        help="write the settings, the rights and the certificates of a mosquitto",
        description="Write all a mosquitto needs to let in gateways and our own services.",
        epilog="example:\n  kwartier broker config --folder /etc/kwartier/broker --ca ca "
        "--coop zonnehof --host broker.wijk.example",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    config.add_argument("--folder", type=Path, required=True, metavar="OUT", help="where it goes")
    config.add_argument(
        "--ca", type=Path, required=True, metavar="CA", help="the authority's folder"
    )
    config.add_argument(
        "--coop", required=True, metavar="NAME", help="the cooperative, as in topics"
    )
    config.add_argument(
        "--host", action="append", required=True, metavar="HOST", help="its name or address"
    )
    config.add_argument("--port", type=int, default=8883, help="for gateways (%(default)s)")
    config.add_argument(
        "--services-port", type=int, default=8884, help="for our services (%(default)s)"
    )
    config.add_argument(
        "--services-bind",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="for our services (%(default)s); 0.0.0.0 where containers have a network of their own",
    )
    config.add_argument("--bind", default="", metavar="ADDRESS", help="for gateways; all if absent")
    config.add_argument(
        "--state", type=Path, default=Path("/var/lib/mosquitto"), help="what waits (%(default)s)"
    )
    config.add_argument("--user", default="mosquitto", help="its account (%(default)s)")


def _run(chosen: argparse.Namespace) -> int:
    from api.enrolment.broker_files import BrokerPlan, write_broker
    from kwartier.identity import checked_name

    folder: Path = chosen.folder.absolute()
    plan = BrokerPlan(
        checked_name(chosen.coop, "--coop"),
        folder,
        chosen.port,
        chosen.bind,
        chosen.services_port,
        chosen.services_bind,
        state=chosen.state.absolute(),
        user=chosen.user,
    )
    written = write_broker(plan, chosen.ca, chosen.host, datetime.now(UTC))
    print(_ADVICE.format(folder=folder), file=sys.stderr)
    print_json({"folder": str(folder), "files": written})
    return 0


BROKER = Command(
    summary="write the settings of a broker that knows gateways by their certificates",
    example="kwartier broker config --folder broker --ca ca --coop zonnehof --host wijk.example",
    extra="serve",
    configure=_configure,
    run=_run,
)
