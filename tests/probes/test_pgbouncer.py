"""PgBouncer's console: a real one driven into what it should page for, and stand-ins for what a real one never says."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from pydantic import ValidationError

from monitor.clock import SystemClock
from monitor.config import load
from monitor.model import Reason, Sample, State
from monitor.probes.base import observe
from monitor.probes.pgbouncer import PgbouncerCheck
from monitor.probes.pgbouncer.console import MOST_ROWS
from monitor.probes.pgbouncer.refusal import failure_of_connection
from tests.bouncers import DATABASE, POOL, READY, WELL, console, error, message, rows
from tests.examples import SITE
from tests.peers import free_port, tcp_peer
from tests.pgbouncer import pgbouncer
from tests.postgres import PASSWORD, USER
from tests.probes.conftest import SECRET
from tests.probes.test_contract import open_files

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from monitor.model import Labels
    from monitor.probes.base import Resources
    from tests.bouncers import Table
    from tests.peers import Authority, NameServer
    from tests.postgres import Cluster

BOTH_LOOPS = True

WATCHER, BOSS, OTHER = ("watcher", "see-only"), ("boss", "does-all"), ("other", "lets-in")
OTHERS = dict([WATCHER, BOSS, OTHER])
SIZE = 2
NUMBERS = itertools.count()
NAME, LOOPBACK = "bouncer.test", b"\x7f\0\0\1"


@pytest.fixture(scope="module")
def port(postgres: Cluster) -> Iterator[int]:
    """Run a PgBouncer that these tests share, each with a database of its own."""
    with running(postgres) as port:
        yield port


@contextmanager
def running(postgres: Cluster, tls: tuple[bytes, bytes] | None = None, **settings: object) -> Iterator[int]:
    """Run a PgBouncer with a user who may see the console and one who may do everything on it."""
    told = {"admin_users": BOSS[0], "stats_users": WATCHER[0], **settings}
    with pgbouncer(postgres, USER, PASSWORD, SIZE, OTHERS, tls, **told) as port:
        yield port


def check(port: int, user: tuple[str, str] = WATCHER, query: str = "", **fields: object) -> PgbouncerCheck:
    dsn = f"postgresql://{user[0]}:{user[1]}@127.0.0.1:{port}/pgbouncer{query}"
    return PgbouncerCheck.model_validate({"dsn": dsn, "timeout": "20s", **fields})


async def observed(found: PgbouncerCheck, resources: Resources) -> Sample:
    sample = await observe(SITE, found, resources, SystemClock())
    declared = {spec.name: set(spec.labels) for spec in found.measures}
    assert all({name for name, _ in measure.labels} == declared[measure.name] for measure in sample.measures)
    assert sample.reason is None or sample.reason in found.reasons
    return sample


def values(sample: Sample, name: str, **wanted: str) -> list[float]:
    """Return the values of a measure whose labels are as `wanted`."""
    pairs = set(wanted.items())
    return [measure.value for measure in sample.measures if measure.name == name and pairs <= set(measure.labels)]


def value(sample: Sample, name: str, **wanted: str) -> float:
    found = values(sample, name, **wanted)
    assert len(found) == 1, sample
    return found[0]


def labels_of(sample: Sample, name: str) -> set[Labels]:
    return {measure.labels for measure in sample.measures if measure.name == name}


@asynccontextmanager
async def client(port: int, database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """Connect to a database through PgBouncer."""
    dsn = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/{database}"
    connection = await asyncpg.connect(dsn, statement_cache_size=0, ssl=False)
    try:
        yield connection
    finally:
        connection.terminate()


@asynccontextmanager
async def last_client(port: int, database: str) -> AsyncIterator[None]:
    """Take the last place there is, as soon as the console's connection from before has made it free."""
    while True:
        try:
            async with client(port, database):
                yield
        except asyncpg.ProtocolViolationError:
            await asyncio.sleep(0.01)
        else:
            return


async def command(port: int, text: str) -> None:
    """Give PgBouncer a command, as its operator would."""
    dsn = f"postgresql://{BOSS[0]}:{BOSS[1]}@127.0.0.1:{port}/pgbouncer"
    connection = await asyncpg.connect(dsn, ssl=False)
    await connection.execute(text)
    connection.terminate()


