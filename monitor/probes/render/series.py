"""Render's metrics API: time series of several resources in one question.

It answers 500 where a question would yield too many points (render-mcp-server says so of it), so the resolution grows
with the span. What a series belongs to is told by its labels, whose names Render does not document: by their values.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from monitor.probes.render.asking import moment, written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from monitor.probes.render.asking import Render
    from monitor.vendors import Found

FINEST = timedelta(minutes=1)
"""Render's own default; the least that it takes is 30 s."""
MOST_POINTS = 60
"""Of a series: as many as the question that Render answers by default, an hour by the minute."""
MOST_RESOURCES = 10
"""In one question."""


class Series(NamedTuple):
    """A series of one resource: its labels, its unit, and its points in the order of time."""

    resource: str
    labels: Mapping[str, str]
    unit: str
    points: Sequence[tuple[datetime, float]]

    @property
    def instance(self) -> str:
        """Return the instance that it is of; empty where it is of all."""
        return self.labels.get("instance", "")

    @property
    def mean(self) -> float:
        """Return the mean of its values."""
        return sum(value for _, value in self.points) / len(self.points)

    @property
    def newest(self) -> datetime:
        """Return the moment of its newest value."""
        return self.points[-1][0]


def resolution(span: timedelta) -> timedelta:
    """Return how far apart the points of a question over `span` must be: whole minutes, so many at most."""
    return FINEST * max(-(-span // (FINEST * MOST_POINTS)), 1)


async def read_series(
    render: Render, metric: str, resources: Collection[str], span: timedelta, *query: tuple[str, str]
) -> list[Series]:
    """Return the series of `resources`, ids, over the last `span`; those without points are left away.

    Raises `Failure` (unknown).
    """
    apart = resolution(span)
    wanted = sorted(resources)
    found: list[Series] = []
    for start in range(0, len(wanted), MOST_RESOURCES):
        some = wanted[start : start + MOST_RESOURCES]
        fixed = [("resolutionSeconds", str(int(apart.total_seconds()))), *query, *(("resource", one) for one in some)]
        times = [("startTime", written(render.now - span)), ("endTime", written(render.now))]
        reply = await render.get(f"/v1/metrics/{metric}", [*times, *fixed], question=f"{metric} {span} {fixed}")
        found += filter(None, (_series(each, some) for each in reply.body))
    return found


def by_resource(found: Iterable[Series]) -> dict[str, list[Series]]:
    """Return the series of each resource."""
    ordered = sorted(found, key=lambda series: series.resource)
    return {resource: list(some) for resource, some in groupby(ordered, key=lambda series: series.resource)}


def _series(found: Found, resources: Sequence[str]) -> Series | None:
    labels = {each["field"].text: each["value"].text for each in found["labels"]}
    resource = _resource(labels.values(), resources)
    points = sorted((moment(each["timestamp"]), each["value"].number) for each in found["values"])
    return Series(resource, labels, found["unit"].text, points) if resource and points else None


def _resource(values: Iterable[str], resources: Sequence[str]) -> str:
    """Return whose series has labels with these values: an id, or that of an instance, which begins with it."""
    for value in values:
        for resource in (value, value.rpartition("-")[0]):
            if resource in resources:
                return resource
    return resources[0] if len(resources) == 1 else ""
