"""What checks measure, for all chosen systems, and what the daemon tells of itself: a line for each set of labels."""

from __future__ import annotations

from dashboards import link
from dashboards.panel import Look
from dashboards.query import CHECK, CHOSEN, OWN, Query, growth, newest

BOTH = (link.to_system(), link.to_check())
LOOK = Look(links=BOTH)
SHARE = Look(links=BOTH, most=1)
NAMED = "{{system}}/{{check}}"


def gauge(name: str, labels: str = "", legend: str = "") -> Query:
    """Return the newest value of a measure, for each check and each set of its `labels`."""
    by = f"{CHECK}, {labels}" if labels else CHECK
    shown = "".join(f" {{{{{label}}}}}" for label in labels.split(", ")) if labels else ""
    return Query(newest(f"monitor_{name}", CHOSEN, by), f"{NAMED}{legend and f' {legend}'}{shown}")


def counted(name: str, legend: str, labels: str = "") -> Query:
    """Return how much a counter of the watched server grows each minute."""
    by = f"{CHECK}, {labels}" if labels else CHECK
    shown = f" {{{{{labels}}}}}" if labels else ""
    return Query(growth(f"monitor_{name}", CHOSEN, by), f"{NAMED} {legend}{shown}")


def own(metric: str, name: str = "") -> Query:
    """Return the newest value of what each chosen instance of the daemon tells of itself."""
    legend = f"{{{{instance}}}} {name}".strip()
    return Query(newest(f"monitor_{metric}", OWN, "instance"), legend)


def of_process(metric: str) -> str:
    """Return a series of the daemon's process: of those that Prometheus has of others, too, the ones beside ours."""
    return f"{metric} and on (instance, job) monitor_leader{{{OWN}}}"
