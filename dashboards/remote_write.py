"""What the daemon pushes: how much is accepted, what waits, what is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.layout import Row
from dashboards.lines import bars, lines
from dashboards.measure import own
from dashboards.panel import About
from dashboards.query import OWN, Query, newest, per_minute, per_second

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Panel

NO_PUSH = "nothing is pushed"


def row() -> Row:
    """Return the row of the daemon's dashboard that shows it."""
    return Row("Remote write", [[_pushed(), _not_pushed()], [_push_waits(), _push_age()]])


def _pushed() -> Panel:
    return lines(
        About("Samples pushed", "Accepted each second. None: nobody takes them; see the failures.", "cps", NO_PUSH),
        Query(per_second("monitor_remote_write_samples_total", OWN, "instance"), "{{instance}}"),
    )


def _not_pushed() -> Panel:
    return bars(
        About(
            "Requests not accepted, samples lost",
            "A minute, by reason. `rejected`: address or token is wrong; others: the receiver is away, and is tried "
            "again.",
            "cpm",
            NO_PUSH,
        ),
        Query(per_minute("monitor_remote_write_failed_total", OWN, "reason"), "{{reason}}"),
        Query(per_minute("monitor_remote_write_dropped_samples_total", OWN, "instance"), "{{instance}} lost samples"),
    )


def _push_waits() -> Panel:
    return lines(
        About("Samples that wait", "Not accepted yet. Growing: after ten minutes the oldest are lost.", empty=NO_PUSH),
        own("remote_write_pending_samples"),
    )


def _push_age() -> Panel:
    newest_push = newest("monitor_remote_write_last_success_timestamp_seconds", OWN, "instance")
    return lines(
        About("Since the last push", "More than a minute: the receiver is away, or nobody leads.", "s", NO_PUSH),
        Query(f"time() - {newest_push}", "{{instance}}"),
    )
