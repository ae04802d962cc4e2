"""The wizard itself: wrong wires, steps that come later, and what it leaves behind."""

from __future__ import annotations

import os
import time
import tty
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from gateway.commission.book import BOOK, Book, Mark, Outcome, Step
from gateway.commission.commissioned import FILE, is_commissioned, write_commissioned
from gateway.commission.finish import settings_text
from gateway.commission.found import Found, Kind
from gateway.commission.hold import held_back
from gateway.commission.refusal import Refusal
from gateway.commission.turned import TurnedPoll
from gateway.commission.view import Tone
from gateway.enrol.identity import Enrolled, Identity
from gateway.enrol.signed import is_signed_by, opened
from gateway.keep.outbox import Outbox
from gateway.settings import GatewaySettings, read_settings
from kwartier.cli import main
from kwartier.clock import VirtualClock
from kwartier.reading import ClockSource, Reading
from tests.gateway.commissioning import PATIENCE_S, Home, home

NOW_S = 1_781_431_980
ENROLLED = Enrolled(
    "gw-014", "zonnehof", "mqtt://127.0.0.1:1883", "Zonlaan 14", "h14", "", True, ""
)
DEVICES = (
    Found("inverter", Kind.SOLAR, "192.0.2.10", 1502, 1, turned=True),
    Found("inverter-2", Kind.SOLAR, "192.0.2.12", 502, 247, profile="goodwe_et"),
    Found(
        "battery",
        Kind.BATTERY,
        "192.0.2.11",
        502,
        1,
        series="battery_w",
        charge_max_w=4000,
        discharge_max_w=3000,
    ),
    Found("meter", Kind.METER, "192.0.2.13", 502, 1, series=""),
)


def wait_until(true: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, "it never came true"
        meanwhile()
        time.sleep(0.01)


def written(folder: Path) -> GatewaySettings:
    identity = Identity(folder)
    text = settings_text(ENROLLED, identity, "/dev/ttyUSB0", "dsmr4", DEVICES)
    (folder / "gateway.toml").write_text(text)
    return read_settings(folder / "gateway.toml")


def test_the_settings_it_writes_are_understood_by_the_gateway(tmp_path: Path) -> None:
    settings = written(tmp_path)

    assert (settings.gateway, settings.coop) == ("gw-014", "zonnehof")
    assert [line.address for line in settings.p1] == ["/dev/ttyUSB0"]
    assert [(one.device, one.turned) for one in settings.modbus] == [
        ("inverter", True),
        ("inverter-2", False),
    ]
    assert settings.batteries[0].limits.charge_max_w == 4000
    assert settings.commissioned_file == tmp_path / FILE


def test_batteries_are_read_and_not_steered_until_signs_and_live_test_passed(
    tmp_path: Path,
) -> None:
    settings = written(tmp_path)

    before, only_read = held_back(settings)
    write_commissioned(tmp_path, passed=False, at_s=NOW_S)
    still, _ = held_back(settings)
    write_commissioned(tmp_path, passed=True, at_s=NOW_S)
    after, none = held_back(settings)

    assert before.batteries == still.batteries == ()
    assert [one.device for one in only_read] == ["battery"]
    assert after.batteries == settings.batteries
    assert none == ()


@pytest.mark.parametrize("content", ["", "{", '{"passed": "yes"}', "[]", '{"passed": 1}'])
def test_a_damaged_file_steers_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)

    assert not is_commissioned(tmp_path / FILE)


