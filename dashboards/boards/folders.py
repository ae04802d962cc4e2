"""Two shelves, because Grafana lets people in by shelf: one for all, one for who works here.

No board has the uid of a folder: Grafana keeps both under one roof.
"""

from __future__ import annotations

from dashboards.panels import Folder
from dashboards.words import Text

RESIDENTS = Folder("kwartier-residents", Text("Wijk", "Neighbourhood"))
WORK = Folder("kwartier-work", Text("Bestuur en beheer", "Board and operations"))
FOLDERS = (RESIDENTS, WORK)
