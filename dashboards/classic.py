"""A board in Grafana's classic JSON, schema 42: the last one that files and both APIs take.

Source:
    grafana.com/docs, "Dashboard JSON model"; the schema's versions as of Grafana 13.
"""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.json_form import Json
from dashboards.panels import WIDTH, Board, Chart, Colour, Line, Number, Panel, Shape
from dashboards.sources import INFLUX, Source
from dashboards.words import NO_DATA, Language
from kwartier.interval import QUARTER_S

SCHEMA = 42
ZONE = "Europe/Amsterdam"


def board_json(board: Board, language: Language) -> dict[str, Json]:
    """Return a board as Grafana's files and its API take it; it carries no numeric id."""
    return {
        "uid": board.uid,
        "title": board.title.said(language),
        "description": board.help.said(language),
        "tags": ["kwartier"],
        "schemaVersion": SCHEMA,
        "timezone": ZONE,
        "weekStart": "monday",
        "editable": False,
        "graphTooltip": 1,
        "refresh": board.refresh,
        "time": {"from": board.since, "to": board.until},
        "timepicker": {},
        "templating": {"list": []},
        "annotations": {"list": []},
        "links": [],
        "panels": list(_panels(board, language)),
    }


def _panels(board: Board, language: Language) -> Iterator[Json]:
    number, top = 1, 0
    for row in board.rows:
        for place, panel in enumerate(row.panels):
            where = {"x": place * row.width, "y": top, "w": row.width, "h": row.height}
            assert where["x"] + where["w"] <= WIDTH, board.uid
            yield {"id": number, "gridPos": where, **_panel(panel, language)}
            number += 1
        top += row.height


def _panel(panel: Panel, language: Language) -> dict[str, Json]:
    source = panel.lines[0].source
    form: dict[str, Json] = {
        "title": panel.title.said(language),
        "description": panel.help.said(language),
        "datasource": _source(source),
        "targets": [_target(panel, line, place) for place, line in enumerate(panel.lines)],
        "fieldConfig": {
            "defaults": {**_defaults(panel, language), **_drawn(panel)},
            "overrides": list(_overrides(panel, language)),
        },
    }
    if source is INFLUX:
        form["interval"] = f"{QUARTER_S // 60}m"  # v.windowPeriod is never less than a quarter
    if panel.since is not None:
        form |= {"timeFrom": panel.since, "hideTimeOverride": True}
    return form | (_chart() if isinstance(panel, Chart) else _number())


def _source(source: Source) -> Json:
    return {"type": source.plugin, "uid": source.uid}


def _ref(place: int) -> str:
    return chr(ord("A") + place)


def _target(panel: Panel, line: Line, place: int) -> Json:
    target: dict[str, Json] = {"refId": _ref(place), "datasource": _source(line.source)}
    if line.source is INFLUX:
        return {**target, "query": line.question}
    legend = f"{{{{{line.label}}}}}" if line.label else "__auto"
    when = "instant" if isinstance(panel, Number) else "range"
    return {**target, "expr": line.question, when: True, "legendFormat": legend}


def _defaults(panel: Panel, language: Language) -> dict[str, Json]:
    steps = panel.steps if isinstance(panel, Number) else ()
    bounds = (panel.low, panel.high) if isinstance(panel, Chart) else (None, None)
    made: dict[str, Json] = {
        "unit": panel.unit.value,
        "noValue": NO_DATA.said(language),
        "color": {"mode": "thresholds" if steps else "palette-classic"},
        "thresholds": {
            "mode": "absolute",
            "steps": [{"color": step.colour.value, "value": step.low} for step in steps]
            or [{"color": Colour.CALM.value, "value": None}],
        },
        "mappings": _mappings(panel, language),
    }
    optional = {"min": bounds[0], "max": bounds[1], "decimals": panel.decimals}
    return made | {name: value for name, value in optional.items() if value is not None}


def _mappings(panel: Panel, language: Language) -> list[Json]:
    """Return what is said in the place of numbers, and of a number that nobody knows."""
    if isinstance(panel, Chart):
        return []
    ranges: list[Json] = [
        {
            "type": "range",
            "options": {
                "from": one.low,
                "to": one.high,
                "result": _result(one.text.said(language), one.colour, place),
            },
        }
        for place, one in enumerate(panel.said)
    ]
    unknown = _result(NO_DATA.said(language), Colour.CALM, len(panel.said))
    return [*ranges, {"type": "special", "options": {"match": "null+nan", "result": unknown}}]


def _result(text: str, colour: Colour, place: int) -> Json:
    return {"text": text, "color": colour.value, "index": place}


def _drawn(panel: Panel) -> dict[str, Json]:
    if isinstance(panel, Number):
        return {}
    stacking = {"mode": "normal" if panel.stacked else "none", "group": "A"}
    return {
        "custom": {
            "drawStyle": "line",
            "lineInterpolation": "linear",
            "lineWidth": 2,
            "fillOpacity": 10,
            "showPoints": "auto",
            "spanNulls": False,
            "axisSoftMin": 0,
            "stacking": stacking,
        }
    }


_SHAPES: dict[Shape, dict[str, Json]] = {
    Shape.LINE: {"custom.lineInterpolation": "linear"},
    Shape.STEPS: {"custom.lineInterpolation": "stepAfter"},
    Shape.DASHES: {
        "custom.lineInterpolation": "stepAfter",
        "custom.lineStyle": {"fill": "dash", "dash": [8, 6]},
        "custom.fillOpacity": 0,
    },
    Shape.BARS: {
        "custom.drawStyle": "bars",
        "custom.barAlignment": 1,
        "custom.fillOpacity": 70,
        "custom.lineWidth": 1,
    },
}


def _overrides(panel: Panel, language: Language) -> Iterator[Json]:
    """Yield what is particular to each line, found by the letter of its question."""
    for place, line in enumerate(panel.lines):
        own: dict[str, Json] = {}
        if line.name is not None:
            own["displayName"] = line.name.said(language)
        if isinstance(panel, Chart):
            own |= _SHAPES[line.shape]
            if line.colour is not None:
                own["color"] = {"mode": "fixed", "fixedColor": line.colour.value}
        if own:
            yield _override("byFrameRefID", _ref(place), own)
        for value, name in line.names.items():
            yield _override("byName", value, {"displayName": name.said(language)})


def _override(matcher: str, whom: str, own: dict[str, Json]) -> Json:
    return {
        "matcher": {"id": matcher, "options": whom},
        "properties": [{"id": name, "value": value} for name, value in own.items()],
    }


def _chart() -> dict[str, Json]:
    return {
        "type": "timeseries",
        "options": {
            "legend": {
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": True,
                "calcs": [],
            },
            "tooltip": {"mode": "multi", "sort": "none"},
        },
    }


def _number() -> dict[str, Json]:
    return {
        "type": "stat",
        "options": {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "orientation": "auto",
            "textMode": "auto",
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "center",
        },
    }
