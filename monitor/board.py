"""The board: every alert that is live, in memory, as the store holds it."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.model import Alert, AlertKey, CheckId

BESIDE = timedelta(minutes=5)
MOST_BESIDE = 5


class Board:
    """Alerts by key, by check and by incident; an alert that is idle is taken off."""

    def __init__(self, alerts: Iterable[Alert] = ()) -> None:
        self._alerts: dict[AlertKey, Alert] = {}
        self._keys: defaultdict[CheckId, set[AlertKey]] = defaultdict(set)
        self._incidents: dict[str, AlertKey] = {}
        for alert in alerts:
            self.put(alert)

    def __iter__(self) -> Iterator[Alert]:
        return iter(list(self._alerts.values()))

    def __len__(self) -> int:
        return len(self._alerts)

    def __contains__(self, key: AlertKey) -> bool:
        return key in self._alerts

    def get(self, key: AlertKey) -> Alert | None:
        """Return the live alert of that key."""
        return self._alerts.get(key)

    def of(self, check: CheckId) -> list[Alert]:
        """Return the live alerts of `check`."""
        return [self._alerts[key] for key in self._keys.get(check, ())]

    def of_incident(self, incident: str) -> Alert | None:
        """Return the alert of which that is the present incident."""
        key = self._incidents.get(incident)
        return self._alerts.get(key) if key is not None else None

    def put(self, alert: Alert) -> None:
        """Keep `alert`, or take it off once it is idle."""
        key = alert.key
        self._follow(self._alerts.get(key), alert)
        if not alert.idle:
            self._alerts[key] = alert
            self._keys[key.check].add(key)
        elif self._alerts.pop(key, None):
            self._keys[key.check].discard(key)
            if not self._keys[key.check]:
                del self._keys[key.check]

    def _follow(self, before: Alert | None, after: Alert) -> None:
        """Note which incident is the present one of an alert: its id is dear, and seldom another."""
        was = before.since if before is not None else None
        since = None if after.idle else after.since
        if was == since:
            return
        if before is not None and was is not None:
            self._incidents.pop(before.incident, None)
        if since is not None:
            self._incidents[after.incident] = after.key

    def beside(self, alert: Alert) -> list[str]:
        """Return the titles of what else began within minutes of `alert`, nearest first."""
        if alert.since is None:
            return []
        near = sorted(
            (abs(other.since - alert.since), other.title)
            for other in self._alerts.values()
            if other.since and other.key.check != alert.key.check and abs(other.since - alert.since) <= BESIDE
            if other.drill is None
        )
        return [title for _, title in near[:MOST_BESIDE]]