async def until(
    found: PgbouncerCheck, resources: Resources, is_so: Callable[[Sample], bool], patience: float = 20.0
) -> Sample:
    """Look again and again until `is_so` of a sample."""
    late = perf_counter() + patience
    while True:
        sample = await observed(found, resources)
        assert sample.state is State.UP, sample.detail
        if is_so(sample):
            return sample
        assert perf_counter() < late, sample
        await asyncio.sleep(0.02)


async def made(port: int, postgres: Cluster, resources: Resources) -> str:
    """Return a new database that PgBouncer knows.

    One that comes of its `*` entry is at times not in SHOW DATABASES (seen with 1.18): its maintenance took it off the
    list between the arrival of its first client and the making of its pool. The next client puts it back.
    """
    name = f"bounced{next(NUMBERS)}"
    postgres.psql(f"CREATE DATABASE {name}")
    while not values(await observed(check(port), resources), "paused", database=name):
        async with client(port, name) as visitor:
            await visitor.execute("SELECT 1")
    return name


@pytest.fixture
async def database(port: int, postgres: Cluster, resources: Resources) -> str:
    return await made(port, postgres, resources)


async def test_a_pool_is_filled_and_whoever_waits_is_counted(port: int, database: str, resources: Resources) -> None:
    """CL-18. Two connections are held in a transaction, so two more clients wait; then all go on."""
    found = check(port, databases=[database])
    mine = {"database": database, "user": USER}
    async with AsyncExitStack() as stack:
        holders = [await stack.enter_async_context(client(port, database)) for _ in range(SIZE)]
        for holder in holders:
            await holder.execute("BEGIN")
        full = await observed(found, resources)
        assert value(full, "waiting", **mine) == 0
        assert "waiting" not in full.remarks
        others = [await stack.enter_async_context(client(port, database)) for _ in range(2)]
        waiting = [asyncio.create_task(other.execute("SELECT 1")) for other in others]
        first = await until(found, resources, lambda sample: value(sample, "waiting", **mine) == 2)
        second = await until(
            found, resources, lambda sample: value(sample, "longest_wait") >= value(first, "longest_wait") + 0.3
        )
        for holder in holders:
            await holder.execute("COMMIT")
        await asyncio.gather(*waiting)
        after = await until(found, resources, lambda sample: value(sample, "waiting", **mine) == 0)
    assert value(second, "pool_share", database=database) == 1.0
    assert value(second, "clients", state="active", **mine) == SIZE
    assert value(second, "clients", state="waiting", **mine) == 2
    assert value(second, "servers", state="active", **mine) == SIZE
    assert value(second, "servers", state="idle", **mine) == 0
    assert second.remarks["waiting"] == second.remarks["longest_wait"]
    assert second.remarks["waiting"].startswith(f"2 clients of {USER} wait for {database}, the first for ")
    assert second.remarks["waiting"].endswith(": 2 of 2 server connections are busy (pool_size 2)")
    assert value(after, "longest_wait") == 0.0
    assert value(after, "pool_share", database=database) < 1.0


async def test_a_paused_database_is_seen_and_so_is_who_waits_for_it(
    port: int, database: str, resources: Resources
) -> None:
    """PAUSE, and RESUME."""
    found = check(port, databases=[database])
    async with client(port, database) as held:
        await held.execute("SELECT 1")
        assert value(await observed(found, resources), "paused") == 0.0
        await command(port, f"PAUSE {database}")
        waiting = asyncio.create_task(held.execute("SELECT 1"))
        sample = await until(found, resources, lambda sample: value(sample, "waiting") == 1)
        assert value(sample, "paused", database=database) == 1.0
        assert sample.remarks["paused"] == f"{database}: clients wait until RESUME on the console"
        assert sample.remarks["waiting"].startswith(f"a client of {USER} waits for {database}, the first for ")
        assert sample.remarks["waiting"].endswith(f": {database} is paused")
        await command(port, f"RESUME {database}")
        await waiting
    assert value(await observed(found, resources), "paused") == 0.0


