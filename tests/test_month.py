"""Four weeks on the virtual clock: silent while there is no past, then right, over restarts at the worst moments."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from monitor.hour import Hour, HourMeasure
from monitor.lookback import Lookback
from monitor.model import Change, Measure, Sample, Severity, State
from monitor.pipeline import Pipeline
from monitor.recall import recall
from monitor.routing import Route
from monitor.units import Unit
from tests.baseline.hours import DAY, HOUR, MONDAY, of
from tests.examples import SITE
from tests.fakes import FakeClock
from tests.plans import plan, threshold

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from monitor.model import Alert, AlertKey, CheckId, Event, Labels, Notification, Owed, Post, Silence

EVERY = HOUR / 2
LOAD, KINDS, MIX = "usual(load, 1h)", "unseen(events by type)", "drift(events by type, 1d)"
PLAN = plan(
    threshold(LOAD, unit=Unit.NUMBER, warning="> 3"),
    threshold(KINDS, unit=Unit.NUMBER, info="> 0"),
    threshold(MIX, unit=Unit.RATIO, info="> 30%"),
    failures=99,
)
ROUTES = (Route(("ops",), repeat=30 * DAY, severities=frozenset(Severity)),)

OUTAGE = MONDAY + 8 * DAY
"""A Tuesday, all day long: a thousand times the load, while the check itself is up."""
LOST = MONDAY + 15 * DAY
"""The next one, for six hours from midnight on: the check is down, and what it measures is nonsense."""
SURGES = MONDAY + 5 * DAY, MONDAY + 22 * DAY + 10 * HOUR
"""The first comes before there is a past, the second a week after the Tuesdays above. Each lasts three hours."""
ODD = MONDAY + 24 * DAY + 9 * HOUR
OTHER_MIX = MONDAY + 25 * DAY
"""For a day."""
END = MONDAY + 28 * DAY


def load(at: datetime) -> float:
    """Return what the target is asked for: more by day, less on Sundays, never twice quite the same."""
    usual = (20.0 + at.hour) * (0.3 if at.weekday() == 6 else 1.0) * (1 + ((at - MONDAY) // EVERY * 7 % 11 - 5) / 50)
    surging = any(begin <= at < begin + 3 * HOUR for begin in SURGES)
    return usual * (3.6 if surging else 1_000.0 if OUTAGE <= at < OUTAGE + DAY else 1.0)


def events(at: datetime) -> Iterator[Measure]:
    """Yield how many events of each type came since the last run."""
    paid, lost = (4.0, 6.0) if OTHER_MIX <= at < OTHER_MIX + DAY else (8.0, 2.0)
    yield Measure("events", paid, of("paid"))
    yield Measure("events", lost, of("lost"))
    if at >= ODD:
        yield Measure("events", 1.0, of("odd"))


def seen(at: datetime) -> Sample:
    """Return what the run at that moment finds."""
    if LOST <= at < LOST + 6 * HOUR:
        nonsense = [Measure("load", 1e9)] if at < LOST + 4 * HOUR else []
        return Sample(SITE, at, EVERY / 100, State.DOWN, measures=(*nonsense, *events(at)))
    return Sample(SITE, at, EVERY / 100, State.UP, measures=(Measure("load", load(at)), *events(at)))


class Memory:
    """A store in memory, that has summed an hour up six hours after its end."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._alerts: dict[AlertKey, Alert] = {}
        self._hours: defaultdict[datetime, list[Sample]] = defaultdict(list)
        self._now = MONDAY

    def write(self, change: Change) -> None:
        """Keep a change."""
        self._alerts |= {alert.key: alert for alert in change.alerts}
        for sample in change.samples:
            self._now = sample.at
            self.samples.append(sample)
            self._hours[sample.at.replace(minute=0)].append(sample)

    async def silences(self, _since: datetime) -> list[Silence]:
        return []

    async def alerts(self) -> list[Alert]:
        return [alert for alert in self._alerts.values() if not alert.idle]

    async def owed(self) -> list[Owed]:
        return []

    async def posts(self) -> list[Post]:
        return []

    async def journal(self, *_: object, limit: int) -> list[Event]:
        assert limit
        return []

    async def replay(self, since: datetime) -> AsyncIterator[Sample]:
        for sample in self.samples:
            if sample.at > since:
                yield sample

    async def replay_hours(self, check: CheckId, since: datetime, measures: Collection[str]) -> AsyncIterator[Hour]:
        assert check == SITE
        for at, samples in self._hours.items():
            if since <= at < self._now - 6 * HOUR:
                yield summed(at, samples, measures)


def summed(at: datetime, samples: Sequence[Sample], measures: Collection[str]) -> Hour:
    """Return what an hour adds up to, the plain way."""
    found: defaultdict[tuple[str, Labels], list[float]] = defaultdict(list)
    for sample in samples:
        for one in sample.measures:
            if one.name in measures:
                found[one.name, one.labels].append(one.value)
    up, down, unknown = (sum(sample.state is state for sample in samples) for state in State)
    figures = [HourMeasure(*key, len(some), sum(some), min(some), max(some)) for key, some in found.items()]
    return Hour(SITE, at, up, down, unknown, tuple(figures))


