"""What a page of metrics has that is worth watching everywhere. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STATUS = ("status", "code", "status_code", "http_status", "http_status_code", "http_response_status_code")
"""Labels that hold a status."""
REQUESTS = (
    "http_requests_total",
    "http_request_duration_seconds_count",
    "http_server_requests_seconds_count",
    "http_server_request_duration_seconds_count",
    "http_requests_received_total",
    "flask_http_request_total",
    "starlette_requests_total",
    "django_http_responses_total_by_status_total",
)
"""Counters of requests: Prometheus' own advice, Spring, OpenTelemetry, .NET, Flask, Starlette, Django."""
LATENCIES = (
    "http_request_duration_seconds",
    "http_server_requests_seconds",
    "http_server_request_duration_seconds",
    "flask_http_request_duration_seconds",
    "starlette_request_duration_seconds",
    "django_http_requests_latency_seconds_by_view_method",
)
GAUGES: Mapping[str, tuple[str, str]] = {
    "process_resident_memory_bytes": ("memory", "bytes"),
    "process_open_fds": ("open_files", "number"),
    "nodejs_eventloop_lag_p99_seconds": ("event_loop_lag", "seconds"),
    "go_goroutines": ("goroutines", "number"),
    "jvm_threads_live_threads": ("threads", "number"),
    "hikaricp_connections_pending": ("waiting_for_connections", "number"),
}
"""What is what, in any program: the name of the measure, and what it counts in."""
LARGEST = 2 * 2**20

_TYPE = re.compile(
    r"^# TYPE ([A-Za-z_:][A-Za-z0-9_:]{0,99}) (?:counter|gauge|histogram|summary|untyped|unknown|info)\s*$",
    re.MULTILINE,
)
_SERIES = re.compile(r"^([A-Za-z_:][A-Za-z0-9_:]{0,99})(?:\{([^\n]{0,2000})\})? ", re.MULTILINE)


class Family(NamedTuple):
    """A figure: the name of the measure, its fields as they stand in a file, and whether it is a share of errors."""

    name: str
    fields: Mapping[str, str]
    errors: bool = False


def is_metrics(text: str) -> bool:
    """Return whether `text` is a page of metrics."""
    return _TYPE.search(text) is not None


def families(text: str) -> tuple[Family, ...]:
    """Return what of a page of metrics means the same everywhere."""
    labels = _labels(text)
    return (*_requests(labels), *_latency(labels), *_process(labels))


def _labels(text: str) -> dict[str, set[str]]:
    """Return the labels that series carry, by name."""
    found: dict[str, set[str]] = {}
    for name, inner in _SERIES.findall(text[:LARGEST]):
        found.setdefault(name, set()).update(re.findall(r'([A-Za-z_][A-Za-z0-9_]*)="', inner))
    return found


def _requests(labels: Mapping[str, set[str]]) -> Iterator[Family]:
    pairs = ((name, label) for name in REQUESTS for label in STATUS if label in labels.get(name, ()))
    for name, label in pairs:
        fields = {"ratio": f'{name}{{{label}=~"5.."}}', "of": name}
        yield Family("error_rate", fields, errors=True)
        return


def _latency(labels: Mapping[str, set[str]]) -> Iterator[Family]:
    for name in LATENCIES:
        if "le" in labels.get(f"{name}_bucket", ()):
            yield Family("p95", {"histogram": name})
            return


def _process(labels: Mapping[str, set[str]]) -> Iterator[Family]:
    for name, (measure, unit) in GAUGES.items():
        if name in labels:
            yield Family(measure, {"value": name, "unit": unit})
    if "process_cpu_seconds_total" in labels:
        yield Family("cpu", {"rate": "process_cpu_seconds_total", "unit": "seconds"})