async def test_a_disabled_database_is_seen(port: int, database: str, resources: Resources) -> None:
    """DISABLE, and ENABLE."""
    found = check(port, databases=[database])
    async with client(port, database) as held:
        await held.execute("SELECT 1")
    await command(port, f"DISABLE {database}")
    sample = await observed(found, resources)
    assert value(sample, "disabled", database=database) == 1.0
    assert sample.remarks["disabled"] == f"{database}: new clients are refused until ENABLE on the console"
    await command(port, f"ENABLE {database}")
    assert value(await observed(found, resources), "disabled") == 0.0


@pytest.mark.parametrize("user", [WATCHER, BOSS])
async def test_whoever_may_see_the_console_sees_the_same(
    user: tuple[str, str], port: int, database: str, resources: Resources
) -> None:
    """Every measure that this version knows; nothing of the console's own database."""
    async with client(port, database) as held:
        await held.execute("SELECT 1")
        sample = await observed(check(port, user), resources)
    assert sample.state is State.UP, sample.detail
    assert {measure.name for measure in sample.measures} == {spec.name for spec in PgbouncerCheck.measures}
    assert {label for measure in sample.measures for key, label in measure.labels if key == "phase"} == {
        "dns",
        "connect",
        "login",
        "query",
    }
    assert not values(sample, "paused", database="pgbouncer")
    assert not values(sample, "waiting", database="pgbouncer")
    assert 0 < value(sample, "client_share") < 0.1
    assert "client_share" in sample.remarks


async def test_only_the_databases_that_are_named_are_looked_at(
    port: int, resources: Resources, postgres: Cluster
) -> None:
    names = [await made(port, postgres, resources) for _ in range(2)]
    sample = await observed(check(port, databases=[names[0]]), resources)
    assert {dict(pairs)["database"] for pairs in labels_of(sample, "paused")} == {names[0]}
    assert {dict(pairs)["database"] for pairs in labels_of(sample, "clients")} == {names[0]}
    sample = await observed(check(port, databases=[names[0], "nowhere", "neither"]), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.MISSING)
    assert sample.detail == "PgBouncer has no database nowhere, neither"
    assert values(sample, "paused", database=names[0])


async def test_one_that_takes_no_more_clients_is_down_and_says_how_many_it_has(
    postgres: Cluster, resources: Resources
) -> None:
    """The console answers all the same, so the share is exact; one slot less, and it is up."""
    most = 4
    with running(postgres, max_client_conn=most) as port:
        async with AsyncExitStack() as stack:
            for _ in range(most - 1):
                await stack.enter_async_context(client(port, "postgres"))
            await until(check(port), resources, lambda sample: value(sample, "client_share") == 0.75)
            await stack.enter_async_context(last_client(port, "postgres"))
            sample = await observed(check(port), resources)
            assert (sample.state, sample.reason) == (State.DOWN, Reason.SATURATED)
            assert sample.detail == "PgBouncer takes no more clients: it has 4 of 4 clients (max_client_conn)"
            assert value(sample, "client_share") == 1.0
            assert value(sample, "clients", state="active") == most


@pytest.mark.parametrize(
    ("user", "state", "said"),
    [
        (OTHER, State.UNKNOWN, "not allowed"),
        ((WATCHER[0], "wrong"), State.DOWN, "SASL authentication failed"),
        (("nobody", "wrong"), State.DOWN, "SASL authentication failed"),
    ],
)
async def test_a_user_who_is_not_let_in_is_told_why(
    user: tuple[str, str], state: State, said: str, port: int, resources: Resources
) -> None:
    """Whom the console lets in is ours to set right; a login that fails may be anybody's."""
    sample = await observed(check(port, user), resources)
    assert (sample.state, sample.reason) == (state, Reason.AUTH)
    assert said in sample.detail
    assert user[1] not in repr(sample)


async def test_a_dsn_without_a_password_is_told(port: int, resources: Resources, tmp_path: Path) -> None:
    """None is taken from anywhere else."""
    (tmp_path / ".pgpass").write_text("*:*:*:*:see-only\n")
    found = PgbouncerCheck.model_validate({"dsn": f"postgresql://watcher@127.0.0.1:{port}/pgbouncer"})
    sample = await observed(found, resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.AUTH)
    assert "the dsn has none" in sample.detail


