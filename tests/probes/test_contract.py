"""What every kind of check promises, whatever its peer does. A new kind adds one entry to `KINDS`."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import pytest
from structlog.testing import capture_logs

from monitor.clock import SystemClock
from monitor.databases import Databases
from monitor.model import CheckId, Reason, Sample, State
from monitor.probes import load_kind
from monitor.probes.base import Check, Resources, observe
from tests.bouncers import console, error
from tests.peers import (
    Authority,
    drips,
    free_port,
    hangs_up,
    name_server,
    relays,
    resets,
    says,
    silence,
    tcp_peer,
    wire_text,
)
from tests.postgres import PASSWORD, USER
from tests.probes.conftest import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitor.network import Resolver
    from tests.peers import NameServer, Talk
    from tests.postgres import Cluster

BOTH_LOOPS = True

CHECK = CheckId("shop", "probe")
SHORT = 0.8
"""The deadline where it is what is tested, in seconds; everywhere else a busy machine has time."""
TIMER = 0.001
"""uvloop counts whole milliseconds."""
SLACK = 0.35
NAME = "shop.test"


@dataclass(frozen=True)
class Kind:
    """A kind as the contract sees it: the fields for a peer on `host` and `port`, and how a good peer talks.

    `drip` begins an answer that never ends. `half` begins a good answer. No `good` peer: PostgreSQL is one. `blames`:
    what a fault of the peer makes of the target; of a vendor that is asked about a product it says nothing.
    """

    name: str
    fields: Callable[[str, int, str], dict[str, Any]]
    good: Talk | None
    drip: bytes
    half: bytes
    secure: bool = False
    blames: State = State.DOWN


def on_postgres(**fields: object) -> Callable[[str, int, str], dict[str, Any]]:
    """Return the fields of a kind that asks a database, and keeps no connection to it."""
    where = f"postgresql://{USER}:{PASSWORD}@%s:%d/{DATABASE}?sslmode=disable"
    return lambda host, port, _: {"dsn": where % (host, port), "keep": False, **fields}


DATABASE = "contract"
AUTHENTICATED = b"R\0\0\0\x08\0\0\0\0"


def json_says(body: str, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def answers(by_path: dict[str, str]) -> Talk:
    """Answer one question with the JSON of the first path that it names."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode()
        writer.write(json_says(next(body for path, body in by_path.items() if path in line)))
        await writer.drain()

    return talk


def at_vendor(host: str, port: int) -> str:
    """Return an address that a key may be sent to."""
    return f"{'http' if host == '127.0.0.1' else 'https'}://{host}:{port}"


NO_SUBSCRIPTIONS = '{"data": {"webhookSubscriptions": {"nodes": [], "pageInfo": {"hasNextPage": false}}}}'

NEON = {
    "project": dict.fromkeys(
        (
            *("compute_time_seconds", "active_time_seconds", "written_data_bytes", "data_transfer_bytes"),
            "branch_logical_size_limit_bytes",
        ),
        0,
    ),
    "branches": [{"id": "br-1", "name": "main", "current_state": "ready", "default": True}],
    "endpoints": [],
    "operations": [],
}
"""What answers each of the four questions."""

