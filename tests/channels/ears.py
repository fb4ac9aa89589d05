"""A channel that listens, and somebody who hears what it does."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from tests.acceptance.peers import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from monitor.channels.base import Channel, Resources
    from monitor.model import Act, Notification
    from tests.fakes import FakeClock


@dataclass(slots=True)
class Said:
    """Knows what goes on and where it is posted, and keeps what people do. `deaf`: the store cannot be reached."""

    references: dict[str, str] = field(default_factory=dict)
    notes: dict[str, Notification] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    deaf: bool = False

    async def hear(self, act: Act) -> str:
        await asyncio.sleep(0)
        if self.deaf:
            raise OSError("no store")
        self.acts.append(act)
        return "done"

    def posted(self, channel: str) -> dict[str, str]:
        assert channel == "ops"
        return dict(self.references)

    def about(self, incident: str) -> Notification | None:
        return self.notes.get(incident)


@asynccontextmanager
async def listening(channel: Channel, ear: Said, resources: Resources, clock: FakeClock) -> AsyncIterator[None]:
    """Let `channel` listen as `ops`, by `clock`."""
    task = asyncio.create_task(channel.listen("ops", ear, replace(resources, clock=clock)))
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Got(Protocol):
    """A peer that keeps what it gets."""

    @property
    def got(self) -> Sequence[Any]: ...


async def arrived(peer: Got, count: int, clock: FakeClock) -> None:
    """Wait until `peer` got so many requests, and whoever sent them has their answers."""
    await until(lambda: len(peer.got) >= count, f"{count} requests")
    await clock.settle()


async def logged(logs: Sequence[Any], count: int, clock: FakeClock) -> None:
    """Wait until so many lines were logged."""
    await until(lambda: len(logs) >= count, f"{count} lines")
    await clock.settle()
