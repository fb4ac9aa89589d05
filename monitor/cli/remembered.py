"""The commands that tell what the store remembers. They only read, also beside a daemon that leads."""

from __future__ import annotations

import os
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
import uvloop

from monitor import chronicle, rehearsal
from monitor.archive import read_history, read_live, read_replay
from monitor.cli.terminal import ConfigOption, exit_status, look_for_unknown, say
from monitor.clock import SystemClock
from monitor.config import load
from monitor.faults import ConfigError, Fault
from monitor.live import as_json, as_line, title
from monitor.place import open_to_read
from monitor.review import as_lines, read_week
from monitor.settings import read_settings
from monitor.units import parse_duration

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta
    from pathlib import Path

    from monitor.secrets import Secret
    from monitor.store import Store

COLOURS = {"critical": "red", "warning": "yellow", "info": "blue"}

T = TypeVar("T")


class Output(StrEnum):
    """The forms in which these commands report."""

    TEXT = "text"
    JSON = "json"


OutputOption = Annotated[Output, typer.Option(help="How to report.")]
SinceOption = Annotated[str, typer.Option(metavar="DURATION", help="How far back, such as 36h or 90d.")]


def alerts(
    system: Annotated[str, typer.Option(metavar="SYSTEM", help="Only those of one system.")] = "",
    output: OutputOption = Output.TEXT,
) -> None:
    """Say which alerts are live, since when, and who was told, as the store has it: times are in UTC.

    What is *pending* was seen to fail and does not fire yet. Exit status 0, also while something fires; 1 when the
    store cannot be read.

    **Examples:** `monitor alerts`, `monitor alerts --system shop --output json`
    """
    with exit_status():
        where, now = read_settings(remembers=False).database, SystemClock().now()
        found = uvloop.run(_read(where, partial(read_live, now=now, system=system)))
        if output is Output.JSON:
            typer.echo(as_json(found))
            return
        width = max((len(title(one.alert)) for one in found), default=0)
        for one in found:
            say(as_line(one, width, now), COLOURS.get(one.word, ""))
        if not found:
            say("no alert is live", "green")


def history(
    name: Annotated[str, typer.Argument(metavar="SYSTEM[/CHECK]", help="What to tell of.")],
    since: SinceOption = "7d",
    output: OutputOption = Output.TEXT,
) -> None:
    """Tell what happened, the newest last: alerts and their changes, every message and its attempts, deploys.

    Then how long it took to resolve, and the uptime of each month, up / (up + down), from its beginning on. Times and
    months are in UTC. Exit status 1 when the store cannot be read, 2 when it knows of no such system or check.

    **Examples:** `monitor history shop`, `monitor history shop/site --since 90d --output json`
    """
    with exit_status():
        settings, now = read_settings(remembers=False), SystemClock().now()
        since_then = now - span_of(since)
        told = uvloop.run(_read(settings.database, partial(read_history, name=name, since=since_then, now=now)))
        if output is Output.JSON:
            typer.echo(chronicle.as_json(told))
            return
        for line, severity in chronicle.as_lines(told):
            say(line, COLOURS.get(severity, ""))


def replay(
    name: Annotated[str, typer.Argument(metavar="SYSTEM/CHECK", help="The check.")],
    since: SinceOption = "14d",
    output: OutputOption = Output.TEXT,
    config: ConfigOption = None,
) -> None:
    """Judge stored samples by the figures of a changed configuration: what would have paged, when, for how long.

    Each line says what became of one alert: *new* with these figures, *gone* with them, or the *same* as it was.
    Nothing is sent. Exit status 1 when the store cannot be read, 2 when the configuration cannot be used.

    **Example:** `monitor replay shop/site --since 7d -c changed.yaml`
    """
    with exit_status():
        settings, now = read_settings(remembers=False), SystemClock().now()
        begin = now - span_of(since)
        loaded = load(config or settings.config, os.environ, [name.partition("/")[0]], named_in="")
        look_for_unknown([name], loaded)
        checks = [check for check in loaded.plans if str(check) == name]
        if not checks:
            raise ConfigError([Fault(f"{name!r} is a system; name one check of it", hint="such as shop/site")])
        work = partial(read_replay, check=checks[0], config=loaded, since=begin, now=now)
        replayed = uvloop.run(_read(settings.database, work))
        if output is Output.JSON:
            typer.echo(rehearsal.as_json(replayed))
            return
        for line, severity in rehearsal.as_lines(replayed):
            say(line, COLOURS.get(severity, ""))


def review(config: ConfigOption = None) -> None:
    """Show what the last seven days came to: what paged, how soon somebody took it, and what paged for nothing.

    It is the message that `review:` of the main file sends once a week. Each rule that paged three times or more
    without anybody taking it is named with the figure that would have kept it silent. Nothing is sent. Exit status 1
    when the store cannot be read, 2 when the configuration cannot be used.

    **Example:** `monitor review -c config`
    """
    with exit_status():
        settings, now = read_settings(remembers=False), SystemClock().now()
        loaded = load(config or settings.config, os.environ, settings.systems)
        week = uvloop.run(_read(settings.database, partial(read_week, plans=loaded.plans, until=now)))
        for line, severity in as_lines(week):
            say(line, COLOURS.get(severity, ""))


def span_of(text: str) -> timedelta:
    """Return the span of time that `--since` names; raises `ConfigError` for none."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigError([Fault(str(error), key="--since")]) from None


async def _read(where: Path | Secret, work: Callable[[Store], Awaitable[T]]) -> T:
    """Return what `work` makes of the store at `where`, which is open for reading meanwhile."""
    store = await open_to_read(where)
    try:
        return await work(store)
    finally:
        await store.close()
