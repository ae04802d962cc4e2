"""For the board: how much of its own sun the neighbourhood uses, its peaks, and the settlement."""

from __future__ import annotations

from dashboards import flux, promql
from dashboards.boards.folders import WORK
from dashboards.panels import Board, Chart, Colour, Line, Number, Row, Shape, Step, Unit
from dashboards.sources import INFLUX, PROMETHEUS
from dashboards.words import FROM_GRID, TO_GRID, Text
from kwartier.charts import SUMS

STATES = {
    "draft": Text("Begonnen", "Begun"),
    "computed": Text("Berekend", "Computed"),
    "proposed": Text("Voorgesteld", "Proposed"),
    "approved": Text("Goedgekeurd", "Approved"),
    "posted": Text("Geboekt", "Posted"),
    "invoiced": Text("Verstuurd", "Invoiced"),
    "closed": Text("Gesloten", "Closed"),
    "withdrawn": Text("Ingetrokken", "Withdrawn"),
}
"""What the states of a month's settlement are called."""

_SELF_USE = Number(
    Text("Eigen zon die we zelf gebruikten", "Own sun that we used ourselves"),
    Text(
        "Van alle zon in deze periode: het deel dat niet naar het net ging.",
        "Of all sun in this period: the part that did not go to the grid.",
    ),
    Unit.PERCENT,
    Line(INFLUX, flux.self_use()),
    steps=(Step(None, Colour.SUN),),
    decimals=0,
)

_SELF_SUFFICIENCY = Number(
    Text("Gebruik dat niet van het net kwam", "Use that did not come from the grid"),
    Text(
        "Van alle stroom die we gebruikten: het deel uit eigen zon en batterij.",
        "Of all power that we used: the part from our own sun and battery.",
    ),
    Unit.PERCENT,
    Line(INFLUX, flux.self_sufficiency()),
    steps=(Step(None, Colour.GOOD),),
    decimals=0,
)

_PEAK = Number(
    Text("Hoogste kwartier van het net", "Highest quarter-hour from the grid"),
    Text(
        "Het meeste vermogen dat de wijk in een kwartier van het net nam.",
        "The most power that the neighbourhood took from the grid in a quarter-hour.",
    ),
    Unit.WATT,
    Line(INFLUX, flux.taken_peak()),
    steps=(Step(None, Colour.USE),),
    decimals=1,
)

_HOMES = Number(
    Text("Huizen in deze sommen", "Homes in these sums"),
    Text(
        "Zijn het er minder dan anders? Dan zwijgt er een kastje. Bij minder dan vijf staat "
        "hier niets.",
        "Fewer than usual? Then a gateway is silent. With fewer than five nothing stands here.",
    ),
    Unit.COUNT,
    Line(INFLUX, flux.newest(SUMS, "homes")),
    decimals=0,
)

_SUN_BY_DAY = Chart(
    Text("Zon per dag", "Sun by day"),
    Text(
        "Wat we zelf gebruikten, en wat naar het net ging.",
        "What we used ourselves, and what went to the grid.",
    ),
    Unit.WATT_HOUR,
    (
        Line(INFLUX, flux.sun_used_by_day(), Text("Zelf gebruikt", "Used ourselves"), Colour.SUN,
             Shape.BARS),
        Line(INFLUX, flux.sun_given_by_day(), TO_GRID, Colour.CALM, Shape.BARS),
    ),
    low=0,
    stacked=True,
)  # fmt: skip

_PEAKS = Chart(
    Text("Hoogste kwartier van elke dag", "Highest quarter-hour of each day"),
    Text(
        "Het meeste dat van het net kwam, en het meeste dat ernaartoe ging.",
        "The most that came from the grid, and the most that went to it.",
    ),
    Unit.WATT,
    (
        Line(INFLUX, flux.taken_peak_by_day(), FROM_GRID, Colour.USE, Shape.BARS),
        Line(INFLUX, flux.given_peak_by_day(), TO_GRID, Colour.CALM, Shape.BARS),
    ),
    low=0,
)

_SHARED = Chart(
    Text("Gedeelde zon per dag", "Shared solar by day"),
    Text(
        "Voorlopig, tot de afrekening van die maand definitief is.",
        "Provisional, until that month's settlement is final.",
    ),
    Unit.WATT_HOUR,
    (
        Line(INFLUX, flux.shared_by_day(), Text("Gedeelde zon", "Shared solar"), Colour.SUN,
             Shape.BARS),
    ),
    low=0,
)  # fmt: skip

_SETTLEMENT = Number(
    Text("Afrekeningen: hoeveel maanden staan waar?", "Settlements: how many months stand where?"),
    Text(
        "Een gesloten maand is klaar. Wat blijft staan, vraagt om een besluit.",
        "A closed month is done. What stays in one place waits for a decision.",
    ),
    Unit.COUNT,
    Line(PROMETHEUS, promql.by_label(promql.SETTLEMENTS, "state"), label="state", names=STATES),
    decimals=0,
)

BOARD = Board(
    "kwartier-board",
    Text("Bestuur", "Board"),
    Text(
        "Voor het bestuur. Hoeveel eigen zon gebruiken we, wat zijn de pieken, hoe staat de "
        "afrekening?",
        "For the board. How much own sun do we use, what are the peaks, how is the settlement?",
    ),
    WORK,
    since="now-30d/d",
    until="now",
    refresh="15m",
    rows=(
        Row(5, (_SELF_USE, _SELF_SUFFICIENCY, _PEAK, _HOMES)),
        Row(9, (_SUN_BY_DAY, _PEAKS)),
        Row(8, (_SHARED, _SETTLEMENT)),
    ),
)
