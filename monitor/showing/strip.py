"""The last 24 hours of one check, hour by hour, and its uptime: kept in memory as its runs come. Pure.

What counts is what `monitor.uptime` counts, so that the page and `monitor history` never differ: of each hour the
shares of its runs; no run that was left out on purpose, and none that ended during maintenance. An hour that is not
over counts only with that part of it which its newest run has reached: one failure at its beginning is no hour of
outage.

What the store has summed up is taken as it is (`sum_up`). What it has not is counted run by run: those of the past
(`recall`), and those that come (`add`), each once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.hour import Hour
from monitor.model import State
from monitor.uptime import AN_HOUR, Uptime, of_hour
from monitor.view import Cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from monitor.model import AlertKey, CheckId, Sample, Severity, Silence

HOURS = 24
DAYS = 30
"""The uptime of a month is that of today and of the 29 days before, in UTC."""
PLACES = {State.UP: 0, State.DOWN: 1, State.UNKNOWN: 2}


class Look(NamedTuple):
    """What is shown: a cell for each of the last 24 hours, the present one last; the uptime of them, and of 30 days."""

    cells: tuple[Cell, ...]
    day: Uptime
    month: Uptime


class Span(NamedTuple):
    """From when to when an alert fired at one severity."""

    severity: Severity
    since: datetime
    until: datetime


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the hour that a moment is in."""
    return moment.replace(minute=0, second=0, microsecond=0)


def first_hour(now: datetime) -> datetime:
    """Return the first hour of a strip."""
    return hour_of(now) - (HOURS - 1) * AN_HOUR


def first_day(now: datetime) -> date:
    """Return the first day of a month of uptime."""
    return (now - timedelta(days=DAYS - 1)).date()


