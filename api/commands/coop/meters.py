"""``kwartier coop meter``: which meters hang where, and what their registers stood at."""

from __future__ import annotations

import argparse

from api.commands.coop.acting import reading_desk, writing_desk
from api.commands.coop.word import Word
from api.cooperative.readings import Direction, Source
from api.cooperative.readings.meters import Meter, install_meter, meters_of
from api.cooperative.readings.registers import RegisterReading, newest_readings
from api.cooperative.readings.swaps import Swap, enter_register, swap_meter
from kwartier.cli import print_json
from kwartier.errors import ContractError
from kwartier.interval import epoch_s, instant_text, parse_instant
from kwartier.units import EpochS, Wh, wh_from_kwh
from kwartier.wire import Json

_FAR_S = 2**40
"""Beyond every instant [s]."""


def instant(text: str) -> EpochS:
    """Return an instant of the command line [s], such as ``2026-07-14T08:05:00Z``."""
    try:
        return epoch_s(parse_instant(text))
    except ContractError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def stand(text: str) -> tuple[Direction, Wh]:
    """Return a register of the command line, such as ``import=1234.567``."""
    name, _, kwh = text.partition("=")
    try:
        return Direction(name), wh_from_kwh(kwh)
    except (ValueError, ContractError):
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is no register: write it as import=1234.567"
        ) from None


def _install_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection")
    parser.add_argument("--at", type=instant, required=True, metavar="INSTANT", help="since when")
    _new_meter(parser)


def _new_meter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--serial", required=True, help="as it stands on the meter; kept sealed")
    parser.add_argument(
        "--opening",
        type=stand,
        action="append",
        default=[],
        metavar="REGISTER=KWH",
        help="what a register of it stood at; again for each",
    )
    parser.add_argument(
        "--digits", type=int, help="whole kWh digits, when the meter declares that it begins again"
    )


def _install(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        meter = install_meter(
            desk,
            chosen.connection,
            chosen.serial,
            chosen.at,
            dict(chosen.opening),
            digits=chosen.digits,
        )
    print_json(_meter(meter))
    return 0


def _swap_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection")
    parser.add_argument("--at", type=instant, required=True, metavar="INSTANT")
    parser.add_argument(
        "--closing",
        type=stand,
        action="append",
        required=True,
        metavar="REGISTER=KWH",
        help="what a register of the old meter stood at; again for each",
    )
    _new_meter(parser)
    parser.add_argument("--reason", default="meter swap")


def _swap(chosen: argparse.Namespace) -> int:
    swap = Swap(
        chosen.at,
        dict(chosen.closing),
        chosen.serial,
        dict(chosen.opening),
        chosen.digits,
        chosen.reason,
    )
    with writing_desk(chosen) as desk:
        meter = swap_meter(desk, chosen.connection, swap)
    print_json(_meter(meter))
    return 0


def _read_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection")
    parser.add_argument("stand", type=stand, metavar="REGISTER=KWH")
    parser.add_argument("--at", type=instant, required=True, metavar="INSTANT")
    parser.add_argument("--source", choices=("manual", "p1", "p4"), default="manual")
    parser.add_argument("--reason", default="")
    parser.add_argument(
        "--correct", action="store_true", help="it takes the place of what stands there"
    )


def _read(chosen: argparse.Namespace) -> int:
    register, wh = chosen.stand
    reading = RegisterReading(register, chosen.at, wh, Source(chosen.source), chosen.reason)
    with writing_desk(chosen) as desk:
        version = enter_register(desk, chosen.connection, reading, corrects=chosen.correct)
    print_json({"connection": chosen.connection, "version": version})
    return 0


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection")


def _list(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        meters = meters_of(desk, [chosen.connection])
        stood = newest_readings(desk, [chosen.connection], 0, _FAR_S)
    answer: list[Json] = [
        {
            **_meter(meter),
            "registers": [
                {"register": each.register.value, "at": instant_text(each.at_s), "wh": each.wh}
                for each in stood.get((meter.connection, meter.number), ())
            ],
        }
        for meter in meters
    ]
    print_json(answer)
    return 0


def _meter(meter: Meter) -> dict[str, Json]:
    return {
        "connection": meter.connection,
        "number": meter.number,
        "serial": meter.masked,
        "digits": meter.digits,
        "installed": instant_text(meter.installed_s),
        "removed": None if meter.removed_s is None else instant_text(meter.removed_s),
    }


WORDS: tuple[Word, ...] = (
    Word(
        "meter",
        "install",
        "record a meter with what it stood at",
        "kwartier coop meter install huis-01 --serial E0047 --at 2026-01-01T00:00:00+01:00 "
        "--opening import=1234.567 --opening export=0 --as bookkeeper",
        _install_arguments,
        _install,
    ),
    Word(
        "meter",
        "swap",
        "record that a meter was replaced, with both ends",
        "kwartier coop meter swap huis-01 --at 2026-07-14T10:05:00+02:00 --closing import=5678.9 "
        "--serial E0051 --opening import=0.007 --as bookkeeper",
        _swap_arguments,
        _swap,
    ),
    Word(
        "meter",
        "read",
        "enter what a register stood at",
        "kwartier coop meter read huis-01 import=5678.9 --at 2026-08-01T00:00:00+02:00 "
        "--as bookkeeper",
        _read_arguments,
        _read,
    ),
    Word(
        "meter",
        "list",
        "show the meters of a connection and their registers",
        "kwartier coop meter list huis-01 --as bookkeeper",
        _list_arguments,
        _list,
    ),
)
