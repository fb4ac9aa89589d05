"""Every name that a daemon's page can show, as its own parts declare them: nothing is listed here again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from monitor.metrics import Metrics
from monitor.metrics.check import CheckFamilies
from monitor.metrics.text import metric_name
from monitor.model import CheckId
from monitor.probes import KINDS, load_kind
from monitor.push import REASONS
from tests.fakes import START
from tests.metrics.reading import plan

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "info": ("_info",)}
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
NAME = re.compile(r"\b(?:monitor|process|python)_\w+")
PATTERN = re.compile(r'__name__=~"((?:[^"\\]|\\.)*)"')


def catalogue() -> set[str]:
    """Return the names of all series."""
    metrics = Metrics()
    metrics.remote_write(REASONS).sent(1, START)
    metrics.watch(plan(CheckId("shop", "site")))
    measured = {metric_name(kind, spec) for kind in KINDS for spec in load_kind(kind).measures}
    return (
        measured
        | {metrics._alerts.name}
        | {family.name for family in CheckFamilies()}
        | set(_shown(metrics.page().decode()))
    )


def _shown(page: str) -> Iterator[str]:
    for family in text_string_to_metric_families(page):
        yield from (family.name + ending for ending in ENDINGS.get(family.type, ("",)))


def names(query: str) -> set[str]:
    """Return the names of series that stand in a query, outside of its texts."""
    return set(NAME.findall(TEXT.sub("", query)))


def patterns(query: str) -> set[str]:
    """Return the regular expressions by which a query chooses names."""
    return set(PATTERN.findall(query))
