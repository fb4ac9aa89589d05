from __future__ import annotations

import platform
from datetime import timedelta

from prometheus_client import REGISTRY

from monitor import __version__
from monitor.metrics import Metrics
from tests.fakes import START
from tests.metrics.reading import read, value


def test_the_schedule_is_reported() -> None:
    """Lag and wait are histograms, so that no scrape misses a bad moment; runs under way are a gauge."""
    metrics = Metrics()
    metrics.schedule.lag(0.003)
    metrics.schedule.waited(7.0)
    metrics.schedule.in_flight(4)
    series = read(metrics)
    assert value(series, "monitor_schedule_lag_seconds_bucket", None, le="0.005") == 1
    assert value(series, "monitor_schedule_lag_seconds_bucket", None, le="0.001") == 0
    assert value(series, "monitor_slot_wait_seconds_sum", None) == 7.0
    assert value(series, "monitor_probes_in_flight", None) == 4


def test_channels_start_at_zero_and_vanish_when_removed() -> None:
    """The first failure of a channel shows as an increase; a channel that is gone is not shown."""
    metrics = Metrics()
    metrics.outbox.configure(["ops", "mail"])
    metrics.outbox.delivered("ops", 3)
    metrics.outbox.failed("ops", "retry")
    series = read(metrics)
    assert value(series, "monitor_notifications_total", None, channel="ops") == 3
    assert value(series, "monitor_notifications_total", None, channel="mail") == 0
    assert value(series, "monitor_notifications_failed_total", None, channel="ops", reason="retry") == 1
    assert value(series, "monitor_notifications_failed_total", None, channel="ops", reason="rejected") == 0
    metrics.outbox.configure(["mail"])
    page = metrics.page()
    assert b'"ops"' not in page
    assert b'channel="mail"' in page


def test_a_channel_that_stays_keeps_its_count() -> None:
    """A reload restarts no counter."""
    metrics = Metrics()
    metrics.outbox.configure(["ops"])
    metrics.outbox.delivered("ops", 3)
    metrics.outbox.configure(["ops"])
    assert value(read(metrics), "monitor_notifications_total", None, channel="ops") == 3


def test_what_is_owed_is_reported() -> None:
    """The number and the age of what waits are gauges."""
    metrics = Metrics()
    metrics.outbox.pending(5, 61.5)
    series = read(metrics)
    assert value(series, "monitor_outbox_pending", None) == 5
    assert value(series, "monitor_outbox_oldest_age_seconds", None) == 61.5


def test_a_refused_reload_keeps_the_moment_of_the_last_good_one() -> None:
    """One gauge says that it failed, the other since when the old file has been running."""
    metrics = Metrics()
    metrics.daemon.reloaded(START, successful=True)
    metrics.daemon.reloaded(START + timedelta(hours=1), successful=False)
    series = read(metrics)
    assert value(series, "monitor_config_last_reload_successful", None) == 0
    assert value(series, "monitor_config_last_reload_success_timestamp_seconds", None) == START.timestamp()


def test_the_daemon_reports_itself() -> None:
    """Leadership, store, losses, clock, loop, pings, build and process are on the page."""
    metrics = Metrics()
    daemon = metrics.daemon
    daemon.leader.set(1)
    daemon.store_available.set(1)
    daemon.samples_lost.inc(2)
    daemon.clock_offset.set(-0.5)
    daemon.loop_lag(0.02)
    daemon.pinged(accepted=True)
    daemon.pinged(accepted=False)
    series = read(metrics)
    assert value(series, "monitor_leader", None) == 1
    assert value(series, "monitor_store_available", None) == 1
    assert value(series, "monitor_samples_lost_total", None) == 2
    assert value(series, "monitor_clock_offset_seconds", None) == -0.5
    assert value(series, "monitor_event_loop_lag_seconds_bucket", None, le="0.025") == 1
    assert value(series, "monitor_deadman_pings_total", None) == 2
    assert value(series, "monitor_deadman_pings_failed_total", None) == 1
    assert value(series, "monitor_build_info", None, version=__version__, python=platform.python_version()) == 1
    assert value(series, "process_resident_memory_bytes", None) is not None


def test_two_daemons_in_one_process_share_nothing() -> None:
    """No series is on the library's global registry, so tests and embedders cannot meet."""
    one, other = Metrics(), Metrics()
    one.daemon.leader.set(1)
    assert value(read(other), "monitor_leader", None) == 0
    assert not [name for name in REGISTRY._names_to_collectors if name.startswith("monitor_")]
