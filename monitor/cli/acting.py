"""The commands that do something: acknowledge, silence, note. They ask the daemon by way of the store."""

from __future__ import annotations

import getpass
import os
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvloop

from monitor import errand
from monitor.cli.terminal import FAILED, exit_status, say
from monitor.clock import SystemClock
from monitor.faults import ConfigError, Fault
from monitor.model import Act, Deed, labels
from monitor.moments import ending
from monitor.place import open_to_ask
from monitor.plain import plain
from monitor.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from monitor.store import Store

LONGEST_WHO = 60
LONGEST_WHY = 300
SHORTEST = "say --for 1h, or --until '2026-11-22 18:00'"

PlaceArgument = Annotated[str, typer.Argument(metavar="SYSTEM[/CHECK]", help="What is meant.")]
AlertOption = Annotated[str, typer.Option(metavar="NAME", help="Only that alert: `down`, `no data`, a threshold.")]
WhyOption = Annotated[str, typer.Option(metavar="TEXT", help="Why, for others.")]
WhoOption = Annotated[str, typer.Option(metavar="NAME", help="Who does it; default: the login name.")]
Outcome = tuple[list[str], bool]
"""Lines, and whether it is as it was to be."""


def ack(
    name: PlaceArgument,
    alert: AlertOption = "",
    lasting: Annotated[str, typer.Option("--for", metavar="DURATION", help="For how long; default: 4h.")] = "",
    why: WhyOption = "",
    who: WhoOption = "",
) -> None:
    """Acknowledge what fires: nobody is reminded, and nothing escalates, until it gets worse or the time is over.

    The daemon does it within a second, wherever it runs, if it shares the store. Exit status 1 when nothing fires there
    or the store cannot be reached, 2 for a name that is none.

    **Examples:** `monitor ack shop`, `monitor ack shop/site --for 2h --why "rolling back"`
    """
    now = SystemClock().now()

    async def work(store: Store) -> Outcome:
        scope = (await errand.scope_of(store, name))._replace(alert=alert)
        found = await errand.firing(store, scope)
        if not found:
            return [f"nothing fires at {plain(str(scope))}"], False
        until = _told(lambda: ending(now, lasting), "--for")
        act = Act(token_hex(8), now, Deed.ACKNOWLEDGE, who_acts(who), scope, why=plain(why, LONGEST_WHY), until=until)
        return await _asked(store, [act], lambda: errand.acknowledged(store, found))

    _carry(work)


def silence(  # noqa: PLR0913 - its options
    name: Annotated[str, typer.Argument(metavar="[SYSTEM[/CHECK] | all]", help="What is meant.")] = "",
    lasting: Annotated[str, typer.Option("--for", metavar="DURATION", help="For how long, such as 1h.")] = "",
    until: Annotated[str, typer.Option(metavar="MOMENT", help="Until when, such as '2026-11-22 18:00'.")] = "",
    zone: Annotated[str, typer.Option(metavar="ZONE", help="Whose clock --until means; default: UTC.")] = "",
    alert: AlertOption = "",
    label: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Only with that label.")] = None,
    why: WhyOption = "",
    who: WhoOption = "",
    maintenance: Annotated[bool, typer.Option("--maintenance", help="What is down counts as no outage.")] = False,
    lift: Annotated[bool, typer.Option("--lift", help="End what is silenced there.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Say what is silenced.")] = False,
) -> None:
    """Tell nobody anything new of a system or a check for a time; who was told before still hears the end of it.

    Probing goes on. With `--maintenance` what is down meanwhile counts as no outage in the uptime. Times are in UTC.

    **Examples:** `monitor silence shop/site --for 1h --why "a move"`,
    `monitor silence all --until "2026-11-22 18:00" --zone Europe/Berlin --maintenance`, `monitor silence --list`,
    `monitor silence shop --lift`
    """
    now = SystemClock().now()
    with exit_status():
        _one_of(name, lasting or until, lift=lift, listed=listed)

    async def show(store: Store) -> Outcome:
        scope = await errand.scope_of(store, name or errand.EVERYTHING)
        found = await errand.silences(store, scope, now)
        return [errand.as_line(one) for one in found] or ["nothing is silenced"], True

    async def begin(store: Store) -> Outcome:
        scope = (await errand.scope_of(store, name))._replace(alert=alert, labels=_labels(label or []))
        end = _told(lambda: ending(now, lasting, until, zone), "--for" if lasting else "--until")
        text = plain(why, LONGEST_WHY)
        act = Act(token_hex(8), now, Deed.SILENCE, who_acts(who), scope, "", text, end, maintenance)
        return await _asked(store, [act], lambda: errand.silenced(store, act))

    async def end(store: Store) -> Outcome:
        scope = (await errand.scope_of(store, name))._replace(alert=alert, labels=_labels(label or []))
        found = await errand.silences(store, scope, now)
        if not found:
            return [f"nothing is silenced at {plain(str(scope))}"], False
        wish = Act("", now, Deed.LIFT, who_acts(who), scope, why=plain(why, LONGEST_WHY))
        acts = [errand.lift_of(one, wish, token_hex(8)) for one in found]
        return await _asked(store, acts, lambda: errand.lifted(store, found, SystemClock().now()))

    _carry(show if listed else end if lift else begin)


