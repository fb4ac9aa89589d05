"""The series of the daemon itself, through prometheus_client on a registry of its own."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram, Info

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from prometheus_client import CollectorRegistry

    from monitor.model import CheckId

LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
FAILURES = ("retry", "rejected")
REFUSALS = ("missing", "wrong", "limited")


class ScheduleMetrics:
    """What the scheduler reports of itself."""

    def __init__(self, registry: CollectorRegistry, missed: Callable[[CheckId, int], None]) -> None:
        """Make the series; `missed` counts for a check."""
        self._missed = missed
        self._lag = Histogram(
            "monitor_schedule_lag_seconds",
            "How late runs began, before any wait for a slot.",
            buckets=LAGS,
            registry=registry,
        )
        self._wait = Histogram(
            "monitor_slot_wait_seconds",
            "How long runs waited for a slot, in all or at their host.",
            buckets=LAGS,
            registry=registry,
        )
        self._in_flight = Gauge("monitor_probes_in_flight", "Runs under way.", registry=registry)

    def lag(self, seconds: float) -> None:
        """Note that a run began so long after it was due, before any wait for a slot."""
        self._lag.observe(seconds)

    def waited(self, seconds: float) -> None:
        """Note that a run waited so long for a slot."""
        self._wait.observe(seconds)

    def in_flight(self, count: int) -> None:
        """Show that so many runs are under way."""
        self._in_flight.set(count)

    def missed(self, check: CheckId, count: int) -> None:
        """Count runs of `check` that were left out because an earlier one was late or long."""
        self._missed(check, count)


class OutboxMetrics:
    """What the outbox reports of itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._delivered = Counter(
            "monitor_notifications", "Notifications that a channel accepted.", ["channel"], registry=registry
        )
        self._failed = Counter(
            "monitor_notifications_failed",
            "Attempts to deliver that failed: retried, or rejected for good.",
            ["channel", "reason"],
            registry=registry,
        )
        self._pending = Gauge("monitor_outbox_pending", "Notifications that are still owed.", registry=registry)
        self._oldest = Gauge(
            "monitor_outbox_oldest_age_seconds", "Age of the oldest notification that is owed.", registry=registry
        )
        self._channels: frozenset[str] = frozenset()

    def configure(self, channels: Iterable[str]) -> None:
        """Show exactly these channels from now on; those that are new start at 0."""
        wanted = frozenset(channels)
        for channel in self._channels - wanted:
            self._delivered.remove(channel)
            self._failed.remove_by_labels({"channel": channel})
        for channel in wanted:
            self._delivered.labels(channel)
            for reason in FAILURES:
                self._failed.labels(channel, reason)
        self._channels = wanted

    def delivered(self, channel: str, count: int) -> None:
        """Count notifications that were accepted."""
        self._delivered.labels(channel).inc(count)

    def failed(self, channel: str, reason: str) -> None:
        """Count an attempt that failed; `reason` is `retry` or `rejected`."""
        self._failed.labels(channel, reason).inc()

    def pending(self, count: int, oldest: float) -> None:
        """Show that so many notifications are owed, the oldest since so many seconds."""
        self._pending.set(count)
        self._oldest.set(oldest)


class RemoteWriteMetrics:
    """What remote write reports of itself."""

    def __init__(self, registry: CollectorRegistry, reasons: Iterable[str]) -> None:
        """Make the series; the time of the newest success has none before there was one."""
        self._registry = registry
        self._samples = Counter(
            "monitor_remote_write_samples", "Samples that the remote side accepted.", registry=registry
        )
        self._failed = Counter(
            "monitor_remote_write_failed",
            "Requests that the remote side did not accept, by reason.",
            ["reason"],
            registry=registry,
        )
        self._dropped = Counter(
            "monitor_remote_write_dropped_samples",
            "Samples that were refused for good, or had to wait too long.",
            registry=registry,
        )
        self._pending = Gauge(
            "monitor_remote_write_pending_samples", "Samples that wait to be accepted.", registry=registry
        )
        self._last: Gauge | None = None
        for reason in reasons:
            self._failed.labels(reason)

    def sent(self, samples: int, at: datetime) -> None:
        """Count samples that were accepted at that moment."""
        if self._last is None:
            self._last = Gauge(
                "monitor_remote_write_last_success_timestamp_seconds",
                "When the remote side last accepted samples.",
                registry=self._registry,
            )
        self._samples.inc(samples)
        self._last.set(at.timestamp())

    def failed(self, reason: str) -> None:
        """Count a request that was not accepted."""
        self._failed.labels(reason).inc()

    def dropped(self, samples: int) -> None:
        """Count samples that nobody will get."""
        self._dropped.inc(samples)

    def pending(self, samples: int) -> None:
        """Show how many samples wait."""
        self._pending.set(samples)


class DeployMetrics:
    """When each system was last deployed; a system of which no deploy is known has no series."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._at = Gauge(
            "monitor_deploy_timestamp_seconds", "When the newest deploy was noticed.", ["system"], registry=registry
        )

    def show(self, system: str, at: datetime) -> None:
        """Show the newest deploy of `system`."""
        self._at.labels(system).set(at.timestamp())


class DaemonMetrics:
    """What the rest of the daemon reports: gauges to set and counters to increase."""

    def __init__(self, registry: CollectorRegistry, version: str) -> None:
        self.leader = Gauge("monitor_leader", "Whether this instance leads.", registry=registry)
        self.store_available = Gauge(
            "monitor_store_available", "Whether the store takes what is written.", registry=registry
        )
        self.samples_lost = Counter(
            "monitor_samples_lost", "Samples that were dropped because the store was away too long.", registry=registry
        )
        self.clock_offset = Gauge(
            "monitor_clock_offset_seconds", "How far the system's clock is ahead of the daemon's.", registry=registry
        )
        self._pings = Counter("monitor_deadman_pings", "Attempts to reach the dead man's switch.", registry=registry)
        self._pings_failed = Counter(
            "monitor_deadman_pings_failed", "Attempts that the dead man's switch did not accept.", registry=registry
        )
        self._loop_lag = Histogram(
            "monitor_event_loop_lag_seconds", "How late the event loop woke a task.", buckets=LAGS, registry=registry
        )
        self._reload_ok = Gauge(
            "monitor_config_last_reload_successful", "Whether the newest configuration was good.", registry=registry
        )
        self._reload_at = Gauge(
            "monitor_config_last_reload_success_timestamp_seconds",
            "When a configuration was last taken up.",
            registry=registry,
        )
        self._refused = Counter(
            "monitor_web_refused",
            "Requests whose token was missing or wrong, or not looked at after too many wrong ones.",
            ["reason"],
            registry=registry,
        )
        for reason in REFUSALS:
            self._refused.labels(reason)
        info = Info("monitor_build", "The daemon's version, and the Python that runs it.", registry=registry)
        info.info({"version": version, "python": platform.python_version()})

    def loop_lag(self, seconds: float) -> None:
        """Note that the event loop woke a task so late."""
        self._loop_lag.observe(seconds)

    def pinged(self, *, accepted: bool) -> None:
        """Count an attempt to reach the dead man's switch."""
        self._pings.inc()
        self._pings_failed.inc(not accepted)

    def refused(self, reason: str) -> None:
        """Count a request that was not let in; `reason` is `missing`, `wrong` or `limited`."""
        self._refused.labels(reason).inc()

    def reloaded(self, at: datetime, *, successful: bool) -> None:
        """Show that a configuration was taken up, or refused."""
        self._reload_ok.set(successful)
        if successful:
            self._reload_at.set(at.timestamp())
