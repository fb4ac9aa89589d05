"""How much of each month a check was up: up / (up + down), from the hours that the store keeps. Pure.

Of each hour the shares of its runs count, not their number: a check runs more often while it fails, and after a deploy,
so the bare count of runs would make an outage many times as long as it was. What was unknown, or not looked at, is left
out: it counts neither for nor against.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from monitor.hour import Hour

AN_HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
THOUSANDTHS = 100_000
"""Of a percent, in a whole."""


@dataclass(frozen=True, slots=True)
class Uptime:
    """For how long something was seen to be up, and to be down."""

    up: timedelta = timedelta()
    down: timedelta = timedelta()

    def __add__(self, other: Uptime) -> Uptime:
        return Uptime(self.up + other.up, self.down + other.down)

    @property
    def ratio(self) -> float | None:
        """Return up / (up + down); None if nothing is known."""
        known = self.up + self.down
        return self.up / known if known else None

    def __str__(self) -> str:
        """Return the percentage, rounded down: no outage is rounded away."""
        known = (self.up + self.down) // MICROSECOND
        if not known:
            return "unknown"
        thousandths = self.up // MICROSECOND * THOUSANDTHS // known
        return f"{thousandths // 1000}.{thousandths % 1000:03} %"


class Runs(Protocol):
    """What counts the runs of one hour by state."""

    @property
    def up(self) -> int: ...  # noqa: D102 - the name says it
    @property
    def down(self) -> int: ...  # noqa: D102 - the name says it
    @property
    def unknown(self) -> int: ...  # noqa: D102 - the name says it


def of_hour(hour: Runs) -> Uptime:
    """Return what one hour adds: of its runs, the share that was up and the share that was down."""
    runs = hour.up + hour.down + hour.unknown
    return Uptime(AN_HOUR * hour.up / runs, AN_HOUR * hour.down / runs) if runs else Uptime()


def total(uptimes: Iterable[Uptime]) -> Uptime:
    """Return what `uptimes` add up to."""
    known = list(uptimes)
    return Uptime(sum((one.up for one in known), timedelta()), sum((one.down for one in known), timedelta()))


def by_month(hours: Iterable[Hour]) -> dict[date, Uptime]:
    """Return the uptime of each month that something is known of, by its first day, in UTC, oldest first."""
    found: defaultdict[date, Uptime] = defaultdict(Uptime)
    for hour in sorted(hours, key=lambda one: one.at):
        added = of_hour(hour)
        if added != Uptime():
            found[month_of(hour.at)] += added
    return dict(found)


def together(months: Iterable[Mapping[date, Uptime]]) -> dict[date, Uptime]:
    """Return the uptime of each month over several checks: all of their time counts alike."""
    found: defaultdict[date, Uptime] = defaultdict(Uptime)
    for one in months:
        for month, uptime in one.items():
            found[month] += uptime
    return dict(sorted(found.items()))


def month_of(moment: datetime) -> date:
    """Return the first day of the month that a moment (in UTC) is in."""
    return moment.date().replace(day=1)
