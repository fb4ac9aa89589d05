"""What a command does for somebody at the store: see what is meant, leave the act there, see what came of it.

The daemon may run beside it, elsewhere, or not at all: what is asked for waits until one leads.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.faults import ConfigError, Fault, allowed, unknown
from monitor.live import stamp, taken_by, title
from monitor.model import Deed, EventKind, Scope
from monitor.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from monitor.clock import Clock
    from monitor.model import Act, Alert, AlertKey, Silence
    from monitor.store import Store

PATIENCE = timedelta(seconds=5)
"""How long a daemon has to take an act up, which it does within a second when it runs and leads."""
LOOK = timedelta(milliseconds=100)
EVERYTHING = "all"
LATER = "noted; it will be carried out when a daemon runs"


async def scope_of(store: Store, name: str) -> Scope:
    """Return what `system`, `system/check` or `all` means; raises `ConfigError` if the store knows of none."""
    if name == EVERYTHING:
        return Scope()
    checks = {*await store.checks(), *(alert.key.check for alert in await store.alerts())}
    known = [*sorted({check.system for check in checks}), *sorted(map(str, checks))]
    if name not in known:
        raise ConfigError([unknown(name, known)])
    system, _, check = name.partition("/")
    return Scope(system, check)


async def firing(store: Store, scope: Scope) -> list[Alert]:
    """Return what fires of `scope`; raises `ConfigError` for the name of an alert when others fire there."""
    place = scope._replace(alert="")
    found = [alert for alert in await store.alerts() if alert.severity is not None and place.covers(alert.key)]
    named = [alert for alert in found if scope.covers(alert.key)]
    if found and not named:
        hint = allowed(scope.alert, sorted({alert.key.name for alert in found}))
        raise ConfigError([Fault(f"no alert {scope.alert!r} fires there", hint=hint)])
    return named


async def silences(store: Store, scope: Scope, now: datetime) -> list[Silence]:
    """Return the silences that have not ended and mean nothing beyond `scope`."""
    return [one for one in await store.silences(now) if within(one.scope, scope)]


def within(inner: Scope, outer: Scope) -> bool:
    """Return whether every alert that `inner` means is one that `outer` means."""
    named = zip(inner[:3], outer[:3], strict=True)
    return all(theirs in {"", ours} for ours, theirs in named) and set(outer.labels) <= set(inner.labels)


async def leave(store: Store, acts: Sequence[Act], clock: Clock) -> bool:
    """Ask for `acts`; return whether all of them were taken up before our patience ended. Raises `StoreUnavailable`."""
    for act in acts:
        await store.ask(act)
    wanted, late = {act.id for act in acts}, clock.now() + PATIENCE
    while not wanted.isdisjoint(act.id for act in await store.acts()):
        if clock.now() >= late:
            return False
        await clock.sleep_until(clock.now() + LOOK)
    return True


async def acknowledged(store: Store, before: Iterable[Alert]) -> tuple[list[str], bool]:
    """Return what became of alerts that were acknowledged, a line each, and whether each is, or is over."""
    now = {alert.key: alert for alert in await store.alerts() if alert.severity is not None}
    lines = [_acknowledged(alert, now.get(alert.key)) for alert in before]
    return [line for line, _ in lines], all(well for _, well in lines)


def _acknowledged(before: Alert, now: Alert | None) -> tuple[str, bool]:
    if now is None or now.incident != before.incident:
        return f"{title(before)}: {'the drill is over' if before.drill else 'over meanwhile'}", True
    if now.acknowledged is None:
        return f"{title(before)}: still not acknowledged", False
    return f"{title(before)}: {taken_by(now.acknowledged)}", True


async def silenced(store: Store, act: Act) -> tuple[list[str], bool]:
    """Return what became of a silence, and whether it holds."""
    found = [one for one in await store.silences(act.at) if one.id == act.id]
    return [as_line(one) for one in found] or [f"{act.scope}: not silenced"], bool(found)


async def lifted(store: Store, before: Iterable[Silence], now: datetime) -> tuple[list[str], bool]:
    """Return what became of silences that were lifted, and whether all of them have ended."""
    left = {one.id for one in await store.silences(now)}
    lines = [f"{_place(one.scope)}: {'still silenced' if one.id in left else 'lifted'}" for one in before]
    return lines, not any(one.id in left for one in before)


async def noted(store: Store, act: Act) -> tuple[list[str], bool]:
    """Return what became of a note, and whether it is in the journal."""
    events = await store.journal(act.at - timedelta(hours=1))
    found = [one.key for one in events if one.kind is EventKind.NOTED and act.scope.covers(one.key)]
    return [f"noted: {_alert(key)}" for key in dict.fromkeys(found)] or [f"{act.scope}: nothing to note it of"], bool(
        found
    )


def as_line(one: Silence) -> str:
    """Return a silence in a line: what, until when, who, why."""
    kind = "maintenance" if one.maintenance else "silenced"
    why = f" ({plain(one.why)})" if one.why else ""
    return f"{_place(one.scope)}: {kind} from {stamp(one.since)} until {stamp(one.until)} by {plain(one.who)}{why}"


def lift_of(one: Silence, wish: Act, identity: str) -> Act:
    """Return the act that ends a silence: it is known by its id, which stands where incidents do."""
    return type(wish)(identity, wish.at, Deed.LIFT, wish.who, one.scope, one.id, wish.why)


def _place(scope: Scope) -> str:
    return plain(str(scope))


def _alert(key: AlertKey) -> str:
    return plain(f"{key.check} {key.name}")
