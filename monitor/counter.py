"""What is asked and done over HTTP, served by any instance: one that waits reads the store, and leaves word there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.faults import ConfigError, unknown
from monitor.live import as_record, iso, live
from monitor.model import CheckId
from monitor.store import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from monitor.clock import Clock
    from monitor.desk import Desk
    from monitor.live import Live
    from monitor.model import Act, Alert, Dispatch, Scope, Silence
    from monitor.store import Store
    from monitor.web import Reply

MOST_MESSAGES = 2_000
"""Messages that are read for one answer: a few tens of milliseconds."""
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Serves requests.

    `look` opens the store, whoever leads. `alerts_here` are those that this instance knows of, if it leads (None: it
    does not). `checks`: those that are configured.
    """

    clock: Clock
    desk: Desk
    look: Callable[[], Awaitable[Store]]
    alerts_here: Callable[[], Sequence[Alert] | None]
    checks: Callable[[], Collection[CheckId]]

    def look_for(self, scope: Scope) -> None:
        """Raise `ConfigError` if there is no such system or check."""
        checks = self.checks()
        known = {*{check.system for check in checks}, *map(str, checks)} | {""}
        name = str(CheckId(scope.system, scope.check)) if scope.check and scope.system else scope.system
        if name not in known:
            raise ConfigError([unknown(name, sorted(known - {""}))])

    async def alerts(self, scope: Scope) -> list[dict[str, object]]:
        """Return the live alerts that `scope` means, the worst first."""
        here = self.alerts_here()
        try:
            return [as_record(one) for one in await self._live(scope, here)]
        except StoreUnavailable:
            if here is None:
                raise
            return [as_record(one) for one in live(_meant(here, scope), [])]

    async def silences(self) -> list[dict[str, object]]:
        """Return the silences that have not ended, in the order in which they begin."""
        return [record_of(one) for one in await self._silences()]

    async def lift(self, silence: str, act: Act) -> Act | None:
        """Return `act` as one that ends the silence of that id; None if there is none, or it has ended."""
        found = [one for one in await self._silences() if one.id == silence]
        return replace(act, scope=found[0].scope, incident=silence) if found else None

    async def take(self, act: Act) -> Reply:
        """Carry `act` out, or see to it that it will be."""
        return await self.desk.take(act)

    async def _live(self, scope: Scope, here: Sequence[Alert] | None) -> list[Live]:
        store = await self.look()
        wanted = _meant(await store.alerts() if here is None else here, scope)
        since = min((alert.since for alert in wanted if alert.since), default=None)
        messages: Sequence[Dispatch] = await store.dispatches(since - MOMENT, MOST_MESSAGES) if since else ()
        now = self.clock.now()
        return live(wanted, messages, await store.silences(now), now)

    async def _silences(self) -> list[Silence]:
        return await (await self.look()).silences(self.clock.now())


def record_of(one: Silence) -> dict[str, object]:
    """Return what JSON says of a silence."""
    return {
        "id": one.id,
        "system": one.scope.system or None,
        "check": one.scope.check or None,
        "alert": one.scope.alert or None,
        "labels": dict(one.scope.labels),
        "since": iso(one.since),
        "until": iso(one.until),
        "who": one.who,
        "why": one.why,
        "maintenance": one.maintenance,
    }


def _meant(alerts: Sequence[Alert], scope: Scope) -> list[Alert]:
    return [alert for alert in alerts if alert.live and scope.covers(alert.key)]