KINDS = [
    Kind(
        "tcp",
        lambda host, port, _: {"host": host, "port": port, "expect": "220 ready"},
        says(b"220 ready\r\n"),
        drip=b"2",
        half=b"220 re",
    ),
    Kind(
        "tls",
        lambda host, port, ca: {"host": host, "port": port, "server_name": NAME, "ca_file": ca},
        silence,
        drip=b"\x16\x03\x03\x40\x00",
        half=b"\x16\x03\x03\x00\x7a\x02",
        secure=True,
    ),
    Kind(
        "http",
        lambda host, port, _: {"url": f"http://{host}:{port}/"},
        says(b"HTTP/1.1 204 No Content\r\n\r\n"),
        drip=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 64,
        half=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    ),
    Kind("postgres", on_postgres(), None, drip=AUTHENTICATED, half=AUTHENTICATED + b"Z\0\0"),
    Kind("sql", on_postgres(query="select 1"), None, drip=AUTHENTICATED, half=AUTHENTICATED[:6]),
    Kind(
        "migrations",
        on_postgres(tool="alembic", expected="005_a"),
        None,
        drip=AUTHENTICATED,
        half=AUTHENTICATED + b"Z\0\0",
    ),
    Kind(
        "redis",
        lambda host, port, _: {"url": f"redis://{host}:{port}"},
        says(b"+PONG\r\n", b"$15\r\nused_memory:1\r\n\r\n", b":0\r\n"),
        drip=b"+",
        half=b"+PONG\r\n$15\r\nused",
    ),
    Kind(
        "queue",
        lambda host, port, _: {"url": f"redis://{host}:{port}", "type": "list", "queue": "jobs"},
        says(b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n", b":0\r\n", b"$-1\r\n"),
        drip=b"*",
        half=b"*2\r\n$1\r\n1\r\n",
    ),
    Kind(
        "pgbouncer",
        lambda host, port, _: {"dsn": f"postgresql://stats:see@{host}:{port}/pgbouncer?sslmode=disable"},
        console(),
        drip=b"E\0\0\x75\x30" + b"x" * 64,
        half=b"R\0\0\0\x08\0\0",
    ),
    Kind(
        "webhook",
        lambda host, port, _: {"url": f"http://{host}:{port}/", "scheme": "stripe"},
        says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        drip=b"HTTP/1.1 400 Bad Request\r\nX: " + b"x" * 64,
        half=b"HTTP/1.1 400 Bad Request\r\nContent-Length: 9\r\n\r\nhalf",
    ),
    Kind(
        "stripe",
        lambda host, port, _: {"url": at_vendor(host, port), "api_key": "rk_live_1"},
        says(json_says("{}")),
        drip=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 64,
        half=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        blames=State.UNKNOWN,
    ),
    Kind(
        "shopify",
        lambda host, port, _: {
            "url": at_vendor(host, port),
            "shop": "canary",
            "token": "shpat_1",
            "topics": ["app/uninstalled"],
        },
        says(json_says(NO_SUBSCRIPTIONS)),
        drip=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 64,
        half=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        blames=State.UNKNOWN,
    ),
    Kind(
        "flow",
        lambda host, port, _: {"url": f"http://{host}:{port}", "steps": [{"name": "look", "url": "/"}]},
        says(b"HTTP/1.1 204 No Content\r\n\r\n"),
        drip=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 64,
        half=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    ),
    Kind(
        "render",
        lambda host, port, _: {"url": at_vendor(host, port), "api_key": "rnd_1", "databases": ["db"]},
        says(json_says("[]")),
        drip=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 64,
        half=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        blames=State.UNKNOWN,
    ),
    Kind(
        "metrics",
        lambda host, port, _: {"url": f"http://{host}:{port}/metrics", "values": {"x": "x"}},
        says(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nx 1\n"),
        drip=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 64,
        half=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx 1\n",
    ),
    Kind(
        "promql",
        lambda host, port, _: {"url": f"http://{host}:{port}", "values": {"x": {"query": "x", "empty": 0}}},
        says(json_says('{"status": "success", "data": {"resultType": "vector", "result": []}}')),
        drip=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 64,
        half=b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"status": "success"',
        blames=State.UNKNOWN,
    ),
    Kind(
        "neon",
        lambda host, port, _: {"url": at_vendor(host, port), "project": "p", "api_key": "napi_1"},
        says(json_says(json.dumps(NEON))),
        drip=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 64,
        half=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        blames=State.UNKNOWN,
    ),
    Kind(
        "sentry",
        lambda host, port, _: {"url": at_vendor(host, port), "org": "shop", "token": "sntrys_1"},
        answers({"/issues/": "[]", "/stats_v2/": '{"groups": []}', "/events-timeseries/": '{"timeSeries": []}'}),
        drip=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 64,
        half=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        blames=State.UNKNOWN,
    ),
    Kind(
        "s3",
        lambda host, port, _: {
            "url": at_vendor(host, port),
            "bucket": "shop",
            "access_key": "1",
            "secret_key": "2",
            "stored": True,
        },
        says(json_says("<ListVersionsResult/>")),
        drip=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 64,
        half=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    ),
    Kind(
        "supabase",
        lambda host, port, _: {
            "url": at_vendor(host, port),
            "project": "project",
            "token": "sbp_1",
            "health": False,
            "backups": True,
        },
        says(json_says('{"backups": [{"status": "COMPLETED", "inserted_at": "2026-01-05T00:00:00Z"}]}')),
        drip=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 64,
        half=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        blames=State.UNKNOWN,
    ),
    Kind(
        "status",
        lambda host, port, _: {"url": at_vendor(host, port)},
        says(json_says('{"status": {"indicator": "none"}}')),
        drip=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 64,
        half=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        blames=State.UNKNOWN,
    ),
    Kind(
        "heartbeat",
        on_postgres(query="select now() as finished", period="1d"),
        None,
        drip=AUTHENTICATED,
        half=AUTHENTICATED[:6],
        blames=State.UNKNOWN,
    ),
]
BLAMES = {kind.name: kind.blames for kind in KINDS} | {"dns": State.DOWN}
ALL = list(BLAMES)


def made(kind: str, **fields: object) -> Check:
    return load_kind(kind).model_validate({"kind": kind, "timeout": "20s", **fields})


async def observed(check: Check, resources: Resources) -> Sample:
    """Observe `check`, and hold the sample against what its kind declares."""
    sample = await observe(CHECK, check, resources, SystemClock())
    declared = {spec.name: spec.labels for spec in check.declared()}
    for measure in sample.measures:
        assert {name for name, _ in measure.labels} == set(declared[measure.name])
    assert (sample.state is State.UP) == (sample.reason is None) == (not sample.detail)
    assert sample.reason is None or sample.reason in check.reasons
    assert len(sample.detail) <= 300
    assert len(sample.detail.splitlines()) <= 1
    return sample


@pytest.fixture(scope="module")
def database(postgres: Cluster) -> Iterator[Cluster]:
    """Return a server with what good checks of a database find there."""
    postgres.psql(f"CREATE DATABASE {DATABASE}")
    postgres.psql("CREATE TABLE alembic_version AS SELECT '005_a' AS version_num", DATABASE)
    yield postgres
    postgres.psql(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def noted(sample: Sample) -> set[str]:
    return {measure.name for measure in sample.measures} | {
        text for measure in sample.measures for _, text in measure.labels
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_a_good_peer_is_up(kind: Kind, resources: Resources, authority: Authority, database: Cluster) -> None:
    """Without this, all below could pass for the wrong reason."""
    talk = kind.good or relays(database.port)
    async with tcp_peer(talk, authority.server(NAME) if kind.secure else None) as peer:
        sample = await observed(made(kind.name, **kind.fields("127.0.0.1", peer.port, str(authority.path))), resources)
        await asyncio.wait_for(peer.quiet.wait(), 20)
    assert sample.state is State.UP, sample.detail
    assert {"duration", "dns", "connect"} <= noted(sample)


@pytest.mark.parametrize("dripping", [False, True], ids=["silent", "dripping"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_the_deadline_is_kept_and_what_was_measured_before_it(
    kind: Kind, resources: Resources, authority: Authority, late: Callable[[], float], *, dripping: bool
) -> None:
    async with tcp_peer(drips(kind.drip) if dripping else silence) as peer:
        started = perf_counter()
        sample = await observed(
            made(kind.name, **kind.fields("127.0.0.1", peer.port, str(authority.path)), timeout=f"{SHORT}s"), resources
        )
        took = perf_counter() - started
        await asyncio.wait_for(peer.quiet.wait(), 20)
    assert (sample.state, sample.reason) == (kind.blames, Reason.TIMEOUT)
    assert SHORT - TIMER <= took < SHORT + SLACK + late()
    assert {"dns", "connect"} <= noted(sample)
    assert "duration" not in noted(sample)


async def test_the_deadline_of_a_name_is_kept_over_tcp_too(resources: Resources, late: Callable[[], float]) -> None:
    """A name server that says "ask over TCP" and then drips."""
    async with tcp_peer(drips(b"\x40\x00")) as peer, name_server(peer.port) as server:
        server.truncated.add(NAME)
        started = perf_counter()
        sample = await observed(made("dns", name=NAME, nameservers=[server.address], timeout=f"{SHORT}s"), resources)
        assert perf_counter() - started < SHORT + SLACK + late()
        assert peer.seen
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.DNS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_the_deadline_counts_from_the_start(
    kind: Kind, names: NameServer, resources: Resources, authority: Authority, late: Callable[[], float]
) -> None:
    resources.tls.get()  # reads the system's certificates, which the daemon does at its start
    names.has(NAME, "A", socket.inet_aton("127.0.0.1"))
    names.delay = 0.3
    async with tcp_peer(silence) as peer:
        started = perf_counter()
        sample = await observed(
            made(kind.name, **kind.fields(NAME, peer.port, str(authority.path)), timeout=f"{SHORT}s"), resources
        )
    assert sample.reason is Reason.TIMEOUT
    assert perf_counter() - started < SHORT + 0.25 + late()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_a_silent_name_server_is_unknown_at_the_deadline(
    kind: Kind, names: NameServer, resources: Resources, authority: Authority, late: Callable[[], float]
) -> None:
    names.silent.add(NAME)
    started = perf_counter()
    sample = await observed(
        made(kind.name, **kind.fields(NAME, 9, str(authority.path)), timeout=f"{SHORT}s"), resources
    )
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.DNS)
    assert perf_counter() - started < SHORT + SLACK + late()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_a_name_that_does_not_exist_is_not_up(
    kind: Kind, names: NameServer, resources: Resources, authority: Authority
) -> None:
    names.codes[NAME] = 3
    sample = await observed(made(kind.name, **kind.fields(NAME, 9, str(authority.path))), resources)
    assert (sample.state, sample.reason) == (kind.blames, Reason.DNS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_cancelling_closes_everything(kind: Kind, resources: Resources, authority: Authority) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with tcp_peer(silence) as peer:
        check = made(kind.name, **kind.fields("127.0.0.1", peer.port, str(authority.path)), timeout="30s")
        tasks, files = len(asyncio.all_tasks()), open_files()
        running = asyncio.create_task(observe(CHECK, check, resources, SystemClock()))
        await asyncio.wait_for(peer.heard.wait(), 20)
        await asyncio.sleep(0.05)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.wait_for(peer.quiet.wait(), 20)
        await asyncio.sleep(0.02)
        gc.collect()
        assert len(asyncio.all_tasks()) == tasks
        assert open_files() <= files
    assert complaints == []


async def test_cancelling_a_question_leaves_no_task(names: NameServer, resources: Resources) -> None:
    names.silent.add(NAME)
    tasks = len(asyncio.all_tasks())
    running = asyncio.create_task(observe(CHECK, made("dns", name=NAME, timeout="30s"), resources, SystemClock()))
    await names.hears(NAME)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(asyncio.all_tasks()) == tasks


@pytest.mark.parametrize("before", [0, 40, 70, 76, 79])
@pytest.mark.parametrize("kind", ALL)
async def test_no_part_of_a_secret_comes_back(
    kind: str, before: int, names: NameServer, resources: Resources, tmp_path: Path, database: Cluster
) -> None:
    """Also where the text around it is cut."""
    text = "x" * before + SECRET
    sample = await EXPOSED[kind](text, Around(names, resources, tmp_path, database))
    assert sample.state is BLAMES[kind], sample
    assert "•••" in sample.detail or before > 60
    assert "hunt" not in repr(sample)


@dataclass(frozen=True)
class Around:
    """What there is to put a text before a kind with."""

    names: NameServer
    resources: Resources
    folder: Path
    database: Cluster


async def expose_tcp(text: str, around: Around) -> Sample:
    async with tcp_peer(says(text.encode(), close=True)) as peer:
        return await observed(made("tcp", host="127.0.0.1", port=peer.port, expect="never"), around.resources)


async def expose_tls(text: str, around: Around) -> Sample:
    authority = Authority(around.folder, text[-64:])
    async with tcp_peer(silence, authority.server(NAME)) as peer:
        fields = {"host": "127.0.0.1", "port": peer.port, "server_name": NAME, "ca_file": str(authority.path)}
        return await observed(made("tls", **fields, issuer="never"), around.resources)


async def expose_dns(text: str, around: Around) -> Sample:
    around.names.has(NAME, "TXT", wire_text(text.encode()))
    return await observed(made("dns", name=NAME, type="TXT", expect="never"), around.resources)


async def expose_http(text: str, around: Around) -> Sample:
    body = text.encode()
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with tcp_peer(says(reply)) as peer:
        url = f"http://127.0.0.1:{peer.port}/"
        return await observed(made("http", url=url, expect={"body": {"equals": "never"}}), around.resources)


async def expose_postgres(text: str, around: Around) -> Sample:
    body = b"SFATAL\0C57P03\0M" + text.replace("\r\n", " ").encode() + b"\0\0"
    async with tcp_peer(says(b"E" + (len(body) + 4).to_bytes(4, "big") + body, close=True)) as peer:
        return await observed(made("postgres", **on_postgres()("127.0.0.1", peer.port, "")), around.resources)


async def expose_heartbeat(text: str, around: Around) -> Sample:
    body = b"SFATAL\0C57P03\0M" + text.replace("\r\n", " ").encode() + b"\0\0"
    fields = on_postgres(query="select now() as finished", period="1d")
    async with tcp_peer(says(b"E" + (len(body) + 4).to_bytes(4, "big") + body, close=True)) as peer:
        return await observed(made("heartbeat", **fields("127.0.0.1", peer.port, "")), around.resources)


async def expose_sql(text: str, around: Around) -> Sample:
    fields = on_postgres(query=f"select $a${text}$a$ as a", show="a", expect={"rows": 0})
    return await observed(made("sql", **fields("127.0.0.1", around.database.port, "")), around.resources)


async def expose_migrations(text: str, around: Around) -> Sample:
    around.database.psql(
        f"DROP TABLE IF EXISTS exposed; CREATE TABLE exposed AS SELECT $a${text}$a$ AS version_num",
        DATABASE,
        "-c client_min_messages=error",
    )
    fields = on_postgres(tool="alembic", table="exposed", expected="never")
    return await observed(made("migrations", **fields("127.0.0.1", around.database.port, "")), around.resources)


async def expose_redis(text: str, around: Around) -> Sample:
    async with tcp_peer(refuses(text)) as peer:
        return await observed(made("redis", url=f"redis://127.0.0.1:{peer.port}"), around.resources)


async def expose_queue(text: str, around: Around) -> Sample:
    async with tcp_peer(refuses(text)) as peer:
        return await observed(made("queue", url=f"redis://127.0.0.1:{peer.port}"), around.resources)


def refuses(text: str) -> Talk:
    """Refuse every command with a text that is one line, as Redis can say no other."""
    return says(b"-LOADING " + text.replace("\r\n", " ").encode() + b"\r\n", close=True)


async def expose_pgbouncer(text: str, around: Around) -> Sample:
    async with tcp_peer(console(greeting=error(text, severity="FATAL"))) as peer:
        return await observed(
            made("pgbouncer", dsn=f"postgresql://u:p@127.0.0.1:{peer.port}/pgbouncer"), around.resources
        )


async def expose_webhook(text: str, around: Around) -> Sample:
    body = text.encode()
    reply = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with tcp_peer(says(reply)) as peer:
        return await observed(made("webhook", url=f"http://127.0.0.1:{peer.port}/", scheme="stripe"), around.resources)


async def expose_stripe(text: str, around: Around) -> Sample:
    reply = json_says(json.dumps({"error": {"message": text}}), "403 Forbidden")
    async with tcp_peer(says(reply)) as peer:
        return await observed(
            made("stripe", url=f"http://127.0.0.1:{peer.port}", api_key="rk_live_1"), around.resources
        )


async def expose_shopify(text: str, around: Around) -> Sample:
    reply = json_says(json.dumps({"errors": [{"message": text}]}))
    async with tcp_peer(says(reply)) as peer:
        fields = {"shop": "canary", "token": "shpat_1", "topics": ["app/uninstalled"]}
        return await observed(made("shopify", url=f"http://127.0.0.1:{peer.port}", **fields), around.resources)


async def expose_flow(text: str, around: Around) -> Sample:
    body = text.encode()
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with tcp_peer(says(reply)) as peer:
        step = {"name": "a", "url": "/", "expect": {"body": {"equals": "b"}}}
        return await observed(made("flow", url=f"http://127.0.0.1:{peer.port}", steps=[step]), around.resources)


async def expose_render(text: str, around: Around) -> Sample:
    reply = json_says(json.dumps({"id": "req-1", "message": text}), "403 Forbidden")
    async with tcp_peer(says(reply)) as peer:
        fields = {"api_key": "rnd_1", "services": ["api"]}
        return await observed(made("render", url=f"http://127.0.0.1:{peer.port}", **fields), around.resources)


async def expose_metrics(text: str, around: Around) -> Sample:
    line = b"x " + text.encode().replace(b"\r\n", b" ")
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(line) + line
    async with tcp_peer(says(reply)) as peer:
        url = f"http://127.0.0.1:{peer.port}/metrics"
        return await observed(made("metrics", url=url, values={"x": "x"}), around.resources)


async def expose_promql(text: str, around: Around) -> Sample:
    reply = json_says(json.dumps({"status": "error", "errorType": "bad_data", "error": text}), "400 Bad Request")
    async with tcp_peer(says(reply)) as peer:
        url = f"http://127.0.0.1:{peer.port}"
        return await observed(made("promql", url=url, values={"x": "x"}), around.resources)


async def expose_neon(text: str, around: Around) -> Sample:
    reply = json_says(json.dumps({"code": "", "message": text}), "403 Forbidden")
    async with tcp_peer(says(reply)) as peer:
        fields = {"project": "p", "api_key": "napi_1"}
        return await observed(made("neon", url=f"http://127.0.0.1:{peer.port}", **fields), around.resources)


async def expose_sentry(text: str, around: Around) -> Sample:
    reply = json_says(json.dumps({"detail": text}), "403 Forbidden")
    async with tcp_peer(says(reply)) as peer:
        fields = {"org": "shop", "token": "sntrys_1"}
        return await observed(made("sentry", url=f"http://127.0.0.1:{peer.port}", **fields), around.resources)


async def expose_s3(text: str, around: Around) -> Sample:
    reply = json_says(f"<Error><Message>{escape(text)}</Message></Error>", "500 Internal Server Error")
    async with tcp_peer(says(reply)) as peer:
        fields = {"bucket": "shop", "access_key": "1", "secret_key": "2", "stored": True}
        return await observed(made("s3", url=f"http://127.0.0.1:{peer.port}", **fields), around.resources)


async def expose_supabase(text: str, around: Around) -> Sample:
    reply = json_says(json.dumps({"message": text}), "403 Forbidden")
    async with tcp_peer(says(reply)) as peer:
        fields = {"project": "project", "token": "sbp_1"}
        return await observed(made("supabase", url=f"http://127.0.0.1:{peer.port}", **fields), around.resources)


async def expose_status(text: str, around: Around) -> Sample:
    reply = json_says(json.dumps({"status": {"indicator": text}}))
    async with tcp_peer(says(reply)) as peer:
        return await observed(made("status", url=f"http://127.0.0.1:{peer.port}"), around.resources)


EXPOSED = {
    "tcp": expose_tcp,
    "tls": expose_tls,
    "dns": expose_dns,
    "http": expose_http,
    "postgres": expose_postgres,
    "sql": expose_sql,
    "migrations": expose_migrations,
    "redis": expose_redis,
    "queue": expose_queue,
    "pgbouncer": expose_pgbouncer,
    "webhook": expose_webhook,
    "stripe": expose_stripe,
    "shopify": expose_shopify,
    "flow": expose_flow,
    "render": expose_render,
    "metrics": expose_metrics,
    "promql": expose_promql,
    "neon": expose_neon,
    "sentry": expose_sentry,
    "s3": expose_s3,
    "supabase": expose_supabase,
    "status": expose_status,
    "heartbeat": expose_heartbeat,
}


@pytest.mark.parametrize("kind", ALL)
async def test_a_hostile_text_becomes_one_short_line(
    kind: str, names: NameServer, resources: Resources, tmp_path: Path, database: Cluster
) -> None:
    text = "a\r\nb\x1b[31m\u2028\u202e<!channel>" + "y" * 30
    sample = await EXPOSED[kind](text, Around(names, resources, tmp_path, database))
    assert sample.state is BLAMES[kind]
    assert "channel" in sample.detail


@pytest.mark.parametrize("kind", ALL)
async def test_a_bug_of_ours_is_unknown_and_logged(kind: str, resources: Resources) -> None:
    fields = {"name": NAME} if kind == "dns" else next(each for each in KINDS if each.name == kind).fields(NAME, 9, "")
    broken = replace(resources, resolver=cast("Resolver", None), databases=Databases(cast("Resolver", None)))
    with capture_logs() as logs:
        sample = await observed(made(kind, **fields), broken)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.UNKNOWN)
    assert sample.detail == "the probe itself failed: AttributeError"
    assert [(entry["event"], entry["check"]) for entry in logs] == [("probe_crashed", "shop/probe")]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("fault", ["hung up", "reset", "reset half-way", "closed half-way", "garbage"])
async def test_a_transport_error_is_never_up(
    kind: Kind, fault: str, resources: Resources, authority: Authority
) -> None:
    talk = {
        "hung up": hangs_up,
        "reset": resets(),
        "reset half-way": resets(kind.half),
        "closed half-way": says(kind.half, close=True),
        "garbage": says(b"\0\xff" * 64, close=True),
    }[fault]
    async with tcp_peer(talk) as peer:
        sample = await observed(made(kind.name, **kind.fields("127.0.0.1", peer.port, str(authority.path))), resources)
    assert sample.state is kind.blames
    assert sample.reason is not Reason.TIMEOUT
    assert "duration" not in noted(sample)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_a_port_where_nobody_listens_is_refused(kind: Kind, resources: Resources, authority: Authority) -> None:
    sample = await observed(made(kind.name, **kind.fields("127.0.0.1", free_port(), str(authority.path))), resources)
    assert (sample.state, sample.reason) == (kind.blames, Reason.REFUSED)
