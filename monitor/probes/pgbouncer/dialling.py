"""How the console is reached: our own resolver's address, libpq's login step by step, an end that waits for nobody."""

from __future__ import annotations

import os
import ssl
from contextlib import asynccontextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from psycopg.conninfo import make_conninfo
from psycopg.pq import ConnStatus, PGconn, PollingStatus

from monitor.model import Failure, Reason, State
from monitor.network import peer_text
from monitor.probes.pgbouncer.console import Console, ready
from monitor.probes.pgbouncer.refusal import failure_of_connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from psycopg.pq import abc

    from monitor.databases import Address
    from monitor.probes.base import Run

PORT = 6432
CONSOLE = "pgbouncer"
"""The database that is none: PgBouncer itself answers there, and its limit on clients keeps nobody out."""
UNCONNECTED = frozenset({ConnStatus.STARTED, ConnStatus.NEEDED, ConnStatus.BAD})
ELSEWHERE = frozenset({Reason.REFUSED, Reason.UNREACHABLE})
"""Only these lead on to a name's next address."""
NOWHERE = f"{os.devnull}/none"
VERIFYING = frozenset({"verify-ca", "verify-full"})


@asynccontextmanager
async def connected(address: Address, run: Run) -> AsyncIterator[Console]:
    """Connect to the console at `address`, and hang up at once on leaving, whatever it does.

    The phases dns, connect and login are noted on `run`, whose deadline only the caller keeps. Raises `Failure`.
    """
    place = peer_text(address.host, int(address.options.get("port", PORT)))
    connection = await _reached(address, place, run)
    try:
        yield Console(connection, place, run.resources.redact)
    finally:
        connection.finish()


async def _addresses(host: str, run: Run) -> list[str]:
    if host.startswith("/"):
        return [""]  # the folder of a socket
    started = perf_counter()
    found = await run.resources.resolver.addresses(host, within=run.timeout)
    run.note("phase", perf_counter() - started, phase="dns")
    return found


async def _reached(address: Address, place: str, run: Run) -> abc.PGconn:
    """Return a connection to the first address that takes one; raises the first `Failure` that is down, or the last."""
    failures: list[Failure] = []
    for numeric in await _addresses(address.host, run):
        connection = PGconn.connect_start(_conninfo(address, numeric))
        try:
            await _log_in(connection, place, run)
        except Failure as failure:
            connection.finish()
            failures.append(failure)
            if failure.reason not in ELSEWHERE:
                break
        except BaseException:
            connection.finish()
            raise
        else:
            return connection
    raise next((failure for failure in failures if failure.state is State.DOWN), failures[-1])


async def _log_in(connection: abc.PGconn, place: str, run: Run) -> None:
    started, made = perf_counter(), 0.0
    polled = int(PollingStatus.WRITING)
    while polled != PollingStatus.OK:
        if connection.status == ConnStatus.BAD or polled == PollingStatus.FAILED:
            said = run.resources.redact(connection.error_message.decode("utf-8", "replace"))
            raise failure_of_connection(said, place)
        await ready(connection.socket, writing=polled == PollingStatus.WRITING)
        polled = connection.connect_poll()
        if not made and connection.status not in UNCONNECTED:
            made = perf_counter()
            run.note("phase", made - started, phase="connect")
    run.note("phase", perf_counter() - made, phase="login")
    connection.nonblocking = 1


def _conninfo(address: Address, numeric: str) -> bytes:
    """Return what libpq is told: all that it would otherwise take from the environment or from files, too."""
    options = address.options
    told = {
        "host": address.host,
        "hostaddr": numeric or None,
        "port": options.get("port", PORT),
        "user": options.get("user"),
        "password": options.get("password", ""),
        "dbname": CONSOLE,
        "application_name": options["server_settings"]["application_name"],
        "client_encoding": "UTF8",
        "options": "",
        "passfile": NOWHERE,
        "gssencmode": "disable",
        "target_session_attrs": "any",
        **address.tls,
    }
    if told["sslmode"] in VERIFYING:
        told["sslrootcert"] = _roots(address.tls.get("sslrootcert", "system"))
    return make_conninfo("", **told).encode()


def _roots(given: str) -> str:
    """Return the file of the authorities to trust. libpq may come with an OpenSSL that does not know the system's."""
    return (ssl.get_default_verify_paths().cafile or given) if given == "system" else given
