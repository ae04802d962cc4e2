"""A home's battery is let go as soon as the neighbourhood's file gives no leave for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from api.planning.leave import RELEASED
from api.plans import MadeBecause, NeighbourhoodPlan
from tests.api.home_batteries import (
    DAY_S,
    battery_at,
    lived,
    told_in,
    with_batteries,
    written,
)
from tests.api.planning import Scene


def test_a_battery_whose_home_never_allowed_it_is_told_nothing(tmp_path: Path) -> None:
    with lived(tmp_path, with_batteries(battery_at(2, steered=False))) as street:
        street.planner().plan_now()

    assert "gw-02" not in street.sent_to


def test_after_a_restart_a_battery_is_let_go_until_its_last_setpoint_would_have_ended(
    tmp_path: Path,
) -> None:
    with lived(tmp_path, with_batteries(battery_at(2))) as street:
        street.planner().plan_now()
        start_s = street.sent_to["gw-02"][0].steps[0].start_s
        street.community = with_batteries(battery_at(2, steered=False))
        planner = street.planner()
        street.clock.advance(DAY_S / 2)
        planner.plan_now()
        street.clock.advance(start_s + DAY_S - 1 - street.clock.now_s())
        planner.plan_now()
        street.clock.advance(1)
        planner.plan_now()

    _, *later = street.sent_to["gw-02"]
    assert [(one.plan, one.steps) for one in later] == [(RELEASED, ())] * 2


def test_leave_that_is_taken_back_lets_the_battery_go_at_once(tmp_path: Path) -> None:
    community = with_batteries(battery_at(2))
    path = tmp_path / "street.toml"
    path.write_text(written(community))
    with lived(tmp_path, community) as street:
        planner = street.planner(street_file=path)
        planner.plan_now()
        path.write_text(written(community, steered=False))
        street.clock.advance(61)
        plan = planner.turn()

    assert plan is not None
    assert plan.made_because is MadeBecause.LIMIT
    first, last = street.sent_to["gw-02"]
    assert any(step.power_w for step in first.steps)
    assert (last.plan, last.steps) == (RELEASED, ())


def planned_by_file(street: Scene, *files: str) -> list[NeighbourhoodPlan | None]:
    """Plan by a street's own file, and look again a minute after each change of it."""
    path = street.folder / "street.toml"
    path.write_text(written(street.community))
    planner = street.planner(street_file=path)
    planner.plan_now()
    made = []
    for text in files:
        path.write_text(text)
        street.clock.advance(61)
        made.append(planner.turn())
    return made


def test_a_battery_that_is_gone_from_the_file_is_let_go_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    community = with_batteries(battery_at(2), battery_at(7))
    empty = written(replace(community, batteries={}, home_batteries={}))
    with lived(tmp_path, community) as street:
        planned_by_file(street, empty, empty + "# saved again")

    for gateway in ("gw-02", "gw-07", "gw-accu"):
        first, *later = told_in(street, gateway)
        assert first == ("plan", True)
        assert set(later) == {("released", False)}
    said = [one.message for one in caplog.records if "is let go" in one.message]
    assert [line.split(" at gateway")[0] for line in said] == [
        "battery thuis-02",
        "battery thuis-07",
        "battery wijkbatterij",
    ]
    assert all("in the neighbourhood's file no more" in line for line in said)


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param(
            lambda text: text.replace('home = "huis-03"\n', ""), id="its home is not named"
        ),
        pytest.param(
            lambda text: text.replace('id = "huis-03"', 'id = "huis-99"'), id="no such home"
        ),
        pytest.param(
            lambda text: "limits = 1\n" + text.replace("steered = true", "steered = false"),
            id="taken back in a file that is wrong elsewhere",
        ),
    ],
)
def test_leave_that_a_wrong_file_gives_no_more_is_gone_all_the_same(
    gone: Callable[[str], str], tmp_path: Path
) -> None:
    community = with_batteries(battery_at(2))
    with lived(tmp_path, community) as street:
        planned_by_file(street, gone(written(community)), written(community))

    assert told_in(street, "gw-02") == [("plan", True), ("released", False), ("plan", True)]
    assert ("released", False) not in told_in(street, "gw-accu")


def test_a_battery_that_moves_to_another_device_is_let_go_where_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    community = with_batteries(battery_at(2))
    with lived(tmp_path, community) as street:
        planned_by_file(street, written(community).replace('"battery"', '"battery-2"'))

    for gateway in ("gw-02", "gw-accu"):
        assert told_in(street, gateway)[:2] == [("plan", True), ("released", False)]
    assert caplog.text.count("names it otherwise") == 2


def test_a_file_that_changed_while_the_server_started_holds_too(tmp_path: Path) -> None:
    community, file = with_batteries(battery_at(2)), tmp_path / "street.toml"
    with lived(tmp_path, community) as street:
        file.write_text(written(community, steered=False))
        plan = street.planner(street_file=file).plan_now()

    assert plan is not None
    assert set(street.sent_to) == {"gw-accu"}


def test_a_file_that_is_no_toml_changes_nothing(tmp_path: Path) -> None:
    with lived(tmp_path, with_batteries(battery_at(2))) as street:
        made = planned_by_file(street, "coop = ")

    assert made == [None]
    assert told_in(street, "gw-02") == [("plan", True)]


def test_after_a_restart_without_its_line_a_battery_is_let_go_where_it_was(tmp_path: Path) -> None:
    community = with_batteries(battery_at(2), battery_at(7))
    with lived(tmp_path, community) as street:
        street.planner().plan_now()
        # The one is gone, the other has moved to another home with its name.
        street.community = with_batteries(replace(battery_at(5), id="thuis-07"))
        street.planner().plan_now()
        street.clock.advance(DAY_S)
        street.planner().plan_now()  # no set-point is left to be forgotten

    assert told_in(street, "gw-02") == [("plan", True), ("released", False)]
    assert told_in(street, "gw-07") == [("plan", True), ("released", False)]


def test_a_battery_whose_home_is_away_is_not_steered_as_a_shared_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    community = with_batteries(battery_at(2))
    (own,) = community.home_batteries.values()
    shared = replace(own, home=None, steered=False)
    with lived(tmp_path, community) as street:
        street.planner().plan_now()
        stray = {**community.batteries, shared.id: shared}
        street.community = replace(community, batteries=stray, home_batteries={})
        street.planner().plan_now()
        renamed = {**community.batteries, "schuur": replace(shared, id="schuur")}
        street.community = replace(street.community, batteries=renamed)
        street.planner().plan_now()

    assert told_in(street, "gw-02") == [("plan", True), ("released", False), ("plan", True)]
    assert "battery thuis-02 is not planned: it was a home's" in caplog.text
