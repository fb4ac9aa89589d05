"""The last 24 hours of one check, hour by hour, and its uptime: kept in memory as its runs come. Pure.

What counts is what `monitor.uptime` counts, so that the page and `monitor history` never differ: of each hour the
shares of its runs; no run that was left out on purpose, and none that ended during maintenance. An hour that is not
over counts only with that part of it which its newest run has reached: one failure at its beginning is no hour of
outage.

What the store has summed up is taken as it is (`sum_up`), what it has not is counted run by run (`add`). What happened
before this process is put into a strip of its own, and joined when all of it is there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import State
from monitor.uptime import AN_HOUR, Uptime, of_hour, total
from monitor.view import Cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from monitor.hour import Hour
    from monitor.model import AlertKey, CheckId, Sample, Severity, Silence
    from monitor.uptime import Runs

HOURS = 24
DAYS = 30
"""The uptime of a month is that of today and of the 29 days before, in UTC."""


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


class Hours(NamedTuple):
    """The time that a strip shows: its hours, the present one last, and the first day of the month of uptime."""

    now: datetime
    each: tuple[datetime, ...]
    first_day: date

    @classmethod
    def until(cls, now: datetime) -> Hours:
        """Return the hours up to that of `now`."""
        present = hour_of(now)
        each = tuple(present - number * AN_HOUR for number in reversed(range(HOURS)))
        return cls(now, each, (now - timedelta(days=DAYS - 1)).date())

    @property
    def first(self) -> datetime:
        """Return the oldest."""
        return self.each[0]

    @property
    def present(self) -> datetime:
        """Return the newest."""
        return self.each[-1]


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the hour that a moment is in."""
    return moment.replace(minute=0, second=0, microsecond=0)


def maintained(silences: Iterable[Silence], check: CheckId, at: datetime) -> bool:
    """Return whether a run of `check` that ended at that moment counts nowhere, because it was worked on."""
    return any(one.maintenance and one.since <= at < one.until and one.scope.is_whole(check) for one in silences)


class Strip:
    """What is known of one check. `newest` is its newest run, also of an earlier process; `revision` tells changes."""

    def __init__(self, check: CheckId) -> None:
        """Make one that knows of nothing."""
        self.newest: Sample | None = None
        self.revision = 0
        self._check = check
        self._from: datetime | None = None
        self._reached: datetime | None = None
        self._cells: dict[datetime, Cell] = {}
        self._summed: set[datetime] = set()
        self._days: dict[date, Uptime] = {}
        self._firing: dict[AlertKey, tuple[Severity, datetime]] = {}
        self._hour: datetime | None = None
        self._finished = Look((), Uptime(), Uptime())

    def add(self, sample: Sample, silences: Iterable[Silence] = ()) -> None:
        """Count a run, under the `silences` there are."""
        if self._from is None:
            self._from = sample.at
        self.revision += 1
        if self.newest is None or sample.at >= self.newest.at:
            self.newest = sample
        at = hour_of(sample.at)
        if sample.left_out or at in self._summed or maintained(silences, self._check, sample.at):
            return
        _, up, down, unknown, worst = self._cell(at)
        up, down = up + (sample.state is State.UP), down + (sample.state is State.DOWN)
        self._put(Cell(at, up, down, unknown + (sample.state is State.UNKNOWN), worst))
        if self._reached is None or sample.at > self._reached:
            self._reached = sample.at

    def counted(self, at: datetime) -> bool:
        """Return whether a run that ended at that moment was counted here when it came."""
        return self._from is not None and at >= self._from

    def join(self, earlier: Strip) -> None:
        """Take what happened before the first run that was counted here; it comes once."""
        for at, past in earlier._cells.items():
            own = self._cell(at)
            worst = max(filter(None, (own.worst, past.worst)), default=None)
            if at in earlier._summed:
                own = past
            elif at not in self._summed:
                own = Cell(at, own.up + past.up, own.down + past.down, own.unknown + past.unknown)
            self._put(own._replace(worst=worst))
        self._summed |= earlier._summed
        for day, uptime in earlier._days.items():
            self._days[day] = self._days.get(day, Uptime()) + uptime
        if self.newest is None or (earlier.newest is not None and earlier.newest.at > self.newest.at):
            self.newest = earlier.newest
        self._reached = max(filter(None, (self._reached, earlier._reached)), default=None)
        self._change()

    def sum_up(self, hour: Hour, hours: Hours) -> None:
        """Take what the store has summed up of an hour that is over; one before the strip must come only once."""
        if hour.at >= hours.present:
            return
        self._summed.add(hour.at)
        if hour.at < hours.first:
            self._leave(hour.at, hour, hours)
            self._change()
        else:
            self._put(self._cell(hour.at)._replace(up=hour.up, down=hour.down, unknown=hour.unknown))

    def fire(self, key: AlertKey, severity: Severity | None, at: datetime) -> None:
        """Note that an alert fires at that severity from now on; None: that it does not."""
        was = self._firing.pop(key, None)
        if was is not None:
            self.paint(Span(*was, at))
        if severity is not None:
            self._firing[key] = severity, at
            self.paint(Span(severity, at, at))

    def paint(self, span: Span) -> None:
        """Note that an alert fired."""
        for at in _hours(span.since, span.until):
            cell = self._cell(at)
            self._put(cell._replace(worst=max(span.severity, cell.worst or span.severity)))

    def look(self, hours: Hours) -> Look:
        """Return what is shown at `hours`."""
        if self._hour != hours.present:
            self.roll(hours)
        cells, day, older = self._finished
        present = self._cell(hours.present)
        day += self._so_far(present)
        return Look((*cells, present), day, older + day)

    def roll(self, hours: Hours) -> bool:
        """Bring to `hours` what stays as it is until the next one; return whether there was anything to do."""
        if self._hour == hours.present:
            return False
        for key, (severity, since) in self._firing.items():
            if since <= hours.now:
                self.paint(Span(severity, max(since, hours.first), hours.now))
                self.paint(Span(severity, hours.now, hours.now))
                self._firing[key] = severity, hours.now
        for at in [at for at in self._cells if at < hours.first]:
            self._leave(at, self._cells.pop(at), hours)
        self._summed = {at for at in self._summed if at >= hours.first}
        self._days = {day: uptime for day, uptime in self._days.items() if day >= hours.first_day}
        cells = tuple(map(self._cell, hours.each[:-1]))
        self._finished = Look(cells, total(map(of_hour, cells)), total(self._days.values()))
        self._hour = hours.present
        return True

    def _change(self) -> None:
        self.revision += 1
        self._hour = None

    def _put(self, cell: Cell) -> None:
        self._cells[cell.at] = cell
        self.revision += 1
        if cell.at != self._hour:
            self._hour = None

    def _leave(self, at: datetime, runs: Runs, hours: Hours) -> None:
        """Let go of an hour before the strip; its uptime stays for as long as the month lasts."""
        if (day := at.date()) >= hours.first_day:
            self._days[day] = self._days.get(day, Uptime()) + of_hour(runs)

    def _cell(self, at: datetime) -> Cell:
        return self._cells.get(at) or Cell(at)

    def _so_far(self, present: Cell) -> Uptime:
        """Return what the present hour adds."""
        whole, reached = of_hour(present), self._reached or present.at
        share = max(0.0, min(1.0, (reached - present.at) / AN_HOUR))
        return Uptime(whole.up * share, whole.down * share)


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the hours in which something was from `since` to before `until`, or at `since` only."""
    at = hour_of(since)
    yield at
    while (at := at + AN_HOUR) < until:
        yield at
