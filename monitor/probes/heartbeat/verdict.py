"""What a job's journal says of it at one moment. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from monitor.model import Reason
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from monitor.probes.heartbeat.journal import Journal
    from monitor.timetable import Timetable

USUAL_GRACE = timedelta(hours=1)
NOTHING = timedelta()


class Rules(NamedTuple):
    """What is expected of a job. `figures`: how long it may be silent is for thresholds to say."""

    timetable: Timetable | None = None
    grace: timedelta | None = None
    longest: timedelta | None = None
    zone: str = "UTC"
    figures: bool = False


class Finding(NamedTuple):
    """One thing that is wrong with a job, in words."""

    reason: Reason
    text: str


class Verdict:
    """A job at the moment `now`.

    `expected` is when its next success was or is due, `latest` that with the grace; None without a timetable.
    """

    def __init__(self, journal: Journal, rules: Rules, now: datetime) -> None:
        self.journal = journal
        self._rules = rules
        self._now = now
        self.expected: datetime | None = None
        self.latest: datetime | None = None
        if rules.timetable is not None:
            due = rules.timetable.after(journal.counted_from)
            self.expected = due.at
            self.latest = due.at + (min(USUAL_GRACE, due.gap) if rules.grace is None else rules.grace)

    @property
    def waits(self) -> bool:
        """Return whether nothing is known of the job, and need not be yet."""
        return self.journal.empty and not self._rules.figures and not self._is_late

    @property
    def waiting(self) -> str:
        """Return what is waited for, where nothing is known of the job."""
        by = f"; one is expected by {self._when(self.latest)}" if self.latest else ""
        return f"it has not reported yet{by}"

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong, the worst first: failed, long, late or never."""
        end, longest = self.journal.end, self._rules.longest
        if end is not None and not end.good:
            how = "said that it failed" if end.status is None else f"failed with exit status {end.status}"
            why = f": {end.text}" if end.text else ""
            yield Finding(Reason.STATUS, f"it {how}, {self._ago(end.at)} ago{why}")
        for begun in self.journal.running.values():
            if longest is not None and self._now - begun > longest:
                text = f"the run that began {self._when(begun)} has not ended in {self._ago(begun)}, and may take"
                yield Finding(Reason.TIMEOUT, f"{text} {_span(longest)}")
        if self._is_late and not self._rules.figures:
            yield Finding(Reason.MISSING, self._late())

    def measures(self) -> Iterator[tuple[str, float]]:
        """Yield what can be measured, each by its name."""
        journal = self.journal
        yield "age", (self._now - (journal.success or journal.since)).total_seconds()
        if journal.end is not None:
            yield "exit_status", (not journal.end.good) if journal.end.status is None else journal.end.status
            if journal.end.took is not None:
                yield "took", journal.end.took.total_seconds()
        first = min(journal.running.values(), default=self._now)
        yield "running", (self._now - first).total_seconds()
        if self.expected is not None:
            yield "late", max(self._now - self.expected, NOTHING).total_seconds()

    @property
    def silence(self) -> str:
        """Return in words since when nothing good was heard, and since when more was expected."""
        success = self.journal.success
        said = f"last success {self._when(success)}, {self._ago(success)} ago" if success else self._never()
        if self.expected is None or self.expected > self._now:
            return said
        return f"{said}; expected {self._when(self.expected)}, {self._ago(self.expected)} ago"

    @property
    def _is_late(self) -> bool:
        return self.latest is not None and self._now > self.latest

    def _late(self) -> str:
        running = self.journal.running
        begun = f"; a run began {self._ago(min(running.values()))} ago and has not ended" if running else ""
        return f"late: {self.silence}{begun}" if self.journal.success else f"{self.silence}{begun}"

    def _never(self) -> str:
        never = "it has never reported" if self.journal.empty else "it has never succeeded"
        return f"{never} (looked for since {self._when(self.journal.since)})"

    def _when(self, moment: datetime | None) -> str:
        return f"{moment.astimezone(ZoneInfo(self._rules.zone)):%Y-%m-%d %H:%M} {self._rules.zone}" if moment else ""

    def _ago(self, moment: datetime) -> str:
        return _span(self._now - moment)


def _span(duration: timedelta) -> str:
    return show_duration(duration.total_seconds())
