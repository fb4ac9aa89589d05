"""Answers as JSON. A long list is written in turns, between which everything else goes on."""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web
from pydantic_core import PydanticSerializationError

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
    return web.Response(body=written(answer), content_type=JSON)


def written(answer: Answer) -> bytes:
    """Return an answer as JSON in UTF-8, whatever texts are in it: what no UTF-8 can hold becomes a question mark."""
    try:
        return answer.model_dump_json().encode()
    except PydanticSerializationError:
        return json.dumps(_sound(answer.model_dump(mode="json")), allow_nan=False).encode()


async def listed(around: Answer, elements: Sequence[T], make: Callable[[T], Answer]) -> web.Response:
    """Return `around`, whose last field is an empty list, with what `make` makes of each of `elements` in it.

    It is made before the first byte is sent, so that what goes wrong is said by the status.
    """
    head = written(around)
    if not head.endswith(EMPTY):
        raise TypeError(f"the last field of {type(around).__name__} is no empty list")
    parts = []
    for start in range(0, len(elements), TURN):
        parts.append(b",".join(written(make(one)) for one in elements[start : start + TURN]))
        await asyncio.sleep(0)
    return web.Response(body=_sent(head[:-2], parts), content_type=JSON)


async def _sent(head: bytes, parts: Sequence[bytes]) -> AsyncIterator[bytes]:
    yield head
    for number, part in enumerate(parts):
        yield b"," + part if number else part
    yield b"]}"


def _sound(value: object) -> object:
    """Return a value of JSON without lone surrogates and without numbers that are not finite."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case float():
            return value if math.isfinite(value) else None
        case list():
            return [_sound(one) for one in value]
        case dict():
            return {_sound(key): _sound(one) for key, one in value.items()}
        case _:
            return value
