"""Takes up a changed configuration while everything runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import structlog

from monitor.faults import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.config import Config

log = structlog.get_logger()


class Configurable(Protocol):
    """What runs a configuration."""

    config: Config

    def configure(self, config: Config) -> None:
        """Run `config` from now on."""

    def refused(self) -> None:
        """Note that a configuration was not taken up."""


async def reloading(daemon: Configurable, load: Callable[[], Config], wish: asyncio.Event) -> None:
    """At each `wish`, let `daemon` run what `load` returns; a faulty configuration changes nothing and is told."""
    while True:
        await wish.wait()
        wish.clear()
        try:
            config = await asyncio.to_thread(load)
        except ConfigError as error:
            daemon.refused()
            log.error("reload_refused", faults=[str(fault) for fault in error.faults])  # noqa: TRY400 - no bug of ours
            continue
        before = daemon.config
        if (config.limits, config.retention) != (before.limits, before.retention):
            log.warning("needs_a_restart", what="limits and retention are taken up at the next start")
        daemon.configure(config)
        log.info("reloaded", checks=len(config.plans))
