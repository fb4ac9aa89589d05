"""How the daemon itself is: for the platform's health check, the dead man's switch and its own metrics."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.deadman import EVERY, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from monitor.clock import SystemClock
    from monitor.leadership import Leadership
    from monitor.metrics.own import DaemonMetrics
    from monitor.outbox import Outbox
    from monitor.pipeline import Pipeline
    from monitor.plan import Plan
    from monitor.store import Writer

STALE = timedelta(minutes=2)


class Health:
    """Asks the parts how they are."""

    def __init__(
        self,
        clock: SystemClock,
        leadership: Leadership,
        pipeline: Pipeline,
        writer: Writer,
        outbox: Outbox,
        plans: Callable[[], Collection[Plan]],
    ) -> None:
        """Make it for these parts; `plans` returns what is watched now."""
        self._clock = clock
        self._leadership = leadership
        self._pipeline = pipeline
        self._writer = writer
        self._outbox = outbox
        self._plans = plans
        self._lost = 0

    def pace(self) -> timedelta:
        """Return the time within which a sample must come: a minute, or longer where every check runs less often."""
        return max(EVERY, 2 * min((plan.check.every for plan in self._expected), default=EVERY))

    @property
    def _expected(self) -> list[Plan]:
        return [plan for plan in self._plans() if plan.check.scheduled]

    def progress(self) -> Progress:
        """Return how far the work has come."""
        return Progress(self._pipeline.judged_at, self._writer.committed_at, self._outbox.oldest())

    def problems(self) -> Sequence[str]:
        """Return what keeps the daemon from its work: a restart would mend it. Who waits for the lease has no work."""
        age = self._clock.now() - self._pipeline.judged_at
        stale = self._leadership.leads and bool(self._expected) and age > max(STALE, 2 * self.pace())
        return [f"no sample was judged for {age.total_seconds():.0f} s"] if stale else []

    def not_ready(self) -> Sequence[str]:
        """Return why the daemon is not fully at work, or ready to take over."""
        away = "the store cannot be reached: what happens is remembered in memory only"
        return [] if self._writer.available and self._leadership.reached else [away]

    def show(self, daemon: DaemonMetrics) -> None:
        """Bring our own metrics up to date."""
        daemon.leader.set(self._leadership.leads)
        daemon.store_available.set(self._writer.available and self._leadership.reached)
        daemon.clock_offset.set(self._clock.offset().total_seconds())
        daemon.samples_lost.inc(self._writer.lost_samples - self._lost)
        self._lost = self._writer.lost_samples