async def test_a_postgresql_is_told_from_a_pgbouncer(postgres: Cluster, resources: Resources) -> None:
    """Without a database of that name, and with one."""
    sample = await observed(check(postgres.port, (USER, PASSWORD)), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.MISSING)
    assert "no PgBouncer" in sample.detail
    postgres.psql("CREATE DATABASE pgbouncer")
    try:
        sample = await observed(check(postgres.port, (USER, PASSWORD)), resources)
    finally:
        postgres.psql("DROP DATABASE pgbouncer WITH (FORCE)")
    assert (sample.state, sample.reason) == (State.DOWN, Reason.PROTOCOL)
    assert "no PgBouncer" in sample.detail


@pytest.fixture(scope="module")
def secured(postgres: Cluster, authority: Authority) -> Iterator[int]:
    """Run a PgBouncer that speaks only TLS, as bouncer.test."""
    with running(postgres, tls=authority.certificate(NAME)) as port:
        yield port


def over_tls(port: int, host: str, query: str) -> PgbouncerCheck:
    dsn = f"postgresql://{WATCHER[0]}:{WATCHER[1]}@{host}:{port}/pgbouncer?{query}"
    return PgbouncerCheck.model_validate({"dsn": dsn, "timeout": "20s"})


@pytest.mark.parametrize("mode", ["prefer", "require", "verify-ca", "verify-full"])
async def test_tls_is_spoken_as_the_dsn_says(
    mode: str, secured: int, authority: Authority, resources: Resources, names: NameServer
) -> None:
    """The host's name is verified, though libpq is given the address that our own resolver found."""
    names.has(NAME, "A", LOOPBACK)
    root = f"&sslrootcert={authority.path}" if mode.startswith("verify") else ""
    sample = await observed(over_tls(secured, NAME, f"sslmode={mode}{root}"), resources)
    assert sample.state is State.UP, sample.detail
    assert (NAME, "A") in names.asked


@pytest.mark.parametrize(
    ("host", "query", "said"),
    [
        (NAME, "sslmode=disable", "takes only TLS"),
        (NAME, "sslmode=verify-full", "certificate verify failed"),
        (NAME, "sslmode=verify-ca", "certificate verify failed"),
        (NAME, "channel_binding=require", "certificate verify failed"),
        ("other.test", "sslmode=verify-full&sslrootcert=OURS", "does not match host name"),
    ],
)
async def test_a_certificate_that_will_not_do_is_down(
    host: str,
    query: str,
    said: str,
    secured: int,
    authority: Authority,
    resources: Resources,
    names: NameServer,
) -> None:
    """One of an authority that is not trusted, or for another name; and no TLS where it is wanted."""
    names.has(host, "A", LOOPBACK)
    sample = await observed(over_tls(secured, host, query.replace("OURS", str(authority.path))), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.TLS_INVALID), sample.detail
    assert said in sample.detail


async def test_an_expired_certificate_is_not_valid(
    postgres: Cluster, authority: Authority, resources: Resources, names: NameServer
) -> None:
    """Libpq does not tell the two apart."""
    names.has(NAME, "A", LOOPBACK)
    with running(postgres, tls=authority.certificate(NAME, ends=-timedelta(days=1))) as port:
        found = over_tls(port, NAME, f"sslmode=verify-full&sslrootcert={authority.path}")
        sample = await observed(found, resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.TLS_INVALID), sample.detail


async def test_tls_from_one_that_has_none_is_down(port: int, resources: Resources) -> None:
    sample = await observed(check(port, query="?sslmode=require"), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.TLS_INVALID)
    assert "takes no TLS" in sample.detail


async def test_a_file_of_ours_that_is_gone_is_our_own_fault(
    secured: int, authority: Authority, resources: Resources, names: NameServer, tmp_path: Path
) -> None:
    """It was there when the configuration was read."""
    names.has(NAME, "A", LOOPBACK)
    copy = tmp_path / "authority.pem"
    copy.write_bytes(authority.path.read_bytes())
    found = over_tls(secured, NAME, f"sslmode=verify-full&sslrootcert={copy}")
    assert found.host == NAME
    copy.unlink()
    sample = await observed(found, resources)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.UNKNOWN), sample.detail


async def test_what_the_environment_says_to_libpq_changes_nothing(
    port: int, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("SSLMODE", "verify-full"), ("OPTIONS", "-c x=y"), ("TARGETSESSIONATTRS", "read-only")):
        monkeypatch.setenv(f"PG{name}", text)
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.9")
    monkeypatch.setenv("PGDATABASE", "postgres")
    assert (await observed(check(port), resources)).state is State.UP


