"""Telegrams as JSON, for somebody who looks into a meter: ``kwartier p1 decode``."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.p1.framer import Frame, Framer
from gateway.p1.mbus import Channel
from gateway.p1.quantity import count_of, quantity_of
from gateway.p1.sealed import SealKeys, Unsealer, read_key
from gateway.p1.stamp import Stamp, stamp_of
from gateway.p1.telegram import Telegram, telegram_of
from hardware import obis
from kwartier.cli import print_json
from kwartier.errors import InputError, UsageError
from kwartier.interval import HOME_ZONE, Zone

Json: TypeAlias = "str | int | float | Sequence[Json] | Mapping[str, Json] | None"

_PIECE = 65_536
_IDENTIFICATION = re.compile(r"[A-Za-z]{3}[0-9A-I]", re.ASCII)
"""A maker's three letters and the line's speed (IEC 62056-21, 6.3.2)."""
_PHASES = {
    "l1": ("1-0:21.7.0", "1-0:22.7.0", "1-0:32.7.0", "1-0:31.7.0"),
    "l2": ("1-0:41.7.0", "1-0:42.7.0", "1-0:52.7.0", "1-0:51.7.0"),
    "l3": ("1-0:61.7.0", "1-0:62.7.0", "1-0:72.7.0", "1-0:71.7.0"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kwartier p1 decode``."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="recorded bytes; - reads stdin")
    parser.add_argument(
        "--zone",
        default=str(HOME_ZONE),
        help="wall time of the house, for stamps without a season letter (default: %(default)s)",
    )
    parser.add_argument(
        "--key-file", metavar="KEYFILE", help="32 hexadecimal digits that open sealed telegrams"
    )
    parser.add_argument(
        "--authentication-key-file",
        metavar="KEYFILE",
        help="the second key of a sealed telegram, where it is not the usual one",
    )


def run(chosen: argparse.Namespace) -> int:
    """Print every telegram of every file and return 0."""
    zone = _zone(str(chosen.zone))
    keys = _keys(chosen.key_file, chosen.authentication_key_file)
    for name in map(str, chosen.files):
        found = False
        for frame in _frames(name, keys):
            telegram = telegram_of(frame, zone)
            if not telegram.objects and not _IDENTIFICATION.match(telegram.header):
                continue  # a slash in other bytes
            found = True
            print_json(shown(telegram), stream=True)
        if not found:
            sys.stderr.write(f"kwartier p1: {name} holds no telegram\n")
    return 0


def shown(telegram: Telegram) -> dict[str, Json]:
    """Return a telegram as the promised JSON object; what it does not tell is absent or null."""
    look = _Look(telegram)
    answer: dict[str, Json] = {
        "crc": str(telegram.crc),
        "header": telegram.header,
        "unparsed_lines": telegram.unparsed_lines,
        "version": look.first(obis.VERSIONS),
        "timestamp_utc": look.utc(telegram.stamp),
        "meter_id": telegram.meter_id or None,
        "meter_serial": _plain(telegram.meter_id),
        "kwh": look.registers(),
        "import_kw": look.number("1-0:1.7.0", obis.Base.W, 1000),
        "export_kw": look.number("1-0:2.7.0", obis.Base.W, 1000),
        "tariff": look.count("0-0:96.14.0"),
        "phases": look.phases(),
        "mbus": {str(channel.number): look.channel(channel) for channel in telegram.channels},
        **look.failures(),
        **look.peaks(),
    }
    message = look.text(obis.TEXT_MESSAGE)
    if message:
        answer["text_message_hex_len"] = len(message)
    if look.contradicts:
        answer["flags"] = ["season_letter_contradicts_date"]
    return answer


class _Look:
    """One look at a telegram; remembers whether any stamp seen contradicts its letter."""

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram
        self._objects = telegram.objects
        self.contradicts = False

    def text(self, code: str) -> str:
        return self._objects.get(code, ("",))[0]

    def first(self, codes: Sequence[str]) -> str | None:
        return next((self.text(code) for code in codes if self.text(code)), None)

    def count(self, code: str) -> int | None:
        return count_of(self.text(code))

    def number(self, code: str, base: obis.Base, per: int) -> float | None:
        quantity = quantity_of(self.text(code))
        return None if quantity is None else quantity.number(base, per)

    def utc(self, stamp: Stamp | None) -> str | None:
        if stamp is None:
            return None
        self.contradicts = self.contradicts or stamp.contradicts
        return datetime.fromtimestamp(stamp.at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def utc_of(self, text: str) -> str | None:
        return self.utc(stamp_of(text, self._telegram.zone))

    def registers(self) -> dict[str, Json]:
        numbers = {
            code: self.number(code, obis.Base.WH, 1000)
            for code, known in obis.METER_OBJECTS.items()
            if known.base is obis.Base.WH
        }
        return {code: number for code, number in numbers.items() if number is not None}

    def phases(self) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for name, (taken, given, volt, ampere) in _PHASES.items():
            phase = {
                "import_kw": self.number(taken, obis.Base.W, 1000),
                "export_kw": self.number(given, obis.Base.W, 1000),
                "volt": self.number(volt, obis.Base.DV, 10),
                "ampere": self.number(ampere, obis.Base.MA, 1000),
            }
            told = {key: number for key, number in phase.items() if number is not None}
            if told:
                found[name] = told
        return found

    def channel(self, channel: Channel) -> dict[str, Json]:
        found: dict[str, Json] = {}
        if channel.type_code is not None:
            found["type_code"] = channel.type_code
            kind = obis.MBUS_TYPES.get(channel.type_code)
            found["type"] = None if kind is None else str(kind)
        if channel.meter_id:
            found["id"] = channel.meter_id
            found["serial"] = _plain(channel.meter_id)
        if channel.code:
            found["obis"] = channel.code
            found["stamp_utc"] = self.utc(channel.stamp)
        if channel.value is not None:
            found["value"] = channel.value.digits / 10**channel.value.decimals
            found["unit"] = channel.value.unit
        return found

    def failures(self) -> dict[str, Json]:
        found: dict[str, Json] = {}
        log = self._objects.get(obis.FAILURE_LOG)
        if log is not None:
            pairs = zip(log[2::2], log[3::2], strict=False)
            found["power_failures"] = [
                {"end_utc": self.utc_of(end), "seconds": count_of(seconds.rstrip("*sS"))}
                for end, seconds in pairs
            ]
            stated = count_of(log[0])
            if stated is not None:
                found["power_failures_stated"] = stated
        for name, code in (
            ("short_failures", obis.SHORT_FAILURES),
            ("long_failures", obis.LONG_FAILURES),
        ):
            if code in self._objects:
                found[name] = self.count(code)
        return found

    def peaks(self) -> dict[str, Json]:
        """Return the quarter-hour peaks of Belgian meters, in kW."""
        found: dict[str, Json] = {}
        average = self.number(obis.QUARTER_AVERAGE, obis.Base.W, 1000)
        if average is not None:
            found["quarter_avg_kw"] = average
        month = self._objects.get(obis.MONTH_PEAK, ())
        if len(month) == 2 and any(month):
            found["month_peak"] = self._peak(*month)
        history = self._objects.get(obis.PEAK_HISTORY, ())
        count = count_of(history[0]) if history else None
        if count is not None:
            found["peak_history_count"] = count
            peaks = list(zip(history[4::3], history[5::3], strict=False))
            found["peak_history"] = [self._peak(when, value) for when, value in peaks[:count]]
        return found

    def _peak(self, when: str, value: str) -> dict[str, Json]:
        quantity = quantity_of(value)
        power_kw = None if quantity is None else quantity.number(obis.Base.W, 1000)
        return {"stamp_utc": self.utc_of(when), "kw": power_kw}


def _plain(sent: str) -> str | None:
    """Return an id as people read it: decoded where it is the hex of printable letters."""
    if not sent:
        return None
    try:
        text = bytes.fromhex(sent).decode("ascii")
    except ValueError:
        return sent
    return text if text.isprintable() else sent


def _keys(key_file: str | None, authentication_key_file: str | None) -> SealKeys | None:
    if key_file is None:
        if authentication_key_file is not None:
            raise UsageError("--authentication-key-file opens nothing alone: add --key-file")
        return None
    second = None if authentication_key_file is None else read_key(Path(authentication_key_file))
    return SealKeys(read_key(Path(key_file)), second)


def _frames(name: str, keys: SealKeys | None) -> Iterator[Frame]:
    if name == "-":
        yield from _framed(sys.stdin.buffer, keys)
        return
    try:
        with Path(name).open("rb") as stream:
            yield from _framed(stream, keys)
    except OSError as error:
        raise InputError(
            f"{name}: cannot be read ({error.strerror}): name a file with the bytes of a P1 port"
        ) from error


def _framed(stream: BinaryIO, keys: SealKeys | None) -> Iterator[Frame]:
    framer = Framer()
    unsealer = None if keys is None else Unsealer(keys, refuse_old=False)
    while piece := stream.read(_PIECE):
        if unsealer is None:
            yield from framer.feed(piece)
            continue
        for telegram in unsealer.feed(piece):
            yield from framer.feed(telegram + b"\r\n")
    yield from framer.end()


def _zone(name: str) -> Zone:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(
            f"--zone {name!r} is no time zone: name one such as {HOME_ZONE}"
        ) from error
