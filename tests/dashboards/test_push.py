from __future__ import annotations

import pytest

from dashboards.boards import BOARDS
from dashboards.classic import board_json
from dashboards.grafana import (
    WAITS_S,
    Grafana,
    GrafanaDownError,
    GrafanaRefusedError,
    GrafanaSettingsError,
)
from dashboards.push import Deed, ProvisionedError, push
from dashboards.sources import InfluxAccess, PrometheusAccess
from dashboards.words import Language
from kwartier.errors import InputError, SettingsError, TemporaryError
from tests.dashboards.grafana_stub import TOKEN, Answer, StubGrafana, grafana

SECRET = "reads-the-sums"
WAYS = (
    InfluxAccess("http://influxdb:8086", "wijk", SECRET),
    PrometheusAccess("http://prometheus:9090"),
)


def door(stub: StubGrafana, token: str = TOKEN) -> Grafana:
    return Grafana(stub.url, token, lambda _: None)


def test_everything_comes_to_an_empty_grafana() -> None:
    with grafana() as stub:
        done = push(door(stub), Language.NL, WAYS)

    assert done.version == "13.0.0"
    assert done.sources == {"kwartier-influx": Deed.MADE, "kwartier-prometheus": Deed.MADE}
    assert done.folders == {"kwartier-residents": Deed.MADE, "kwartier-work": Deed.MADE}
    assert list(done.boards) == [board.uid for board in BOARDS]
    assert done.boards["kwartier-wijk"] == stub.url + "/d/kwartier-wijk/kwartier-wijk"
    assert stub.boards == {board.uid: board_json(board, Language.NL) for board in BOARDS}
    assert stub.sources["kwartier-influx"]["secureJsonData"] == {"token": SECRET}


def test_a_second_push_replaces_what_the_first_one_brought() -> None:
    with grafana() as stub:
        push(door(stub), Language.NL, WAYS)

        done = push(door(stub), Language.EN, WAYS)

    assert set(done.sources.values()) == {Deed.CHANGED}
    assert set(done.folders.values()) == {Deed.KEPT}
    assert stub.boards["kwartier-board"]["title"] == "Board"
    assert len(stub.boards) == len(BOARDS)


def test_a_grafana_below_a_path_is_found_and_its_links_have_the_path() -> None:
    with grafana("/grafana") as stub:
        done = push(door(stub), Language.NL, WAYS)

    assert done.boards["kwartier-board"] == stub.url + "/d/kwartier-board/kwartier-board"
    assert "/grafana/api/health" in stub.asked[0]


def test_a_source_from_a_file_is_kept_as_it_is() -> None:
    with grafana() as stub:
        stub.sources["kwartier-influx"] = {"uid": "kwartier-influx", "readOnly": True}

        done = push(door(stub), Language.NL, WAYS)

    assert done.sources["kwartier-influx"] is Deed.KEPT
    assert "secureJsonData" not in stub.sources["kwartier-influx"]


def test_sources_that_are_there_need_not_be_named() -> None:
    with grafana() as stub:
        push(door(stub), Language.NL, WAYS)

        assert set(push(door(stub), Language.NL).sources.values()) == {Deed.KEPT}


def test_a_source_that_is_neither_named_nor_there_stops_before_any_board() -> None:
    with grafana() as stub, pytest.raises(InputError, match=r"kwartier-prometheus.*--prometheus"):
        push(door(stub), Language.NL, WAYS[:1])

    assert stub.boards == {}
    assert stub.folders == {}


def test_a_source_that_does_not_work_is_told_and_stops_nothing() -> None:
    with grafana() as stub:
        stub.broken.add("kwartier-influx")

        done = push(door(stub), Language.NL, WAYS)

    assert "error reading buckets" in done.said["kwartier-influx"]
    assert done.said["kwartier-prometheus"].startswith("datasource is working")
    assert len(done.boards) == len(BOARDS)


