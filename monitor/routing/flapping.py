"""What opens and ends again and again is said once, and then no more until it has been stable. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.model import Alert


class Flapping(NamedTuple):
    """When an alert is said to flap: at so many `changes` `within` a time; until it was `stable` for so long."""

    changes: int = 4
    within: timedelta = timedelta(hours=1)
    stable: timedelta = timedelta(minutes=30)

    def counted(self, before: Alert, after: Alert, now: datetime) -> Alert:
        """Return `after` with its change from `before` counted, if it opened or ended."""
        if (before.severity is None) == (after.severity is None):
            return after
        return replace(after, changes=(*after.changes, now)[-self.changes :])

    def recent(self, alert: Alert, now: datetime) -> Alert:
        """Return `alert` without changes that are long past; one that flaps keeps them until it is stable."""
        changes = tuple(change for change in alert.changes if now - change < self.within)
        return alert if alert.flapping or changes == alert.changes else replace(alert, changes=changes)

    def begins(self, alert: Alert) -> bool:
        """Return whether `alert` is seen to flap only now."""
        return not alert.flapping and len(alert.changes) >= self.changes

    def is_stable(self, alert: Alert, now: datetime) -> bool:
        """Return whether a flapping alert has stayed as it is for long enough."""
        return not alert.changes or now - alert.changes[-1] >= self.stable


USUAL = Flapping()
