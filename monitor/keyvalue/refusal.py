"""What an error of Redis or Valkey, of what stands before it, or of the client says of the server."""

from __future__ import annotations

from redis import exceptions

from monitor.model import Failure, Reason, State
from monitor.network import failure_of as network_failure_of

MEANINGS: tuple[tuple[str, Reason, State], ...] = (
    ("max number of clients", Reason.SATURATED, State.DOWN),
    ("MISCONF", Reason.SATURATED, State.DOWN),  # takes no writes: its disk is full, or not its own
    ("BUSY ", Reason.SATURATED, State.DOWN),  # a script that does not end
    ("DENIED", Reason.AUTH, State.DOWN),  # protected mode
    ("MASTERDOWN", Reason.UNREACHABLE, State.DOWN),  # a replica that has lost its master, and may not answer for it
    ("CLUSTERDOWN", Reason.UNREACHABLE, State.DOWN),
    ("DB index is out of range", Reason.MISSING, State.DOWN),
    ("NOGROUP", Reason.MISSING, State.DOWN),
    ("no such key", Reason.MISSING, State.DOWN),
)
"""Beginnings of error messages (server.c, networking.c and t_stream.c of Redis 7.0, without ERR); the first that fits
counts. All others are faults of what we asked."""

KINDS: tuple[tuple[type[Exception], Reason, State], ...] = (
    (exceptions.AuthenticationError, Reason.AUTH, State.DOWN),
    (exceptions.BusyLoadingError, Reason.STARTING, State.DOWN),
    (exceptions.NoPermissionError, Reason.AUTH, State.UNKNOWN),  # what we may look at is a matter of ours
    (exceptions.OutOfMemoryError, Reason.SATURATED, State.DOWN),
)
"""Errors that the client knows: it drops the word that begins them, such as WRONGPASS, LOADING and NOPERM."""


def failure_of(error: Exception, place: str) -> Failure | None:
    """Return what `error` means at `place`; None for a bug of ours."""
    match error:
        case Failure():
            return error
        case OSError() | EOFError():  # before ValueError, which a certificate that is not valid is as well
            return network_failure_of(error, place)
        case exceptions.InvalidResponse() | ValueError() | RecursionError():
            return Failure(Reason.PROTOCOL, f"{place} does not speak the protocol of Redis")
        case exceptions.RedisError() if not isinstance(error, exceptions.DataError):
            return _of_client(error, place)
        case _:
            return None


def _of_client(error: exceptions.RedisError, place: str) -> Failure:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, OSError | EOFError):
        return network_failure_of(cause, place)
    said = str(error)
    for kind, reason, state in KINDS:
        if isinstance(error, kind):
            return Failure(reason, f"{place}: {said}", state)
    for beginning, reason, state in MEANINGS:
        if said.startswith(beginning):
            return Failure(reason, f"{place}: {said}", state)
    if isinstance(error, exceptions.ConnectionError):
        return Failure(Reason.RESET, f"{place} closed the connection")
    return Failure(Reason.UNKNOWN, f"{place}: {said}", State.UNKNOWN)
