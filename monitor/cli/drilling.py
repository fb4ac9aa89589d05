"""The command that begins a drill, and follows it."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop

from monitor import errand
from monitor.cli.acting import WhoOption, who_acts
from monitor.cli.terminal import FAILED, exit_status, say
from monitor.clock import SystemClock
from monitor.drill import LEAST, MOST, STALE
from monitor.drilled import Followed, refused
from monitor.faults import ConfigError, Fault
from monitor.model import Act, CheckId, Deed, Severity
from monitor.place import open_to_ask
from monitor.settings import read_settings
from monitor.units import parse_duration, show_duration

if TYPE_CHECKING:
    from datetime import timedelta

    from monitor.store import Store

LEVELS = tuple(str(severity) for severity in Severity)


def drill(
    name: Annotated[str, typer.Argument(metavar="SYSTEM/CHECK", help="The check whose routes it takes.")],
    within: Annotated[str, typer.Option(metavar="DURATION", help="How long somebody has to take it.")] = "15m",
    severity: Annotated[str, typer.Option(metavar="LEVEL", help="info, warning or critical.")] = "critical",
    who: WhoOption = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it to its end.")] = True,
) -> None:
    """Wake whoever would be woken now for that check, by an alert that says it is a drill, and see who takes it.

    It goes by the routes of this moment, with escalation, reminders and fallback, whatever is silenced. Whoever takes
    it, by a button, the API or `monitor ack`, ends it. If nobody does, the other channels hear that, and of every
    channel that did not accept its message. Exit status 0 when somebody took it and every channel that was told
    accepted it, else 1. Ctrl-C leaves it running.

    **Examples:** `monitor drill shop/site`, `monitor drill shop/site --within 5m --severity warning`
    """
    with exit_status():
        span, level = _span(within), _level(severity)
        try:
            well = uvloop.run(_drill(name, span, level, who_acts(who), wait=wait))
        except KeyboardInterrupt:
            say("the drill goes on; `monitor alerts` shows it, `monitor ack` ends it")
            well = False
        if not well:
            raise typer.Exit(FAILED)


async def _drill(name: str, within: timedelta, severity: Severity, who: str, *, wait: bool) -> bool:
    """Ask for a drill, and tell of it; return whether it went well."""
    clock = SystemClock()
    store = await open_to_ask(read_settings(remembers=False).database)
    try:
        scope = await errand.scope_of(store, name)
        if not scope.check:
            raise ConfigError([Fault(f"{name!r} is no check; name one", hint="such as shop/site")])
        now = clock.now()
        act = Act(token_hex(8), now, Deed.DRILL, who, scope, until=now + within, severity=severity)
        if why := await refused(store, CheckId(scope.system, scope.check)):
            say(why, "red")
            return False
        if not await errand.leave(store, [act], clock):
            late = show_duration(STALE.total_seconds())
            say(f"no daemon took it up; it begins if one leads within {late}, and not later", "red")
            return False
        return await _follow(store, Followed(store, act, clock), wait=wait)
    finally:
        await store.close()


async def _follow(store: Store, followed: Followed, *, wait: bool) -> bool:
    if not await followed.begun():
        why = await refused(store, followed.key.check)
        say(why or "the drill was not begun: the daemon that leads does not watch that check", "red")
        return False
    if not wait:
        say(f"a drill of {followed.key.check} begins")
        return True
    async for line in followed.lines():
        say(str(line), "red" if line.bad else "")
    lines, well = await followed.verdict()
    for text in lines:
        say(text, "green" if well else "red")
    return well


def _span(text: str) -> timedelta:
    try:
        span = parse_duration(text)
    except ValueError as error:
        raise ConfigError([Fault(str(error), key="--within")]) from None
    if not LEAST <= span <= MOST:
        raise ConfigError([Fault(f"{text!r} is not from 1s to 24h", key="--within")])
    return span


def _level(text: str) -> Severity:
    if text not in LEVELS:
        raise ConfigError([Fault(f"{text!r} is no severity", key="--severity", hint=f"allowed: {', '.join(LEVELS)}")])
    return Severity[text.upper()]