class Process:
    """One process of the daemon: what it knows, writes, shows and owes."""

    def __init__(self, store: Memory, clock: FakeClock) -> None:
        self._store = store
        self.owed: list[Notification] = []
        self.depths: Mapping[str, timedelta] = {}
        self.pipeline = Pipeline(clock, self, self, self._owe, self._ask_again)
        self.pipeline.configure({SITE: PLAN}, ROUTES)
        self.lookback = Lookback(store, clock, self.pipeline, self._show)  # type: ignore[arg-type] # all that is asked for

    def keep(self, sample: Sample) -> None:
        self._store.write(Change(samples=(sample,)))

    def post(self, change: Change) -> None:
        raise AssertionError(change)

    async def commit(self, change: Change) -> bool:
        self._store.write(change)
        return True

    def sample(self, _: Sample) -> None:
        pass

    def alert(self, _: Alert) -> None:
        pass

    def left_out(self, _: CheckId, __: int) -> None:
        pass

    def restore(self, owed: Iterable[Owed], _: Iterable[str]) -> None:
        """Take the place of an outbox, which has nothing left to send."""
        assert not list(owed)

    def restore_posts(self, posts: Iterable[Post], _: Iterable[str]) -> None:
        assert not list(posts)

    def _owe(self, owed: Sequence[Notification], _uncertain: bool) -> None:
        self.owed += owed

    def _show(self, _: CheckId, depths: Mapping[str, timedelta]) -> None:
        self.depths = depths

    async def _ask_again(self, check: CheckId) -> None:
        raise AssertionError(check)


class Month:
    """The daemon through the weeks; it may be restarted before any run."""

    def __init__(self) -> None:
        self.store = Memory()
        self.clock = FakeClock(MONDAY)
        self.process = Process(self.store, self.clock)
        self.told: list[Notification] = []

    async def until(self, end: datetime) -> None:
        """Let every run before `end` come at its moment; the past is read after each, where it is due."""
        while self.clock.now() < end:
            await self.process.pipeline.take(seen(self.clock.now()))
            await self.process.lookback.refresh()
            self.clock._now += EVERY
        self.told += self.process.owed
        self.process.owed.clear()

    async def restart(self) -> None:
        """Begin anew from what the store remembers; the past is not read before the next run."""
        self.process = process = Process(self.store, self.clock)
        await recall(self.store, [PLAN], process.pipeline, process, self.clock.now())  # type: ignore[arg-type] # as above
        process.pipeline.begin()

    def of(self, name: str) -> list[tuple[str, datetime]]:
        """Return what was told of one threshold, and when."""
        return [(str(note.kind), note.at) for note in self.told if note.key.name == name]


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_month_of_traffic_is_told_of_as_it_should_be(*, restarts: bool) -> None:
    """One surge, one new type and one other mix in the weeks that have a past; the same over restarts amid each."""
    month = Month()
    surge = SURGES[1]
    stops = (LOST + HOUR, surge + 1.5 * HOUR, surge + 2.5 * HOUR, ODD + EVERY, ODD + 2 * HOUR, OTHER_MIX + 20 * HOUR)
    await month.until(MONDAY + 14 * DAY)
    assert month.told == [], "silent without a past, whatever happened"
    for stop in stops if restarts else ():
        await month.until(stop)
        await month.restart()
    await month.until(END)
    assert month.of(LOAD) == [("opened", surge + EVERY), ("resolved", surge + 3 * HOUR)]
    assert month.of(KINDS) == [("opened", ODD), ("resolved", ODD + HOUR)]
    (opened, begun), (resolved, ended) = month.of(MIX)
    assert (opened, resolved) == ("opened", "resolved")
    assert OTHER_MIX + 12 * HOUR < begun < OTHER_MIX + DAY < ended < OTHER_MIX + 2 * DAY
    assert len(month.told) == 6
    assert month.process.pipeline.alerts == []


async def test_what_is_shown_and_told_of_it() -> None:
    """How much past there is grows with the weeks; a page says what was compared with what."""
    month = Month()
    await month.until(MONDAY + 7 * DAY)
    shown = month.process.depths
    assert set(shown) == {LOAD, KINDS, MIX}
    assert all(6.5 * DAY < depth < 7 * DAY for depth in shown.values())
    await month.until(END)
    pages = {note.key.name: note.page for note in month.told if note.kind == "opened"}
    assert pages[LOAD].summary.endswith("is usual at this hour of the week")
    assert pages[LOAD].value == "3.62"
    assert pages[KINDS].title == "Shop: Site: unseen(events by type) (type odd)"
    assert pages[KINDS].summary == "seen for the first time"
    assert pages[MIX].summary.startswith(("lost: ", "paid: "))
    assert "usually 20 %" in pages[MIX].summary
