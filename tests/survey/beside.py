"""Servers beside a command that runs a loop of its own: in a thread, until the test ends."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

T = TypeVar("T")


@contextmanager
def beside(serve: Callable[[AsyncExitStack], Awaitable[T]]) -> Iterator[T]:
    """Yield what `serve` returns once it serves, which it does as long as the context lasts."""
    loop, begun = asyncio.new_event_loop(), threading.Event()
    ending = asyncio.Event()
    made: list[T] = []

    async def run() -> None:
        async with AsyncExitStack() as stack:
            try:
                made.append(await serve(stack))
            finally:
                begun.set()
            await ending.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), name="servers")
    thread.start()
    begun.wait()
    try:
        yield made[0]
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join()
        loop.close()
