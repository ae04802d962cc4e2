"""The programs' interface over a real port: numbers, times, pages of quarters and refusals."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import log_in, served
from tests.api.street import DAY, solar_wh, street, use_wh


def test_a_day_is_measured_before_now_and_planned_after_it(client: httpx.Client) -> None:
    day = client.get("/api/v1/day", params={"date": str(DAY)}).json()

    kinds = [quarter["kind"] for quarter in day["quarters"]]
    assert kinds == ["measured"] * 52 + ["forecast"] * 44  # 13.00 is quarter 52 of 96
    assert day["quarters"][0]["start"] == "2026-07-01T00:00:00+02:00"
    assert day["status"] == "provisional"


def test_the_sums_of_a_quarter_are_the_sums_of_its_homes(resident: httpx.Client) -> None:
    quarter = resident.get("/api/v1/day").json()["quarters"][48]  # 12.00 to 12.15

    assert quarter["homes"] == 40
    assert quarter["solar_wh"] == sum(solar_wh(3.0 + place % 4, 12.0) for place in range(0, 40, 2))
    assert quarter["use_wh"] == sum(use_wh(place, 12.0) for place in range(40))
    assert quarter["battery_wh"] == 6_000  # 24 kW for a quarter-hour


def test_shared_solar_is_what_goes_out_where_more_is_wanted_than_that(
    resident: httpx.Client,
) -> None:
    quarters = resident.get("/api/v1/day").json()["quarters"]
    early = quarters[26]  # 06.30: the sun is up, and every roof makes less than is wanted nearby
    out = sum(
        max(0, solar_wh(3.0 + place % 4, 6.5) - use_wh(place, 6.5)) for place in range(0, 40, 2)
    )

    assert early["shared_wh"] == out


def test_now_balances_to_the_watt(resident: httpx.Client) -> None:
    now = resident.get("/api/v1/now").json()

    taken = now["solar_w"] + now["discharge_w"] + now["import_w"]
    assert taken == now["use_w"] + now["charge_w"] + now["export_w"]
    assert now["homes"] == 40
    assert now["solar_w"] % 100 == now["use_w"] % 100 == 0


def test_every_time_carries_the_offset_of_amsterdam(client: httpx.Client) -> None:
    day = client.get("/api/v1/day").json()

    starts = [datetime.fromisoformat(quarter["start"]) for quarter in day["quarters"]]
    assert {str(start.utcoffset()) for start in starts} == {"2:00:00"}


def test_quarters_come_page_by_page_and_each_once(client: httpx.Client) -> None:
    address: str | None = (
        "/api/v1/quarters?from=2026-06-30T21:00:00Z&to=2026-07-01T12:00:00Z&limit=25"
    )
    starts: list[str] = []
    pages = 0
    while address is not None:
        page = client.get(address).json()
        starts += [quarter["start"] for quarter in page["quarters"]]
        address, pages = page["next"], pages + 1

    assert pages == 3  # 60 quarters by 25
    assert len(starts) == len(set(starts)) == 60
    assert starts[0] == "2026-06-30T23:00:00+02:00"


def test_the_plan_is_told_with_its_reasons(client: httpx.Client) -> None:
    plan = client.get("/api/v1/plan").json()

    charging = [block for block in plan["blocks"] if block["action"] == "charge"]
    assert [(block["start"], block["end"]) for block in charging] == [
        ("2026-07-01T10:45:00+02:00", "2026-07-01T14:30:00+02:00")
    ]
    assert charging[0]["because"] == "solar_surplus"


def test_the_moment_has_the_seven_fields_of_the_signal(client: httpx.Client) -> None:
    moment = client.get("/api/v1/moment").json()

    assert list(moment) == [
        "state",
        "from",
        "until",
        "next_from",
        "next_until",
        "confidence",
        "reason_code",
    ]
    assert moment["state"] == "good"


def test_a_settled_day_adds_up_and_its_books_are_zero(resident: httpx.Client) -> None:
    settled = resident.get("/api/v1/settlement").json()
    day = resident.get("/api/v1/day").json()

    assert settled["ledger_sum_cents"] == 0
    assert settled["quarters"] == 52
    assert settled["shared_wh"] == sum(one["shared_wh"] or 0 for one in day["quarters"])


def test_a_resident_gets_their_own_home_and_everybody_else_gets_none(
    client: httpx.Client, resident: httpx.Client
) -> None:
    public = client.get("/api/v1/day").json()
    own = resident.get("/api/v1/day").json()
    settled = resident.get("/api/v1/settlement").json()

    assert own["own"]["shared_wh"] == settled["own"]["bought_wh"]
    assert own["own"]["shared_wh"] == sum(
        quarter["own"]["shared_wh"] for quarter in own["quarters"] if quarter["own"]
    )
    assert own["quarters"][48]["own"]["use_wh"] == use_wh(1, 12.0)
    assert [one["solar_wh"] for one in own["quarters"]] == [
        one["solar_wh"] for one in public["quarters"]
    ]
    assert all(one["own"] is None for one in public["quarters"])
    assert client.get("/api/v1/now").json()["own"] is None
    assert client.get("/api/v1/settlement").json()["own"] is None


@pytest.mark.parametrize(
    ("day", "quarters"), [("2026-03-29", 92), ("2026-07-01", 96), ("2026-10-25", 100)]
)
def test_a_local_day_has_its_own_number_of_quarters(
    client: httpx.Client, day: str, quarters: int
) -> None:
    told = client.get("/api/v1/day", params={"date": day}).json()

    assert len(told["quarters"]) == quarters
    assert len({quarter["start"] for quarter in told["quarters"]}) == quarters


@pytest.mark.parametrize(
    ("address", "status", "word"),
    [
        ("/api/v1/day?date=yesterday", 422, "date"),
        ("/api/v1/day?date=1999-12-31", 404, "2000-01-01"),
        ("/api/v1/day?date=9999-12-31", 404, "2099-12-31"),
        ("/api/v1/quarters", 422, "from"),
        ("/api/v1/quarters?from=2026-07-01T00:00:00&to=2026-07-02T00:00:00Z", 422, "offset"),
        ("/api/v1/quarters?from=2026-07-01T00:07:00Z&to=2026-07-02T00:00:00Z", 422, "minute 00"),
        ("/api/v1/quarters?from=2026-07-02T00:00:00Z&to=2026-07-01T00:00:00Z", 422, "after"),
        ("/api/v1/quarters?from=2026-07-01T00:00:00Z&to=2028-07-01T00:00:00Z", 422, "400"),
        (
            "/api/v1/quarters?from=2026-07-01T00:00:00Z&to=2026-07-02T00:00:00Z&limit=0",
            422,
            "limit",
        ),
        ("/api/v1/nothing", 404, "Not Found"),
    ],
)
def test_a_refusal_is_a_problem_that_names_the_place(
    client: httpx.Client, address: str, status: int, word: str
) -> None:
    reply = client.get(address)

    problem = reply.json()
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert word in problem["detail"]


def test_a_day_without_any_reading_is_missing_and_never_zero(client: httpx.Client) -> None:
    day = client.get("/api/v1/day?date=2026-06-01").json()

    assert {quarter["kind"] for quarter in day["quarters"]} == {"missing"}
    assert {quarter["use_wh"] for quarter in day["quarters"]} == {None}


def test_a_street_of_four_homes_tells_no_sums(tmp_path: Path) -> None:
    with street(tmp_path, homes=4) as small, served(small) as visitor:
        day = visitor.get("/api/v1/day").json()
        now = visitor.get("/api/v1/now")
        settled = visitor.get("/api/v1/settlement")

    assert {quarter["kind"] for quarter in day["quarters"][:52]} == {"missing"}
    assert day["street"] is None
    assert now.status_code == settled.status_code == 404


def test_a_silent_hour_of_all_meters_is_estimated_with_its_sum_exact(tmp_path: Path) -> None:
    quiet = {f"huis-{number:02}": range(20, 24) for number in range(1, 41)}
    with street(tmp_path, silent=quiet) as gappy, served(gappy) as visitor:
        log_in(gappy, visitor, "huis-02")
        quarters = visitor.get("/api/v1/day").json()["quarters"]

    assert {quarter["kind"] for quarter in quarters[19:24]} == {"estimated"}
    hours = [place / 4 for place in range(19, 24)]
    assert sum(quarter["use_wh"] for quarter in quarters[19:24]) == sum(
        use_wh(home, hour) for home in range(40) for hour in hours
    )


def test_the_document_is_openapi_3_1_and_names_every_address(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()

    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) >= {
        "/api/v1/day",
        "/api/v1/homes/{home}/quarters",
        "/api/v1/moment",
        "/api/v1/now",
        "/api/v1/plan",
        "/api/v1/quarters",
        "/api/v1/settlement",
        "/api/v1/stream",
        "/healthz",
        "/readyz",
    }


def test_every_address_documents_its_problems(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]

    for path, methods in paths.items():
        for method in methods.values():
            told = method["responses"]
            assert {"401", "403", "404", "422", "503"} <= set(told), path
            assert set(told["422"]["content"]) == {"application/problem+json"}, path


def test_today_is_the_day_when_none_is_asked(client: httpx.Client) -> None:
    assert client.get("/api/v1/day").json()["date"] == "2026-07-01"
