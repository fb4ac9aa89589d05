"""When the systems are worked on, and how that is announced. Pure.

Whatever is meant by a clock on the wall stays so over the changes between winter and summer time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from monitor.model import Scope, Silence, stable_id
from monitor.timetable import moments_of
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.routing import Hours

RUNBOOK = "the runbook"
"""By whom a maintenance is that stands in a file."""
WORDS = ("system", "title", "date", "start", "end", "zone", "duration")
TEMPLATE = (
    "Scheduled maintenance of {system}: {title}. On {date} from {start} to {end} ({zone}), about {duration}. "
    "Alerts are held back meanwhile."
)


class Announcement(NamedTuple):
    """Which channels hear of it how long before, and in what words (`WORDS` in braces)."""

    notify: tuple[str, ...]
    before: timedelta
    text: str


class Occurrence(NamedTuple):
    """One time that it happens."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A time in which `checks` of a system (none: all) are worked on.

    It is `at` a local moment without a zone, by the `weekly` hours, or by `cron`; the first and the last for `length`.
    """

    system: str
    system_title: str
    title: str
    zone: str
    checks: tuple[str, ...] = ()
    at: datetime | None = None
    weekly: Hours | None = None
    cron: str = ""
    length: timedelta = timedelta()
    announcement: Announcement | None = None

    @property
    def notice(self) -> timedelta:
        """Return how long before its beginning it is made known."""
        return self.announcement.before if self.announcement else timedelta()

    def coming(self, now: datetime) -> Iterator[Occurrence]:
        """Yield the occurrences that are not over at `now` and of which it is time to know, in order."""
        for occurrence in self._occurrences(now):
            if occurrence.begin - self.notice > now:
                return
            yield occurrence

    def silences(self, occurrence: Occurrence) -> tuple[Silence, ...]:
        """Return what is silent during `occurrence`."""
        begin, end = occurrence
        scopes = [Scope(self.system, check) for check in self.checks] or [Scope(self.system)]
        return tuple(
            Silence(stable_id(*scope, begin, end), scope, begin, end, RUNBOOK, self.title, maintenance=True)
            for scope in scopes
        )

    def text(self, occurrence: Occurrence) -> str:
        """Return what is said of `occurrence` before it begins."""
        begin, end = (moment.astimezone(ZoneInfo(self.zone)) for moment in occurrence)
        last = f"{end:%H:%M}" if end.date() == begin.date() else f"{end:%H:%M} on {end:%A}, {end.day} {end:%B}"
        known = {
            "system": self.system_title,
            "title": self.title,
            "date": f"{begin:%A}, {begin.day} {begin:%B} {begin.year}",
            "start": f"{begin:%H:%M}",
            "end": last,
            "zone": self.zone,
            "duration": show_duration((occurrence.end - occurrence.begin).total_seconds()),
        }
        return (self.announcement.text if self.announcement else TEMPLATE).format(**known)

    def _occurrences(self, now: datetime) -> Iterator[Occurrence]:
        if self.weekly is not None:
            yield from (Occurrence(begin, end) for begin, end in self.weekly.around(now))
        elif self.at is not None:
            begin = self.at.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)
            if now < begin + self.length:
                yield Occurrence(begin, begin + self.length)
        else:
            for begin in moments_of(self.cron, self.zone, now - self.length):
                yield Occurrence(begin, begin + self.length)