async def test_the_next_address_is_tried_where_one_refuses(port: int, resources: Resources, names: NameServer) -> None:
    """A name may have several; where none is right, the fault of one that is down is told."""
    names.has(NAME, "A", b"\x7f\0\0\2", LOOPBACK)
    sample = await observed(over_tls(port, NAME, ""), resources)
    assert sample.state is State.UP, sample.detail
    sample = await observed(over_tls(free_port(), NAME, ""), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.REFUSED)
    assert NAME in sample.detail


async def test_a_folder_of_a_socket_needs_no_name_server(
    resources: Resources, names: NameServer, tmp_path: Path
) -> None:
    dsn = f"postgresql://watcher:see-only@/pgbouncer?host={tmp_path}"
    sample = await observed(PgbouncerCheck.model_validate({"dsn": dsn}), resources)
    assert sample.state is not State.UP
    assert sample.reason is not Reason.PROTOCOL
    assert names.asked == []


STATE: Table = [{"key": "active", "value": "yes"}, {"key": "paused", "value": "no"}]
PART = rows(STATE)[:-9]
FAULTS: dict[str, tuple[bytes, Reason]] = {
    "silent": (PART, Reason.TIMEOUT),
    "half a row": (PART, Reason.RESET),
    "ends": (b"", Reason.RESET),
    "garbage": (b"\0\xff" * 64, Reason.PROTOCOL),
    "copy": (message(b"H", b"\0\0\0") + READY, Reason.PROTOCOL),
    "shut down": (error("terminating connection due to administrator command", "57P01", "FATAL"), Reason.RESET),
    "no memory": (error("out of memory", "53200") + READY, Reason.SATURATED),
    "refused": (error("invalid command") + READY, Reason.PROTOCOL),
}
CLOSED = {"half a row", "ends", "garbage", "shut down"}
COMMANDS = [*WELL, "SHOW STATE"]


@pytest.mark.parametrize(
    ("fault", "at"),
    [
        *itertools.product(sorted(FAULTS.keys() - {"silent", "refused"}), COMMANDS),
        *itertools.product(["silent"], COMMANDS[::5]),
        *itertools.product(["refused"], WELL),
    ],
)
async def test_whatever_goes_wrong_with_an_answer_it_is_not_up(fault: str, at: str, resources: Resources) -> None:
    """With any of the commands; the run ends at its deadline at the latest, and nothing is left of it."""
    answer, reason = FAULTS[fault]
    talk = console({**WELL, at: answer}, hangs_up=fault in CLOSED)
    files = open_files()
    async with tcp_peer(talk) as peer:
        started = perf_counter()
        sample = await observed(check(peer.port, timeout="500ms" if fault == "silent" else "20s"), resources)
        assert perf_counter() - started < 15
        await asyncio.wait_for(peer.quiet.wait(), 20)
        await asyncio.sleep(0.02)  # the peer closes its own end a turn later
    assert (sample.state, sample.reason) == (State.DOWN, reason), sample.detail
    assert "duration" not in {measure.name for measure in sample.measures}
    assert open_files() <= files + 1


async def test_an_answer_that_never_ends_is_cut_off(resources: Resources) -> None:
    """Long before the deadline, and before it fills the memory."""
    table: Table = [POOL] * (MOST_ROWS + 1)
    async with tcp_peer(console({**WELL, "SHOW POOLS": rows(table)})) as peer:
        sample = await observed(check(peer.port), resources)
        await asyncio.wait_for(peer.quiet.wait(), 20)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.PROTOCOL)
    assert "more than 20,000 rows" in sample.detail


async def test_a_run_that_is_cancelled_leaves_nothing(resources: Resources) -> None:
    """In the middle of an answer, where psycopg's own connection would ask the server to cancel, and wait for it."""
    async with tcp_peer(console({"SHOW POOLS": b""})) as peer:
        tasks, files = len(asyncio.all_tasks()), open_files()
        run = asyncio.create_task(observe(SITE, check(peer.port, timeout="60s"), resources, SystemClock()))
        await asyncio.wait_for(peer.heard.wait(), 20)
        await asyncio.sleep(0.1)
        run.cancel()
        started = perf_counter()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert perf_counter() - started < 1
        await asyncio.wait_for(peer.quiet.wait(), 20)
        await asyncio.sleep(0.02)  # the peer closes its own end a turn later
        assert len(asyncio.all_tasks()) == tasks
        assert open_files() <= files


