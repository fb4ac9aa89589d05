"""What clients may hold: aiohttp waits for ever for a first request, and every open connection is a file descriptor.

A daemon that probes needs its descriptors. So a connection must bring a whole request head within a minute of its
start and of the one before, else it is cut, whether its client is idle, sends a byte now and then, or does not read
the answer. And when there are too many, the one that has been silent longest goes first.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta


class Connections:
    """The open connections of a server, the one longest without a request first."""

    def __init__(self, patience: timedelta, most: int) -> None:
        self._patience = patience.total_seconds()
        self._most = most
        self._timers: dict[asyncio.Transport, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._timers)

    def guard(self, make: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """Return a protocol factory like `make`, whose connections are bounded."""
        return lambda: _Guarded(make(), self)

    def renew(self, transport: asyncio.Transport | None) -> None:
        """Let a connection live on, because a whole request came; harmless when it has ended since."""
        if transport is not None and transport in self._timers:
            self._timers.pop(transport).cancel()
            self._keep(transport)

    def admit(self, transport: asyncio.Transport) -> None:
        """Take a new connection in, and cut the oldest if there are too many."""
        self._keep(transport)
        if len(self._timers) > self._most:
            oldest = next(iter(self._timers))
            self.release(oldest)
            oldest.abort()

    def release(self, transport: asyncio.Transport) -> None:
        """Forget a connection that has ended; harmless when called twice."""
        if timer := self._timers.pop(transport, None):
            timer.cancel()

    def close(self) -> None:
        """Cut every connection that is left."""
        for transport in list(self._timers):
            self.release(transport)
            transport.abort()

    def _keep(self, transport: asyncio.Transport) -> None:
        self._timers[transport] = asyncio.get_running_loop().call_later(self._patience, transport.abort)


class _Guarded(asyncio.Protocol):
    """Passes everything on to aiohttp's protocol, and tells `Connections` of the start and the end."""

    def __init__(self, inner: asyncio.Protocol, connections: Connections) -> None:
        self._inner = inner
        self._connections = connections
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # a stream's; uvloop's is no subclass of it
        self._inner.connection_made(transport)
        self._connections.admit(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.release(self._transport)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()
