"""What checks measure, as panels over all chosen systems show it: a line for each check and each set of labels."""

from __future__ import annotations

from dashboards import link
from dashboards.panel import Look
from dashboards.query import CHECK, CHOSEN, Query, growth, newest

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
