"""The one connection to each watched database: made, kept, found dead, made anew, and let go."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from operator import methodcaller
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from monitor.databases import Databases, apart, parse
from monitor.model import Failure, Reason, State
from monitor.network import Resolver
from tests.peers import drips, relays, silence, tcp_peer
from tests.pgbouncer import pgbouncer
from tests.postgres import PASSWORD, USER, cluster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from monitor.databases import Address, Connection
    from tests.peers import NameServer
    from tests.postgres import Cluster

BOTH_LOOPS = True
LONG = timedelta(seconds=20)
OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'runbook-monitor'"


@dataclass
class Notes:
    """What was noted: the phases in their order."""

    phases: list[str] = field(default_factory=list)

    def note(self, name: str, value: float, **label: str) -> None:
        assert name == "phase"
        assert value >= 0
        self.phases.append(label["phase"])


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """Run a server that may be disturbed."""
    with cluster() as running:
        yield running


@pytest.fixture
def address(server: Cluster) -> Address:
    return parse(server.dsn())


@pytest.fixture
async def open_databases(names: NameServer) -> AsyncIterator[Callable[..., Databases]]:
    """Return what makes databases; in the end nothing of them may be left, neither task nor connection."""
    resolver = Resolver([names.address])
    made: list[Databases] = []
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    before = asyncio.all_tasks()

    def make(**options: timedelta) -> Databases:
        made.append(Databases(resolver, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() <= before | {asyncio.current_task()}
    await resolver.close()
    gc.collect()
    assert complaints == []


@pytest.fixture
def databases(open_databases: Callable[..., Databases]) -> Databases:
    return open_databases()


async def pid_of(connection: Connection) -> int:
    pid: int = await connection.fetchval("SELECT pg_backend_pid()")
    return pid


async def ask(databases: Databases, address: Address, *, keep: bool = True, within: timedelta = LONG) -> int:
    """Return the process that answered."""
    return await databases.read(address, pid_of, Notes().note, within, keep=keep)


async def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not come true")


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_a_connection_is_made_once_and_used_by_all(databases: Databases, server: Cluster) -> None:
    """The phases of a new one are noted by the run that made it."""
    first, second = Notes(), Notes()
    found = [await databases.read(parse(server.dsn()), pid_of, notes.note, LONG) for notes in (first, second)]
    assert found[0] == found[1]
    assert first.phases == ["dns", "connect", "login", "query"]
    assert second.phases == ["query"]
    assert server.psql(OURS) == "1"


async def test_each_database_has_its_own(databases: Databases, server: Cluster) -> None:
    one, other = parse(server.dsn()), parse(server.dsn("template1"))
    assert await ask(databases, one) != await ask(databases, other)
    assert server.psql(OURS) == "2"


async def test_runs_on_one_database_come_one_after_the_other(databases: Databases, address: Address) -> None:
    """Twenty checks at once hold one connection, and none sees another's transaction."""
    inside = 0

    async def work(connection: Connection) -> int:
        nonlocal inside
        inside += 1
        assert inside == 1
        await connection.execute("SELECT pg_sleep(0.001)")
        inside -= 1
        return await pid_of(connection)

    found = await asyncio.gather(*(databases.read(address, work, Notes().note, LONG) for _ in range(20)))
    assert len(set(found)) == 1


async def test_a_connection_that_the_server_has_ended_is_made_anew(
    databases: Databases, address: Address, server: Cluster
) -> None:
    """Within the same run: nobody is told of an outage that there was not."""
    first = await ask(databases, address)
    server.psql(f"SELECT pg_terminate_backend({first})")
    notes = Notes()
    second = await databases.read(address, pid_of, notes.note, LONG)
    assert second != first
    assert notes.phases[-2:] == ["login", "query"]


