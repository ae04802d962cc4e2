"""From a job of the board to a gateway with a certificate, over the web, each by their own hand."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from api.enrolment.certificates import in_force
from gateway.enrol.claim import Claim, State, wait_for
from gateway.enrol.code import Code, read_code
from gateway.enrol.identity import Identity
from gateway.enrol.office import queue_handover, renew, send_handover
from gateway.enrol.server import Server, ServerRefusedError
from kwartier.cli import main
from kwartier.errors import InputError, SettingsError
from tests.api.enrol_town import Served


def test_a_box_is_let_in_once_the_board_agrees(lets_in: Served, tmp_path: Path) -> None:
    job = lets_in.job("gw-11", approved=False)
    claim = lets_in.claim(tmp_path, lets_in.code(job))

    begun, waiting = claim.begin(), claim.look()
    with lets_in.browser(lets_in.town.officer("board")) as board:
        page = board.get(f"/ops/klussen/{job}").text
        board.post(f"/ops/klussen/{job}/goed")
    approved = claim.look()

    assert (begun, waiting, approved) == (State.WAITING, State.WAITING, State.APPROVED)
    assert claim.identity.fingerprint in page
    assert claim.enrolled is not None
    assert (claim.enrolled.gateway, claim.enrolled.coop) == ("gw-11", "street")
    assert claim.enrolled.steering_allowed
    assert claim.identity.gateway == "gw-11"
    assert claim.identity.enrolled() == claim.enrolled
    assert claim.identity.tls().context() is not None


def test_a_restart_goes_on_where_it_was(lets_in: Served, tmp_path: Path) -> None:
    job = lets_in.job("gw-12")
    lets_in.claim(tmp_path, lets_in.code(job)).begin()

    resumed = Claim.resumed(Identity(tmp_path))

    assert resumed is not None
    assert resumed.look() is State.APPROVED
    assert Claim.resumed(Identity(tmp_path)) is None


def test_the_command_lets_a_box_in(
    lets_in: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = lets_in.code(lets_in.job("gw-13"))
    words = ["gateway", "enrol", "--server", lets_in.url, "--folder", str(tmp_path)]

    wrong = main([*words, "--code", "2222-2222"])
    done = main([*words, "--code", code])

    told = capsys.readouterr()
    assert (wrong, done) == (1, 0)
    assert "gw-13 is let in" in told.out
    assert "opens nothing" in told.err


def test_renewal_and_handover_go_by_the_key_alone(lets_in: Served, tmp_path: Path) -> None:
    claim = lets_in.claim(tmp_path, lets_in.code(lets_in.job("gw-14")))
    claim.begin()
    claim.look()
    identity, server, clock = claim.identity, claim.server, lets_in.town.clock
    first = identity.certificate()

    renew(server, identity, clock)
    queue_handover(identity, {"home": "home-1", "crc": 99.7, "contact": "Gerda"}, clock)
    sent = send_handover(server, identity)

    assert sent
    assert identity.certificate() != first
    with lets_in.browser(lets_in.town.officer("board")) as board:
        page = board.get("/gateways/gw-14/overdracht")
        told = board.get("/api/v1/gateways/gw-14/handover").json()
    with lets_in.browser(lets_in.town.resident("home-1")) as resident:
        own = resident.get("/gateways/gw-14/overdracht")
    with lets_in.browser(lets_in.town.resident("home-2")) as neighbour:
        foreign = neighbour.get("/gateways/gw-14/overdracht")
    assert (page.status_code, own.status_code, foreign.status_code) == (200, 200, 404)
    assert "Gerda" in own.text
    assert told["home"] == "home-1"


def test_who_is_put_out_gets_no_new_certificate(lets_in: Served, tmp_path: Path) -> None:
    job = lets_in.job("gw-15")
    claim = lets_in.claim(tmp_path, lets_in.code(job))
    claim.begin()
    claim.look()

    with lets_in.browser(lets_in.town.officer("board")) as board:
        unsure = board.post(f"/ops/klussen/{job}/stop")
        with lets_in.town.house.people.reading() as desk:
            kept = len(in_force(desk, "gw-15"))
        sure = board.post(f"/ops/klussen/{job}/stop", data={"sure": "ja"})

    assert (unsure.status_code, kept, sure.status_code) == (303, 1, 303)
    with pytest.raises(ServerRefusedError, match="enrol this gateway anew"):
        renew(claim.server, claim.identity, lets_in.town.clock)
    assert wait_for(claim, claim.look(), 0.0, threading.Event()) is State.REFUSED


def test_an_installer_of_another_home_sees_and_draws_nothing(lets_in: Served) -> None:
    job = lets_in.job("gw-16")
    mark = read_code(lets_in.code(job)).mark

    with lets_in.browser(lets_in.town.installer("home-2")) as other:
        drawn, scanned = other.post(f"/i/klussen/{job}/code"), other.get(f"/i/{mark}")
        listed = other.get("/i/klussen").text
    with lets_in.browser(lets_in.town.installer("home-1")) as own:
        seen = own.get(f"/i/{mark}")

    assert (drawn.status_code, scanned.status_code, seen.status_code) == (404, 404, 200)
    assert "gw-16" not in listed
    assert "gw-16" in seen.text


@pytest.mark.parametrize(
    "sent",
    [
        {"gateway": "wijk", "home": "home-1"},
        {"gateway": "Gw 1", "home": "home-1"},
        {"gateway": "gw-17", "home": "home-99"},
        {"gateway": "gw-17", "home": "home-1", "meter": "9" * 65},
    ],
)
def test_a_job_that_cannot_be_is_refused_on_its_page(lets_in: Served, sent: dict[str, str]) -> None:
    with lets_in.browser(lets_in.town.officer("board")) as board:
        reply = board.post("/ops/klussen", data=sent)

    assert reply.status_code == 422
    assert 'role="alert"' in reply.text


def test_an_operator_plans_and_only_the_board_approves(lets_in: Served) -> None:
    with lets_in.browser(lets_in.town.operator()) as operator:
        sent = {"gateway": "gw-18", "home": "home-1"}
        number = operator.post("/ops/klussen", data=sent).headers["location"]
        path = re.findall(r"/ops/klussen/\d+", number)[0]
        approved = operator.post(f"{path}/goed")

    assert approved.status_code == 403


def test_who_planned_a_job_does_not_approve_it_and_somebody_else_of_the_board_does(
    lets_in: Served,
) -> None:
    sent = {"gateway": "gw-19", "home": "home-1"}
    with lets_in.browser(lets_in.town.officer("board")) as board:
        path = board.post("/ops/klussen", data=sent).headers["location"].partition("?")[0]
        page = board.get(path).text
        own = board.post(f"{path}/goed")
        state = board.get("/api/v1/jobs").json()[0]["state"]
    with lets_in.browser(lets_in.town.officer("treasurer")) as treasurer:
        other = treasurer.post(f"{path}/goed")

    assert f'action="{path}/goed"' not in page
    assert (own.status_code, state, other.status_code) == (403, "asked", 303)
    assert "Iemand anders van het bestuur keurt hem goed" in own.text


def test_who_planned_a_job_may_take_it_back(lets_in: Served) -> None:
    sent = {"gateway": "gw-20b", "home": "home-1"}
    with lets_in.browser(lets_in.town.officer("board")) as board:
        path = board.post("/ops/klussen", data=sent).headers["location"].partition("?")[0]
        refused = board.post(f"{path}/weiger")

    assert "job_refused" in refused.headers["location"]


def test_a_server_that_is_away_is_asked_again_later(tmp_path: Path) -> None:
    claim = Claim(Server("http://127.0.0.1:9"), "7K2M-9QXF", Identity(tmp_path))

    assert claim.begin() is State.UNREACHABLE
    assert "cannot be reached" in claim.why
    assert Claim.resumed(Identity(tmp_path)) is not None


def test_a_code_is_never_sent_in_the_clear(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="https"):
        Server("http://wijk.example")
    with pytest.raises(InputError):
        Claim(Server("https://wijk.example"), "nothing", Identity(tmp_path)).begin()
    assert "9QXF" not in repr(Code("7K2M", "9QXF"))
