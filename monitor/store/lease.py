"""Who leads: one row of the database, whose token fences off whoever lost the lease without noticing.

A term begins when the row is claimed, and its token is one higher than that of the term before. Every transaction of a
term first looks whether the row still bears its token, and keeps the row from being claimed until it ends; a claim
waits for such transactions. So whatever is durable was written in a term that had not been followed by another: it
does not matter how long a process stood still, nor what any clock said.

PostgreSQL judges by its own clock whether a lease has run out. An expired lease that nobody claimed goes on when it is
renewed. A client that stands still within a transaction keeps the row, but only until the server ends its session,
which every transaction tells it to do (`idle_in_transaction_session_timeout`, see `postgres`).

Row locks: a term's transaction takes FOR KEY SHARE, which admits others of its kind and the renewal (an UPDATE of no
key), but no FOR UPDATE, which is what a claim takes. Whoever waits for the lease only reads.
"""

from __future__ import annotations

import os
import secrets
import socket
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import BigInteger, cast, func, literal_column, or_, select, update

from monitor.store.base import LeaseLost, StoreUnusable
from monitor.store.rows import MICROSECOND
from monitor.store.schema import leases

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from datetime import timedelta

    from sqlalchemy import ColumnElement, Dialect, Row, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from monitor.store.database import Database, Work

NO_CLOCK: ColumnElement[int] = literal_column("0", BigInteger)
"""The time in a database that is only a file."""

T = TypeVar("T")
_OURS = leases.c.name == "leader"


class Lease(Protocol):
    """Lets one instance of all that share a database lead. One call of `take` or `give` at a time."""

    @property
    def owner(self) -> str:
        """Return who held it when it was last looked at; empty: nobody."""
        ...

    async def take(self) -> int | None:
        """Take the lease if it is free, or renew it; return the token of our term, None while another leads.

        Raises `LeaseLost` when our term is over: the next call may begin another.
        """
        ...

    async def give(self) -> None:
        """Let another lead at once; harmless when we do not."""
        ...

    async def guard(self, token: int, connection: AsyncConnection) -> None:
        """Raise `LeaseLost` unless the term of `token` lasts, and let it last until the transaction ends."""
        ...


class NoLease:
    """The lease of whoever only reads: it is never taken, and never asked for."""

    owner = ""

    async def take(self) -> int | None:
        """Return None: we do not lead."""
        return None

    async def give(self) -> None:
        """Do nothing: there is nothing to give."""

    async def guard(self, _token: int, _connection: AsyncConnection) -> None:
        """Raise `LeaseLost`."""
        raise LeaseLost("whoever only reads never leads")


class RowLease:
    """The lease as a row, on a database with a clock of its own; without one, the lease is always free to be taken."""

    def __init__(
        self, database: Database, length: timedelta, run: Callable[[Work[Any]], Coroutine[Any, Any, Any]]
    ) -> None:
        """Take leases of `length` in `database`, where `run` runs a transaction, which need not wait for others."""
        self._database = database
        self._run = run
        self._us = f"{socket.gethostname()}, process {os.getpid()}, {secrets.token_hex(4)}"
        self._token: int | None = None
        self._touched = False
        self.owner = ""
        now = _now(database.dialect)
        until = now if now is NO_CLOCK else now + length // MICROSECOND
        free = or_(leases.c.holder == self._us, leases.c.expires_at <= now)
        self._look = select(leases.c.holder, leases.c.token, free.label("free")).where(_OURS)
        self._share = self._look.with_for_update(read=True, key_share=True)
        self._lock = self._look.with_for_update()
        self._renewal = update(leases).where(_OURS).values(expires_at=until)
        self._release = update(leases).where(_OURS, leases.c.holder == self._us).values(holder="", expires_at=0)

    async def take(self) -> int | None:
        """As `Lease.take`."""
        if self._token is None:
            self._token = await self._run(self._claim)
        else:
            await self._renew(self._token)
        return self._token

    async def give(self) -> None:
        """As `Lease.give`."""
        self._token = None
        if self._touched:
            await self._run(self._let_go)
            self._touched = False

    async def guard(self, token: int, connection: AsyncConnection) -> None:
        """As `Lease.guard`."""
        found = await self._see(self._share, connection)
        if (found.holder, found.token) != (self._us, token):
            raise LeaseLost(f"{found.holder or 'nobody'} leads now, in term {found.token}; ours was {token}")

    async def look(self) -> None:
        """See who leads."""
        await self._database.read(partial(self._see, self._look))

    def end(self) -> LeaseLost | None:
        """End our term, if there is one, without a word to the database; return what to raise then."""
        ended, self._token = self._token, None
        return LeaseLost(f"another instance leads now; ours was term {ended}") if ended is not None else None

    async def _renew(self, token: int) -> None:
        try:
            await self._run(partial(self._extend, token))
        except LeaseLost:
            self._token = None
            raise

    async def _extend(self, token: int, connection: AsyncConnection) -> None:
        await self.guard(token, connection)
        await connection.execute(self._renewal)

    async def _claim(self, connection: AsyncConnection) -> int | None:
        """Begin a term if the lease is free, within a transaction; only then is the row locked.

        It is free to us too if an earlier claim of ours arrived without our hearing of it.
        """
        if not (await self._see(self._look, connection)).free:
            return None
        found = await self._see(self._lock, connection)
        if not found.free:
            return None
        token: int = found.token + 1
        self._touched = True
        await connection.execute(self._renewal.values(holder=self._us, token=token))
        self.owner = self._us
        return token

    async def _let_go(self, connection: AsyncConnection) -> None:
        await connection.execute(self._release)

    async def _see(self, query: Select[Any], connection: AsyncConnection) -> Row[Any]:
        found: Row[Any] | None = (await connection.execute(query)).first()
        if found is None:
            raise StoreUnusable("the store's lease is gone: somebody has deleted the row of the table leases")
        self.owner = found.holder
        return found


class Fenced:
    """A `Database` that writes only while a term lasts."""

    def __init__(self, database: Database, guard: Callable[[AsyncConnection], Awaitable[None]]) -> None:
        """Write to `database` what `guard`, awaited first in each transaction, lets pass."""
        self._database = database
        self._guard = guard
        self.dialect = database.dialect

    async def write(self, work: Work[T], rows: int = 0) -> T:
        """As `Database.write`; raises `LeaseLost`, and nothing is durable, when another instance has taken over."""

        async def guarded(connection: AsyncConnection) -> T:
            await self._guard(connection)
            return await work(connection)

        return await self._database.write(guarded, rows)

    async def read(self, work: Work[T]) -> T:
        """As `Database.read`."""
        return await self._database.read(work)

    async def many(self, connection: AsyncConnection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """As `Database.many`."""
        await self._database.many(connection, statement, rows)

    async def once(self, statement: str, row: tuple[Any, ...]) -> None:
        """As `Database.once`: it needs no term."""
        await self._database.once(statement, row)

    async def used(self) -> int:
        """As `Database.used`."""
        return await self._database.used()

    async def shrink(self) -> None:
        """As `Database.shrink`: it changes nothing that is stored, so it needs no term."""
        await self._database.shrink()

    async def close(self) -> None:
        """As `Database.close`."""
        await self._database.close()


def _now(dialect: Dialect) -> ColumnElement[int]:
    """Return the database's clock: microseconds since 1970."""
    if dialect.name == "sqlite":
        return NO_CLOCK
    return cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)
