"""Addresses, logins and peers that are not as they should be: each has its reason, and none shows a password."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
from typing import TYPE_CHECKING

import pytest

from monitor.clock import SystemClock
from monitor.config import load
from monitor.databases import Databases
from monitor.explain import explain
from monitor.faults import ConfigError
from monitor.model import Reason, State
from monitor.network import TlsContexts
from monitor.probes.base import Resources, observe
from monitor.secrets import Redactor
from tests.peers import relays, says, tcp_peer
from tests.probes.postgres.conftest import CHECK, dsn_of, value

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from monitor.model import Sample
    from monitor.probes.postgres import PostgresCheck
    from tests.peers import Authority, NameServer, Talk
    from tests.postgres import Cluster

    Look = Callable[[PostgresCheck], Awaitable[Sample]]
    Make = Callable[..., PostgresCheck]

NAME = "db.test"


def message(kind: bytes, body: bytes) -> bytes:
    """Return a message of the server."""
    return kind + struct.pack("!i", len(body) + 4) + body


def error(code: str, text: str) -> bytes:
    """Return how a server says an error, before it closes."""
    return message(b"E", f"SFATAL\0VFATAL\0C{code}\0M{text}\0\0".encode())


LOGIN = b"".join(
    [
        message(b"R", struct.pack("!i", 0)),
        message(b"S", b"server_version\x0015.0\0"),
        message(b"S", b"client_encoding\0UTF8\0"),
        message(b"Z", b"I"),
    ]
)


def answers(*parts: bytes, close: bool = True) -> Talk:
    """Answer each thing that the client says with the next of `parts`."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            await reader.read(4_096)
            writer.write(part)
            await writer.drain()
        if close:
            writer.close()

    return talk


@pytest.mark.parametrize(
    ("user", "database", "reason", "said"),
    [
        ("watch:wrong", "shop", Reason.AUTH, 'password authentication failed for user "watch"'),
        ("nobody:wrong", "shop", Reason.AUTH, 'password authentication failed for user "nobody"'),
        ("watch:pass-of-watch", "shed", Reason.MISSING, 'database "shed" does not exist'),
        ("sleeper:pass-of-sleeper", "shop", Reason.AUTH, 'role "sleeper" is not permitted to log in'),
    ],
)
async def test_a_login_that_is_refused_is_down_with_its_reason(
    user: str, database: str, reason: Reason, said: str, made: Make, look: Look, watched: Cluster
) -> None:
    watched.psql("DROP ROLE IF EXISTS sleeper")
    watched.psql("CREATE ROLE sleeper PASSWORD 'pass-of-sleeper'")
    sample = await look(made(dsn=f"postgresql://{user}@127.0.0.1:{watched.port}/{database}"))
    assert (sample.state, sample.reason) == (State.DOWN, reason)
    assert sample.detail == f"PostgreSQL at 127.0.0.1:{watched.port}/{database}: {said}"


async def test_a_server_that_is_not_the_one_asked_for_is_missing(made: Make, look: Look, watched: Cluster) -> None:
    sample = await look(made(dsn=f"{dsn_of(watched, 'watch')}?target_session_attrs=standby"))
    assert (sample.state, sample.reason) == (State.DOWN, Reason.MISSING)
    assert sample.detail.endswith("/shop is not what target_session_attrs asks for")


@pytest.mark.parametrize(
    ("code", "text", "state", "reason"),
    [
        ("57P03", "the database system is starting up", State.DOWN, Reason.STARTING),
        ("57P03", "the database system is shutting down", State.DOWN, Reason.STARTING),
        ("53300", "sorry, too many clients already", State.DOWN, Reason.SATURATED),
        ("08P01", "no more connections allowed (max_client_conn)", State.DOWN, Reason.SATURATED),
        ("XX000", "Max client connections reached", State.DOWN, Reason.SATURATED),
        ("28000", 'no pg_hba.conf entry for host "192.0.2.1"', State.DOWN, Reason.AUTH),
        ("53100", "could not write: no space left on device", State.DOWN, Reason.SATURATED),
        ("57P01", "terminating connection due to administrator command", State.DOWN, Reason.RESET),
    ],
)
async def test_what_a_server_says_instead_of_a_welcome_is_its_reason(
    code: str, text: str, state: State, reason: Reason, made: Make, look: Look
) -> None:
    """Only where no connection is free, as the server or a pooler says, the share of connections is known: all."""
    async with tcp_peer(answers(error(code, text))) as peer:
        sample = await look(made(dsn=f"postgres://watch:x@127.0.0.1:{peer.port}/shop?sslmode=disable"))
    assert (sample.state, sample.reason) == (state, reason)
    assert text in sample.detail
    full = reason is Reason.SATURATED and "space" not in text
    assert value(sample, "connection_share") == (1.0 if full else None)


