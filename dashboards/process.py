"""What the daemon costs: CPU, memory, files; and what it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.layout import Row
from dashboards.lines import lines
from dashboards.measure import of_process
from dashboards.panel import About
from dashboards.query import Query, per_minute

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Panel


def row() -> Row:
    """Return the row of the daemon's dashboard that shows it."""
    return Row("What it costs", [[_cpu(), _memory()], [_files(), _series()]])


def _cpu() -> Panel:
    asked = "rate(process_cpu_seconds_total[$__rate_interval])"
    return lines(
        About("CPU", "Of one core. Near 100 %: runs are late; give it more, or look less often.", "percentunit"),
        Query(f"max by (instance) ({of_process(asked)})", "{{instance}}"),
    )


def _memory() -> Panel:
    return lines(
        About(
            "Memory",
            "What the process takes. Growing for days: tell us; near the limit of its plan: it will be ended.",
            "bytes",
        ),
        Query(f"max by (instance) ({of_process('process_resident_memory_bytes')})", "{{instance}}"),
    )


def _files() -> Panel:
    return lines(
        About("Open files", "And how many there may be. Near the limit: raise it, or lower `limits.in_flight`."),
        Query(f"max by (instance) ({of_process('process_open_fds')})", "{{instance}} open"),
        Query(f"max by (instance) ({of_process('process_max_fds')})", "{{instance}} limit"),
    )


def _series() -> Panel:
    return lines(
        About(
            "Values that no threshold sees, a minute",
            "Of measures with more than 1,000 series. Any: narrow the check's labels, or its query.",
            "cpm",
        ),
        Query(per_minute("monitor_series_left_out_total", 'system=~".+"', "system, check")),
    )
