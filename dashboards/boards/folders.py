"""Two shelves, because Grafana lets people in by shelf: one for all, one for who works here."""

from __future__ import annotations

from dashboards.panels import Folder
from dashboards.words import Text

RESIDENTS = Folder("kwartier-wijk", Text("Wijk", "Neighbourhood"))
WORK = Folder("kwartier-beheer", Text("Bestuur en beheer", "Board and operations"))
FOLDERS = (RESIDENTS, WORK)
