"""Answers as JSON. A long list is written in turns, between which everything else goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from monitor.web.api.models.base import Answer

JSON = "application/json"
TURN = 20
"""Elements that are written in one turn: about a millisecond."""
EMPTY = b"[]}"

T = TypeVar("T")


def whole(answer: Answer) -> web.Response:
    """Return an answer that is short."""
    return web.Response(body=answer.model_dump_json().encode(), content_type=JSON)


async def listed(around: Answer, elements: Sequence[T], make: Callable[[T], Answer]) -> web.Response:
    """Return `around`, whose last field is an empty list, with what `make` makes of each of `elements` in it.

    It is made before the first byte is sent, so that what goes wrong is said by the status.
    """
    head = around.model_dump_json().encode()
    if not head.endswith(EMPTY):
        raise TypeError(f"the last field of {type(around).__name__} is no empty list")
    parts = []
    for start in range(0, len(elements), TURN):
        turn = (make(one).model_dump_json() for one in elements[start : start + TURN])
        parts.append(",".join(turn).encode())
        await asyncio.sleep(0)
    return web.Response(body=_sent(head[:-2], parts), content_type=JSON)


async def _sent(head: bytes, parts: Sequence[bytes]) -> AsyncIterator[bytes]:
    yield head
    for number, part in enumerate(parts):
        yield b"," + part if number else part
    yield b"]}"
