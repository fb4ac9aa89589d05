"""The databases that are watched: at most one connection to each, shared by its checks.

A kept connection sees a full database from the inside, and a look over it costs a fiftieth of a new one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from monitor.databases.line import Line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from monitor.databases.address import Address
    from monitor.databases.line import Connection
    from monitor.network import Note, Resolver

T = TypeVar("T")

IDLE = timedelta(minutes=3)
"""A connection that nobody has used for so long is closed: its check was removed, or runs too seldom to keep one."""


class Databases:
    """The connections. `idle` is how long one is kept unused."""

    def __init__(self, resolver: Resolver, idle: timedelta = IDLE) -> None:
        self._resolver = resolver
        self._idle = idle
        self._lines: dict[str, Line] = {}

    async def read(
        self,
        address: Address,
        work: Callable[[Connection], Awaitable[T]],
        note: Note,
        within: timedelta,
        *,
        keep: bool = True,
    ) -> T:
        """Run `work` in a read-only transaction on the connection to `address`, and return its result.

        Runs on one database come one after the other. `within` is the caller's deadline, which only the caller keeps;
        a statement is ended by the server at nine tenths of it. Where `keep` is false a new connection is made, and
        closed afterwards. The phase query is noted, and of a new connection dns, connect and login.
        Raises `Failure`; what `work` raises and is no error of the database comes as it is.
        """
        line = self._lines.get(address.key)
        if line is None:
            line = self._lines[address.key] = Line(address, self._resolver, self._idle)
        return await line.read(work, note, within, keep=keep)

    def close(self) -> None:
        """Close every connection; later runs make new ones."""
        for line in self._lines.values():
            line.hang_up()
        self._lines.clear()
