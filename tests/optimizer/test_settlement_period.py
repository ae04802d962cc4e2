"""A period of quarters, on figures worked out by hand in the comments."""

from __future__ import annotations

import json

import pytest

from kwartier.errors import ContractError
from kwartier.wire import Json
from optimizer.as_json.period_json import period_text

ALWAYS = [{"from": "2020-01-01T00:00:00Z", "key": {"type": "proportional"}}]
JULY = "2026-07-01T09:{}:00Z"


def quarter(minute: str, **homes: str) -> Json:
    """Return a quarter in which capitals A to M import and the others export [kWh]."""
    readings: dict[str, Json] = {
        name: {"import" if name < "N" else "export": energy} for name, energy in homes.items()
    }
    return {"ts": JULY.format(minute), "readings": readings}


def settled(quarters: list[Json], **more: object) -> dict[str, Json]:
    return period_text(json.dumps({"quarters": quarters, "keys": ALWAYS, **more}))


def window(connection: str, member: str, start: str, end: str | None = None) -> Json:
    return {"connection": connection, "member": member, "from": start, "to": end}


def test_quarters_are_rounded_one_by_one_unless_told_otherwise() -> None:
    # 1 Wh for A and B: a half each, so A's in both quarters.
    quarters = [quarter("00", A="1", B="1", P="0.001"), quarter("15", A="1", B="1", P="0.001")]

    assert settled(quarters) == {
        "status": "final",
        "missing": 0,
        "quarters": 2,
        "members": {
            "A": {"bought": 2, "sold": 0},
            "B": {"bought": 0, "sold": 0},
            "P": {"bought": 0, "sold": 2},
        },
        "orphan": {},
    }


def test_rounded_once_a_period_the_halves_add_up() -> None:
    quarters = [quarter("00", A="1", B="1", P="0.001"), quarter("15", A="1", B="1", P="0.001")]

    told = settled(quarters, rounding="period")

    assert told["members"] == {
        "A": {"bought": 1, "sold": 0},
        "B": {"bought": 1, "sold": 0},
        "P": {"bought": 0, "sold": 2},
    }


def test_the_rotating_tie_takes_turns() -> None:
    # 09:00Z is quarter number 1,980,996, a multiple of the three ids, and begins with A;
    # 09:15Z begins with B.
    quarters = [quarter("00", A="1", B="1", P="0.001"), quarter("15", A="1", B="1", P="0.001")]

    told = settled(quarters, tie="rotate")

    assert told["members"] == {
        "A": {"bought": 1, "sold": 0},
        "B": {"bought": 1, "sold": 0},
        "P": {"bought": 0, "sold": 2},
    }


def test_a_key_holds_from_its_first_instant_until_the_next() -> None:
    # 100 Wh: by use 50 and 50; from 09:15 on everything is B's.
    static = {"type": "static", "shares": {"B": "1"}}
    keys = [*ALWAYS, {"from": JULY.format("15"), "key": static}]
    quarters = [quarter(minute, A="1", B="1", P="0.1") for minute in ("00", "15")]

    told = settled(quarters, keys=keys)

    assert isinstance(told["members"], dict)
    assert told["members"]["A"] == {"bought": 50, "sold": 0}
    assert told["members"]["B"] == {"bought": 150, "sold": 0}


def test_a_home_that_changes_hands_is_settled_by_each_in_turn() -> None:
    # X is a's at 09:00, nobody's at 09:15, b's from 09:30 on; p sells 100, 0 and 100.
    ownership = [
        window("X", "b", JULY.format("30")),
        window("X", "a", "2020-01-01T00:00:00Z", JULY.format("15")),
        window("A", "p", "2020-01-01T00:00:00Z"),
    ]
    readings: Json = {"X": {"import": "0.1"}, "A": {"export": "0.2"}}
    quarters: list[Json] = [
        {"ts": JULY.format(minute), "readings": readings} for minute in ("00", "15", "30")
    ]

    assert settled(quarters, ownership=ownership) == {
        "status": "final",
        "missing": 0,
        "quarters": 3,
        "members": {
            "a": {"bought": 100, "sold": 0},
            "b": {"bought": 100, "sold": 0},
            "p": {"bought": 0, "sold": 200},
        },
        "orphan": {"X": 100},
    }


