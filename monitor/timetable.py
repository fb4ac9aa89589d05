"""When something is due: by a period, or by a cron expression. Pure.

A cron expression is read as Debian's cron does, over the changes between winter and summer time too: what names an hour
that is left out runs right after it, what names one that comes twice runs in the first; what runs every hour or every
few minutes goes by time that passes. Moments are compared in UTC, since a local one may stand for two.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = 5
EARLY = timedelta(minutes=1)
"""How much too early a job may report by our clock; at most a tenth of the time between two runs."""
SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = datetime(9000, 1, 1, tzinfo=UTC)


class Due(NamedTuple):
    """When a job is expected next, and the time from then to the one after that."""

    at: datetime
    gap: timedelta


class Timetable(NamedTuple):
    """A `period` from one success to the next, or the moments of a `cron` expression on the clocks of a `zone`."""

    period: timedelta | None = None
    cron: str = ""
    zone: str = "UTC"

    @property
    def text(self) -> str:
        """Return it in a form that differs wherever another moment may follow."""
        return f"{self.cron} {self.zone}" if self.period is None else str(self.period)

    def after(self, moment: datetime) -> Due:
        """Return when the job is due again after a success at `moment`, which is in UTC; always later than that.

        A success that is a little early is that of the run it comes just before.
        """
        if self.period is not None:
            return Due(moment + self.period, self.period)
        moments = moments_of(self.cron, self.zone, moment)
        first, second, third = (next(moments, NEVER) for _ in range(3))
        if first - moment <= min(EARLY, (second - first) / 10):
            first, second = second, third
        return Due(first, second - first)


def moments_of(cron: str, zone: str, since: datetime) -> Iterator[datetime]:
    """Yield the moments of a cron expression on the clocks of `zone` after `since`, in UTC, each once."""
    newest = since.astimezone(UTC)
    for local in CronSim(cron, since.astimezone(ZoneInfo(zone))):
        at = local.astimezone(UTC)
        if at > newest:
            yield at
            newest = at


def cron_fault(text: str) -> str:
    """Return what is wrong with a cron expression, or nothing."""
    if len(text.split()) != FIELDS:
        return f"{text!r} has not the five fields of cron, such as 0 3 * * *: minute, hour, day, month, day of the week"
    try:
        comes = next(CronSim(text, SOME_DAY), None)
    except CronSimError as error:
        return f"{text!r} is no cron expression: {str(error).lower()}"
    return "" if comes else f"{text!r} never comes"
