"""What an error of PostgreSQL, its driver or the network means for the store."""

from __future__ import annotations

import ssl

import asyncpg
from sqlalchemy import exc

from monitor.store.base import StoreUnavailable, StoreUnusable

DRIVER = (asyncpg.InterfaceError, asyncpg.InternalClientError)
FOREIGN = (exc.DBAPIError, asyncpg.PostgresError, *DRIVER, OSError, UnicodeError)
"""Whatever work on a connection raises that is no bug of the work."""

MAY_PASS = (
    "08",  # the connection was lost
    "40",  # a deadlock, or what was serialised
    "53",  # out of connections, memory or disk
    "57",  # shutting down, starting up, cancelled
    "58",  # the server's own disk
    "XX",  # the server's own fault
    "25006",  # read-only: a standby, or a disk that is full
    "25P03",  # we stood still in a transaction
    "25P04",  # a transaction took too long
    "55P03",  # a lock
)
"""Beginnings of codes after which the same may succeed later."""

NEVER = (
    "28",  # who we are, or our password
    "3D000",  # there is no such database
    "3F000",  # there is no schema to make tables in
    "42501",  # no rights
)
"""Beginnings of codes that somebody has to do something about."""

UNUSABLE = (ssl.SSLCertVerificationError, asyncpg.ClientConfigurationError, UnicodeError)
"""What the driver refuses before it asks: a name no machine can have, a certificate that is not the server's."""


def cause(error: BaseException) -> BaseException:
    """Return what the driver raised, without what SQLAlchemy put around it."""
    orig = error.orig if isinstance(error, exc.DBAPIError) else None
    return (orig.__cause__ or orig) if orig is not None else error


def meaning(error: BaseException, place: str, *, opened: bool) -> Exception | None:
    """Return what to raise for `error` at `place`; None for a bug of ours.

    Once the store was `opened`, whatever keeps us out may pass: a password is changed back, a database restored.
    """
    found = cause(error)
    code = str(getattr(found, "sqlstate", None) or "")
    why = f"{place}: {str(found).partition(chr(10))[0] or type(found).__name__}"
    never = code.startswith(NEVER) or isinstance(found, UNUSABLE)
    if never and not opened:
        return StoreUnusable(why)
    lost = isinstance(found, (*DRIVER, OSError)) and not isinstance(found, ValueError)
    return StoreUnavailable(why) if never or lost or code.startswith(MAY_PASS) else None
