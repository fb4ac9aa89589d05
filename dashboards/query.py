"""What panels ask of Prometheus.

Of several instances on one store only the leader shows what checks found; the others show their figures, and counters
that stand still. So the newest value is the greatest over the instances, and a rate is their sum. Pushed series of
checks have neither `instance` nor `job`; nothing here asks for either, except for what the daemon says of itself.
"""

from __future__ import annotations

from typing import NamedTuple

CHOSEN = 'system=~"$system"'
"""Of the systems that are chosen."""
ONE = 'system="$system",check=~"$check"'
"""Of one system, the checks that are chosen."""
OWN = 'instance=~"$instance"'
"""Of the instances that are chosen: what the daemon says of itself."""
CHECK = "system, check"
"""The labels that name a check."""
ALERT = "system, check, alert, severity, state, series"
"""The labels that name an alert, and how it is."""
JUDGED_AS_IT_IS = r"((avg|min|max|p[0-9.]+)\\()?"
"""The functions of `watch` whose value has the size of the measure, so that both fit one axis."""


class Query(NamedTuple):
    """One question, what its series are called, and whether they are figures that others are held against."""

    expr: str
    legend: str = "{{system}}/{{check}}"
    figures: bool = False


def newest(metric: str, where: str, by: str = CHECK) -> str:
    """Return the newest value for each set of the labels `by`, whichever instance shows it."""
    return f"max by ({by}) ({metric}{{{where}}})"


def per_second(counter: str, where: str, by: str = CHECK) -> str:
    """Return how much a counter grows each second, over all instances."""
    return f"sum by ({by}) (rate({counter}{{{where}}}[$__rate_interval]))"


def per_minute(counter: str, where: str, by: str = CHECK) -> str:
    """Return how much a counter grows each minute: the pace of what is rare."""
    return f"60 * {per_second(counter, where, by)}"


def growth(gauge: str, where: str, by: str = CHECK) -> str:
    """Return how much a counter of the watched server grows each minute, which we show as a gauge."""
    return f"60 * max by ({by}) (rate({gauge}{{{where}}}[$__rate_interval]))"


def quantile(share: float, histogram: str, where: str, by: str) -> str:
    """Return the value below which a share of what was observed lies."""
    return f"histogram_quantile({share:g}, {per_second(f'{histogram}_bucket', where, f'{by}, le')})"


def figures(measure: str, where: str, kind: str = "") -> Query:
    """Return the figures of each threshold that watches `measure` (a regular expression), of checks of a `kind`.

    The kind is told by what a check showed within the last hour, since a figure itself does not say it.
    """
    watch = rf'watch=~"{JUDGED_AS_IT_IS}({measure})([ ,{{)].*)?"'
    found = newest("monitor_threshold", f"{where},{watch}", f"{CHECK}, watch, level")
    if kind:
        known = f'last_over_time(monitor_probe_success{{{where},kind="{kind}"}}[1h])'
        found = f"{found} and on ({CHECK}) {known}"
    return Query(found, "{{system}}/{{check}} {{watch}} · {{level}}", figures=True)


def count_of(series: str) -> str:
    """Return how many series there are, 0 where there are none."""
    return f"count({series}) or vector(0)"