async def test_an_unknown_show_state_is_no_fault(resources: Resources) -> None:
    """PgBouncer before 1.19 does not know it; a later one says by it that all databases are paused."""
    async with tcp_peer(console()) as peer:
        assert value(await observed(check(peer.port), resources), "paused") == 0.0
    state: Table = [{"key": "active", "value": "no"}, {"key": "paused", "value": "yes"}]
    async with tcp_peer(console({**WELL, "SHOW STATE": state})) as peer:
        sample = await observed(check(peer.port), resources)
    assert value(sample, "paused", database="shop") == 1.0
    assert sample.state is State.UP


@pytest.mark.parametrize("table", [[], [{"database": "shop", "user": "web"}], [{"something": "else"}]])
async def test_pools_without_the_columns_of_every_version_are_no_pgbouncers(table: Table, resources: Resources) -> None:
    async with tcp_peer(console({**WELL, "SHOW POOLS": table})) as peer:
        sample = await observed(check(peer.port), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.PROTOCOL)
    assert "no PgBouncer" in sample.detail


@pytest.mark.parametrize("severity", ["ERROR", "FATAL"])
async def test_what_a_server_says_is_shown_without_our_secrets_wherever_it_is_cut(
    severity: str, resources: Resources
) -> None:
    """It repeats the password it was given, after any number of other letters: at the login, or to a command."""
    for before in range(150, 215, 4):
        said = error("x" * before + SECRET, severity=severity) + READY
        talk = console(greeting=said) if severity == "FATAL" else console({"SHOW POOLS": said})
        async with tcp_peer(talk) as peer:
            sample = await observed(check(peer.port), resources)
        assert sample.state is State.DOWN
        assert "hunt" not in repr(sample)


async def test_of_very_many_the_worst_are_measured_by_name(resources: Resources) -> None:
    """So that one sample holds them: those with waiting clients, and what an operator has stopped, are among them."""
    pools: Table = [{**POOL, "database": f"d{n:03}"} for n in range(200)]
    pools = [*pools, {**POOL, "database": "worst", "cl_waiting": "2"}]
    databases: Table = [{**DATABASE, "name": f"d{n:03}"} for n in range(200)]
    databases = [*databases, {**DATABASE, "name": "worst"}, {**DATABASE, "name": "idle", "paused": "1"}]
    async with tcp_peer(console({**WELL, "SHOW POOLS": pools, "SHOW DATABASES": databases})) as peer:
        sample = await observed(check(peer.port), resources)
    assert len(labels_of(sample, "waiting")) == len(labels_of(sample, "paused")) == 50
    assert value(sample, "waiting", database="worst") == 2
    assert value(sample, "paused", database="idle") == 1
    assert len(sample.measures) < 1_000


LIBPQ = 'connection to server at "127.0.0.1", port 6432 failed: '


