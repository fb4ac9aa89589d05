"""What the scrapes of the longest window have shown, and what became of the counters in a window.

A series is kept as `monitor.window` keeps one, so increases are those of thresholds, and PromQL's. Where several
processes answer in turns each has counters of its own, and series of the same name and labels are kept apart.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from monitor.probes.metrics.instances import Instances
from monitor.watch import Function, Watch
from monitor.window import KINDS, MICROSECOND
from monitor.window import Series as Kept

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from monitor.model import Labels
    from monitor.probes.metrics.page import Series

    Key = tuple[str, Labels]

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


@dataclass(slots=True)
class Lineage:
    """The series of one process and its successors, which of them it ever had, and when it answered."""

    series: dict[Key, tuple[Series, Kept]] = field(default_factory=dict)
    known: set[Key] = field(default_factory=set)
    moments: deque[int] = field(default_factory=deque)


class Scrapes:
    """The counters of one check. `windows`: those of each term, by its number; terms without one are not kept."""

    def __init__(self, windows: Mapping[int, Sequence[timedelta]], *, from_zero: bool) -> None:
        """Remember nothing yet; `from_zero`: a counter that comes to be between two scrapes was 0 at the first."""
        lengths = [length // MICROSECOND for several in windows.values() for length in several]
        self._windows = windows
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
            series: value for series, value in values.items() if any(term in self._windows for term in series.terms)
        }
        was_apart = self._instances.apart and self._instances.named
        level = math.fsum(value for value in kept.values() if math.isfinite(value))
        self._instances.answered(at, answer.name, answer.started, level)
        apart = self._instances.apart and self._instances.named
        if apart and not was_apart:
            self._lineages.clear()
        elif was_apart and not apart:
            self._lineages = {"": self._lineages.pop(answer.name, Lineage())}
        for name in list(self._lineages):
            await self._slide(name, at)
        await self._take(self._lineages.setdefault(answer.name if apart else "", Lineage()), kept)

    async def _slide(self, name: str, at: int) -> None:
        """Let time pass in a lineage, and forget what no window reaches."""
        lineage = self._lineages[name]
        while lineage.moments and lineage.moments[0] <= at - self._reach:
            lineage.moments.popleft()
        async for key, (_, kept) in _unhurried(lineage.series.items()):
            kept.slide(at)
            if not kept.values:
                del lineage.series[key]
        if not lineage.moments:
            del self._lineages[name]

    async def _take(self, lineage: Lineage, values: Mapping[Series, float]) -> None:
        before = lineage.moments[-1] if lineage.moments else None
        counting = self._from_zero and before is not None and len(lineage.known) <= MOST_KNOWN
        lineage.moments.append(self._now)
        async for series, value in _unhurried(values.items()):
            known = lineage.series.get(series.key)
            kept = known[1] if known else self._new(series)
            if counting and before is not None and series.key not in lineage.known:
                kept.add(before, 0.0)
            kept.slide(self._now)
            kept.add(self._now, value)
            lineage.series[series.key] = series, kept
            if self._from_zero:
                lineage.known.add(series.key)

    def _new(self, series: Series) -> Kept:
        lengths = {length for term in series.terms for length in self._windows.get(term, ())}
        return Kept([(KINDS[Function.INCREASE], length) for length in lengths])

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
        watch = Watch("", Function.INCREASE, "", window=window)
        for lineage in list(self._lineages.values()):
            async for _, (series, kept) in _unhurried(lineage.series.items()):
                if term in series.terms and len(seen := kept.windows[KINDS[Function.INCREASE], window]) > 1:
                    yield Grown(series, seen.result(watch))


async def _unhurried(items: Iterable[Item]) -> AsyncIterator[Item]:
    """Yield `items`, and let others have their turn now and then."""
    for number, item in enumerate(list(items)):
        if number % TURN == 0:
            await asyncio.sleep(0)
        yield item
