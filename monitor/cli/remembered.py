"""The commands that tell what the store remembers. They only read, also beside a daemon that leads."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop

from monitor.cli.terminal import exit_status, say, unknown
from monitor.clock import SystemClock
from monitor.faults import ConfigError
from monitor.live import Live, as_json, as_line, live, title
from monitor.place import open_to_read
from monitor.settings import read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.secrets import Secret
    from monitor.store import Store

COLOURS = {"critical": "red", "warning": "yellow", "info": "blue"}
EVERYTHING = 1_000_000
"""Rows that are read at most: years of a busy store."""
MOMENT = timedelta(microseconds=1)


class Output(StrEnum):
    """The forms in which these commands report."""

    TEXT = "text"
    JSON = "json"


OutputOption = Annotated[Output, typer.Option(help="How to report.")]


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
        found = uvloop.run(_alerts(read_settings(remembers=False).database, system))
        if output is Output.JSON:
            typer.echo(as_json(found))
            return
        now = SystemClock().now()
        width = max((len(title(one.alert)) for one in found), default=0)
        for one in found:
            say(as_line(one, width, now), COLOURS.get(one.word, ""))
        if not found:
            say("no alert is live", "green")


async def _alerts(where: Path | Secret, system: str) -> list[Live]:
    store = await open_to_read(where)
    try:
        known = await store.alerts()
        wanted = [alert for alert in known if not system or alert.key.check.system == system]
        if system and not wanted:
            await _require_system(store, system)
        since = min((alert.since for alert in wanted if alert.since), default=None)
        return live(wanted, await store.dispatches(since - MOMENT, EVERYTHING) if since else [])
    finally:
        await store.close()


async def _require_system(store: Store, system: str) -> None:
    """Raise `ConfigError` unless the store knows of a check of `system`."""
    known = sorted({check.system for check in await store.checks()})
    if system not in known:
        raise ConfigError([unknown(system, known)])