@pytest.mark.parametrize("mode", ["disable", "prefer", "require"])
@pytest.mark.parametrize("close", [False, True], ids=["stays", "closes"])
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\nServer: proxy\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"J\0\0\0\x0a5.5.5-10.11\0",
        b"R\xff\xff\xff\xff",
        b"R\0\0\0\0",
        b"R\x7f\xff\xff\xff",
        b"S\0\0\0\0",
    ],
    ids=["HTTP", "SSH", "MySQL", "negative", "nothing", "huge", "TLS and more"],
)
async def test_a_peer_that_does_not_speak_postgresql_is_told_at_once(
    answer: bytes, mode: str, made: Make, look: Look, *, close: bool
) -> None:
    """Whether it hangs up afterwards or not. Over some of it the driver would wait for ever, or loop for ever."""
    async with tcp_peer(answers(answer, close=close)) as peer:
        sample = await look(made(dsn=f"postgres://watch:x@127.0.0.1:{peer.port}/shop?sslmode={mode}", timeout="10s"))
    assert (sample.state, sample.reason) == (State.DOWN, Reason.PROTOCOL)
    assert sample.detail == f"PostgreSQL at 127.0.0.1:{peer.port}/shop does not speak PostgreSQL's protocol"


@pytest.mark.parametrize(
    "greeting",
    [
        message(b"R", struct.pack("!i", 0)) + message(b"Z", b"I"),
        message(b"R", struct.pack("!i", 0)) + message(b"S", b"client_encoding\0\xff\xfe\0") + message(b"Z", b"I"),
    ],
    ids=["tells no version", "tells garbage"],
)
async def test_a_welcome_that_lacks_what_every_server_tells_is_none(greeting: bytes, made: Make, look: Look) -> None:
    async with tcp_peer(answers(greeting, close=False)) as peer:
        sample = await look(made(dsn=f"postgres://watch:x@127.0.0.1:{peer.port}/shop?sslmode=disable"))
    assert (sample.state, sample.reason) == (State.DOWN, Reason.PROTOCOL)


async def test_a_row_larger_than_anybody_needs_is_not_gathered(made: Make, look: Look) -> None:
    huge = b"D" + struct.pack("!i", 500_000_000) + b"x" * 1_000
    async with tcp_peer(answers(LOGIN, huge, close=False)) as peer:
        sample = await look(made(dsn=f"postgres://watch:x@127.0.0.1:{peer.port}/shop?sslmode=disable"))
    assert (sample.state, sample.reason) == (State.DOWN, Reason.PROTOCOL)
    assert "sent more than 16.8 MB in one message, such as a row" in sample.detail


@pytest.mark.parametrize("cut", [b"runbook-monitor", b"BEGIN", b"SCRAM-SHA-256"])
async def test_a_server_that_dies_in_the_middle_is_reset(cut: bytes, made: Make, look: Look, watched: Cluster) -> None:
    """Of a row, of the transaction's beginning, of the login."""
    async with tcp_peer(relays(watched.port, cut=cut)) as peer:
        dsn = f"postgresql://watch:pass-of-watch@127.0.0.1:{peer.port}/shop?sslmode=disable"
        sample = await look(made(dsn=dsn))
    assert (sample.state, sample.reason) == (State.DOWN, Reason.RESET)
    assert value(sample, "duration") is None


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_a_server_without_tls_is_refused_where_it_is_required(
    mode: str, made: Make, look: Look, watched: Cluster
) -> None:
    """Not a byte of the login leaves."""
    sample = await look(made(dsn=f"{dsn_of(watched, 'watch')}?sslmode={mode}"))
    assert (sample.state, sample.reason) == (State.DOWN, Reason.TLS_INVALID)
    assert sample.detail.endswith(" takes no TLS")


async def test_a_server_that_requires_tls_says_so(made: Make, look: Look, watched: Cluster) -> None:
    rules = watched.data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(
        "hostssl all plain 0.0.0.0/0 scram-sha-256\n" + before.replace("all             all", "all +pg_monitor")
    )
    try:
        watched.psql("SELECT pg_reload_conf()")
        sample = await look(made("plain"))
        while sample.state is State.UP:
            sample = await look(made("plain", keep=False))
    finally:
        rules.write_text(before)
        assert watched.running
        os.kill(watched.running.pid, signal.SIGHUP)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.AUTH)
    assert sample.detail.endswith(("no encryption", "SSL off"))  # so up to PostgreSQL 13