@pytest.mark.parametrize(
    ("said", "state", "reason"),
    [
        ("Connection refused\n\tIs the server running on that host?", State.DOWN, Reason.REFUSED),
        ("Connection timed out", State.DOWN, Reason.TIMEOUT),
        ("No route to host", State.DOWN, Reason.UNREACHABLE),
        ("Network is unreachable", State.UNKNOWN, Reason.UNREACHABLE),
        ("could not create socket: Too many open files", State.UNKNOWN, Reason.UNKNOWN),
        ("could not receive data from server: Connection reset by peer", State.DOWN, Reason.RESET),
        ("server closed the connection unexpectedly\n\tThis probably means", State.DOWN, Reason.RESET),
        ("SSL SYSCALL error: EOF detected", State.DOWN, Reason.RESET),
        ("SSL error: tlsv1 alert protocol version", State.DOWN, Reason.TLS_INVALID),
        ("server does not support SSL, but SSL was required", State.DOWN, Reason.TLS_INVALID),
        ('could not read certificate file "x"', State.UNKNOWN, Reason.UNKNOWN),
        ("received invalid response to SSL negotiation: H", State.DOWN, Reason.PROTOCOL),
        ("expected authentication request from server, but received H", State.DOWN, Reason.PROTOCOL),
        ("fe_sendauth: no password supplied", State.DOWN, Reason.AUTH),
        ("FATAL:  not allowed", State.UNKNOWN, Reason.AUTH),
        ("FATAL:  SASL authentication failed", State.DOWN, Reason.AUTH),
        ("FATAL:  no such user: stats", State.DOWN, Reason.AUTH),
        ('FATAL:  role "stats" does not exist', State.DOWN, Reason.AUTH),
        ('FATAL:  no pg_hba.conf entry for host "::1"', State.DOWN, Reason.AUTH),
        ("FATAL:  no such database: pgbouncer", State.DOWN, Reason.MISSING),
        ('FATAL:  database "pgbouncer" does not exist', State.DOWN, Reason.MISSING),
        ("FATAL:  SSL required", State.DOWN, Reason.TLS_INVALID),
        ("FATAL:  no more connections allowed (max_client_conn)", State.DOWN, Reason.SATURATED),
        ("FATAL:  sorry, too many clients already", State.DOWN, Reason.SATURATED),
        ("FATAL:  remaining connection slots are reserved", State.DOWN, Reason.SATURATED),
        ("FATAL:  the database system is starting up", State.DOWN, Reason.STARTING),
        ("FATAL:  the database system is not yet accepting connections", State.DOWN, Reason.STARTING),
        ("FATAL:  the database system is shutting down", State.DOWN, Reason.RESET),
        ("FATAL:  bouncer config error", State.DOWN, Reason.PROTOCOL),
    ],
)
def test_what_libpq_says_is_understood(said: str, state: State, reason: Reason) -> None:
    """It hands on no code of a login that failed, so its words decide, and those of the server in them."""
    failure = failure_of_connection(LIBPQ + said, "bouncer.test:6432")
    assert (failure.state, failure.reason) == (state, reason)
    assert "bouncer.test:6432" in failure.detail


def test_the_thresholds_that_come_with_it_are_those_of_the_runbook(tmp_path: Path) -> None:
    """CL-18: a warning when clients wait for a minute, a critical when one waits for more than five seconds."""
    file = tmp_path / "shop.yaml"
    file.write_text("system: shop\nchecks: {pools: {kind: pgbouncer, dsn: '${BOUNCER_URL}'}}\n")
    environ = {"BOUNCER_URL": "postgresql://stats:see@bouncer.test/pgbouncer"}
    for plan in (*load(tmp_path, environ).plans.values(), *load(tmp_path, {}, placeholders=True).plans.values()):
        told = {
            threshold.watch.text: [(str(figure.severity), figure.text) for figure in threshold.figures]
            for threshold in plan.thresholds
        }
        assert told == {
            "waiting": [("warning", "> 0")],
            "longest_wait": [("critical", "> 5s")],
            "paused": [("warning", "> 0")],
            "disabled": [("warning", "> 0")],
        }
        waits = {
            threshold.watch.text: {patience.for_ for patience in threshold.patience.values()}
            for threshold in plan.thresholds
        }
        assert (waits["waiting"], waits["longest_wait"]) == ({timedelta(minutes=1)}, {timedelta()})


@pytest.mark.parametrize(
    "fields",
    [
        {"dsn": "postgresql://stats@bouncer.test:6432/shop"},
        {"dsn": "postgresql://stats@bouncer.test:6432"},
        {"dsn": "redis://bouncer.test"},
        {"dsn": "postgresql://stats@bouncer.test/pgbouncer?colour=red"},
        {"dsn": "postgresql://stats@bouncer.test/pgbouncer", "databases": [""]},
        {"dsn": "postgresql://stats@bouncer.test/pgbouncer", "keep": True},
    ],
)
def test_what_cannot_be_a_console_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        PgbouncerCheck.model_validate(fields)
    assert not any("stats" in fault["msg"] for fault in caught.value.errors())


def test_the_password_is_never_shown() -> None:
    found = check(6432)
    assert WATCHER[1] not in repr(found) + repr(found.address) + found.model_dump_json()
    assert (found.host, found.alone) == ("127.0.0.1", found.address.key)