@pytest.mark.parametrize("how", ["silent", "cut", "garbled"])
async def test_a_kept_connection_that_something_between_has_forgotten_is_made_anew(
    how: str, databases: Databases, server: Cluster
) -> None:
    """Half of the time is for finding that out, half for a new connection."""
    first = True

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal first
        if not first:
            await relays(server.port)(reader, writer)
            return
        first = False
        theirs, ours = await asyncio.open_connection("127.0.0.1", server.port)
        back = asyncio.create_task(pump(theirs, writer))
        while (data := await reader.read(65_536)) and dead[0] is False:
            ours.write(data)
        back.cancel()
        ours.close()
        if how == "cut":
            writer.transport.abort()
        elif how == "garbled":
            writer.write(b"\0\xff" * 64)
        await asyncio.sleep(0 if how == "cut" else 60)

    async def pump(theirs: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await theirs.read(65_536):
            writer.write(data)

    dead = [False]
    async with tcp_peer(talk) as peer:
        address = parse(f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{peer.port}/postgres?sslmode=disable")
        before = await ask(databases, address)
        dead[0] = True
        started = perf_counter()
        within = timedelta(seconds=1) if how == "silent" else LONG
        after = await ask(databases, address, within=within)
        assert perf_counter() - started < 0.9 if how == "silent" else 5
        databases.close()
        assert peer.seen == 2
    assert before != after


async def test_a_server_that_was_restarted_is_found_again(
    databases: Databases, address: Address, server: Cluster
) -> None:
    await ask(databases, address)
    server.stop()
    with pytest.raises(Failure) as refused:
        await ask(databases, address)
    server.start()
    assert (refused.value.reason, refused.value.state) == (Reason.REFUSED, State.DOWN)
    assert await ask(databases, address)


async def test_without_keep_each_run_has_a_new_connection_and_leaves_none(
    databases: Databases, address: Address, server: Cluster
) -> None:
    """Neither its own, nor one that another check kept: a database that is to be suspended must be left alone."""
    kept = await ask(databases, address)
    first, second = [await ask(databases, address, keep=False) for _ in range(2)]
    assert len({kept, first, second}) == 3
    await until(lambda: server.psql(OURS) == "0")


async def test_a_connection_that_nobody_uses_is_let_go(
    open_databases: Callable[..., Databases], address: Address, server: Cluster
) -> None:
    """Its check may have been removed; each use begins the time anew."""
    databases = open_databases(idle=timedelta(seconds=0.2))
    first = await ask(databases, address)
    for _ in range(4):
        await asyncio.sleep(0.1)
        assert await ask(databases, address) == first
    await until(lambda: server.psql(OURS) == "0")
    assert await ask(databases, address) != first


async def test_closing_lets_every_connection_go_and_later_runs_make_new_ones(
    databases: Databases, address: Address, server: Cluster
) -> None:
    files = open_files()
    first = await ask(databases, address)
    databases.close()
    await until(lambda: server.psql(OURS) == "0")
    await asyncio.sleep(0)
    assert open_files() <= files + 1  # uvloop keeps one of its own
    assert await ask(databases, address) != first


@pytest.mark.parametrize(
    ("query", "kept"),
    [("SELECT pg_sleep(60)", False), ("SELECT pg_sleep(60)", True), (None, True)],
    ids=["in a query, new", "in a query, kept", "in between"],
)
async def test_a_run_that_is_cancelled_leaves_nothing_behind(
    query: str | None, databases: Databases, address: Address, server: Cluster, *, kept: bool
) -> None:
    """No task, no connection, and no turn that is never over."""
    if kept:
        await ask(databases, address)
    under_way = asyncio.Event()

    async def work(connection: Connection) -> None:
        under_way.set()
        await (connection.execute(query) if query else asyncio.sleep(60))

    tasks = asyncio.all_tasks()
    running = asyncio.create_task(databases.read(address, work, Notes().note, LONG))
    await under_way.wait()
    await asyncio.sleep(0.02)
    started = perf_counter()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert perf_counter() - started < 1.5
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() <= tasks
    assert await asyncio.wait_for(ask(databases, address), 20)
    server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'")
    await until(lambda: server.psql(OURS) == "1")


@pytest.mark.parametrize("talk", [silence, drips(b"N\0\1\0\0")], ids=["silent", "dripping"])
async def test_a_login_that_is_cancelled_leaves_nothing_behind(talk: Any, databases: Databases) -> None:  # noqa: ANN401 - a talk
    async with tcp_peer(talk) as peer:
        tasks = asyncio.all_tasks()
        address = parse(f"postgresql://me:x@127.0.0.1:{peer.port}/store?sslmode=disable")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask(databases, address), 0.3)
        await asyncio.wait_for(peer.quiet.wait(), 20)
        assert asyncio.all_tasks() <= tasks | peer.tasks


async def test_a_run_that_waits_for_its_turn_can_be_cancelled(databases: Databases, address: Address) -> None:
    go_on = asyncio.Event()

    async def work(_: Connection) -> None:
        await go_on.wait()

    first = asyncio.create_task(databases.read(address, work, Notes().note, LONG))
    second = asyncio.create_task(ask(databases, address))
    await asyncio.sleep(0.05)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    go_on.set()
    await first
    assert await ask(databases, address)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE written (i int)",
        "INSERT INTO pg_description VALUES (1, 1, 1, 'x')",
        "SET TRANSACTION READ WRITE",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "SELECT nextval('counter')",
    ],
)
async def test_nothing_can_be_written(statement: str, databases: Databases, address: Address, server: Cluster) -> None:
    """Not even by a superuser: it is the transaction that is read only, and it cannot be made another."""
    server.psql("CREATE SEQUENCE IF NOT EXISTS counter")
    with pytest.raises(Failure) as caught:
        await databases.read(address, lambda connection: connection.execute(statement), Notes().note, LONG)
    assert caught.value.state is State.UNKNOWN
    assert await ask(databases, address)