def test_connections_of_one_member_are_added_up() -> None:
    ownership = [window(name, "a", "2020-01-01T00:00:00Z") for name in ("A", "B")]
    ownership.append(window("P", "p", "2020-01-01T00:00:00Z"))

    told = settled([quarter("00", A="0.1", B="0.2", P="0.5")], ownership=ownership)

    assert told["members"] == {"a": {"bought": 300, "sold": 0}, "p": {"bought": 0, "sold": 300}}


def test_a_gap_is_counted_and_makes_the_period_provisional() -> None:
    # A's register was not read at 09:00; at 09:15 A is not there at all.
    ownership = [window(name, name.lower(), "2020-01-01T00:00:00Z") for name in ("A", "P")]
    first: Json = {"ts": JULY.format("00"), "readings": {"A": {"import": None}, "P": {}}}

    told = settled([first, quarter("15", P="0.1")], ownership=ownership)

    assert (told["missing"], told["status"]) == (2, "provisional")


@pytest.mark.parametrize(
    ("day", "count"), [("2026-03-29", 92), ("2026-07-01", 96), ("2026-10-25", 100)]
)
def test_a_flat_day_has_as_many_quarters_as_the_clock_gives_it(day: str, count: int) -> None:
    readings = {"A": {"import": "0.1"}, "P": {"export": "0.03"}}
    document = {"local_day": day, "flat_readings": readings, "keys": ALWAYS}

    told = period_text(json.dumps(document))

    assert told["quarters"] == count
    assert told["members"] == {
        "A": {"bought": 30 * count, "sold": 0},
        "P": {"bought": 0, "sold": 30 * count},
    }


@pytest.mark.parametrize(
    ("quarters", "more", "message"),
    [
        ([quarter("00"), quarter("00")], {}, "quarter 2026-07-01T09:00:00Z stands there twice"),
        ([quarter("07")], {}, r"quarters\[0\].ts: 2026-07-01T09:07:00Z is not the start of a"),
        ([quarter("00")], {"keys": []}, "keys: none is in force at 2026-07-01T09:00:00Z"),
        ([quarter("00")], {"keys": ALWAYS * 2}, "keys: two are in force from 2020-01-01T00:00"),
        ([quarter("00")], {"rounding": "year"}, 'rounding: "year" is not known'),
        ([quarter("00")], {"local_day": "2026-02-30"}, "key 'quarters' is not known here"),
        (
            [quarter("00")],
            {
                "ownership": [
                    window("A", "a", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
                    window("A", "b", "2026-01-31T23:00:00Z"),
                ]
            },
            "ownership: 'a' and 'b' both own 'A' at 2026-01-31T23:00:00Z",
        ),
        (
            [quarter("00")],
            {"ownership": [window("A", "a", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")]},
            "ends at 2026-01-01T00:00:00Z, not after it begins",
        ),
        (
            [quarter("00")],
            {"ownership": [window("A", "a", "2026-01-01")]},
            r"ownership\[0\].from: '2026-01-01' has no offset",
        ),
        (
            [quarter("00")],
            {"ownership": [window("A", "a", "2026-01-01T00:00:00.5Z")]},
            r"ownership\[0\].from: '2026-01-01T00:00:00.5Z' lies between two seconds",
        ),
        (
            [quarter("00")],
            {"ownership": [{"connection": "A", "member": "a", "from": None}]},
            r"^ownership\[0\].from: null is no name",
        ),
        (
            [{"ts": "0001-01-01T00:00:00+01:00", "readings": {}}],
            {},
            r"quarters\[0\].ts: '0001-01-01T00:00:00\+01:00' is outside the years 1 to 9999",
        ),
    ],
)
def test_a_period_that_is_wrong_is_refused_by_place_value_and_remedy(
    quarters: list[Json], more: dict[str, object], message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        settled(quarters, **more)
