"""What PgBouncer's console says, over libpq.

The console knows the simple query protocol alone, in every version, and asyncpg throws away the rows that this returns.
So libpq is driven here, through psycopg's wrapper of it and step by step: psycopg's own connection, when it is
cancelled, would ask the server to cancel, and wait up to ten seconds for a silent one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus

from monitor.model import Failure, Reason
from monitor.probes.pgbouncer.refusal import OF_THE_CONSOLE, failure_of_answer, failure_of_connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg.pq.abc import PGconn, PGresult

MOST_ROWS = 20_000
"""Of one answer: one that never ends would fill the memory before the deadline."""

Row = dict[str, str]


class Console:
    """A connection to a console. `place` is where, as people call it; `redact` is applied to whatever is quoted."""

    def __init__(self, connection: PGconn, place: str, redact: Callable[[str], str]) -> None:
        self._connection = connection
        self._redact = redact
        self.place = place

    async def rows(self, command: str, *, optional: bool = False) -> list[Row]:
        """Return the answer to `command`: each row by the names of its columns, without those that are null.

        Raises `Failure`. What the console does not know is an empty answer where it is `optional`.
        """
        try:
            self._connection.send_query(command.encode())
            self._connection.set_single_row_mode()
            found, refusal = await self._answer(command)
        except psycopg.Error as error:
            raise failure_of_connection(self._redact(str(error)), self.place) from None
        if refusal is None:
            return found
        said, code = self._redact(refusal.get_error_message()), refusal.error_field(DiagnosticField.SQLSTATE)
        if code is None:  # not the console's words, but libpq's
            raise failure_of_connection(said, self.place)
        if optional and code == OF_THE_CONSOLE.encode():
            return []
        raise failure_of_answer(code.decode("ascii", "replace"), said, command, self.place)

    async def _answer(self, command: str) -> tuple[list[Row], PGresult | None]:
        """Return the rows of an answer, and what the console refused it with, if it did."""
        found: list[Row] = []
        refusal = None
        while (result := await self._next()) is not None:
            match result.status:
                case ExecStatus.SINGLE_TUPLE:
                    found.append(_row(result))
                case ExecStatus.FATAL_ERROR:
                    refusal = refusal or result
                case ExecStatus.TUPLES_OK | ExecStatus.COMMAND_OK | ExecStatus.EMPTY_QUERY:
                    continue
                case _:
                    raise Failure(Reason.PROTOCOL, f"{self.place} does not answer {command} with rows")
            if len(found) > MOST_ROWS:
                raise Failure(Reason.PROTOCOL, f"{self.place} answers {command} with more than {MOST_ROWS:,} rows")
        return found, refusal

    async def _next(self) -> PGresult | None:
        connection = self._connection  # that a command was sent needs no wait: it always fits into the socket's buffer
        while connection.is_busy():
            await ready(connection.socket, writing=False)
            connection.consume_input()
        return connection.get_result()


async def ready(descriptor: int, *, writing: bool) -> None:
    """Return when a socket can be read from, or written to."""
    loop = asyncio.get_running_loop()
    happened = loop.create_future()
    watch, forget = (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
    watch(descriptor, _note, happened)
    try:
        await happened
    finally:
        forget(descriptor)


def _note(happened: asyncio.Future[None]) -> None:
    if not happened.done():
        happened.set_result(None)


def _row(result: PGresult) -> Row:
    named = ((result.fname(column), result.get_value(0, column)) for column in range(result.nfields))
    return {_text(name or b""): _text(value) for name, value in named if value is not None}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
