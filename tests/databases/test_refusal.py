"""What an error means: the server's by its SQLSTATE, a pooler's by its words, the driver's by its class."""

from __future__ import annotations

import asyncpg
import pytest
from asyncpg.exceptions._base import DataError

from monitor.databases import Full, failure_of, failure_of_code
from monitor.model import Failure, Reason, State


@pytest.mark.parametrize(
    ("code", "reason", "state"),
    [
        ("53300", Reason.SATURATED, State.DOWN),
        ("53200", Reason.SATURATED, State.DOWN),
        ("57P03", Reason.STARTING, State.DOWN),
        ("57P01", Reason.RESET, State.DOWN),
        ("57014", Reason.TIMEOUT, State.DOWN),
        ("25P03", Reason.TIMEOUT, State.DOWN),
        ("55P03", Reason.TIMEOUT, State.DOWN),
        ("28P01", Reason.AUTH, State.DOWN),
        ("3D000", Reason.MISSING, State.DOWN),
        ("42P01", Reason.MISSING, State.DOWN),
        ("08006", Reason.RESET, State.DOWN),
        ("XX001", Reason.PROTOCOL, State.DOWN),
        ("42501", Reason.AUTH, State.UNKNOWN),
        ("42601", Reason.UNKNOWN, State.UNKNOWN),
        ("", Reason.UNKNOWN, State.UNKNOWN),
    ],
)
def test_a_sqlstate_has_one_meaning(code: str, reason: Reason, state: State) -> None:
    """A fault of our own query or rights is unknown, as it says nothing of the database."""
    found = failure_of_code(code, "the words\nand more", "db")
    assert (found.reason, found.state, found.detail) == (reason, state, "db: the words")
    assert isinstance(found, Full) is (code == "53300")


@pytest.mark.parametrize("code", ["22P02", "23505", "P0001"])
def test_words_that_repeat_values_are_not_told(code: str) -> None:
    found = failure_of_code(code, "Key (email)=(somebody@example.com) already exists", "db")
    assert (found.state, found.detail) == (State.UNKNOWN, f"db: the query failed with SQLSTATE {code}")


@pytest.mark.parametrize("words", ["no more connections allowed (max_client_conn)", "Max client connections reached"])
def test_a_full_pooler_is_known_by_its_words(words: str) -> None:
    """Whatever code it says them under."""
    assert isinstance(failure_of_code("08P01", words, "db"), Full)


@pytest.mark.parametrize(
    ("error", "reason", "state"),
    [
        (asyncpg.InternalClientError("odd"), Reason.PROTOCOL, State.DOWN),
        (asyncpg.InterfaceError("connection is closed"), Reason.RESET, State.DOWN),
        (asyncpg.ClientConfigurationError("no such"), Reason.UNKNOWN, State.UNKNOWN),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "odd"), Reason.PROTOCOL, State.UNKNOWN),
        (UnicodeEncodeError("idna", "x" * 99, 0, 1, "label too long"), Reason.UNKNOWN, State.UNKNOWN),
        (BufferError("too short"), Reason.PROTOCOL, State.DOWN),
        (ConnectionError("rejected SSL upgrade"), Reason.TLS_INVALID, State.DOWN),
        (ConnectionResetError(104, "reset"), Reason.RESET, State.DOWN),
        (EOFError(), Reason.RESET, State.DOWN),
    ],
)
def test_an_error_on_our_side_of_the_wire_has_its_meaning(error: Exception, reason: Reason, state: State) -> None:
    found = failure_of(error, "db")
    assert found
    assert (found.reason, found.state) == (reason, state)


def test_why_we_broke_off_ourselves_is_what_it_means() -> None:
    """The driver only knows that the connection was closed."""
    why = Failure(Reason.PROTOCOL, "db does not speak PostgreSQL's protocol")
    error = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
    error.__cause__ = why
    assert failure_of(error, "db") is why
    assert failure_of(why, "db") is why


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyError("x"), DataError("expected str, got int")])
def test_a_bug_of_ours_has_none(error: Exception) -> None:
    assert failure_of(error, "db") is None
