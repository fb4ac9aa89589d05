"""Queues: what waits and for how long, and whether anybody works on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.colour import ANY_IS_BAD, YES_OR_NO
from dashboards.layout import Row
from dashboards.lines import lines
from dashboards.measure import BOTH, LOOK, SHARE, counted, gauge
from dashboards.panel import About, Look
from dashboards.query import CHOSEN, figures
from dashboards.stat import stat
from dashboards.timeline import timeline

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Panel


def rows() -> list[Row]:
    """Return the rows of the dashboard of pools that show it."""
    return [
        Row("Queues", [[_jobs(), _job_ages()], [_workers(), _ended()], [_busy(), _over()]]),
    ]


def _jobs() -> Panel:
    return lines(
        About(
            "Jobs",
            "What runs, what could run and does not, what may run later. Waiting grows: too few workers, or one job "
            "blocks them.",
        ),
        gauge("queue_running", legend="running"),
        gauge("queue_waiting", legend="waiting"),
        gauge("queue_deferred", legend="deferred"),
        figures("waiting", CHOSEN, "queue"),
        look=LOOK,
    )


def _job_ages() -> Panel:
    return lines(
        About(
            "Oldest of each",
            "Since when the oldest job waits, runs, or is stuck as the next in line; dashed, the figures. High: the "
            "workers hang or are too few.",
            "s",
        ),
        gauge("queue_oldest_waiting_seconds", legend="waits"),
        gauge("queue_longest_running_seconds", legend="runs"),
        gauge("queue_stuck_seconds", legend="stuck"),
        figures("oldest_waiting|longest_running|stuck", CHOSEN, "queue"),
        look=LOOK,
    )


def _workers() -> Panel:
    return timeline(
        About(
            "Workers alive",
            "Whether there are signs of a worker. `no`: nothing is worked on; start it, and see why it died.",
            "none",
            "no worker was ever seen",
        ),
        gauge("queue_worker_alive"),
        look=Look(words=YES_OR_NO, links=BOTH),
    )


def _ended() -> Panel:
    return lines(
        About(
            "Jobs that ended, a minute",
            "Succeeded, failed for good, to be tried again. Many failures: look at the worker's errors, then at its "
            "newest deploy.",
            "cpm",
            "no worker was ever seen",
        ),
        counted("queue_complete", "succeeded"),
        counted("queue_failed", "failed"),
        counted("queue_retried", "again"),
        look=LOOK,
    )


def _busy() -> Panel:
    return lines(
        About(
            "Busy share of the workers",
            "Running jobs of what the workers can run at once. At 100 % for long: jobs begin to wait; add a worker.",
            "percentunit",
        ),
        gauge("queue_busy_share_ratio"),
        look=SHARE,
    )


def _over() -> Panel:
    return stat(
        About(
            "Jobs over their limit",
            "Jobs that run longer than they may, hang, or have lost their worker. More than 0: restart the worker "
            "that holds them.",
        ),
        gauge("queue_over_limit"),
        look=Look(ANY_IS_BAD, links=BOTH),
    )