@pytest.mark.parametrize(
    ("mode", "trusted", "certified", "reason"),
    [
        ("prefer", False, NAME, None),
        ("require", False, NAME, None),
        ("verify-ca", True, "other.test", None),
        ("verify-full", True, NAME, None),
        ("verify-full", True, "other.test", Reason.TLS_INVALID),
        ("verify-full", False, NAME, Reason.TLS_INVALID),
    ],
)
async def test_tls_is_as_strict_as_the_address_says(
    mode: str,
    certified: str,
    reason: Reason | None,
    made: Make,
    look: Look,
    watched: Cluster,
    authority: Authority,
    names: NameServer,
    *,
    trusted: bool,
) -> None:
    """The whole run goes over it, also what our guard against strange peers looks at."""
    names.has(NAME, "A", bytes([127, 0, 0, 1]))
    async with tcp_peer(relays(watched.port, tls=authority.server(certified))) as peer:
        root = f"&sslrootcert={authority.path}" if trusted else ""
        dsn = f"postgresql://watch:pass-of-watch@{NAME}:{peer.port}/shop?sslmode={mode}{root}"
        samples = [await look(made(dsn=dsn)) for _ in range(2)]
    assert [sample.reason for sample in samples] == [reason] * 2, samples
    assert peer.seen == (1 if reason is None else 2)


HIDDEN_IN = [
    "postgresql://watch:hunter2.and%2Fmore@127.0.0.1:{port}/shop?sslmode=disable",
    "postgres://watch:hunter2.and%2Fmore@127.0.0.1:{port}/shop?sslmode=disable&application_name=me",
    "postgresql://127.0.0.1:{port}/shop?user=watch&password=hunter2.and%2Fmore&sslmode=disable",
    "postgresql://watch@127.0.0.1:{port}/shop?sslmode=disable&password=hunter2.and/more",
    "postgresql:///shop?host=127.0.0.1&port={port}&user=watch&password=hunter2.and%2Fmore&sslmode=disable",
    "postgresql://watch:hunter3@127.0.0.1:{port}/shop?password=hunter2.and%2Fmore&sslmode=disable",
]


@pytest.mark.parametrize("variable", [False, True], ids=["in the file", "in a variable"])
@pytest.mark.parametrize("form", HIDDEN_IN)
async def test_no_place_of_an_address_shows_its_password(
    form: str, watched: Cluster, tmp_path: Path, resources: Resources, *, variable: bool
) -> None:
    """Wherever it hides: not in a sample, a repr, an explanation, nor in what a hostile server says with it."""
    echo = f"wrong: hunter2.and/more, hunter2.and%2Fmore{', hunter3' if 'hunter3' in form else ''}"
    async with tcp_peer(answers(error("28P01", echo))) as peer:
        for port in (watched.port, peer.port):
            dsn = form.format(port=port)
            file = tmp_path / "one.yaml"
            written = "${DATABASE}" if variable else dsn
            file.write_text(f"system: shop\nchecks:\n  db: {{kind: postgres, dsn: '{written}'}}\n")
            config = load(file, {"DATABASE": dsn})
            (plan,) = config.plans.values()
            told = Resources(resources.resolver, TlsContexts(), Databases(resources.resolver), Redactor(config.secrets))
            sample = await observe(CHECK, plan.check, told, SystemClock())
            said = [
                repr(sample),
                repr(plan),
                repr(config),
                repr(plan.check),
                explain(plan, config, SystemClock().now()),
            ]
            assert (sample.state, sample.reason) == (State.DOWN, Reason.AUTH), sample
            assert not [text for text in said if "hunter" in text]


@pytest.mark.parametrize("field", ["dsn", "dns"])
def test_a_fault_in_an_address_shows_nothing_of_it(field: str, tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    dsn = "postgresql://watch:hunter2@db.test:5432/shop?passwrd=hunter2"
    file.write_text(f"system: shop\nchecks:\n  db: {{kind: postgres, {field}: '{dsn}'}}\n")
    with pytest.raises(ConfigError, match=r"one\.yaml") as caught:
        load(file, {})
    assert "hunter2" not in "".join([str(caught.value), repr(caught.value), repr(vars(caught.value))])


async def test_a_silent_server_is_down_at_its_deadline_and_delays_nobody_else(made: Make, look: Look) -> None:
    """TCP is taken, and nothing more ever comes."""
    async with tcp_peer(says()) as peer:
        silent = made(dsn=f"postgresql://watch:x@127.0.0.1:{peer.port}/shop", timeout="800ms")
        down, well = await asyncio.gather(look(silent), look(made()))
    assert well.state is State.UP
    assert well.at < down.at
    assert (down.state, down.reason) == (State.DOWN, Reason.TIMEOUT)
    assert down.detail == "no answer within 800 ms"
