"""What is remembered of a job: a few lines, folded from what it reported. Pure; moments are those of our own clock.

Reports arrive twice, late, or not at all. So a run that has a name is known by it: its end may overtake its start, and
a start that is told twice began at the first. A run that nobody ended (it was killed) is no longer waited for once one
that began later has succeeded, or, without names, once another has begun.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from monitor.model import Report, Said

MOST_RUNS = 10
"""Runs of one job that may be under way at once, and ends that are remembered: beyond it the oldest is forgotten."""
OVERTAKEN = timedelta(minutes=10)
"""How long after its end a run's start may still arrive; later it is another run of that name."""


class Kept(BaseModel):
    """Base of what is kept as JSON. What a later release has added is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class End(Kept):
    """How a run ended: `status` is its exit status, if it told one; `took` how long it ran, if its start is known."""

    at: datetime
    good: bool
    status: int | None = None
    text: str = ""
    took: timedelta | None = None


class Journal(Kept):
    """What is known of a job.

    `since` is when we first looked for it, `changed` when its `schedule` became another one. `running` has the start of
    each run that is under way by its name, `ended` when each of the last ones ended; a run without a name is called
    nothing.
    """

    since: datetime
    schedule: str = ""
    changed: datetime | None = None
    success: datetime | None = None
    end: End | None = None
    running: Mapping[str, datetime] = {}
    ended: Mapping[str, datetime] = {}

    @classmethod
    def read(cls, body: str) -> Self | None:
        """Return what `body` holds; None if it is empty, or not ours."""
        try:
            return cls.model_validate_json(body) if body else None
        except ValidationError:
            return None

    @property
    def body(self) -> str:
        """Return it as JSON, in which what is not known is left out."""
        return self.model_dump_json(exclude_defaults=True)

    @property
    def counted_from(self) -> datetime:
        """Return the moment after which the next success is due."""
        last = self.success or self.since
        return max(last, self.changed) if self.changed else last

    @property
    def empty(self) -> bool:
        """Return whether the job has never reported."""
        return self.end is None and not self.running

    def expected(self, schedule: str, now: datetime) -> Self:
        """Return it under a schedule, by which, if it is another one, the job is expected from `now` on."""
        return self if self.schedule == schedule else self.model_copy(update={"schedule": schedule, "changed": now})

    def not_later(self, now: datetime) -> Self:
        """Return it with nothing later than `now`: what a clock that was wrong has dated so must not pass for fresh."""
        end = self.end
        changed = {
            "since": min(self.since, now),
            "changed": self.changed and min(self.changed, now),
            "success": self.success and min(self.success, now),
            "end": end and end.model_copy(update={"at": min(end.at, now)}),
            "running": {run: min(at, now) for run, at in self.running.items()},
            "ended": {run: min(at, now) for run, at in self.ended.items()},
        }
        return self.model_copy(update=changed)

    def hear(self, report: Report, at: datetime) -> Self:
        """Return it with one more report, which arrived `at` that moment."""
        return self._begun(report.run, at) if report.said is Said.START else self._ended(report, at)

    def joined(self, other: Self) -> Self:
        """Return what both know together: of each thing the newer, else that of `other`; runs that neither saw end."""
        ended = _newest({**self.ended, **other.ended})
        begun = {**self.running, **other.running}
        running = {run: at for run, at in begun.items() if run not in ended or ended[run] < at}
        successes = [each for each in (self.success, other.success) if each]
        ends = [each for each in (other.end, self.end) if each]
        changed = {
            "since": min(self.since, other.since),
            "success": max(successes, default=None),
            "end": max(ends, key=lambda end: end.at, default=None),
            "running": _newest(running),
            "ended": ended,
        }
        return self.model_copy(update=changed)

    def _begun(self, run: str, at: datetime) -> Self:
        if run in self.ended and at - self.ended[run] <= OVERTAKEN:
            return self
        known = self.running.get(run, at) if run else at
        return self.model_copy(update={"running": _newest({**self.running, run: known})})

    def _ended(self, report: Report, at: datetime) -> Self:
        run = self._known_as(report.run)
        begun = self.running.get(run)
        good = report.said is Said.SUCCESS
        again = self.end.took if self.end and report.run in self.ended else None  # it was told twice
        end = End(at=at, good=good, status=report.status, text=report.text, took=at - begun if begun else again)
        running = {
            other: start
            for other, start in self.running.items()
            if other != run and not (good and begun and start < begun)
        }
        ended = _newest({**self.ended, report.run: at}) if report.run else self.ended
        changed = {"end": end, "running": running, "ended": ended, "success": at if good else self.success}
        return self.model_copy(update=changed)

    def _known_as(self, run: str) -> str:
        """Return the name under which a run that ends has begun: its own, unless one of the two reports named none."""
        if run in self.running:
            return run
        if not run and len(self.running) == 1:
            return next(iter(self.running))
        return "" if "" in self.running else run


def _newest(moments: Mapping[str, datetime]) -> dict[str, datetime]:
    return dict(sorted(moments.items(), key=lambda pair: pair[1])[-MOST_RUNS:])
