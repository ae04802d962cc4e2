"""Sealed telegrams open with their key only, once each, however the line cuts them."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.p1.reader import P1Reader
from gateway.p1.sealed import SealKeys, Unsealer, read_key
from hardware.twins.p1_meter import P1Meter
from kwartier.cli import main
from kwartier.errors import SettingsError
from tests.gateway.p1_sealing import KEY, SECOND_KEY, sealed

NOON_S = 1_781_431_200
"""2026-06-14T10:00Z."""
USUAL = b"\x30" + bytes.fromhex("00112233445566778899AABBCCDDEEFF")


def telegram(import_wh: int = 12_345_678, at_s: int = NOON_S) -> bytes:
    return P1Meter("E0001", import_t2_wh=import_wh).telegram(at_s)


def unsealer(second: bytes | None = None) -> Unsealer:
    return Unsealer(SealKeys(KEY, second))


@pytest.mark.parametrize(("name", "second"), [("with-aad", SECOND_KEY), ("without-aad", None)])
def test_the_printed_luxembourg_telegram_opens(
    shared_data: Path, name: str, second: bytes | None
) -> None:
    folder = shared_data / "p1" / "other" / "encrypted"
    frame = bytes.fromhex((folder / f"dsmr-luxembourgh-spec-example-{name}.txt").read_text())

    (opened,) = unsealer(second).feed(frame)

    assert opened.startswith(b"/Lux5\\253694471_M\r\n")
    assert opened.endswith(b"(1)\r\n!8B52")


@pytest.mark.parametrize(
    ("additional", "second"),
    [(b"", None), (USUAL, None), (b"\x30" + SECOND_KEY, SECOND_KEY)],
    ids=["no additional data", "the usual second key", "a second key of its own"],
)
def test_a_telegram_opens_with_each_kind_of_additional_data(
    additional: bytes, second: bytes | None
) -> None:
    opener = unsealer(second)

    opened = opener.feed(sealed(telegram(), 1, additional=additional))

    assert opened == [telegram()]
    assert opener.counters.opened == 1


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=3, unique=True).map(sorted),
    st.integers(1, 400),
    st.binary(max_size=30),
)
def test_telegrams_open_in_pieces_of_any_size_and_behind_noise(
    counters: list[int], size: int, noise: bytes
) -> None:
    line = b"".join(noise + sealed(telegram(number), number) for number in counters)
    opener = unsealer()

    opened = [
        one
        for place in range(0, len(line), size)
        for one in opener.feed(line[place : place + size])
    ]
    opened += opener.feed(bytes(20_000))  # whatever the noise announced has now come

    assert opened == [telegram(number) for number in counters]


def test_a_frame_cut_short_costs_only_itself() -> None:
    opener = unsealer()
    first, second, third = (sealed(telegram(number), number) for number in (1, 2, 3))

    opened = opener.feed(first + second[:300] + third + sealed(telegram(4), 4))

    assert opened == [telegram(1), telegram(3), telegram(4)]


def test_a_telegram_played_again_or_older_is_refused() -> None:
    opener = unsealer()
    frames = [sealed(telegram(number), number) for number in (5, 6, 7)]

    opened = opener.feed(b"".join([*frames, frames[2], frames[0], frames[1]]))

    assert len(opened) == 3
    assert (opener.counters.opened, opener.counters.replayed) == (3, 3)


def test_the_counters_of_two_meters_are_apart() -> None:
    opener = unsealer()
    swapped = sealed(telegram(2), 3, title=b"NEWMETER")

    assert len(opener.feed(sealed(telegram(1), 900) + swapped)) == 2


def test_a_changed_bit_anywhere_opens_nothing() -> None:
    frame = sealed(telegram(), 1)
    for place in range(0, len(frame), 7):
        damaged = bytearray(frame)
        damaged[place] ^= 0x10

        assert unsealer().feed(bytes(damaged) + bytes(70_000)) == []


def test_a_wrong_key_is_one_line_in_the_log_and_shows_no_key(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader = P1Reader(unsealer=Unsealer(SealKeys(SECOND_KEY)))
    with caplog.at_level(logging.INFO):
        for number in range(200):
            assert reader.feed(sealed(telegram(number), number), NOON_S) == []

    assert len(caplog.records) == 1
    assert "is the key file of this meter?" in caplog.text
    assert SECOND_KEY.hex() not in caplog.text.lower()
    assert SECOND_KEY.hex() not in repr(SealKeys(SECOND_KEY)).lower()


def test_a_sealed_line_becomes_readings_and_a_clear_telegram_on_it_counts_for_nothing() -> None:
    reader = P1Reader(unsealer=unsealer())

    forged = reader.feed(telegram(99), NOON_S)
    readings = reader.feed(sealed(telegram(), 1), NOON_S)

    assert forged == []
    assert [(one.at_s, one.values["import_wh"]) for one in readings] == [(NOON_S, 12_345_678)]


def key_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "p1.key"
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o400, 0o600])
def test_a_key_is_read_from_a_file_of_its_owner(tmp_path: Path, mode: int) -> None:
    path = key_file(tmp_path, "01234567 89abcdef 01234567 89ABCDEF\n", mode)

    assert read_key(path) == KEY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o700, 0o660, 0o777])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SettingsError, match=f"{mode:04o}.*chmod 0400"):
        read_key(key_file(tmp_path, KEY.hex(), mode))


@pytest.mark.parametrize("text", ["", "0123", "g" * 32, "0" * 33, "\xff" * 32])
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="no key") as refused:
        read_key(key_file(tmp_path, text))

    assert not text or text not in str(refused.value)


def test_a_key_file_that_is_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"p1\.key: cannot be read"):
        read_key(tmp_path / "p1.key")


def test_decode_opens_a_recording_with_a_key_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = tmp_path / "sealed.bin"
    frame = sealed(telegram(), 1)
    recording.write_bytes(b"noise" + frame + frame)
    key = key_file(tmp_path, KEY.hex())

    assert main(["p1", "decode", "--key-file", str(key), str(recording)]) == 0

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["crc"], one["kwh"]["1-0:1.8.2"]) for one in told] == [("valid", 12345.678)] * 2


def test_decode_with_the_wrong_key_finds_nothing_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = tmp_path / "sealed.bin"
    recording.write_bytes(sealed(telegram(), 1, key=SECOND_KEY))
    key = key_file(tmp_path, KEY.hex())

    assert main(["p1", "decode", "--key-file", str(key), str(recording)]) == 0

    told = capsys.readouterr()
    assert told.out == ""
    assert "holds no telegram" in told.err


def test_a_second_key_alone_is_refused(tmp_path: Path) -> None:
    key = key_file(tmp_path, KEY.hex())

    assert main(["p1", "decode", "--authentication-key-file", str(key), "x"]) == 2
