"""Sees to drills: begins those that are planned, and reports what the channels and the people did not do.

A planned drill is an act like any other: it is left in the store under an id that follows from its moment, so that it
is carried out once, however often the daemon is restarted.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from monitor.drill import LATE, PLANNED, answers, incident_of
from monitor.model import Act, Deed, Scope, stable_id
from monitor.store import StoreUnavailable, StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from monitor.channels.base import Channel
    from monitor.clock import Clock
    from monitor.drill import Answer, PlannedDrill
    from monitor.model import Alert, Dispatch, Severity
    from monitor.pipeline import Pipeline

TICK = timedelta(seconds=1)
MOST_MESSAGES = 2_000
"""Messages since the beginning of a drill that are looked through for its own."""
MOMENT = timedelta(microseconds=1)

log = structlog.get_logger()


class Askable(Protocol):
    """The part of a store that drills need. `reached`: it can be asked."""

    @property
    def reached(self) -> bool:
        """As `LateStore.reached`."""
        ...

    async def ask(self, act: Act) -> None:
        """As `Store.ask`."""
        ...

    async def dispatches(self, since: datetime, limit: int = 1_000) -> Sequence[Dispatch]:
        """As `Store.dispatches`."""
        ...


class Drilling:
    """Follows the drills of all checks."""

    def __init__(self, clock: Clock, store: Askable, pipeline: Pipeline) -> None:
        """Make one that knows of no plan."""
        self._clock = clock
        self._store = store
        self._pipeline = pipeline
        self._coming: dict[PlannedDrill, datetime] | None = None
        self._channels: Mapping[str, Channel] = {}

    def configure(self, planned: Collection[PlannedDrill], channels: Mapping[str, Channel]) -> None:
        """Begin exactly the drills that are `planned` from now on; `channels` are all that there are.

        What is planned anew, by a file that was changed, comes first after now; what was planned before is not missed.
        """
        known, now = self._coming, self._clock.now()
        since = now if known is not None else now - LATE
        self._coming = {one: (known or {}).get(one) or one.after(since) for one in planned}
        self._channels = channels

    async def run(self) -> None:
        """Do what is due until cancelled. Raises `LeaseLost`."""
        while True:
            await self.tick()
            await self._clock.sleep_until(self._clock.now() + TICK)

    async def tick(self) -> None:
        """Begin what is due, and see how what goes on stands; a store that is away is asked again soon."""
        if not self._store.reached:
            return
        for planned, moment in list((self._coming or {}).items()):
            await self._begin(planned, moment)
        for alert in self._pipeline.drills:
            await self._pipeline.see_drill(alert, await self._answers(alert), self._takers)

    async def _begin(self, planned: PlannedDrill, moment: datetime) -> None:
        """Ask for a drill whose moment has come, unless that is long past; then for none until the next."""
        now = self._clock.now()
        if now < moment or self._coming is None:
            return
        if now - moment <= LATE:
            identity = stable_id("drill", *planned.check, moment.isoformat())
            scope, until = Scope(*planned.check), now + planned.within
            act = Act(identity, now, Deed.DRILL, PLANNED, scope, until=until, severity=planned.severity)
            try:
                await self._store.ask(act)
            except StoreUnavailable as error:
                log.warning("drill_not_begun", check=str(planned.check), why=str(error))
                return
        self._coming[planned] = planned.after(max(moment, now - LATE))

    async def _answers(self, alert: Alert) -> Mapping[str, Answer]:
        """Return what the channels said, as far as it can be known now."""
        drill = alert.drill
        if drill is None:
            return {}
        try:
            dispatches = await self._store.dispatches(drill.at - MOMENT, MOST_MESSAGES)
        except (StoreUnavailable, StoreUnusable):
            dispatches = ()
        return answers(drill.told or alert.told, incident_of(alert), dispatches)

    def _takers(self, severity: Severity) -> list[str]:
        return [name for name, channel in self._channels.items() if channel.takes(severity)]
