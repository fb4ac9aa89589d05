"""The body of a request: not longer than it may be, and in time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import ClientConnectionError, ClientPayloadError, http_exceptions

if TYPE_CHECKING:
    from aiohttp import web

MOST_OF_BODY = 10_000
BODY_PATIENCE = timedelta(seconds=10)
BROKEN = (TimeoutError, ClientConnectionError, ClientPayloadError, OSError, http_exceptions.HttpProcessingError)


async def read_body(request: web.Request) -> bytes:
    """Return a request's body; raises ValueError when it is too long, or does not come to its end."""
    body = b""
    try:
        async with asyncio.timeout(BODY_PATIENCE.total_seconds()):
            async for part in request.content.iter_any():
                body += part
                if len(body) > MOST_OF_BODY:
                    raise ValueError(f"the body is longer than {MOST_OF_BODY:,} bytes")
    except BROKEN:
        raise ValueError("the body did not come to its end") from None
    return body
