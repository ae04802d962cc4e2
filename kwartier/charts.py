"""The names under which charts find the record in InfluxDB: buckets, measurements, tags, fields.

Who writes a chart's question and who writes its points read them here. A field's last word is its
unit, every value is a whole number, and every point carries the tag ``site``, the cooperative.

Three buckets, each with another reader:

- ``raw``: readings as they came, 31 days; measurements ``reading``, ``unsure`` and ``meter``, with
  the tags ``gateway`` and ``device``. Personal.
- ``quarter``: measurement ``quarter``, one point per device and quarter-hour, 10 years; the same
  tags; registers as they stood at the start, the mean of what is true at its instant. Personal.
- ``community``: sums that show no home, 10 years; measurements ``community`` and ``plan``. The
  only bucket that Grafana may read.

A point of ``community`` or ``plan`` stands at the start of its quarter-hour. A field that is not
known, or that may not be told, is absent; it is never zero for that.
"""

from __future__ import annotations

from dataclasses import dataclass

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket.

    Attributes:
        name: What it is called unless somebody calls it otherwise.
        keep_s: How long a point stays in it [s].
        meaning: In one line.
    """

    name: str
    keep_s: int
    meaning: str


RAW = Bucket("raw", 31 * DAY_S, "kwartier: readings as they came; personal")
QUARTER = Bucket("quarter", 3653 * DAY_S, "kwartier: devices by the quarter-hour; personal")
COMMUNITY = Bucket("community", 3653 * DAY_S, "kwartier: sums that show no home, and the plan")
BUCKETS = (RAW, QUARTER, COMMUNITY)

SITE = "site"
GATEWAY = "gateway"
DEVICE = "device"

READINGS = "reading"
UNSURE_READINGS = "unsure"
METERS = "meter"
QUARTERS = "quarter"
SUMS = "community"
PLAN = "plan"

SUM_FIELDS: dict[str, str] = {
    "homes": "how many homes the sums cover; never fewer than five",
    "solar_w": "made on their roofs, mean of the quarter-hour [W]",
    "load_w": "used by them, mean of the quarter-hour [W]",
    "import_w": "taken from the grid by them, mean of the quarter-hour [W]",
    "export_w": "given to the grid by them, mean of the quarter-hour [W]",
    "battery_w": "the shared batteries, mean of the quarter-hour; positive charges [W]",
    "soc_permille": "stored energy at the end, as part of the usable capacity [1/1000]",
    "shared_wh": "what neighbours and the battery gave to them [Wh]; absent until settled",
}
"""The fields of ``community``."""

PLAN_FIELDS: dict[str, str] = {
    "solar_w": "solar power expected, all roofs together [W]",
    "load_w": "use expected, all homes together, in steps; a day late to strangers [W]",
    "battery_w": "sum of the batteries' set-points; positive charges [W]",
    "grid_w": "what is left for the grid; positive takes from it; absent with load_w [W]",
    "soc_permille": "stored energy expected at the end [1/1000]",
    "price_ct_per_mwh": "the price the plan reckons with; 1 is EUR 0.00001 per kWh [ct/MWh]",
}
"""The fields of ``plan``: the newest plan of each quarter-hour; coming quarter-hours too."""
