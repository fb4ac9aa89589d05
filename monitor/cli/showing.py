"""The command that brings its own world to watch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop

from monitor.app import serve
from monitor.cli.terminal import configure_logs, exit_status, say
from monitor.clock import SystemClock
from monitor.config import Config, load
from monitor.demo.stage import local, staged
from monitor.demo.world import World
from monitor.faults import ConfigError, Fault
from monitor.settings import read_settings

if TYPE_CHECKING:
    from monitor.settings import Settings

FILE = Path(__file__).parents[1] / "demo" / "demo.yaml"


def demo(
    world: Annotated[
        str, typer.Option("--world", "--shop", metavar="HOST:PORT", help="Where the demo's world answers.")
    ] = "127.0.0.1:8081",
    by_hand: Annotated[bool, typer.Option("--by-hand", help="No script: all is well until POST /break.")] = False,
) -> None:
    """Watch five bundled systems that go wrong in turn for ten minutes; pages are printed here.

    **Example:** `monitor demo`, then `curl -X POST http://127.0.0.1:8081/break`, and `/heal`
    """
    with exit_status():
        host, _, port = world.rpartition(":")
        if not host or not port.isdecimal():
            raise ConfigError([Fault(f"{world!r} is not an address such as 127.0.0.1:8081", key="--world")])
        uvloop.run(_demo(read_settings(), host, int(port), by_hand=by_hand))


async def _demo(settings: Settings, host: str, port: int, *, by_hand: bool) -> None:
    configure_logs(settings, Config())  # the world speaks before there is a configuration
    async with staged(World(SystemClock(), by_hand=by_hand), host, port, os.environ) as stage:
        environ = {**os.environ, **stage.environ}

        def read() -> Config:
            loaded = load(FILE, environ)
            configure_logs(settings, loaded)
            return loaded

        config = read()
        here = stage.address
        going = (
            "All is well until you break something" if by_hand else "Its five systems go wrong in turn for ten minutes"
        )
        say(f"The demo's world: {here} ({going}; pages are printed here.)")
        say(f"Break something yourself: curl -X POST {here}/break, and to end it: curl -X POST {here}/heal")

        def told(monitor: str) -> None:
            stage.watched_from(monitor)
            say(f"What the monitor makes of it: {local(monitor)} (its metrics: {local(monitor)}/metrics)")

        await serve(config, settings, read, told)
