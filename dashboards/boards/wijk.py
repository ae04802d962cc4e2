"""For residents: is there sun to spare now? Below it the day, the battery and what was shared."""

from __future__ import annotations

from dashboards import flux
from dashboards.boards.folders import RESIDENTS
from dashboards.panels import Board, Chart, Colour, Line, Number, Row, Said, Shape, Step, Unit
from dashboards.sources import INFLUX
from dashboards.words import BATTERY, SUN, USE, Text
from kwartier.charts import SUMS

NEWEST = "1h"
"""How old the newest quarter-hour may be: it ends after 15 minutes and comes a little later."""
EVEN_W = 1000
"""Within this much sun and use are called even [W]."""

_TO_SPARE = Number(
    Text("Is er nu zon over in de wijk?", "Is there sun to spare now?"),
    Text(
        "Zon van alle daken samen, min wat alle huizen samen gebruiken. Over het laatste kwartier.",
        "Sun of all roofs together, less what all homes use. Over the last quarter-hour.",
    ),
    Unit.WATT,
    Line(INFLUX, flux.surplus_now()),
    said=(
        Said(EVEN_W, None, Text("Ja, er is zon over", "Yes, there is"), Colour.GOOD),
        Said(-EVEN_W, EVEN_W, Text("Zon en gebruik zijn gelijk", "Sun and use are even"),
             Colour.CALM),
        Said(None, -EVEN_W, Text("Nu niet", "Not now"), Colour.CALM),
    ),
    since=NEWEST,
)  # fmt: skip

_SUN_NOW = Number(
    Text("Zon van de wijk", "Sun of the neighbourhood"),
    Text(
        "Wat alle daken samen geven, in het laatste kwartier.",
        "What all roofs give together, in the last quarter-hour.",
    ),
    Unit.WATT,
    Line(INFLUX, flux.newest(SUMS, "solar_w"), SUN),
    steps=(Step(None, Colour.SUN),),
    since=NEWEST,
    decimals=1,
)

_USE_NOW = Number(
    Text("Gebruik van de wijk", "Use of the neighbourhood"),
    Text(
        "Wat alle huizen samen gebruiken, in het laatste kwartier.",
        "What all homes use together, in the last quarter-hour.",
    ),
    Unit.WATT,
    Line(INFLUX, flux.newest(SUMS, "load_w"), USE),
    steps=(Step(None, Colour.USE),),
    since=NEWEST,
    decimals=1,
)

_FULL_NOW = Number(
    Text("Hoe vol is de wijkbatterij?", "How full is the neighbourhood battery?"),
    Text(
        "Gemeten aan het eind van het laatste kwartier.",
        "Measured at the end of the last quarter-hour.",
    ),
    Unit.PERCENT,
    Line(INFLUX, flux.newest(SUMS, "soc_permille", 10), BATTERY),
    steps=(Step(None, Colour.PLAN),),
    since=NEWEST,
    decimals=0,
)

_TODAY = Chart(
    Text("Zon en gebruik vandaag", "Sun and use today"),
    Text(
        "Staat de lijn van de zon boven die van het gebruik? Dan is er zon over. "
        "Een gat is een kwartier zonder gegevens.",
        "Where the line of the sun is above that of use, there is sun to spare. "
        "A gap is a quarter-hour without data.",
    ),
    Unit.WATT,
    (
        Line(INFLUX, flux.over_time(SUMS, "solar_w"), SUN, Colour.SUN),
        Line(INFLUX, flux.over_time(SUMS, "load_w"), USE, Colour.USE, Shape.DASHES),
    ),
    low=0,
)

_BATTERY = Chart(
    Text("Wijkbatterij vandaag", "Neighbourhood battery today"),
    Text(
        "Boven nul laadt de batterij. Onder nul geeft zij stroom terug.",
        "Above zero the battery charges. Below zero it gives power back.",
    ),
    Unit.WATT,
    (Line(INFLUX, flux.over_time(SUMS, "battery_w"), BATTERY, Colour.PLAN),),
)

_SHARED = Chart(
    Text("Gedeelde zon per dag", "Shared solar by day"),
    Text(
        "Zonnestroom uit de wijk die huizen van elkaar en uit de batterij gebruikten.",
        "Solar power that homes used from each other and from the battery.",
    ),
    Unit.WATT_HOUR,
    (
        Line(INFLUX, flux.shared_by_day(), Text("Gedeelde zon", "Shared solar"), Colour.SUN,
             Shape.BARS),
    ),
    low=0,
    since="14d",
)  # fmt: skip

WIJK = Board(
    "kwartier-wijk",
    Text("Zon van de wijk", "Sun of the neighbourhood"),
    Text(
        "Voor bewoners. Alleen sommen over ten minste vijf huizen.",
        "For residents. Only sums over at least five homes.",
    ),
    RESIDENTS,
    since="now/d",
    until="now/d",
    refresh="5m",
    rows=(
        Row(6, (_TO_SPARE,)),
        Row(4, (_SUN_NOW, _USE_NOW, _FULL_NOW)),
        Row(9, (_TODAY,)),
        Row(8, (_BATTERY, _SHARED)),
    ),
)
