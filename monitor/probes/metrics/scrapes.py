"""What the scrapes of the longest window have shown, and what became of the counters in a window.

A series is no more than its values, one for each scrape: of ten thousand, objects would keep the collector of garbage
busy for longer than others may wait. Increases are extended to the whole window as those of thresholds are, and as
PromQL's. Where several processes answer in turns each has counters of its own, and series of the same name and labels
are kept apart.
"""

from __future__ import annotations

import asyncio
import math
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from monitor.probes.metrics.instances import Instances
from monitor.window import MICROSECOND, Seen, extended

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence

    from monitor.probes.metrics.page import Series

Item = TypeVar("Item")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WITHOUT = timedelta(minutes=5) // MICROSECOND
"""For how long it is remembered who answered, where no window says."""
TURN = 200
"""Series between two turns of others: a millisecond."""
MOST_KNOWN = 50_000
"""Series whose first appearance is told from a return; beyond, none counts from zero."""


class Answer(NamedTuple):
    """Who answered a scrape: by which name, and when it says that it was started, in seconds since 1970."""

    name: str
    started: float | None


class Grown(NamedTuple):
    """By how much a counter has grown over a window, as PromQL's `increase` has it."""

    series: Series
    increase: float


@dataclass(frozen=True, slots=True)
class Lineage:
    """The series of one process and its successors: when it answered, and each series' values at the last of these.

    One that was not there has NaN, and none before it came to be. `known`: all that ever were, for `from_zero`.
    """

    moments: Sequence[int] = ()
    series: Mapping[Series, array[float]] = field(default_factory=dict)
    known: frozenset[Series] = frozenset()


class Scrapes:
    """The counters of one check: the series of its `terms`, by their numbers, as far back as the longest window."""

    def __init__(self, terms: Collection[int], windows: Collection[timedelta], *, from_zero: bool) -> None:
        """Remember nothing yet; `from_zero`: a counter that comes to be between two scrapes was 0 at the first."""
        lengths = [length // MICROSECOND for length in windows]
        self._terms = frozenset(terms)
        self._from_zero = from_zero
        self._reach = max(lengths, default=WITHOUT)
        self._instances = Instances(self._reach, min(lengths, default=WITHOUT))
        self._lineages: dict[str, Lineage] = {}
        self._now = -1

    @property
    def instances(self) -> int:
        """Return how many processes answer in turns, as far as that can be seen."""
        return self._instances.count

    @property
    def told_apart(self) -> bool:
        """Return whether each process's counters are known for its own."""
        return not self._instances.apart or self._instances.named

    async def add(self, now: datetime, values: Mapping[Series, float], answer: Answer) -> None:
        """Take in what a scrape at `now` found; one that is not newer than the newest changes nothing."""
        at = (now - EPOCH) // MICROSECOND
        if at <= self._now:
            return
        self._now = at
        kept = {
            series: value async for series, value in unhurried(values.items()) if self._terms.intersection(series.terms)
        }
        was_apart = self._instances.apart and self._instances.named
        level = math.fsum(value for value in kept.values() if math.isfinite(value))
        self._instances.answered(at, answer.name, answer.started, level)
        apart = self._instances.apart and self._instances.named
        if apart and not was_apart:
            self._lineages.clear()
        elif was_apart and not apart:
            self._lineages = {"": self._lineages.pop(answer.name, Lineage())}
        self._forget(at)
        name = answer.name if apart else ""
        self._lineages[name] = await self._continued(self._lineages.get(name, Lineage()), at, kept)

    def _forget(self, at: int) -> None:
        """Forget the processes that have not answered for as long as any window reaches."""
        for name, lineage in list(self._lineages.items()):
            if not lineage.moments or lineage.moments[-1] <= at - self._reach:
                del self._lineages[name]

    async def _continued(self, before: Lineage, at: int, values: Mapping[Series, float]) -> Lineage:
        """Return a lineage with one more scrape. A run may be cut off here: so nothing of the old one is changed."""
        moments = [*before.moments, at]
        del moments[: bisect_right(moments, at - self._reach)]
        most = len(moments)
        from_zero = self._from_zero and most > 1 and len(before.known) <= MOST_KNOWN
        series: dict[Series, array[float]] = {}
        async for each, old in unhurried(before.series.items()):
            value = values.get(each, math.nan)
            kept = old[len(old) + 1 - most :] if len(old) >= most else old[:]
            kept.append(value)
            if each in values or not all(map(math.isnan, kept)):
                series[each] = kept
        async for each, value in unhurried(values.items()):
            if each not in series:
                series[each] = array("d", [0.0, value] if from_zero and each not in before.known else [value])
        return Lineage(moments, series, before.known.union(values) if self._from_zero else before.known)

    def seen_twice(self, window: timedelta) -> bool:
        """Return whether any process answered twice in the window: else nothing can be said of how counters grew."""
        return any(len(self._within(lineage, window)) > 1 for lineage in self._lineages.values())

    def filled(self, window: timedelta, every: timedelta) -> bool:
        """Return whether scrapes fill the window from its beginning on, so that all that grew in it is known."""
        begins = [moments[0] for each in self._lineages.values() if (moments := self._within(each, window))]
        return bool(begins) and min(begins) - (self._now - window // MICROSECOND) <= 2 * (every // MICROSECOND)

    def _within(self, lineage: Lineage, window: timedelta) -> list[int]:
        edge = self._now - window // MICROSECOND
        return [moment for moment in lineage.moments if moment > edge]

    async def increases(self, term: int, window: timedelta) -> AsyncIterator[Grown]:
        """Yield by how much each series of a term has grown over the window; those seen once only have no result."""
        edge = self._now - window // MICROSECOND
        for lineage in list(self._lineages.values()):
            moments = self._within(lineage, window)
            async for series, kept in unhurried(lineage.series.items()):
                if term in series.terms and (seen := _seen(moments, kept)):
                    yield Grown(series, extended(seen, edge, self._now))


def _seen(moments: Sequence[int], kept: array[float]) -> Seen | None:
    """Return what was seen of a counter at `moments`, to the last of which its last value belongs; None if too little.

    A value that is smaller than the one before began again from zero.
    """
    values = kept[-len(moments) :] if moments else array("d")
    when = moments[len(moments) - len(values) :]
    if any(map(math.isnan, values)):
        there = [(at, value) for at, value in zip(when, values, strict=True) if not math.isnan(value)]
        when, values = [at for at, _ in there], array("d", [value for _, value in there])
    if len(values) <= 1:
        return None
    resets = sum(before for before, now in pairwise(values) if now < before)
    return Seen(when[0], when[-1], len(values), values[0], values[-1] - values[0] + resets)


async def unhurried(items: Iterable[Item]) -> AsyncIterator[Item]:
    """Yield `items`, and let others have their turn now and then."""
    for number, item in enumerate(list(items)):
        if number % TURN == 0:
            await asyncio.sleep(0)
        yield item
