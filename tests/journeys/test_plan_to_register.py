"""A plan becomes a register: homes and prices on record, the battery obeys, people see why.

Every part is a process of its own, as an operator starts it.
"""

from __future__ import annotations

import html
import json
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from api.broker import mosquitto_program
from hardware.twins.battery import Fault
from kwartier.schedule import Outcome
from tests.journeys.command import kwartier, kwartier_here
from tests.journeys.services import Street
from tests.journeys.wijk import CHARGE_W, COMMUNITY, HOMES, USE_WH, Wijk


@pytest.fixture
def wijk(tmp_path: Path) -> Iterator[Wijk]:
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed: run 'apt install mosquitto'")
    wijk = Wijk(tmp_path)
    yield wijk
    wijk.close()


@pytest.mark.broker
def test_a_plan_reaches_the_battery_and_goes_on_without_the_planner(wijk: Wijk) -> None:
    street = wijk.street
    gateway = wijk.begin()
    server, visitor = wijk.serve()
    with visitor:
        street.until(lambda: street.battery.power_w == CHARGE_W, "the battery obeys")
        assert register_of(street) == (-CHARGE_W, 90)  # SunSpec counts charging as negative
        people_see_it(street, visitor)
        it_came_from_the_planner(wijk, visitor)

    assert street.end(server, signal.SIGTERM) == 0
    told = len(wijk.ordered)
    it_falls_back_while_it_cannot_be_reached(street)
    street.until(lambda: street.battery.power_w == CHARGE_W, "the gateway goes on with the plan")
    assert len(wijk.ordered) == told

    street.end(gateway, signal.SIGKILL)
    street.clock.advance(89)
    before_w = street.battery.power_w
    street.clock.advance(1)
    assert (before_w, street.battery.power_w) == (CHARGE_W, 0)


def register_of(street: Street) -> tuple[float, float]:
    """Return the set-point [W] and the revert timer [s] as somebody else reads them."""
    ran = kwartier("modbus", "scan", f"127.0.0.1:{street.modbus_port}", "--unit", "2")
    assert ran.returncode == 0, ran.stderr
    models = json.loads(ran.stdout)["units"]["2"]["models"]
    (control,) = [model["points"] for model in models if model["id"] == 704]
    return control["WSet"], control["WSetRvrtTms"]


def people_see_it(street: Street, visitor: httpx.Client) -> None:
    """Look at power now, the plan and the page, as they are within one quarter-hour."""
    street.until(
        lambda: visitor.get("/api/v1/now").json().get("charge_w") == CHARGE_W, "power now shows it"
    )
    assert visitor.get("/readyz").status_code == 200
    now = visitor.get("/api/v1/now").json()
    assert (now["homes"], now["use_w"], now["soc_permille"]) == (5, None, 500)
    log_in(street, visitor)
    assert visitor.get("/api/v1/now").json()["use_w"] == 5 * 4 * USE_WH

    def page_tells_why() -> bool:
        block = visitor.get("/api/v1/plan").json()["blocks"][0]
        page = visitor.get("/", headers={"Accept-Language": "nl"})
        assert page.status_code == 200
        return '<ul class="plan">' in page.text and block["text_nl"] in html.unescape(page.text)

    street.until(page_tells_why, "the page tells the plan and its reason")


def log_in(street: Street, visitor: httpx.Client) -> None:
    """Become a resident of the street: what it uses now is for its people only."""
    home = f"huis-{HOMES[0]}"
    ran = kwartier("serve", "--config", str(street.folder / "serve.toml"), "--card", home)
    assert ran.returncode == 0, ran.stderr
    told = visitor.post(
        "/inloggen",
        data={"code": ran.stdout.strip()},
        headers={"Origin": str(visitor.base_url).rstrip("/")},
    )
    assert told.status_code == 303, told.text


def it_came_from_the_planner(wijk: Wijk, visitor: httpx.Client) -> None:
    """Compare what the battery was told with the plan that people see."""
    street = wijk.street
    plan = visitor.get("/api/v1/plan").json()
    start_s = int(plan["name"].removeprefix("plan-"))
    first, block = plan["quarters"][0], plan["blocks"][0]
    assert (plan["status"], len(plan["quarters"])) == ("optimal", 144)
    assert (first["use_wh"], first["battery_w"]) == (len(HOMES) * USE_WH, CHARGE_W)
    assert (block["battery"], block["action"]) == ("buurtbatterij", "charge")
    assert block["because"] == "negative_price"
    assert plan["cost_eur"] < plan["cost_without_battery_eur"]

    street.until(
        lambda: f"plan {plan['name']}" in reasons(street, Outcome.ACCEPTED),
        "the gateway names the plan it follows",
    )
    street.until(lambda: plan["name"] in [one.plan for one in wijk.ordered], "it was sent")
    ordered = next(one for one in wijk.ordered if one.plan == plan["name"])
    assert [step.power_w for step in ordered.steps] == [
        quarter["battery_w"] for quarter in plan["quarters"][:96]
    ]
    assert (ordered.steps[0].start_s, len(ordered.steps)) == (start_s, 96)
    assert all(one.start_s + one.lease_s == two.start_s for one, two in pairwise(ordered.steps))
    assert all(abs(step.power_w) <= CHARGE_W for step in ordered.steps)
    assert all(one.plan.startswith("plan-") for one in wijk.ordered)
    assert {response.setpoint_w for response in street.ear.responses} == {None, CHARGE_W}


def it_falls_back_while_it_cannot_be_reached(street: Street) -> None:
    """Let the battery answer nobody for longer than its own timer runs, and answer again."""
    street.battery.faults.add(Fault.BUSY)
    street.clock.advance(90)
    street.until(lambda: "is away" in street.words("gateway"), "the gateway misses the battery")
    assert street.battery.power_w == 0
    street.battery.faults.clear()


def reasons(street: Street, outcome: Outcome) -> list[str]:
    return [response.reason for response in street.ear.responses if response.outcome is outcome]


@pytest.mark.parametrize(
    ("opened", "says"),
    [
        (False, "there is no record yet: start the collector first"),
        (True, "is not ready: start the collector first"),
    ],
)
def test_a_server_that_starts_before_the_record_is_there_says_so_in_one_line(
    tmp_path: Path, opened: bool, says: str
) -> None:
    record = tmp_path / "record.db"
    if opened:
        record.touch()  # as a collector leaves it for the moment before it made the tables
    (tmp_path / "wijk.toml").write_text(COMMUNITY)
    settings = tmp_path / "serve.toml"
    settings.write_text('community = "wijk.toml"\nstore = "record.db"\nstate = "state"\nport = 0\n')

    ran = kwartier_here("serve", "--config", settings)

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == f"kwartier serve: {record}: {says}\n"
    assert record.exists() == opened