async def test_the_server_ends_what_takes_too_long_and_the_connection_stays(
    databases: Databases, address: Address, server: Cluster
) -> None:
    """A query before our own deadline, and a wait for a lock after a second: a monitor must not stand in a queue."""
    first = await ask(databases, address)
    started = perf_counter()
    with pytest.raises(Failure, match="statement timeout") as slow:
        await databases.read(
            address, lambda connection: connection.execute("SELECT pg_sleep(60)"), Notes().note, timedelta(seconds=0.4)
        )
    assert slow.value.reason is Reason.TIMEOUT
    assert perf_counter() - started < 0.4
    server.psql("CREATE TABLE IF NOT EXISTS locked (i int)")
    with server.session() as say:
        say("BEGIN; LOCK TABLE locked")
        with pytest.raises(Failure, match="lock timeout") as waited:
            await databases.read(address, lambda connection: connection.fetch("SELECT FROM locked"), Notes().note, LONG)
    assert waited.value.reason is Reason.TIMEOUT
    assert await ask(databases, address) == first


async def test_nothing_of_a_run_outlives_it(databases: Databases, address: Address) -> None:
    """Neither its settings, nor its failure."""

    async def work(connection: Connection) -> str:
        await connection.execute("SET LOCAL work_mem = '123kB'")
        return str(await connection.fetchval("SHOW statement_timeout"))

    assert await databases.read(address, work, Notes().note, timedelta(seconds=10)) == "9s"
    with pytest.raises(Failure):
        await databases.read(address, lambda connection: connection.fetch("SELECT FROM nowhere"), Notes().note, LONG)

    async def settings(connection: Connection) -> tuple[str, str]:
        return await connection.fetchval("SHOW work_mem"), await connection.fetchval("SHOW statement_timeout")

    assert await databases.read(address, settings, Notes().note, LONG) == ("4MB", "18s")


async def test_a_bug_of_ours_comes_as_it_is_and_costs_no_connection(databases: Databases, address: Address) -> None:
    first = await ask(databases, address)

    async def work(_: Connection) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await databases.read(address, work, Notes().note, LONG)
    assert await ask(databases, address) == first


async def test_work_apart_spoils_nothing_when_it_fails(databases: Databases, address: Address) -> None:
    """What comes after it in the transaction goes on; what ends the connection is not kept back."""

    async def work(connection: Connection) -> list[str]:
        said = []
        for query in ("SELECT 1 / 0", "SELECT FROM nowhere", "SELECT pg_sleep(60)"):
            try:
                await apart(connection, methodcaller("execute", query), "part", timedelta(seconds=0.1))
            except Failure as failure:
                said.append(failure.detail)
        with pytest.raises(Failure, match="part: no time was left"):
            await apart(connection, pid_of, "part", timedelta())
        assert await apart(connection, pid_of, "part", LONG) == await pid_of(connection)
        return said

    assert await databases.read(address, work, Notes().note, LONG) == [
        "part: the query failed with SQLSTATE 22012",
        'part: relation "nowhere" does not exist',
        "part: canceling statement due to statement timeout",
    ]

    async def dies(connection: Connection) -> None:
        await apart(connection, killed, "part", LONG)

    async def killed(connection: Connection) -> None:
        await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(Failure) as ended:
        await databases.read(address, dies, Notes().note, LONG)
    assert (ended.value.reason, ended.value.state) == (Reason.RESET, State.DOWN)
    assert await ask(databases, address)


async def test_a_transaction_that_cannot_begin_leaves_no_connection(
    open_databases: Callable[..., Databases], server: Cluster
) -> None:
    """Here the server does not know a setting of ours, as something that only speaks like PostgreSQL may not."""
    other = b"SET LOCAL idle_in_transaction_session_timeout"

    @asynccontextmanager
    async def altered() -> AsyncIterator[Any]:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            theirs, ours = await asyncio.open_connection("127.0.0.1", server.port)

            async def there() -> None:
                while data := await reader.read(65_536):
                    ours.write(data.replace(other, other.replace(b"idle", b"odle")))
                ours.close()

            going = asyncio.create_task(there())
            while data := await theirs.read(65_536):
                writer.write(data)
            going.cancel()

        async with tcp_peer(talk) as peer:
            yield peer

    async with altered() as peer:
        address = parse(f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{peer.port}/postgres?sslmode=disable")
        with pytest.raises(Failure, match="odle_in_transaction_session_timeout"):
            await ask(open_databases(), address)
        await until(lambda: server.psql(OURS) == "0")


async def test_pgbouncer_may_stand_between(databases: Databases, server: Cluster) -> None:
    """In transaction mode, where each run may have another server's connection: the system's is 1.18."""
    with pgbouncer(server, USER, PASSWORD, 1) as port:
        address = parse(f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres")

        async def work(connection: Connection) -> int:
            rows = await connection.fetch("SELECT $1::int + i AS n FROM generate_series(1, 3) i", 4)
            return sum(row["n"] for row in rows)

        assert [await databases.read(address, work, Notes().note, LONG) for _ in range(5)] == [18] * 5
        with pytest.raises(Failure):
            await databases.read(address, lambda ours: ours.fetch("SELECT FROM nowhere"), Notes().note, LONG)
        timeout = await databases.read(address, lambda ours: ours.fetchval("SHOW lock_timeout"), Notes().note, LONG)
        assert timeout == "1s"
        beside = await asyncpg.connect(
            host="127.0.0.1", port=port, user=USER, password=PASSWORD, database="postgres", statement_cache_size=0
        )
        assert await beside.fetchval("SHOW lock_timeout") == "0"
        await beside.close()
