"""A check that is down, or gives no data, in PromQL: runs are counted, not scrapes.

Prometheus sees counters, not runs. So two recording rules remember how many runs had failed when one last found the
target up, and how many were good when one last failed: what came since then is a row. A counter that begins again (the
daemon was started anew) begins the row again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import DOWN, NO_DATA, Severity
from monitor.rules.promql import duration, firing, selector
from monitor.rules.rule import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from monitor.model import CheckId, Patience
    from monitor.plan import Plan

HERE = "on (system, check)"
EACH = "max by (system, check)"
FAILED, GOOD = "monitor:probe_failed_runs", "monitor:probe_good_runs"
FAILED_BEFORE, GOOD_BEFORE = f"{FAILED}:when_good", f"{GOOD}:when_failed"


def recordings(system: str) -> Iterator[Recording]:
    """Yield what is counted of all checks of `system`."""
    of = f'{{system="{system}"}}'
    runs = f"{EACH} (monitor_probe_runs_total{of})"
    failed = f"sum by (system, check) (monitor_probe_failures_total{of})\nor {runs} * 0"
    others = (f"{EACH} (monitor_probe_{name}_total{of})" for name in ("unknown", "left_out"))
    good = "\n- ".join((runs, *others, f"{FAILED}{of}"))
    counts = {
        FAILED: failed,
        GOOD: good,
        FAILED_BEFORE: _before(FAILED, FAILED_BEFORE, of, 1),
        GOOD_BEFORE: _before(GOOD, GOOD_BEFORE, of, 0),
    }
    yield from (Recording(name, expression, system) for name, expression in counts.items())


def _before(count: str, before: str, of: str, success: int) -> str:
    """Return the count as it was at the newest success, or failure; what a counter has fallen below is forgotten."""
    return "\n".join(
        (
            f"{count}{of} and {HERE} monitor_probe_success{of} == {success}",
            f"or ({before}{of} unless {before}{of} > {count}{of})",
            f"or {count}{of} * 0",
        )
    )


def down(check: CheckId, severity: Severity, patience: Patience) -> str:
    """Return when `check` is down: so many failed runs in a row, until so many good ones."""
    failed = f"{selector(FAILED, check)} - {selector(FAILED_BEFORE, check)}"
    good = f"{selector(GOOD, check)} - {selector(GOOD_BEFORE, check)}"
    held = f"NaN * {EACH} ({firing(DOWN, check, severity)})"
    return f"{failed} >= {patience.breaches}\nor {held}\n  unless {good} >= {patience.clears}"


def no_data(plan: Plan, gap: timedelta) -> str:
    """Return when no run of `plan` said anything for `gap`."""
    counts = [selector(f"monitor_probe_{name}_total", plan.id) for name in ("runs", "unknown")]
    now = " - ".join(f"{EACH} ({count})" for count in counts)
    then = " - ".join(f"{EACH} (last_over_time({count}[5m] offset {duration(gap)}))" for count in counts)
    held = f"NaN * {EACH} ({firing(NO_DATA, plan.id, Severity.WARNING)})"
    return f"{now}\n== {then}\nor {held}\n  unless {EACH} ({selector('monitor_probe_runs_total', plan.id)})"
