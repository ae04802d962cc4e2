"""Every question that boards ask of Prometheus, in PromQL: how the services and gateways do.

A name of these measures is a promise of ``/metrics``; none of them says anything of one home.
What is not told is absent: no question puts a zero in its place.
"""

from __future__ import annotations

RECORD_UP = "kwartier_store_up"
DATA_AGE = "kwartier_data_age_seconds"
PLAN_AGE = "kwartier_plan_age_seconds"
DEAD_LETTERS = "kwartier_store_dead_letters"
EVENTS = "kwartier_gateway_events_total"
HTTP_REQUESTS = "kwartier_http_requests_total"
GATEWAYS = "kwartier_gateways"
"""Gateways by their first broken link, label ``link`` as in `api.health.gateways.Link`."""
BACKLOG = "kwartier_gateway_backlog_blocks"
"""Blocks that all gateways together still keep because nobody acknowledged them."""
ACK_AGE = "kwartier_ack_age_seconds"
"""How long ago the collector last acknowledged a block [s]."""
FORWARD_AGE = "kwartier_forward_age_seconds"
"""Age of the oldest block that is stored and not yet in InfluxDB [s]; 0 when all are."""
DISK_FREE = "kwartier_disk_free_bytes"
DISK_SIZE = "kwartier_disk_size_bytes"
SETTLEMENTS = "kwartier_settlements"
"""Months by where their settlement stands, label ``state``."""

JOBS = "kwartier.*"
"""What our services are called in the settings of Prometheus."""

MEASURES = (
    RECORD_UP,
    DATA_AGE,
    PLAN_AGE,
    DEAD_LETTERS,
    EVENTS,
    HTTP_REQUESTS,
    GATEWAYS,
    BACKLOG,
    ACK_AGE,
    FORWARD_AGE,
    DISK_FREE,
    DISK_SIZE,
    SETTLEMENTS,
)
"""All that is asked for."""


def worst(measure: str) -> str:
    """Return the question for the highest value that any service tells."""
    return f"max({measure})"


def least(measure: str) -> str:
    """Return the question for the lowest value that any service tells."""
    return f"min({measure})"


def together(measure: str) -> str:
    """Return the question for the sum over services."""
    return f"sum({measure})"


def by_label(measure: str, label: str) -> str:
    """Return the question for a gauge by one label; lines that are zero stay away."""
    return f"sum by ({label}) ({measure}) > 0"


def services_away() -> str:
    """Return the question for how many services did not answer Prometheus itself."""
    return f'sum(1 - up{{job=~"{JOBS}"}})'


def broken_gateways() -> str:
    """Return the question for how many gateways have a broken link."""
    return f'sum({GATEWAYS}{{link!="none"}})'


def grown_in_a_day(measure: str) -> str:
    """Return the question for how much a gauge that only grows has grown in a day."""
    return f"max(max_over_time({measure}[1d]) - min_over_time({measure}[1d]))"


def happened(counter: str, label: str) -> str:
    """Return the question for what was counted in each hour, by one label."""
    return f"round(sum by ({label}) (increase({counter}[1h]))) > 0"


def failed_answers() -> str:
    """Return the question for answers that failed on our side [1/s]."""
    return f'sum(rate({HTTP_REQUESTS}{{status=~"5.."}}[$__rate_interval]))'


def answers() -> str:
    """Return the question for all answers [1/s]."""
    return f"sum(rate({HTTP_REQUESTS}[$__rate_interval]))"


def disk_used() -> str:
    """Return the question for how full the fullest disk of the record is [%]."""
    return f"max(100 * (1 - {DISK_FREE} / {DISK_SIZE}))"
