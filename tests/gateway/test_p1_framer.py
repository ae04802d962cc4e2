"""Whatever a line does to the bytes, whole telegrams come out whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.p1.framer import LONGEST_TELEGRAM, Crc, Frame, Framer
from hardware.crc16 import crc16


def sealed(body: bytes) -> bytes:
    return body + b"%04X\r\n" % crc16(body)


ONE = sealed(b"/KWT5\\ONE\r\n\r\n1-0:1.8.1(000001.000*kWh)\r\n!")
TWO = sealed(b"/KWT5\\TWO\r\n\r\n1-0:1.8.1(000002.000*kWh)\r\n!")
OLD = b"/ISk5\\2MT382-1004\r\n\r\n1-0:1.8.1(00001.001*kWh)\r\n!\r\n"
PARTS = st.sampled_from(
    [ONE, TWO, OLD, ONE[:30], TWO[20:], b"(test-/-test)\r\n", b"!", b"/", b"\r\n", b"!12", b"\xff"]
)


def frames_of(*pieces: bytes, longest: int = LONGEST_TELEGRAM) -> list[Frame]:
    framer = Framer(longest)
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    return frames + framer.end()


def whole(telegram: bytes) -> bytes:
    return telegram[: telegram.rindex(b"!") + 1]


def test_a_stream_that_starts_in_mid_telegram_loses_only_that_one() -> None:
    assert frames_of(ONE[25:] + TWO) == [Frame(whole(TWO), Crc.VALID)]


def test_a_telegram_cut_off_by_the_next_one_is_reported_and_the_next_is_whole() -> None:
    frames = frames_of(ONE[:40] + TWO)

    assert frames == [Frame(ONE[:40], Crc.NO_END), Frame(whole(TWO), Crc.VALID)]


def test_a_telegram_cut_off_between_two_lines_is_reported_too() -> None:
    frames = frames_of(ONE[:13] + TWO)

    assert [frame.crc for frame in frames] == [Crc.NO_END, Crc.VALID]


def test_two_telegrams_glued_without_a_line_end_are_both_whole() -> None:
    frames = frames_of(ONE.rstrip() + TWO.rstrip())

    assert frames == [Frame(whole(ONE), Crc.VALID), Frame(whole(TWO), Crc.VALID)]


def test_a_header_glued_to_half_another_is_told_apart_by_the_checksum() -> None:
    frames = frames_of(b"/KWT5\\ON" + TWO)

    assert frames == [Frame(b"/KWT5\\ON", Crc.NO_END), Frame(whole(TWO), Crc.VALID)]


def test_glued_headers_without_checksum_stay_one_header() -> None:
    glued = b"/ISk5\\2MT382-1003ISKMT382-10032.2{}/ISk5\\2MT382-1003\r\n\r\n1-0:1.8.1(1.0*kWh)\r\n!"

    assert frames_of(glued + b"\r\n") == [Frame(glued, Crc.NONE)]


def test_a_slash_inside_a_text_message_starts_nothing() -> None:
    body = b"/KWT5\\ONE\r\n\r\n0-0:96.13.0(see kwartier.example/abc or /def)\r\n!"

    assert frames_of(sealed(body)) == [Frame(body, Crc.VALID)]


def test_rubbish_directly_before_the_slash_does_no_harm() -> None:
    assert frames_of(b"\x00\xff\x13rubbish" + ONE) == [Frame(whole(ONE), Crc.VALID)]


def test_a_checksum_without_its_leading_zeros_is_right() -> None:
    number = next(n for n in range(10_000) if crc16(b"/KWT5\\%d\r\n\r\n!" % n) < 0x1000)
    body = b"/KWT5\\%d\r\n\r\n!" % number

    frames = frames_of(body + b"%X\r\n" % crc16(body))

    assert frames == [Frame(body, Crc.VALID_UNPADDED)]


def test_one_flipped_bit_anywhere_makes_the_telegram_invalid_or_unfound() -> None:
    body = whole(ONE)
    for place in range(len(body)):
        for bit in range(8):
            damaged = bytearray(ONE)
            damaged[place] ^= 1 << bit
            assert not any(frame.crc.proves for frame in frames_of(bytes(damaged)))


def test_a_checksum_in_small_letters_is_read() -> None:
    body = whole(ONE)

    assert frames_of(body + b"%04x\r\n" % crc16(body)) == [Frame(body, Crc.VALID)]


def test_lines_that_end_in_a_line_feed_only_are_lines_too() -> None:
    body = whole(ONE).replace(b"\r\n", b"\n")

    assert frames_of(b"rest!\n" + sealed(body) * 2) == [Frame(body, Crc.VALID)] * 2


def test_the_longest_telegram_of_the_standard_fits() -> None:
    messages = b"".join(b"0-0:96.13.%d(%s)\r\n" % (n, b"3F" * 1024) for n in (0, 2, 3, 4, 5))
    body = b"/KWT5\\ONE\r\n\r\n" + messages + b"!"

    assert frames_of(sealed(body)) == [Frame(body, Crc.VALID)]


def test_a_telegram_that_never_ends_is_dropped_and_the_next_is_found() -> None:
    endless = b"/KWT5\\ONE\r\n" + b"1-0:1.8.1(000001.000*kWh)\r\n" * 1000

    frames = frames_of(endless, ONE)

    assert frames[-1] == Frame(whole(ONE), Crc.VALID)


@given(st.lists(PARTS | st.binary(max_size=40), max_size=12), st.data())
def test_however_a_stream_is_cut_the_frames_are_the_same(
    parts: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=30)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]

    assert frames_of(*pieces, longest=200) == frames_of(stream, longest=200)


@given(st.lists(PARTS | st.binary(max_size=40), max_size=12))
def test_byte_by_byte_gives_the_same_frames_too(parts: list[bytes]) -> None:
    stream = b"".join(parts)
    single = [stream[place : place + 1] for place in range(len(stream))]

    assert frames_of(*single, longest=120) == frames_of(stream, longest=120)


@given(st.lists(PARTS | st.binary(max_size=300), max_size=30))
def test_never_more_than_one_longest_telegram_is_kept(pieces: list[bytes]) -> None:
    framer = Framer(longest=150)
    for piece in pieces:
        framer.feed(piece)
        assert len(framer._rest) <= 150 + 6


@given(st.lists(PARTS | st.binary(max_size=40), max_size=12))
def test_every_byte_is_in_one_frame_or_counted_as_garbage(parts: list[bytes]) -> None:
    stream = b"".join(parts)
    framer = Framer()
    frames = framer.feed(stream) + framer.end()
    ends = sum(4 for frame in frames if frame.crc in {Crc.VALID, Crc.INVALID})

    framed = sum(len(frame.data) for frame in frames)

    assert framed + framer.garbage_bytes <= len(stream)
    assert framed + framer.garbage_bytes + ends >= len(stream) - 4 * len(frames)