class Strip:
    """What is known of one check. `newest` is its newest run, also of an earlier process; `revision` tells changes."""

    def __init__(self, check: CheckId) -> None:
        """Make one that knows of nothing."""
        self.newest: Sample | None = None
        self.revision = 0
        self._check = check
        self._fed_from: datetime | None = None
        self._reached: datetime | None = None
        self._runs: dict[datetime, list[int]] = {}
        self._summed: set[datetime] = set()
        self._days: dict[date, Uptime] = {}
        self._colours = _Colours()
        self._hour: datetime | None = None
        self._finished = Look((), Uptime(), Uptime())

    def add(self, sample: Sample, silences: Iterable[Silence] = ()) -> None:
        """Count a run that has just ended, under the `silences` there are."""
        if self._fed_from is None:
            self._fed_from = sample.at
        self._count(sample, silences)

    def recall(self, sample: Sample, silences: Iterable[Silence] = ()) -> None:
        """Count a run of the past, unless it was added, or is summed up, already."""
        if self._fed_from is None or sample.at < self._fed_from:
            self._count(sample, silences)

    def sum_up(self, hour: Hour, now: datetime) -> None:
        """Take what the store has summed up of an hour that is over; one before the strip may come only once."""
        if hour.at < first_hour(now):
            if self._fed_from is None or hour.at < hour_of(self._fed_from):
                self._leave(hour, now)
        elif hour.at < hour_of(now):
            self._runs[hour.at] = [hour.up, hour.down, hour.unknown]
            self._summed.add(hour.at)
        self._change()

    def fire(self, key: AlertKey, severity: Severity | None, at: datetime) -> None:
        """Note that an alert fires at that severity from now on; None: that it does not."""
        self._colours.fire(key, severity, at)
        self._change()

    def paint(self, span: Span) -> None:
        """Note that an alert fired."""
        self._colours.paint(span)
        self._change()

    def look(self, now: datetime) -> Look:
        """Return what is shown at `now`."""
        hour = hour_of(now)
        if self._hour != hour:
            self._roll(now)
            self._hour, self._finished = hour, self._finish(now)
        cells, day, older = self._finished
        present = self._cell(hour)
        day += self._so_far(present)
        return Look((*cells, present), day, older + day)

    def _change(self) -> None:
        self.revision += 1
        self._hour = None

    def _count(self, sample: Sample, silences: Iterable[Silence]) -> None:
        if self.newest is None or sample.at >= self.newest.at:
            self.newest = sample
        self.revision += 1
        hour = hour_of(sample.at)
        if sample.left_out or hour in self._summed or maintained(silences, self._check, sample.at):
            return
        self._runs.setdefault(hour, [0, 0, 0])[PLACES[sample.state]] += 1
        if self._reached is None or sample.at > self._reached:
            self._reached = sample.at
        if hour != self._hour:
            self._hour = None

    def _roll(self, now: datetime) -> None:
        """Let go of the hours before the strip; their uptime stays for as long as the month lasts."""
        begin, first = first_hour(now), first_day(now)
        for at in [at for at in self._runs if at < begin]:
            self._leave(self._as_hour(at, self._runs.pop(at)), now)
        self._summed = {at for at in self._summed if at >= begin}
        self._days = {day: uptime for day, uptime in self._days.items() if day >= first}
        self._colours.roll(begin, now)

    def _leave(self, hour: Hour, now: datetime) -> None:
        day = hour.at.date()
        if day >= first_day(now):
            self._days[day] = self._days.get(day, Uptime()) + of_hour(hour)

    def _finish(self, now: datetime) -> Look:
        """Return what stays as it is until the hour is over: all cells but the last, and what they and the days add."""
        begin = first_hour(now)
        cells = tuple(self._cell(begin + number * AN_HOUR) for number in range(HOURS - 1))
        known = (self._as_hour(cell.at, cell[1:4]) for cell in cells)
        return Look(cells, sum(map(of_hour, known), Uptime()), sum(self._days.values(), Uptime()))

    def _cell(self, at: datetime) -> Cell:
        up, down, unknown = self._runs.get(at, (0, 0, 0))
        return Cell(at, up, down, unknown, self._colours.worst(at))

    def _so_far(self, present: Cell) -> Uptime:
        """Return what the present hour adds."""
        if self._reached is None:
            return Uptime()
        share = max(0.0, min(1.0, (self._reached - present.at) / AN_HOUR))
        whole = of_hour(self._as_hour(present.at, present[1:4]))
        return Uptime(whole.up * share, whole.down * share)

    def _as_hour(self, at: datetime, runs: Iterable[int]) -> Hour:
        up, down, unknown = runs
        return Hour(self._check, at, up, down, unknown, ())


class _Colours:
    """The worst that fired in each hour."""

    def __init__(self) -> None:
        self._worst: dict[datetime, Severity] = {}
        self._firing: dict[AlertKey, tuple[Severity, datetime]] = {}

    def fire(self, key: AlertKey, severity: Severity | None, at: datetime) -> None:
        was = self._firing.pop(key, None)
        if was is not None:
            self.paint(Span(*was, at))
        if severity is not None:
            self._firing[key] = severity, at
            self.paint(Span(severity, at, at))

    def paint(self, span: Span) -> None:
        for hour in _hours(span.since, span.until):
            self._worst[hour] = max(span.severity, self._worst.get(hour, span.severity))

    def roll(self, begin: datetime, now: datetime) -> None:
        """Colour all hours until `now`, and forget those before `begin`."""
        for key, (severity, since) in self._firing.items():
            self.paint(Span(severity, max(since, begin), now))
            self._firing[key] = severity, max(since, now)
        self._worst = {at: severity for at, severity in self._worst.items() if at >= begin}

    def worst(self, at: datetime) -> Severity | None:
        return self._worst.get(at)


def maintained(silences: Iterable[Silence], check: CheckId, at: datetime) -> bool:
    """Return whether a run of `check` that ended at that moment counts nowhere, because it was worked on."""
    return any(one.maintenance and one.since <= at < one.until and one.scope.is_whole(check) for one in silences)


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the hours in which something was from `since` to before `until`, or at `since` only."""
    hour = hour_of(since)
    yield hour
    while (hour := hour + AN_HOUR) < until:
        yield hour
