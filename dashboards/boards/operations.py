"""For operators: first what is broken, then how it came, all from Prometheus."""

from __future__ import annotations

from dashboards import promql
from dashboards.boards.folders import WORK
from dashboards.panels import Board, Chart, Colour, Line, Number, Row, Said, Shape, Step, Unit
from dashboards.sources import PROMETHEUS
from dashboards.words import Text

LINKS = {
    "none": Text("Goed", "Good"),
    "centre": Text("Eigen server", "Own server"),
    "box": Text("Kastje zwijgt", "Gateway silent"),
    "meter": Text("Meter zwijgt", "Meter silent"),
    "inverter": Text("Omvormer zwijgt", "Inverter silent"),
    "never": Text("Nog nooit gehoord", "Never heard"),
}
"""What the first broken link of a gateway is called."""


def _steps(look: float, act: float) -> tuple[Step, ...]:
    """Return colours: good, from ``look`` upwards look, from ``act`` upwards act."""
    return (Step(None, Colour.GOOD), Step(look, Colour.LOOK), Step(act, Colour.ACT))


def _whole(title: Text, help: Text, unit: Unit, question: str, steps: tuple[Step, ...]) -> Number:  # noqa: A002
    """Return a whole number that its colours judge."""
    return Number(title, help, unit, Line(PROMETHEUS, question), steps, decimals=0)


_AWAY = _whole(
    Text("Diensten die niet antwoorden", "Services that do not answer"),
    Text(
        "Zwijgt er een dienst, kijk dan eerst daar. De rest volgt daaruit.",
        "When a service is silent, look there first. The rest follows from it.",
    ),
    Unit.COUNT,
    promql.services_away(),
    (Step(None, Colour.GOOD), Step(1, Colour.ACT)),
)

_BROKEN = _whole(
    Text("Kastjes met een gebroken schakel", "Gateways with a broken link"),
    Text(
        "Hoeveel kastjes, meters of omvormers zwijgen. Hieronder staat welke schakel.",
        "How many gateways, meters or inverters are silent. Which link stands below.",
    ),
    Unit.COUNT,
    promql.broken_gateways(),
    _steps(1, 5),
)

_RECORD = Number(
    Text("De database", "The record"),
    Text(
        "Kunnen de diensten de database lezen?",
        "Can the services read the record?",
    ),
    Unit.COUNT,
    Line(PROMETHEUS, promql.least(promql.RECORD_UP)),
    said=(
        Said(1, 1, Text("Bereikbaar", "Reachable"), Colour.GOOD),
        Said(0, 0, Text("Weg", "Away"), Colour.ACT),
    ),
)

_LETTERS = _whole(
    Text("Onleesbare berichten, laatste dag", "Dead letters in the last day"),
    Text(
        "Bewaard, maar niet verwerkt. Meer dan een per duizend is een fout bij ons.",
        "Kept, but not processed. More than one in a thousand is a fault of ours.",
    ),
    Unit.COUNT,
    promql.grown_in_a_day(promql.DEAD_LETTERS),
    _steps(1, 100),
)

_DATA_AGE = _whole(
    Text("Nieuwste meting is oud", "Age of the newest reading"),
    Text(
        "Na een kwartier zonder metingen is er iets stuk bij ons, niet bij een huis.",
        "After a quarter-hour without readings something of ours is broken, not of one home.",
    ),
    Unit.SECONDS,
    promql.worst(promql.DATA_AGE),
    _steps(120, 900),
)

_ACK_AGE = _whole(
    Text("Laatste bevestiging aan een kastje", "Last acknowledgement to a gateway"),
    Text(
        "Zonder bevestiging bewaren kastjes alles zelf. Kijk dan naar collector en schijf.",
        "Without it gateways keep everything themselves. Then look at the collector and its disk.",
    ),
    Unit.SECONDS,
    promql.worst(promql.ACK_AGE),
    _steps(120, 900),
)