def note(
    name: Annotated[str, typer.Argument(metavar="SYSTEM/CHECK", help="The check.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What was the matter, or what helped.")],
    alert: AlertOption = "",
    who: WhoOption = "",
) -> None:
    """Note what fixed an alert: its next page shows the last notes. Also: `monitor history note SYSTEM/CHECK TEXT`.

    **Example:** `monitor note shop/site "the certificate; renewed by hand"`
    """
    now = SystemClock().now()
    with exit_status():
        said = plain(text, LONGEST_WHY)
        if not said:
            raise ConfigError([Fault("there is nothing to note", key="TEXT")])

    async def work(store: Store) -> Outcome:
        scope = (await errand.scope_of(store, name))._replace(alert=alert)
        if not scope.check:
            raise ConfigError([Fault(f"{name!r} is a system; name one check of it", hint="such as shop/site")])
        act = Act(token_hex(8), now, Deed.NOTE, who_acts(who), scope, why=said)
        return await _asked(store, [act], lambda: errand.noted(store, act))

    _carry(work)


def _carry(work: Callable[[Store], Awaitable[Outcome]]) -> None:
    """Do `work` at the store, print what came of it, and end with the status that this means."""
    with exit_status():
        lines, well = uvloop.run(_at_store(work))
        for line in lines:
            say(line, "" if well else "red")
        if not well:
            raise typer.Exit(FAILED)


async def _at_store(work: Callable[[Store], Awaitable[Outcome]]) -> Outcome:
    store = await open_to_ask(read_settings(remembers=False).database)
    try:
        return await work(store)
    finally:
        await store.close()


async def _asked(store: Store, acts: Sequence[Act], outcome: Callable[[], Awaitable[Outcome]]) -> Outcome:
    if not await errand.leave(store, acts, SystemClock()):
        return [errand.LATER], True
    return await outcome()


def who_acts(given: str) -> str:
    """Return who acts, on one line."""
    try:
        return plain(given or getpass.getuser(), LONGEST_WHO) or "somebody"
    except (KeyError, OSError):  # no such user here, as in a container
        return plain(os.environ.get("HOSTNAME", ""), LONGEST_WHO) or "somebody"


def _labels(given: Sequence[str]) -> Any:  # noqa: ANN401 - Labels
    pairs = [text.partition("=") for text in given]
    if wrong := [text for text, (name, _, _) in zip(given, pairs, strict=True) if not name or "=" not in text]:
        raise ConfigError([Fault(f"{wrong[0]!r} is not a name and a value, such as region=eu", key="--label")])
    return labels({name: value for name, _, value in pairs})


def _told(moment: Callable[[], datetime | None], option: str) -> datetime | None:
    try:
        return moment()
    except ValueError as error:
        raise ConfigError([Fault(str(error), key=option)]) from None


def _one_of(name: str, time: str, *, lift: bool, listed: bool) -> None:
    """Raise `ConfigError` unless exactly one of the three things is asked for that `silence` does."""
    if listed and (lift or time):
        raise ConfigError([Fault("only lists", key="--list")])
    if lift and time:
        raise ConfigError([Fault("ends silences, now", key="--lift")])
    if not name and not listed:
        raise ConfigError([Fault("say what: a system, a check or all", hint="or --list")])
    if not (listed or lift or time):
        raise ConfigError([Fault("a silence must end", hint=SHORTEST)])
