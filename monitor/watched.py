"""What is remembered of each check between two runs: its recent values, its newest sample, when it was last known."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from monitor.model import State
from monitor.thresholds import Function, History
from monitor.trend import SPAN, Trend
from monitor.units import Unit

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from monitor.model import AlertKey, Labels, Sample
    from monitor.plan import Plan
    from monitor.thresholds import Threshold

MOST_TRENDS = 50
MIXED = {Function.DRIFT, Function.UNSEEN}


class Watched:
    """One check as it stands.

    `since` is when this process began to look; `heard` the newest sample that could tell up from down, or was left out
    on purpose; `looked_at` when the newest one ended that was not left out. None before the first.
    """

    def __init__(self, plan: Plan, since: datetime) -> None:
        self.plan = plan
        self.history = History((threshold.watch for threshold in plan.thresholds), ZoneInfo(plan.zone))
        self.newest: Sample | None = None
        self.since = since
        self.heard: Sample | None = None
        self.looked_at: datetime | None = None
        self._measures = frozenset(threshold.watch.measure for threshold in plan.thresholds)
        self._up = Trend()
        self._trends: dict[tuple[str, Labels], Trend] = {}

    @property
    def gap(self) -> timedelta:
        """Return the time without a known run after which the check has no data."""
        return self.plan.gap

    def silent(self, now: datetime) -> bool:
        """Return whether there was nothing but unknown, or nothing, for too long; a run left out on purpose is none.

        Of a check that runs only when somebody asks for it nothing is expected.
        """
        return (
            self.plan.check.scheduled
            and now - (max(self.since, self.heard.at) if self.heard else self.since) >= self.gap
        )

    @property
    def asleep(self) -> bool:
        """Return whether the newest run that said anything was left out: nobody can tell how the check is."""
        return self.heard is not None and self.heard.left_out

    def judged(self, sample: Sample) -> None:
        """Note that `sample` was judged: from now on it counts as heard, if it said anything."""
        if sample.state is not State.UNKNOWN or sample.left_out:
            self.heard = sample

    def follow(self, plan: Plan) -> Watched:
        """Return what is watched under a changed plan: values stay known where the same is watched."""
        changed = Watched(plan, self.since)
        changed.newest, changed.heard, changed.looked_at = self.newest, self.heard, self.looked_at
        changed._up = self._up
        same = {one.watch for one in plan.thresholds} == {one.watch for one in self.plan.thresholds}
        if same and plan.zone == self.plan.zone:
            changed.history, changed._trends = self.history, self._trends
        return changed

    def see(self, sample: Sample) -> None:
        """Take in the newest sample."""
        self.newest = sample
        if not sample.left_out:
            self.looked_at = sample.at
        self.recall(sample)

    def reaches(self, at: datetime, now: datetime) -> bool:
        """Return whether a moment of the past still matters; one in the future is of a clock that was wrong."""
        return now - max(SPAN, self.history.reach) < at <= now

    def recall(self, sample: Sample) -> None:
        """Take in a sample of the past, which says nothing of how the check is now."""
        self.history.add(sample)
        if sample.state is State.UNKNOWN:
            return
        self._up.add(sample.at, float(sample.state is State.UP))
        for measure in sample.measures:
            if measure.name in self._measures:
                self._trend(measure.name, measure.labels).add(sample.at, measure.value)

    def trend(self, key: AlertKey, now: datetime) -> list[float | None]:
        """Return the last hour of what the alert of `key` watches: a measure, or else the share of runs up.

        Nothing for what is made of many series at once.
        """
        threshold = self.plan.threshold(key.name)
        if threshold is None:
            return self._up.values(now)
        if threshold.watch.function in MIXED:
            return []
        wanted = set(key.labels)
        fitting = (
            trend
            for (name, labels), trend in self._trends.items()
            if name == threshold.watch.measure and wanted <= set(labels)
        )
        return next(fitting, Trend()).values(now)

    def compared(self, threshold: Threshold, labels: Labels) -> str:
        """Return in words what `threshold` holds against the past for these labels; empty for one that does not."""
        specs = (spec for spec in self.plan.check.declared() if spec.name == threshold.watch.measure)
        unit = next((spec.unit for spec in specs), Unit.NUMBER)
        return self.history.tell(threshold.watch, labels, unit)

    def _trend(self, name: str, labels: Labels) -> Trend:
        trend = self._trends.get((name, labels))
        if trend is None:
            trend = Trend()
            if len(self._trends) < MOST_TRENDS:
                self._trends[name, labels] = trend
        return trend
