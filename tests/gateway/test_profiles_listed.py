"""``kwartier modbus profiles`` tells every device, how it is known and how it is steered."""

from __future__ import annotations

import json

import pytest

from hardware.profile import load_profile, profile_names
from kwartier.cli import main


def test_every_profile_is_listed_with_what_people_must_know(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["modbus", "profiles", "--json"]) == 0

    listed = {row["name"]: row for row in json.loads(capsys.readouterr().out)["profiles"]}
    assert set(listed) == set(profile_names())
    for row in listed.values():
        assert row["status"] in ("recorded", "documented", "guessed")
        assert all(row[key] for key in ("title", "requires", "source", "units", "reads"))
        assert bool(row["falls_back"]) == row["steered"]


def test_the_list_says_how_a_battery_falls_back_or_why_it_is_not_steered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["modbus", "profiles", "--json"]) == 0

    listed = {row["name"]: row for row in json.loads(capsys.readouterr().out)["profiles"]}
    assert listed["sungrow_sh"]["lease"] == "timer"
    assert listed["sungrow_sh"]["stores"][-1] == "discharged_wh"
    assert listed["victron_multiplus"]["lease"] == "heartbeat"
    assert listed["goodwe_et"]["lease"] == "none"
    assert "no revert timer" in listed["goodwe_et"]["why_not_steered"]
    assert listed["alfen_eve"]["lease"] is None


def test_people_get_a_paragraph_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["modbus", "profiles"]) == 0

    paragraphs = capsys.readouterr().out.strip().split("\n\n")
    titles = [f"{name}: {load_profile(name).title}" for name in profile_names()]
    assert [paragraph.splitlines()[0] for paragraph in paragraphs] == titles
    victron = next(text for text in paragraphs if text.startswith("victron_multiplus"))
    assert "60 s without news" in " ".join(victron.split())
    assert all(len(line) <= 100 for text in paragraphs for line in text.splitlines()[1:])