@pytest.mark.parametrize("url", ["influxdb:8086", "http://me:geheim@influxdb:8086"])
def test_an_address_that_grafana_could_not_use_is_refused_at_once(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^influxdb:8086: write it as http") as wrong:
        InfluxAccess(url, "wijk", SECRET)

    assert "geheim" not in str(wrong.value)


def test_a_board_from_a_file_is_told_with_both_ways_out() -> None:
    with grafana() as stub:
        stub.provisioned.add("kwartier-street")

        with pytest.raises(ProvisionedError, match=r"dashboards export.*not both") as conflict:
            push(door(stub), Language.NL, WAYS)

    assert conflict.value.board == "kwartier-street"
    assert isinstance(conflict.value, InputError)


def test_a_wrong_token_is_told_without_the_token() -> None:
    with grafana() as stub, pytest.raises(GrafanaSettingsError, match=r"401.*service") as wrong:
        push(door(stub, "glsa_wrong"), Language.NL, WAYS)

    assert isinstance(wrong.value, SettingsError)
    assert "glsa" not in str(wrong.value)


@pytest.mark.parametrize(
    ("answer", "error", "named"),
    [
        (Answer(403, '{"message": "no permission"}'), GrafanaSettingsError, "Editor.*Admin"),
        (Answer(404, "404 page not found"), GrafanaRefusedError, "404"),
        (Answer(302, "", {"Location": "https://wijk.example/login"}), GrafanaSettingsError,
         "sends us on"),
        (Answer(200, "<html>sign in</html>"), GrafanaSettingsError, "no Grafana's API"),
        (Answer(422, "this message is no JSON"), GrafanaRefusedError, "422: this message is no"),
        (Answer(400, '["message"]'), GrafanaRefusedError, "400"),
        (Answer(400, '{"message": "' + "x" * 9000 + '"}'), GrafanaRefusedError, "x{200}$"),
    ],
    ids=["403", "404", "302", "html", "words", "list", "long"],
)  # fmt: skip
def test_what_is_no_yes_has_a_name(answer: Answer, error: type[Exception], named: str) -> None:
    with grafana() as stub:
        stub.script = [answer]

        with pytest.raises(error, match=named):
            door(stub).make_folder("kwartier-residents", "Wijk")

    assert len(stub.asked) == 1


@pytest.mark.parametrize("status", [200, 204])
def test_an_answer_without_a_body_is_a_yes(status: int) -> None:
    with grafana() as stub:
        stub.script = [Answer(status)]

        door(stub).make_folder("kwartier-residents", "Wijk")


def test_an_address_without_its_path_is_told() -> None:
    with grafana("/grafana") as stub, pytest.raises(GrafanaSettingsError, match="is the path"):
        Grafana(stub.url.removesuffix("/grafana"), TOKEN, lambda _: None).health()


def test_what_was_done_without_an_answer_is_not_done_twice() -> None:
    with grafana() as stub:
        stub.forgets = {"POST /api/folders", "POST /api/datasources", "POST /api/dashboards/db"}

        done = push(door(stub), Language.NL, WAYS)

    assert stub.forgets == set()
    assert set(done.sources.values()) == {Deed.MADE}
    assert stub.boards.keys() == done.boards.keys() == {board.uid for board in BOARDS}


def test_a_source_of_another_uid_with_our_name_is_told() -> None:
    with grafana() as stub:
        stub.sources["other"] = {"uid": "other", "name": "kwartier InfluxDB"}

        with pytest.raises(GrafanaRefusedError, match=r"kwartier-influx with 409.*same name"):
            push(door(stub), Language.NL, WAYS)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_grafana_is_asked_again(status: int) -> None:
    waited: list[float] = []
    with grafana() as stub:
        stub.script = [Answer(status, "<html>one moment</html>")] * 2

        version = Grafana(stub.url, TOKEN, waited.append).health()

    assert version == "13.0.0"
    assert waited == list(WAITS_S[:2])


def test_a_grafana_that_stays_busy_is_given_up_in_the_end() -> None:
    waited: list[float] = []
    with grafana() as stub:
        stub.script = [Answer(503, '{"message": "database is locked"}')] * 9

        with pytest.raises(GrafanaDownError, match=r"503: database is locked") as down:
            Grafana(stub.url, TOKEN, waited.append).health()

    assert isinstance(down.value, TemporaryError)
    assert len(stub.asked) == len(WAITS_S) + 1
    assert waited == list(WAITS_S)


def test_nobody_at_the_address_is_told_so() -> None:
    with grafana() as stub:
        gone = stub.url

    with pytest.raises(GrafanaDownError, match=r"does not answer.*is it running"):
        Grafana(gone, TOKEN, lambda _: None).health()


@pytest.mark.parametrize(
    ("url", "token", "named"),
    [
        ("grafana:3000", TOKEN, "starts with http"),
        ("http://[::1", TOKEN, "its host is no name and no address"),
        ("ftp://grafana", TOKEN, "starts with http"),
        ("http://grafana:99999", TOKEN, "port"),
        ("http://admin:geheim@grafana:3000", TOKEN, "a file of its own"),
        ("http://grafana?orgId=1", TOKEN, "address only"),
        ("http://grafana", "", "one word"),
        ("http://grafana", "a b", "one word"),
        ("http://grafana", "één", "one word"),
    ],
)
def test_an_address_or_a_token_that_cannot_be_right_is_refused_at_once(
    url: str, token: str, named: str
) -> None:
    with pytest.raises(GrafanaSettingsError, match=named) as wrong:
        Grafana(url, token, lambda _: None)

    assert "geheim" not in str(wrong.value)


def test_the_token_of_influxdb_does_not_show() -> None:
    assert SECRET not in repr(WAYS)
