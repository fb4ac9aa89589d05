"""Work within a run whose failure spoils nothing that comes after it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import asyncpg

from monitor.databases.refusal import failure_of
from monitor.model import Failure, Reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from monitor.databases.line import Connection

T = TypeVar("T")

LEAST = timedelta(milliseconds=20)


async def apart(connection: Connection, work: Callable[[Connection], Awaitable[T]], place: str, within: timedelta) -> T:
    """Run `work` in the transaction of `connection` and return its result; the server ends a statement after `within`.

    Raises `Failure`, which names `place`, when the server refuses a statement or ends it: the transaction goes on as if
    there had been none. Whatever ends the connection comes as it is.
    """
    if within < LEAST:
        raise Failure(Reason.TIMEOUT, f"{place}: no time was left")
    limit = within // timedelta(milliseconds=1)
    # What is asked of catalogues with many tables looks dear enough to be compiled, which costs more than it saves.
    await connection.execute(f"SAVEPOINT apart; SET LOCAL statement_timeout = {limit}; SET LOCAL jit = off")
    try:
        return await work(connection)
    except asyncpg.PostgresError as error:
        await connection.execute("ROLLBACK TO SAVEPOINT apart")
        raise failure_of(error, place) or error from None
