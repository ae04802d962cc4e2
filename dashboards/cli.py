"""The boards' command."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from dashboards.words import Language
from kwartier.charts import COMMUNITY
from kwartier.cli import Command, print_json
from kwartier.errors import UsageError
from kwartier.settings import Table, read_secret


def _configure(parser: argparse.ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    export = _word(
        words,
        "export",
        "write boards and settings as files, for a Grafana that reads them",
        "kwartier dashboards export grafana-files",
    )
    export.add_argument("folder", type=Path, metavar="DIR", help="where they go")
    push = _word(
        words,
        "push",
        "bring boards, folders and data sources to a Grafana, by its API",
        "kwartier dashboards push --url https://grafana.wijk.example --token-file grafana.token",
    )
    push.add_argument("--url", required=True, help="the address people use, with its path if any")
    push.add_argument(
        "--token-file", required=True, metavar="FILE", help="a service account's token"
    )
    push.add_argument("--influx-url", metavar="URL", help="InfluxDB, as Grafana reaches it")
    push.add_argument("--influx-org", metavar="NAME", default="kwartier", help="(%(default)s)")
    push.add_argument(
        "--influx-bucket", metavar="NAME", default=COMMUNITY.name, help="(%(default)s)"
    )
    push.add_argument(
        "--influx-token-file", metavar="FILE", help="a token that reads the sums, nothing else"
    )
    push.add_argument("--prometheus-url", metavar="URL", help="Prometheus, as Grafana reaches it")


def _word(
    words: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    help: str,  # noqa: A002 - as argparse calls it
    example: str,
) -> argparse.ArgumentParser:
    made = words.add_parser(
        name,
        help=help,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--lang", type=Language, choices=list(Language), default=Language.NL, help="(%(default)s)"
    )
    return made


def _run(chosen: argparse.Namespace) -> int:
    return _export(chosen) if chosen.word == "export" else _push(chosen)


def _export(chosen: argparse.Namespace) -> int:
    from dashboards.files import export

    folder: Path = chosen.folder
    print_json({"folder": str(folder), "files": export(folder, chosen.lang)})
    return 0


def _push(chosen: argparse.Namespace) -> int:
    import time

    from dashboards.grafana import Grafana
    from dashboards.push import push
    from dashboards.sources import InfluxAccess, PrometheusAccess

    ways: list[InfluxAccess | PrometheusAccess] = []
    if (chosen.influx_url is None) != (chosen.influx_token_file is None):
        raise UsageError("--influx-url and --influx-token-file go together")
    if chosen.influx_url is not None:
        secret = _secret("influx-token-file", chosen.influx_token_file)
        ways.append(
            InfluxAccess(chosen.influx_url, chosen.influx_org, secret, chosen.influx_bucket)
        )
    if chosen.prometheus_url is not None:
        ways.append(PrometheusAccess(chosen.prometheus_url))
    grafana = Grafana(chosen.url, _secret("token-file", chosen.token_file), time.sleep)
    print_json(asdict(push(grafana, chosen.lang, ways)))
    return 0


def _secret(option: str, file: str) -> str:
    return read_secret(Table({option: file}, "--"), option, Path())


DASHBOARDS = Command(
    summary="Grafana boards as files, or brought to a Grafana",
    example="kwartier dashboards export grafana-files",
    extra="dashboards",
    configure=_configure,
    run=_run,
)
