"""The parts of a daemon side by side: when one of them ends, all do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from monitor.store import StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence


async def until_one_ends(
    stop: asyncio.Event, around: set[asyncio.Task[None]], parts: Sequence[Coroutine[Any, Any, None]]
) -> None:
    """Run `parts` until `stop`, or until one of them, or of those `around`, ends; raises what they end with.

    `StoreUnusable`, which is a word for the operator, comes by itself, all else as a group.
    """
    tasks = {asyncio.ensure_future(part) for part in (*parts, stop.wait())}
    ended, _ = await asyncio.wait({*tasks, *around}, return_when=asyncio.FIRST_COMPLETED)
    await end(tasks)
    broken = [error for task in ended if not task.cancelled() and (error := task.exception())]
    for error in broken:
        if isinstance(error, StoreUnusable):
            raise error
    if broken:
        raise BaseExceptionGroup("a part of the daemon failed", broken)


async def end(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel `tasks`, and return when they have ended, whatever with."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
