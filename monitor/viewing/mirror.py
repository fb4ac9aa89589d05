"""How everything stands as another instance sees it: read from the store by one that waits for its turn.

Values of thresholds are made from the stored runs, as the leader makes them; those of windows that reach back further
than is read are not known here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.board import Board
from monitor.showing import Picture
from monitor.situation import Situation
from monitor.viewing.here import Here

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from monitor.config import Config
    from monitor.model import Alert, AlertKey, Sample, Severity
    from monitor.store import Store

WARM = timedelta(hours=1)
"""How far back single runs are read for the windows of thresholds, at most."""
LATE = timedelta(seconds=30)
"""So much later than it ended a run may be written."""
STALE = timedelta(minutes=10)
"""After so long it is cheaper to begin anew."""


class Mirror:
    """A picture that follows the store, of the checks of one configuration."""

    def __init__(self, config: Config, hide: Callable[[str], str], now: datetime) -> None:
        """Make one that has read nothing; `hide` is that of a `Picture`."""
        self.config = config
        self.picture = Picture(Situation(), hide, reach=WARM)
        self._here = Here(self.picture)
        self.picture.situation.configure(config.plans, (), now)
        self._read_to: datetime | None = None
        self._firing: dict[AlertKey, Severity] = {}

    def stale(self, config: Config, now: datetime) -> bool:
        """Return whether it is of another configuration, or too much has happened since it was read."""
        return config is not self.config or (self._read_to is not None and now - self._read_to > STALE)

    async def refresh(self, store: Store, now: datetime) -> None:
        """Read what is new. Raises `StoreUnavailable`."""
        await self._here.refresh(store, self.config, now, messages=True)
        self.picture.situation.silences = {one.id: one for one in await store.silences(now)}
        begin = now - WARM if self._read_to is None else self._read_to - LATE
        async for sample in store.replay(begin):
            if sample.at <= now:
                self._see(sample)
        self._take(await store.alerts(), now)
        self._read_to = now

    def _see(self, sample: Sample) -> None:
        watched = self.picture.situation.watched.get(sample.check)
        if watched is None:
            return
        strip = self.picture.strip(sample.check)
        if strip.newest is None or sample.at > strip.newest.at:
            strip.add(sample, self.picture.situation.silences.values())
        if watched.newest is None or sample.at > watched.newest.at:
            watched.see(sample)

    def _take(self, alerts: Sequence[Alert], now: datetime) -> None:
        """Show `alerts`, and colour the hours in which they fire."""
        self.picture.situation.board = Board(alerts)
        firing = {alert.key: alert.severity for alert in alerts if alert.severity is not None and alert.drill is None}
        for key in self._firing.keys() | firing.keys():
            if self._firing.get(key) != firing.get(key):
                self.picture.strip(key.check).fire(key, firing.get(key), now)
        self._firing = firing
