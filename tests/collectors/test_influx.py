from __future__ import annotations

import json
from pathlib import Path

import pytest

from collectors.influx import (
    Influx,
    InfluxDownError,
    InfluxRefusedError,
    InfluxSettings,
    InfluxSettingsError,
)
from kwartier.errors import ContractError, SettingsError, TemporaryError
from tests.collectors.influx_far_side import influx, lines_of, refusal
from tests.collectors.loopback import Reply

LINE = "reading,device=p1,gateway=gw-01,site=wijk import_wh=1i 60"
HEADER = (
    b"#datatype,string,long,dateTime:RFC3339,long\r\n"
    b"#group,false,false,false,false\r\n"
    b"#default,_result,,,\r\n"
    b",result,table,_time,_value\r\n"
)


def test_lines_travel_packed_with_token_bucket_and_precision() -> None:
    with influx() as (server, door):
        door.write([LINE, LINE.replace("60", "70")])

    asked = server.asked[0]
    assert asked.path == "/api/v2/write?org=coop&bucket=wijk&precision=s"
    assert asked.headers["Content-Encoding"] == "gzip"
    assert asked.headers["Authorization"] == "Token s3cret"
    assert lines_of(asked) == [LINE, LINE.replace("60", "70")]


@pytest.mark.parametrize(
    "reply",
    [
        refusal(429, "too many", "too many requests"),
        refusal(503, "busy", "unavailable"),
        refusal(500, "panic", "internal error"),
        Reply(502, b"<html>bad gateway</html>"),
        Reply(408),
        Reply(302, headers={"Location": "/login"}),
        Reply(200, b"<html>welcome</html>"),
        Reply(400, b'{"message": "half of it', cut=True),
        Reply(silent=True),
    ],
    ids=["429", "503", "500", "502", "408", "302", "portal", "cut", "silence"],
)
def test_what_may_pass_is_a_link_that_is_down(reply: Reply) -> None:
    with influx(reply, timeout_s=1.0) as (_, door), pytest.raises(InfluxDownError) as down:
        door.write([LINE])

    assert isinstance(down.value, TemporaryError)


def test_the_pause_that_is_asked_for_is_told() -> None:
    busy = Reply(429, b"{}", {"Retry-After": "17"})
    with influx(busy) as (_, door), pytest.raises(InfluxDownError) as down:
        door.write([LINE])

    assert down.value.retry_after_s == 17


def test_nobody_at_the_address_is_a_link_that_is_down() -> None:
    with influx() as (server, _):
        gone = server.url

    with (
        Influx(InfluxSettings(gone, "t", "coop", "wijk", 2.0)) as door,
        pytest.raises(InfluxDownError, match="did not answer"),
    ):
        door.write([LINE])


@pytest.mark.parametrize(
    ("status", "named"), [(401, "the token"), (403, "rights"), (404, "organisation and bucket")]
)
def test_a_far_side_that_does_not_know_us_is_a_matter_of_settings(status: int, named: str) -> None:
    with (
        influx(refusal(status, "unauthorized access")) as (_, door),
        pytest.raises(InfluxSettingsError, match=rf"{status}.*{named}.*'coop'.*'wijk'") as wrong,
    ):
        door.write([LINE])

    assert isinstance(wrong.value, SettingsError)
    assert wrong.value.exit_code == 78
    assert "s3cret" not in str(wrong.value)


