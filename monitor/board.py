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
    """Alerts by key and by check; an alert that is idle is taken off."""

    def __init__(self, alerts: Iterable[Alert] = ()) -> None:
        self._alerts: dict[AlertKey, Alert] = {}
        self._keys: defaultdict[CheckId, set[AlertKey]] = defaultdict(set)
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

    def put(self, alert: Alert) -> None:
        """Keep `alert`, or take it off once it is idle."""
        key = alert.key
        if not alert.idle:
            self._alerts[key] = alert
            self._keys[key.check].add(key)
        elif self._alerts.pop(key, None):
            self._keys[key.check].discard(key)
            if not self._keys[key.check]:
                del self._keys[key.check]

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
