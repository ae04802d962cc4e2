"""Lines that services write: one each, the same warning once a minute, no long number."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from kwartier.clock import VirtualClock
from kwartier.log import MOST_ALIKE, MOST_REMEMBERED, LogForm, OnceAMinute, OneLine

NOON = 1_785_585_600.25  # 2026-08-01T12:00:00.25Z
EAN = "871687110000012347"
IBAN = "NL91ABNA0417164300"


def record(words: str, *values: object, level: int = logging.WARNING) -> logging.LogRecord:
    made = logging.LogRecord("collectors.ingest", level, "ingest.py", 1, words, values, None)
    made.created = NOON
    return made


def test_a_line_of_json_says_when_who_and_what() -> None:
    line = OneLine("collect", LogForm.JSON).format(record("link %s", "lost"))

    assert json.loads(line) == {
        "time": "2026-08-01T12:00:00.250Z",
        "level": "warning",
        "service": "collect",
        "part": "collectors.ingest",
        "event": "link lost",
    }


def test_a_line_of_logfmt_quotes_what_has_spaces() -> None:
    line = OneLine("collect", LogForm.LOGFMT).format(record('he said "no"'))

    assert line == (
        "time=2026-08-01T12:00:00.250Z level=warning service=collect part=collectors.ingest"
        ' event="he said \\"no\\""'
    )


@pytest.mark.parametrize("form", LogForm)
def test_words_from_outside_never_begin_a_line_of_their_own(form: LogForm) -> None:
    line = OneLine("serve", form).format(record("unknown topic %s", "a\nINFO all is well\x1b[2J"))

    assert "\n" not in line
    assert "\x1b" not in line


@pytest.mark.parametrize("form", LogForm)
def test_long_numbers_show_their_last_digits_only(form: LogForm) -> None:
    try:
        int(EAN, base=4)  # its message names what it was given
    except ValueError:
        broken = record("connection %s paid from %s", EAN, IBAN)
        broken.exc_info = sys.exc_info()

    line = OneLine("serve", form).format(broken)

    assert (EAN in line, IBAN in line) == (False, False)
    assert "2347" in line
    assert "4300" in line


def test_the_same_warning_is_told_once_a_minute_with_a_count() -> None:
    clock = VirtualClock(NOON)
    filter_ = OnceAMinute(clock)

    told = [filter_.filter(record("away")) for _ in range(100)]
    clock.advance(60)
    after = record("away")

    assert (told.count(True), filter_.filter(after)) == (1, True)
    assert json.loads(OneLine("collect", LogForm.JSON).format(after))["held_back"] == 99
    assert OneLine("collect", LogForm.TEXT).format(after).endswith("away (99 more like this)")


def test_warnings_that_differ_in_a_number_are_bounded_too() -> None:
    clock = VirtualClock(NOON)
    filter_ = OnceAMinute(clock)

    told = [filter_.filter(record("try %d failed", number)) for number in range(1_000)]
    clock.advance(60)
    after = record("try %d failed", 1_000)

    assert (told.count(True), filter_.filter(after)) == (MOST_ALIKE, True)
    assert json.loads(OneLine("collect", LogForm.JSON).format(after))["held_back"] == 980


def test_another_place_is_heard_while_one_is_held_back() -> None:
    filter_ = OnceAMinute(VirtualClock(NOON))

    told = [filter_.filter(record("away")), filter_.filter(record("back"))]

    assert told == [True, True]


def test_news_is_never_held_back_and_memory_is_bounded() -> None:
    filter_ = OnceAMinute(VirtualClock(NOON))

    told = [filter_.filter(record("done", level=logging.INFO)) for _ in range(5)]
    for number in range(3 * MOST_REMEMBERED):
        filter_.filter(record(f"{number}"))

    assert told == [True] * 5
    assert len(filter_._same) <= MOST_REMEMBERED
    assert len(filter_._alike) <= MOST_REMEMBERED


FALLING = """
import threading
from kwartier.log import begin_log
begin_log("demo")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise RuntimeError("{EAN}")
"""


def test_what_ends_a_process_is_one_line_like_all_else() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FALLING.replace("{EAN}", EAN)],
        env={"KWARTIER_LOG": "json"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["a thread ended by an error", "ended by an error"]
    assert "ZeroDivisionError" in lines[0]["trace"]
    assert EAN not in ended.stderr


def test_words_that_do_not_fit_their_values_never_end_who_says_them() -> None:
    record = logging.LogRecord("x", logging.WARNING, "x.py", 1, "%d of %d", ("one",), None)

    assert OnceAMinute(VirtualClock(NOON)).filter(record)


def test_a_form_that_is_none_is_refused_by_its_name() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "from kwartier.log import begin_log; begin_log('x')"],
        env={"KWARTIER_LOG": "xml"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "KWARTIER_LOG is 'xml': it must be one of text, json, logfmt" in ended.stderr
