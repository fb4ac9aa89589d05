"""Taking up a changed configuration."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from monitor.config import Config
from monitor.config.fields import LimitFields
from monitor.faults import ConfigError, Fault
from monitor.reload import reloading

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Daemon:
    config: Config = field(default_factory=Config)
    taken: list[Config] = field(default_factory=list)
    refusals: int = 0

    def configure(self, config: Config) -> None:
        self.taken.append(config)
        self.config = config

    def refused(self) -> None:
        self.refusals += 1


async def reload(daemon: Daemon, load: Callable[[], Config]) -> None:
    """Wish for one reload, and wait until it is over."""
    wish = asyncio.Event()
    task = asyncio.create_task(reloading(daemon, load, wish))
    wish.set()
    while wish.is_set() or (not daemon.taken and not daemon.refusals):  # noqa: ASYNC110 - `load` runs in a thread
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_is_loaded_is_taken_up() -> None:
    daemon, changed = Daemon(), Config()
    with capture_logs() as logs:
        await reload(daemon, lambda: changed)
    assert daemon.taken == [changed]
    assert daemon.taken[0] is changed
    assert [line["event"] for line in logs] == ["reloaded"]


async def test_a_faulty_configuration_changes_nothing_and_is_told() -> None:
    def load() -> Config:
        raise ConfigError([Fault("no such key", "shop/site.ur", "shop.yaml", 3)])

    daemon = Daemon()
    before = daemon.config
    with capture_logs() as logs:
        await reload(daemon, load)
    assert daemon.config is before
    assert daemon.refusals == 1
    assert logs == [
        {"event": "reload_refused", "faults": ["shop.yaml:3: shop/site.ur: no such key"], "log_level": "error"}
    ]


async def test_what_needs_a_restart_is_told() -> None:
    daemon = Daemon()
    with capture_logs() as logs:
        await reload(daemon, lambda: Config(limits=LimitFields(in_flight=7)))
    assert [line["event"] for line in logs] == ["needs_a_restart", "reloaded"]
