"""What an error means for the store."""

from __future__ import annotations

import ssl

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from monitor.store import StoreUnavailable, StoreUnusable
from monitor.store.refusal import meaning

PASSES = ("08006", "40P01", "53100", "53200", "53300", "57014", "57P01", "57P02", "57P03", "58030", "XX001", "25006")
NEVER = ("28000", "28P01", "3D000", "3F000", "42501")
BUGS = ("22003", "23502", "23505", "42601", "42703", "42P01")


def refused(code: str) -> Exception:
    """Return an error of the server, as SQLAlchemy hands it on."""
    error = asyncpg.PostgresError.new({"C": code, "M": "no", "D": "with the values of a row"})
    around = Exception("(asyncpg) no")
    around.__cause__ = error
    return DBAPIError("SELECT 1", None, around)


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("code", [*PASSES, *NEVER, *BUGS])
def test_what_passes_is_waited_for_what_never_works_is_told_and_a_bug_is_a_bug(code: str, *, opened: bool) -> None:
    """Where it worked before, whatever keeps us out may pass. The details of an error may hold our rows: left out."""
    told = meaning(refused(code), "here", opened=opened)
    if code in BUGS:
        assert told is None
    else:
        assert type(told) is (StoreUnusable if code in NEVER and not opened else StoreUnavailable)
        assert str(told) == "here: no"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError(), StoreUnavailable),
        (asyncpg.InterfaceError("connection is closed"), StoreUnavailable),
        (asyncpg.InternalClientError("another operation is in progress"), StoreUnavailable),
        (asyncpg.ConnectionDoesNotExistError("closed"), StoreUnavailable),
        (ssl.SSLCertVerificationError("self-signed"), StoreUnusable),
        (asyncpg.ClientConfigurationError("no such file"), StoreUnusable),
        (UnicodeError("label too long"), StoreUnusable),
        (asyncpg.exceptions.DataError("not an integer"), None),
        (ValueError("a bug"), None),
    ],
)
def test_errors_on_our_side_of_the_line(error: Exception, kind: type[Exception] | None) -> None:
    told = meaning(error, "here", opened=False)
    assert kind is None if told is None else type(told) is kind