RECORDED = json.loads(
    (Path(__file__).parent / "influx_exchanges" / "refusals.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    ("name", "error", "named"),
    [
        ("malformed", InfluxRefusedError, "400: unable to parse 'this is no line'"),
        ("another_type", InfluxRefusedError, "422: .*partial write: field type conflict"),
        ("before_retention", InfluxRefusedError, "422: .*outside retention policy"),
        ("wrong_token", InfluxSettingsError, "401 .unauthorized access.: check the token"),
        ("no_bucket", InfluxSettingsError, '404 .bucket "nowhere" not found.: check org'),
    ],
)
def test_what_a_real_server_was_recorded_to_say_has_its_name_here(
    name: str, error: type[Exception], named: str
) -> None:
    told = RECORDED[name]
    reply = Reply(told["status"], told["body"].encode(), {"Content-Type": "application/json"})

    with influx(reply) as (_, door), pytest.raises(error, match=named):
        door.write([LINE])


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_wrong_with_the_lines_is_told_in_the_words_of_the_far_side(status: int) -> None:
    with (
        influx(refusal(status, "field type conflict")) as (_, door),
        pytest.raises(InfluxRefusedError, match=rf"{status}: field type conflict"),
    ):
        door.write([LINE])


def test_the_token_does_not_show_in_the_settings() -> None:
    assert "s3cret" not in repr(InfluxSettings("http://influx", "s3cret", "coop", "wijk"))


@pytest.mark.parametrize(
    ("url", "token", "named"),
    [
        ("influx:8086", "t", "must start with http"),
        ("http://grid:hidden@influx", "t", "'influx' must .* no name or password in it"),
        ("http://influx", "", "token is empty"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(url: str, token: str, named: str) -> None:
    with pytest.raises(InfluxSettingsError, match=named):
        InfluxSettings(url, token, "coop", "wijk")


def answer(body: bytes, *, cut: bool = False) -> Reply:
    return Reply(200, body, {"Content-Type": "text/csv; charset=utf-8"}, cut=cut)


def test_rows_come_by_column() -> None:
    body = HEADER + b",,0,2026-07-01T10:00:00Z,1000\r\n\r\n"
    with influx(answer(body)) as (_, door):
        rows = list(door.ask("x", {}))

    assert [(str(row["_time"]), row["_value"]) for row in rows] == [
        ("2026-07-01 10:00:00+00:00", 1000)
    ]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal(400, "compilation failed: undefined identifier"), InfluxRefusedError),
        (refusal(401, "unauthorized access"), InfluxSettingsError),
        (refusal(404, "bucket not found"), InfluxSettingsError),
        (refusal(503, "busy"), InfluxDownError),
        (Reply(silent=True), InfluxDownError),
        (answer(HEADER + b",,0,2026-07-01T10:00:00Z,1000\r\n" * 50, cut=True), InfluxDownError),
        (answer(b"#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n"
                b",error,reference\r\n,out of memory,897\r\n"), ContractError),
        (answer(b"<html>welcome</html>\r\n"), ContractError),
        (answer(HEADER + b",,0,yesterday,1000\r\n"), ContractError),
        (answer(HEADER + b",,0,2026-07-01T10:00:00Z,many\r\n"), ContractError),
        (answer(HEADER + b",,0\r\n"), ContractError),
        (answer(b"\xff\xfe\r\n"), ContractError),
    ],
    ids=["400", "401", "404", "503", "silence", "cut", "error", "html", "time", "number", "short",
         "bytes"],
)  # fmt: skip
def test_a_question_ends_in_rows_or_in_a_named_error(reply: Reply, error: type[Exception]) -> None:
    with influx(reply, timeout_s=1.0) as (_, door), pytest.raises(error):
        list(door.ask("x", {}))


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(200, b"<html>welcome</html>"), ContractError),
        (Reply(200, b"[1, 2]"), ContractError),
        (refusal(401, "unauthorized access"), InfluxSettingsError),
        (refusal(403, "insufficient permissions"), InfluxSettingsError),
        (refusal(422, "name is taken", "conflict"), InfluxRefusedError),
        (refusal(503, "busy"), InfluxDownError),
        (Reply(silent=True), InfluxDownError),
    ],
    ids=["html", "list", "401", "403", "422", "503", "silence"],
)
def test_what_is_managed_ends_in_a_table_or_in_a_named_error(
    reply: Reply, error: type[Exception]
) -> None:
    with influx(reply, timeout_s=0.3) as (_, door), pytest.raises(error):
        door.manage("POST", "/api/v2/buckets", body={"name": "raw"})


def test_what_is_taken_back_is_answered_with_nothing() -> None:
    with influx(Reply(204)) as (server, door):
        assert door.manage("DELETE", "/api/v2/authorizations/1") == {}

    assert server.asked[0].method == "DELETE"