def test_settings_by_hand_steer_as_they_always_did(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(
        'coop = "a"\ngateway = "b"\n[broker]\nurl = "mqtt://127.0.0.1"\n[[battery]]\n'
        'host = "192.0.2.1"\ncharge_max_w = 1\ndischarge_max_w = 1\n'
    )
    settings = read_settings(path)

    assert held_back(settings) == (settings, ())


def test_a_turned_device_shows_its_power_the_right_way_and_its_counter_as_it_is() -> None:
    class Swapped:
        def read(self) -> Reading:
            values = {"solar_w": -2000, "produced_wh": 5}
            return Reading("inverter", "", NOW_S, values, ClockSource.GATEWAY)

    assert TurnedPoll(Swapped()).read().values == {"solar_w": 2000, "produced_wh": 5}


def test_an_inverted_line_is_told_apart_from_a_wrong_speed(tmp_path: Path) -> None:
    with home(tmp_path) as there:
        keys: list[str] = []

        def noise() -> None:
            os.write(there.meter_end, bytes(b | 0x80 for b in b"no telegram at all" * 8))
            there.clock.advance(1)
            key = there.wizard.view(Step.METER).key
            if not keys or keys[-1] != key:
                keys.append(key)

        wait_until(lambda: "meter.inverted" in keys, noise)

    assert "meter.trying" in keys
    assert keys.index("meter.trying") < keys.index("meter.inverted")


def test_a_cable_that_says_nothing_has_its_own_message(tmp_path: Path) -> None:
    with home(tmp_path) as there:
        wait_until(
            lambda: there.wizard.view(Step.METER).key == "meter.no-bytes",
            lambda: there.clock.advance(1),
        )


def test_a_step_that_is_not_good_does_not_go_on(tmp_path: Path) -> None:
    with home(tmp_path) as there:
        with pytest.raises(Refusal) as refused:
            there.wizard.act(Step.METER, "next", {})
        with pytest.raises(Refusal):
            there.wizard.act(Step.METER, "later", {})
        with pytest.raises(Refusal):
            there.wizard.act(Step.HANDOVER, "next", {})
        with pytest.raises(Refusal):
            there.wizard.act(Step.CONSENT, "next", {"name": "", "agree-readings": "yes"})
        with pytest.raises(Refusal):
            there.wizard.act(Step.CONSENT, "next", {"name": "M. Jansen"})

    assert refused.value.key == "refused.not-yet"


def test_signs_that_were_weak_are_judged_by_themselves_when_the_sun_changes(
    tmp_path: Path,
) -> None:
    with home(tmp_path) as there:
        to_the_signs(there)
        there.wizard.act(Step.SIGNS, "kettle", {})
        there.pass_time(4)
        there.kettle = True
        there.pass_time(40)
        there.wizard.act(Step.SIGNS, "later", {})
        marked = there.wizard.book.outcome(Step.SIGNS)
        there.wizard.act(Step.SIGNS, "turn:inverter", {})
        there.pass_time(660)
        there.wizard.tick()
        then = there.wizard.book.outcome(Step.SIGNS)

    assert marked is not None
    assert marked.mark is Mark.LATER
    assert then is not None
    assert then.mark is Mark.GOOD
    facts = then.facts["inverter"]
    assert isinstance(facts, dict)
    assert facts["turned"] is True
    assert facts["slope"] == pytest.approx(-1, abs=0.1)


def test_the_handover_is_signed_by_the_key_of_the_box_and_says_what_is_open(
    tmp_path: Path,
) -> None:
    with home(tmp_path) as there:
        book = there.wizard.book
        for step in (Step.ENROL, Step.METER, Step.DEVICES, Step.SIGNS, Step.LIVE):
            mark = Mark.LATER if step in (Step.ENROL, Step.LIVE) else Mark.GOOD
            book.put(step, Outcome(mark, NOW_S, {}))
        there.wizard.act(
            Step.CONSENT, "next", {"name": "M. Jansen", "contact": "", "agree-readings": "yes"}
        )
        there.wizard.act(Step.HANDOVER, "next", {})
        shown = there.wizard.view(Step.HANDOVER)
        signed, record = there.wizard.signed(), there.wizard.record()
        request = x509.load_pem_x509_csr(there.wizard.identity.csr())
    key = request.public_key()
    assert isinstance(key, EllipticCurvePublicKey)
    assert (shown.key, shown.tone) == ("handover.waits", Tone.GOOD)
    assert signed is not None
    assert record is not None
    assert record["steering"] is False
    assert opened(signed).body == record
    assert is_signed_by(signed, key)


def test_an_enrolled_box_leaves_its_settings_and_a_handover_that_waits_for_the_server(
    tmp_path: Path,
) -> None:
    Identity(tmp_path).keep_enrolled(ENROLLED)
    with home(tmp_path) as there:
        there.wizard.book.put_devices(DEVICES[:1])
        for step in (Step.ENROL, Step.METER, Step.DEVICES, Step.SIGNS, Step.LIVE, Step.CONSENT):
            there.wizard.book.put(step, Outcome(Mark.GOOD, NOW_S, {}))
        wait_until(lambda: bool(there.bench.cable))
        there.wizard.act(Step.HANDOVER, "next", {})
        shown = there.wizard.view(Step.HANDOVER)
        cable = there.cable

    settings = read_settings(tmp_path / "gateway.toml")
    assert shown.key == "handover.done"
    assert [line.address for line in settings.p1] == [cable]
    assert settings.modbus[0].turned
    assert (tmp_path / "handover.json").exists()


@pytest.mark.parametrize(
    ("agreed", "live", "steers"),
    [("yes", Mark.GOOD, True), ("no", Mark.GOOD, False), ("yes", Mark.LATER, False)],
)
def test_a_battery_is_steered_only_when_all_passed_and_the_resident_agreed(
    tmp_path: Path, agreed: str, live: Mark, steers: bool
) -> None:
    Identity(tmp_path).keep_enrolled(ENROLLED)
    with home(tmp_path) as there:
        there.wizard.book.put(Step.SIGNS, Outcome(Mark.GOOD, NOW_S, {}))
        there.wizard.book.put(Step.LIVE, Outcome(live, NOW_S, {}))
        form = {"name": "M. Jansen", "agree-readings": "yes", "agree-steering": agreed}
        there.wizard.act(Step.CONSENT, "next", form)

    assert is_commissioned(tmp_path / FILE) is steers


def to_the_signs(there: Home) -> None:
    there.wait_for_meter()
    there.wizard.act(Step.DEVICES, "search", {})
    there.wizard.wait_for_search()


def ready(there: Home) -> None:
    """Everything was done; only the handover is left."""
    for step in (Step.ENROL, Step.METER, Step.DEVICES, Step.SIGNS, Step.LIVE, Step.CONSENT):
        there.wizard.book.put(step, Outcome(Mark.GOOD, NOW_S, {}))
    wait_until(lambda: bool(there.bench.cable))


@pytest.mark.parametrize("pressed", [True, False])
def test_it_ends_when_somebody_says_that_all_is_done_or_ten_minutes_later(
    tmp_path: Path, pressed: bool
) -> None:
    Identity(tmp_path).keep_enrolled(ENROLLED)
    with home(tmp_path) as there:
        ready(there)
        with pytest.raises(Refusal):
            there.wizard.act(Step.HANDOVER, "leave", {})
        there.wizard.act(Step.HANDOVER, "next", {})
        there.wizard.tick()
        early = there.wizard.over.is_set()
        if pressed:
            there.wizard.act(Step.HANDOVER, "leave", {})
            there.clock.advance(6)
        else:
            there.clock.advance(599)
            there.wizard.tick()
            early |= there.wizard.over.is_set()
            there.clock.advance(2)
        shown = there.wizard.view(Step.HANDOVER)
        there.wizard.tick()
        over = there.wizard.over.is_set()

    assert not early
    assert over
    assert shown.key == ("handover.leaving" if pressed else "handover.done")


def test_a_box_that_nobody_let_in_yet_stays_until_it_is_and_leaves_its_settings_then(
    tmp_path: Path,
) -> None:
    with home(tmp_path) as there:
        ready(there)
        there.wizard.book.put(Step.ENROL, Outcome(Mark.LATER, NOW_S, {}))
        there.wizard.act(Step.HANDOVER, "next", {})
        there.clock.advance(3600)
        there.wizard.tick()
        waits = there.wizard.view(Step.HANDOVER).key, there.wizard.over.is_set()
        there.wizard.identity.keep_enrolled(ENROLLED)
        there.wizard.tick()
        over = there.wizard.over.is_set()

    assert waits == ("handover.waits", False)
    assert over
    assert read_settings(tmp_path / "gateway.toml").gateway == "gw-014"
    assert (tmp_path / "handover.json").exists()


def test_the_command_ends_well_and_lets_go_of_cable_and_outbox(tmp_path: Path) -> None:
    meter_end, gateway_end = os.openpty()
    tty.setraw(gateway_end)
    cable = os.ttyname(gateway_end)
    Identity(tmp_path).keep_enrolled(ENROLLED)
    book = Book(tmp_path / BOOK, NOW_S)
    for step in Step:
        book.put(step, Outcome(Mark.GOOD, NOW_S, {}))

    words = ["gateway", "wizard", "--listen", "127.0.0.1:0", "--folder", str(tmp_path)]
    asked = ["--cable", cable, "--device", "127.0.0.1:1", "--leave-after-s", "0"]

    ended = main([*words, *asked])

    assert ended == 0
    Outbox(tmp_path / "outbox.db", "gw-014", VirtualClock(NOW_S)).close()
    assert read_settings(tmp_path / "gateway.toml").p1[0].address == cable
    os.close(gateway_end)
    os.close(meter_end)
