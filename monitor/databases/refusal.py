"""What an error of PostgreSQL, of what stands before it, or of the driver says of the database."""

from __future__ import annotations

import asyncpg

from monitor.model import Failure, Reason, State
from monitor.network import failure_of as network_failure_of

NOT_OURS = "does not speak PostgreSQL's protocol"
POOLER_IS_FULL = ("no more connections allowed", "max client connections reached")
"""What PgBouncer before 1.24 and Supavisor say under the code of a protocol violation, or another."""

MEANINGS: tuple[tuple[str, Reason, State], ...] = (
    ("53", Reason.SATURATED, State.DOWN),  # out of connections, memory or disk
    ("57P03", Reason.STARTING, State.DOWN),
    ("57P01", Reason.RESET, State.DOWN),  # shut down, crashed, dropped
    ("57P02", Reason.RESET, State.DOWN),
    ("57P04", Reason.RESET, State.DOWN),
    ("57014", Reason.TIMEOUT, State.DOWN),  # our own limit on a statement
    ("55P03", Reason.TIMEOUT, State.DOWN),  # our own limit on the wait for a lock
    ("25P03", Reason.TIMEOUT, State.DOWN),  # our transaction took too long
    ("25P04", Reason.TIMEOUT, State.DOWN),
    ("28", Reason.AUTH, State.DOWN),
    ("3D000", Reason.MISSING, State.DOWN),
    ("3F000", Reason.MISSING, State.DOWN),
    ("42P01", Reason.MISSING, State.DOWN),  # a table is gone, or never was
    ("42703", Reason.MISSING, State.UNKNOWN),  # a column or a function, which our query may have got wrong
    ("42883", Reason.MISSING, State.UNKNOWN),
    ("08", Reason.RESET, State.DOWN),
    ("58", Reason.RESET, State.DOWN),  # the server's own disk
    ("XX", Reason.PROTOCOL, State.DOWN),  # its own fault
    ("42501", Reason.AUTH, State.UNKNOWN),  # what we may look at is a matter of ours
)
"""Beginnings of SQLSTATEs (PostgreSQL's appendix A); the first that fits counts. All others are faults of our query."""

TOLD = ("08", "0A", "25", "28", "3D", "3F", "42", "53", "54", "55", "57", "58", "XX")
"""Classes whose messages name objects and limits only. Others repeat values of the database, which may be anybody's, or
are what a function raised: they are told by their code alone."""
UNREADABLE = "could not resolve query result"
"""What the driver says of a type for which it has no form."""
RAISES = "exec_stmt_raise"
"""Where in the server a function's own RAISE is carried out, under whatever code it likes."""
NO_CONNECTION = "53300"


class Full(Failure):
    """No connection is free, as the server or a pooler before it says itself."""


def failure_of(error: Exception, place: str) -> Failure | None:
    """Return what `error` means at `place`; None for a bug of ours."""
    found = error.__cause__ if isinstance(error, asyncpg.PostgresError) else error
    if isinstance(found, Failure):  # perhaps why we broke the connection off
        return found
    match error:
        case asyncpg.ConnectionDoesNotExistError(__cause__=Exception() as cause):
            return failure_of(cause, place)
        case asyncpg.PostgresError():
            said = "" if error.server_source_function == RAISES else str(error)
            return failure_of_code(str(error.sqlstate or ""), said, place)
        case asyncpg.InternalClientError() | asyncpg.InterfaceError() | UnicodeError() | BufferError():
            return _of_driver(error, place)
        case OSError() | EOFError():
            return _of_connection(error, place)
        case _:
            return None


def _of_driver(error: Exception, place: str) -> Failure | None:
    match error:
        case asyncpg.TargetServerAttributeNotMatched():
            return Failure(Reason.MISSING, f"{place} is not what target_session_attrs asks for")
        case asyncpg.InternalClientError() | BufferError() | UnicodeDecodeError():
            return _of_answer(error, place)
        case asyncpg.ClientConfigurationError() | UnicodeError():
            return Failure(Reason.UNKNOWN, f"{place}: the address cannot be used", State.UNKNOWN)
        case ValueError():
            return None
        case _:
            return Failure(Reason.RESET, f"{place} closed the connection")


def _of_answer(error: Exception, place: str) -> Failure:
    """Return what an answer means that the driver cannot read."""
    if UNREADABLE in str(error):
        text = "the query has a column of a type that cannot be read, such as anyarray: cast it"
        return Failure(Reason.UNKNOWN, f"{place}: {text}", State.UNKNOWN)
    if isinstance(error, UnicodeDecodeError):
        return Failure(Reason.PROTOCOL, f"{place} sent a text that is not UTF-8", State.UNKNOWN)
    return Failure(Reason.PROTOCOL, f"{place} {NOT_OURS}")


def _of_connection(error: Exception, place: str) -> Failure:
    match error:
        case ConnectionError() if "SSL" in str(error):
            return Failure(Reason.TLS_INVALID, f"{place} takes no TLS")
        case _:
            return network_failure_of(error, place)


def failure_of_code(code: str, message: str, place: str) -> Failure:
    """Return what a SQLSTATE means at `place`; `message` is what the server said with it."""
    said = message.partition("\n")[0]  # cut where it is redacted, or half a secret would be left
    if code == NO_CONNECTION or any(text in said.lower() for text in POOLER_IS_FULL):
        return Full(Reason.SATURATED, f"{place}: {said}")
    if not said or (code and not code.startswith(TOLD)):
        said = f"the query failed with SQLSTATE {code}"
    for beginning, reason, state in MEANINGS:
        if code.startswith(beginning):
            return Failure(reason, f"{place}: {said}", state)
    return Failure(Reason.UNKNOWN, f"{place}: {said}", State.UNKNOWN)
