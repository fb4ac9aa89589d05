"""What opens and ends again and again is said once, and then no more until it has been stable. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.model import Alert

SPAN = timedelta(hours=1)
MOST = 4
"""So many openings and ends within the span are flapping."""
STABLE = timedelta(minutes=30)


def counted(before: Alert, after: Alert, now: datetime) -> Alert:
    """Return `after` with its change from `before` counted, if it opened or ended."""
    if (before.severity is None) == (after.severity is None):
        return after
    return replace(after, changes=(*after.changes, now)[-MOST:])


def recent(alert: Alert, now: datetime) -> Alert:
    """Return `alert` without changes that are long past; one that flaps keeps them until it is stable."""
    changes = tuple(change for change in alert.changes if now - change < SPAN)
    return alert if alert.flapping or changes == alert.changes else replace(alert, changes=changes)


def begins(alert: Alert) -> bool:
    """Return whether `alert` is seen to flap only now."""
    return not alert.flapping and len(alert.changes) >= MOST


def stable(alert: Alert, now: datetime) -> bool:
    """Return whether a flapping alert has stayed as it is for long enough."""
    return not alert.changes or now - alert.changes[-1] >= STABLE
