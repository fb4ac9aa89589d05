"""Work on a connection that can be broken off at once, whatever the server does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    import asyncpg

T = TypeVar("T")

GRACE = timedelta(seconds=1)


async def breakable(work: Coroutine[Any, Any, T], held: Iterable[asyncpg.Connection[Any]]) -> T:
    """Run `work` and return its result; when the caller is cancelled, close the connections that it holds by then.

    The driver would ask the server to cancel, over a connection of its own: a silent server leaves that waiting.
    """
    task = asyncio.create_task(work)
    task.add_done_callback(_heard)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        closing = list(held)
        for connection in closing:
            connection.terminate()
        if not closing or not (await asyncio.wait({task}, timeout=GRACE.total_seconds()))[0]:
            task.cancel()
        await asyncio.wait({task})
        raise


def _heard(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()  # Asked for, because nobody may be waiting for it any more.