_PLAN_AGE = _whole(
    Text("Het plan is oud", "Age of the plan"),
    Text(
        "Een plan ouder dan een half uur: batterijen gaan straks naar hun veilige stand.",
        "A plan older than half an hour: batteries soon fall back to their safe mode.",
    ),
    Unit.SECONDS,
    promql.worst(promql.PLAN_AGE),
    _steps(1200, 1800),
)

_FORWARD_AGE = _whole(
    Text("Achterstand van de grafieken", "Charts are behind"),
    Text(
        "Hoe oud het oudste blok is dat nog niet in InfluxDB staat. Er gaat niets verloren.",
        "Age of the oldest block that is not yet in InfluxDB. Nothing is lost.",
    ),
    Unit.SECONDS,
    promql.worst(promql.FORWARD_AGE),
    _steps(600, 3600),
)

_DISK = _whole(
    Text("Volste schijf", "Fullest disk"),
    Text(
        "Op 80 procent opruimen of groter maken. Vol: niets is kwijt, kastjes bewaren het.",
        "At 80 percent clean up or grow. Full: nothing is lost, gateways keep it.",
    ),
    Unit.PERCENT,
    promql.disk_used(),
    _steps(80, 90),
)

_LINKS = Chart(
    Text("Kastjes naar eerste gebroken schakel", "Gateways by first broken link"),
    Text(
        "Zwijgen er veel tegelijk, kijk dan eerst naar de eigen server.",
        "When many fall silent at once, look at our own server first.",
    ),
    Unit.COUNT,
    (Line(PROMETHEUS, promql.by_label(promql.GATEWAYS, "link"), label="link", names=LINKS),),
    stacked=True,
    decimals=0,
)

_BACKLOG = Chart(
    Text("Blokken die kastjes nog bewaren", "Blocks that gateways still keep"),
    Text(
        "Loopt na een storing op, en hoort daarna weer leeg te lopen.",
        "Grows during an outage, and should drain after it.",
    ),
    Unit.COUNT,
    (
        Line(PROMETHEUS, promql.together(promql.BACKLOG), Text("Blokken", "Blocks"), Colour.USE,
             Shape.LINE),
    ),
    low=0,
    decimals=0,
)  # fmt: skip

_EVENTS = Chart(
    Text("Wat kastjes meldden, per uur", "What gateways told, by hour"),
    Text("Zie de beheerpagina voor welk kastje.", "The page for operators says which gateway."),
    Unit.COUNT,
    (Line(PROMETHEUS, promql.happened(promql.EVENTS, "kind"), label="kind", shape=Shape.BARS),),
    stacked=True,
    decimals=0,
)

_ANSWERS = Chart(
    Text("Antwoorden van de server, per seconde", "Answers of the server, per second"),
    Text(
        "Mislukt is onze fout. Een antwoord dat er niet mag zijn telt niet mee.",
        "Failed is our fault. A refusal does not count.",
    ),
    Unit.COUNT,
    (
        Line(PROMETHEUS, promql.answers(), Text("Alle", "All"), Colour.USE, Shape.LINE),
        Line(PROMETHEUS, promql.failed_answers(), Text("Mislukt", "Failed"), Colour.ACT,
             Shape.DASHES),
    ),
    low=0,
)  # fmt: skip

OPERATIONS = Board(
    "kwartier-operations",
    Text("Beheer", "Operations"),
    Text(
        "Voor beheerders. Wat is er stuk, en sinds wanneer?",
        "For operators. What is broken, and since when?",
    ),
    WORK,
    since="now-24h",
    until="now",
    refresh="1m",
    rows=(
        Row(4, (_AWAY, _BROKEN, _DATA_AGE)),
        Row(4, (_ACK_AGE, _PLAN_AGE, _RECORD)),
        Row(4, (_LETTERS, _FORWARD_AGE, _DISK)),
        Row(8, (_LINKS, _BACKLOG)),
        Row(8, (_EVENTS, _ANSWERS)),
    ),
)
