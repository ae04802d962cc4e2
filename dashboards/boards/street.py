"""Street and battery: what was planned beside what was measured, and what is planned next."""

from __future__ import annotations

from dashboards import flux
from dashboards.boards.folders import WORK
from dashboards.panels import Board, Chart, Colour, Line, Row, Shape, Unit
from dashboards.sources import INFLUX
from dashboards.words import EXPECTED, MEASURED, Text
from kwartier.charts import PLAN, SUMS

PLANNED = Text("Plan", "Plan")


def _expected(field: str, name: Text, divisor: int = 1) -> Line:
    question = flux.over_time(PLAN, field, divisor)
    return Line(INFLUX, question, name, Colour.PLAN, Shape.DASHES)


def _measured(field: str, colour: Colour, divisor: int = 1) -> Line:
    return Line(INFLUX, flux.over_time(SUMS, field, divisor), MEASURED, colour)


_BATTERY = Chart(
    Text("Wijkbatterij: plan en meting", "Neighbourhood battery: planned and measured"),
    Text(
        "Boven nul laadt de batterij. Liggen de lijnen lang uit elkaar, "
        "dan volgt de batterij het plan niet.",
        "Above zero the battery charges. When the lines stay apart, it does not follow the plan.",
    ),
    Unit.WATT,
    (_expected("battery_w", PLANNED), _measured("battery_w", Colour.GOOD)),
)

_FULL = Chart(
    Text("Hoe vol is de batterij?", "How full is the battery?"),
    Text(
        "Aan het eind van elk kwartier. Het plan rekent vanaf de laatste meting.",
        "At the end of each quarter-hour. The plan starts from the last measurement.",
    ),
    Unit.PERCENT,
    (_expected("soc_permille", PLANNED, 10), _measured("soc_permille", Colour.GOOD, 10)),
    low=0,
    high=100,
)

_SUN = Chart(
    Text("Zon: verwacht en gemeten", "Sun: expected and measured"),
    Text("Van alle daken samen.", "Of all roofs together."),
    Unit.WATT,
    (_expected("solar_w", EXPECTED), _measured("solar_w", Colour.SUN)),
    low=0,
)

_USE = Chart(
    Text("Gebruik: verwacht en gemeten", "Use: expected and measured"),
    Text("Van alle huizen samen.", "Of all homes together."),
    Unit.WATT,
    (_expected("load_w", EXPECTED), _measured("load_w", Colour.USE)),
    low=0,
)

_GRID = Chart(
    Text("Het net: plan en meting", "The grid: planned and measured"),
    Text(
        "Boven nul komt er stroom van het net. Onder nul gaat er stroom naar het net.",
        "Above zero power comes from the grid. Below zero it goes to the grid.",
    ),
    Unit.WATT,
    (
        _expected("grid_w", PLANNED),
        Line(INFLUX, flux.grid_over_time(), MEASURED, Colour.USE),
    ),
)

_PRICE = Chart(
    Text("Prijs per kWh waarmee het plan rekent", "Price per kWh that the plan reckons with"),
    Text(
        "Bij een lage prijs laadt de batterij. Een prijs onder nul komt voor.",
        "At a low price the battery charges. A price below zero does occur.",
    ),
    Unit.EURO,
    (Line(INFLUX, flux.over_time(PLAN, "price_ct_per_mwh", 100_000),
          Text("Prijs", "Price"), Colour.PLAN),),
    decimals=3,
)  # fmt: skip

STREET = Board(
    "kwartier-street",
    Text("Straat en batterij", "Street and battery"),
    Text(
        "Voor wie op de batterij let. Gaat het zoals gepland?",
        "For who looks after the battery. Does it go as planned?",
    ),
    WORK,
    since="now/d",
    until="now+1d/d",
    refresh="5m",
    rows=(Row(10, (_BATTERY, _FULL)), Row(8, (_SUN, _USE)), Row(8, (_GRID, _PRICE))),
)
