"""A test notification, as `notify` and `init` send it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.app import redactor
from monitor.channels.base import Delivered, deliver
from monitor.clock import SystemClock
from monitor.faults import ConfigError, Fault, allowed
from monitor.notice import trial
from monitor.outside import reach_outside

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.settings import Settings


def look_for_channel(name: str, config: Config) -> None:
    """Raise `ConfigError` where there is no channel of that name, or it is skipped."""
    if name not in config.channels:
        skipped = {skip.name: skip.reason for skip in config.skipped}
        raise ConfigError(
            [Fault(f"there is no channel {name!r}", hint=skipped.get(name) or allowed(name, config.channels))]
        )


async def send_test(channel: str, config: Config, settings: Settings) -> str:
    """Send a test notification; return why the channel did not take it, or nothing."""
    async with reach_outside() as outside:
        clock = SystemClock()
        resources = outside.for_channels(redactor(config, settings), clock)
        result = await deliver(config.channels[channel], trial(channel, clock.now()), resources)
    return "" if isinstance(result, Delivered) else result.reason
