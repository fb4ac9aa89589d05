"""Hears what people say in the channels, while we lead: each in a task of its own, begun anew when it breaks off.

A channel that changed, or another of its kind that may share its connection, is left and begun as it is now; the others
are not disturbed. Whatever happens to one concerns no other, and nothing that tells or probes.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog

from monitor.channels.base import listen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from monitor.channels.base import Channel, Ear, Resources
    from monitor.clock import Clock
    from monitor.model import Act, Notification

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=2)
STEADY = timedelta(minutes=5)
"""After listening for so long, what breaks off is a new fault: it begins anew with the shortest wait."""

log = structlog.get_logger()

Form = tuple[Any, ...]


class Hearing:
    """An `Ear` made of what carries acts out, what knows where messages stand, and what knows how incidents do."""

    def __init__(
        self,
        hear: Callable[[Act], Awaitable[str]],
        posted: Callable[[str], Mapping[str, str]],
        about: Callable[[str], Notification | None],
    ) -> None:
        self._hear = hear
        self._posted = posted
        self._about = about

    async def hear(self, act: Act) -> str:
        """As `Ear.hear`."""
        return await self._hear(act)

    def posted(self, channel: str) -> Mapping[str, str]:
        """As `Ear.posted`."""
        return self._posted(channel)

    def about(self, incident: str) -> Notification | None:
        """As `Ear.about`."""
        return self._about(incident)


class Listening:
    """The listening to every channel."""

    def __init__(self, clock: Clock, ear: Ear, jitter: Callable[[], float]) -> None:
        """Make one that listens to nothing; `jitter` yields 0 to 1."""
        self._clock = clock
        self._ear = ear
        self._jitter = jitter
        self._wanted: dict[str, tuple[Form, Channel, Resources]] = {}
        self._running: dict[str, tuple[Form, asyncio.Task[None]]] = {}
        self._changed = asyncio.Event()

    def configure(self, channels: Mapping[str, Channel], resources: Resources) -> None:
        """Listen to exactly `channels`, by name, from now on."""
        self._wanted = {
            name: (_form(channel, channels), channel.among(channels), resources) for name, channel in channels.items()
        }
        self._changed.set()

    async def run(self) -> None:
        """Listen until cancelled."""
        try:
            while True:
                self._changed.clear()
                await self._leave({name for name, (form, _) in self._running.items() if not self._wants(name, form)})
                for name, (form, channel, resources) in self._wanted.items():
                    if name not in self._running:
                        task = asyncio.create_task(self._keep(name, channel, resources), name=f"listen to {name}")
                        self._running[name] = form, task
                await self._changed.wait()
        finally:
            await self._leave(set(self._running))

    def _wants(self, name: str, form: Form) -> bool:
        return name in self._wanted and self._wanted[name][0] == form

    async def _leave(self, names: set[str]) -> None:
        tasks = [self._running.pop(name)[1] for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, name: str, channel: Channel, resources: Resources) -> None:
        """Listen to one channel, again and again; the waits grow up to two minutes."""
        wait = FIRST_WAIT
        while True:
            began = self._clock.now()
            why = await listen(channel, name, self._ear, resources)
            if not why:
                return
            now = self._clock.now()
            if now - began >= STEADY:
                wait = FIRST_WAIT
            log.warning("channel_not_heard", channel=name, reason=why, again=f"{wait.total_seconds():g} s")
            await self._clock.sleep_until(now + wait * (1 + self._jitter() / 2))
            wait = min(wait * 2, LONGEST_WAIT)


def _form(channel: Channel, channels: Mapping[str, Channel]) -> Form:
    """Return what is equal as long as neither `channel` nor any of its kind changed."""
    alike = [(name, one.__dict__) for name, one in channels.items() if one.kind == channel.kind]
    return (channel.__dict__, *alike)
