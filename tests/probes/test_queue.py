"""The kind `queue` on a real server: arq's keys as its library writes them, lists, sorted sets and streams."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest
from arq.connections import RedisSettings
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.clock import SystemClock
from monitor.databases import Databases
from monitor.model import CheckId, Reason, Sample, State
from monitor.network import Resolver, TlsContexts
from monitor.probes.base import Resources, observe
from monitor.probes.queue import QueueCheck
from monitor.secrets import Redactor
from tests.arq_worker import pool
from tests.peers import says, tcp_peer
from tests.redis import allow, documented_rights, needs_release_7

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redis import Redis

    from tests.peers import Talk
    from tests.redis import Server

BOTH_LOOPS = True

CHECK = CheckId("shop", "jobs")
QUEUE = "arq:queue"
KEY = "arq:queue:health-check"


async def look(resources: Resources, url: str, **fields: object) -> Sample:
    check = QueueCheck.model_validate({"url": url, "timeout": "20s", **fields})
    sample = await observe(CHECK, check, resources, SystemClock())
    assert {measure.name for measure in sample.measures} <= {spec.name for spec in check.declared()}
    assert sample.reason is None or sample.reason in check.reasons
    return sample


def values(sample: Sample) -> dict[str, float]:
    return {measure.name: measure.value for measure in sample.measures if not measure.labels}


class Queue:
    """A database of its own on the shared server, with arq's keys in it."""

    def __init__(self, server: Server, client: Redis, database: int) -> None:
        self.server = server
        self.client = client
        self.url = server.url(database)
        self.settings = RedisSettings(host="127.0.0.1", port=server.port, database=database)

    def now(self) -> float:
        seconds, microseconds = cast("tuple[int, int]", self.client.time())
        return seconds + microseconds / 1e6

    def dump(self) -> dict[bytes, object]:
        """Return all that is there."""
        return {key: self.client.dump(key) for key in cast("list[bytes]", self.client.keys())}

    def job(self, name: str, age: float, left: float | None = None) -> None:
        """Put a job there that has been due for `age` seconds, and runs while `left` is given."""
        self.client.zadd(QUEUE, {name: int((self.now() - age) * 1e3)})
        if left is not None:
            self.client.psetex(f"arq:in-progress:{name}", int(left * 1e3), b"1")

    def ends(self, name: str) -> None:
        """Let a job end, as arq does."""
        self.client.delete(f"arq:in-progress:{name}")
        self.client.zrem(QUEUE, name)


@pytest.fixture
def queue(redis: Server) -> Iterator[Queue]:
    database = redis.own()
    with redis.client(database) as client:
        yield Queue(redis, client, database)
        client.flushdb()


async def test_an_empty_queue_has_nothing_that_waits(resources: Resources, queue: Queue) -> None:
    sample = await look(resources, queue.url)
    assert (sample.state, sample.detail) == (State.UP, "")
    duration = values(sample)["duration"]
    assert values(sample) == {
        **dict.fromkeys(("length", "due", "deferred", "running", "waiting", "oldest_waiting", "stuck"), 0),
        **dict.fromkeys(("busy_share", "longest_running", "over_limit", "complete", "failed", "retried"), 0),
        "duration": duration,
    }
    phases = [dict(measure.labels)["phase"] for measure in sample.measures if measure.name == "phase"]
    assert phases == ["dns", "connect", "login", "look"]


async def test_jobs_of_arq_are_counted_where_its_library_puts_them(resources: Resources, queue: Queue) -> None:
    async with pool(queue.settings) as arq:
        await arq.enqueue_job("some function")
        await arq.enqueue_job("some function", _defer_by=3_600)
        await arq.enqueue_job("some function", _defer_until=datetime.now(UTC) - timedelta(minutes=6))
    found = values(await look(resources, queue.url))
    assert (found["length"], found["due"], found["deferred"]) == (3, 2, 1)
    assert (found["waiting"], found["running"]) == (2, 0)
    assert 360 <= found["oldest_waiting"] < 380


async def test_a_queue_of_another_name_has_a_health_key_of_that_name(resources: Resources, queue: Queue) -> None:
    queue.client.zadd("mail", {"one": 1})
    queue.client.psetex("mail:health-check", 31_000, b"j_complete=1 j_failed=0 j_retried=0")
    found = values(await look(resources, queue.url, queue="mail", health_check_interval="30s"))
    assert (found["waiting"], found["worker_alive"]) == (1, 1)


async def test_what_runs_does_not_wait(resources: Resources, queue: Queue) -> None:
    queue.job("first", age=400, left=110)
    queue.job("second", age=300)
    queue.job("third", age=200, left=305)
    sample = await look(resources, queue.url)
    found = values(sample)
    assert (found["due"], found["running"], found["waiting"]) == (3, 2, 1)
    assert found["oldest_waiting"] == pytest.approx(300, abs=5)
    assert found["longest_running"] == pytest.approx(200, abs=5)
    assert (found["busy_share"], found["over_limit"], found["stuck"]) == (0.2, 0, 0)
    assert sample.remarks["oldest_waiting"] == "1 wait, 2 run."
    assert sample.remarks["busy_share"] == "2 of 10 slots are busy; 1 wait."


async def test_all_slots_of_all_workers_may_be_busy(resources: Resources, queue: Queue) -> None:
    for index in range(6):
        queue.job(f"job {index}", age=10 - index, left=300)
    found = values(await look(resources, queue.url, max_jobs=3, workers=2))
    assert (found["busy_share"], found["running"], found["waiting"]) == (1, 6, 0)
    assert not {"complete", "failed", "retried"} & found.keys()


@pytest.mark.parametrize(("limit", "over"), [("90s", 1), ("100s", 0), ("300s", 0)])
async def test_a_job_that_runs_for_too_long_is_over_its_limit(
    resources: Resources, queue: Queue, limit: str, over: int
) -> None:
    """The key of a job lives ten seconds longer than the longest job may take: here of 90, 100 or 300 seconds."""
    life = float(limit.rstrip("s")) + 10
    queue.job("long", age=100, left=life - 95)
    queue.job("short", age=100, left=life - 5)
    sample = await look(resources, queue.url, job_timeout=limit)
    assert values(sample)["over_limit"] == over
    assert values(sample)["longest_running"] == pytest.approx(95, abs=3)
    assert f"{over} run for more than" in sample.remarks["over_limit"]


async def test_a_longer_life_of_a_key_is_learnt(resources: Resources, queue: Queue) -> None:
    """Where some function may run for an hour, every key lives for an hour: 300 s is then a limit of the file's own."""
    queue.job("new", age=1, left=3_609)
    assert values(await look(resources, queue.url))["longest_running"] < 3
    queue.job("old", age=500, left=3_209)
    found = values(await look(resources, queue.url))
    assert found["longest_running"] == pytest.approx(400, abs=5)
    assert found["over_limit"] == 1


async def test_a_job_whose_key_ran_out_is_over_its_limit_until_it_ends(resources: Resources, queue: Queue) -> None:
    """It hangs in a way that nothing can cancel, or its worker died."""
    queue.job("hangs", age=400, left=0.05)
    queue.job("is given back", age=400, left=200)
    await look(resources, queue.url)
    while queue.client.exists("arq:in-progress:hangs"):
        time.sleep(0.01)  # noqa: ASYNC251 - nothing else is to happen meanwhile
    queue.client.delete("arq:in-progress:is given back")
    found = values(await look(resources, queue.url))
    assert (found["over_limit"], found["running"], found["waiting"]) == (1, 0, 2)
    assert found["longest_running"] > 309
    queue.ends("hangs")
    assert values(await look(resources, queue.url))["over_limit"] == 0


async def test_a_key_that_never_ends_holds_a_job_for_ever(resources: Resources, queue: Queue) -> None:
    queue.job("held", age=10)
    queue.client.set("arq:in-progress:held", 1)
    found = values(await look(resources, queue.url))
    assert (found["running"], found["over_limit"], found["waiting"]) == (1, 1, 0)


async def test_the_same_job_first_in_line_while_none_runs_is_stuck(resources: Resources, queue: Queue) -> None:
    queue.job("first", age=100)
    queue.job("second", age=50)
    assert values(await look(resources, queue.url))["stuck"] == 0
    again = values(await look(resources, queue.url))
    assert 0 < again["stuck"] < 20
    queue.ends("first")
    assert values(await look(resources, queue.url))["stuck"] == 0


async def test_a_million_jobs_cost_as_much_as_a_hundred(resources: Resources, queue: Queue) -> None:
    """A hundred thousand here; what is read is bounded by how many are looked at."""
    queue.client.eval("for i = 1, 100000 do redis.call('zadd', KEYS[1], i, 'job' .. i) end", 1, QUEUE)
    before = queue.client.info()["total_net_output_bytes"]  # type: ignore[index]
    found = values(await look(resources, queue.url))
    sent = queue.client.info()["total_net_output_bytes"] - before  # type: ignore[index]
    assert (found["due"], found["waiting"]) == (100_000, 100_000)
    assert found["oldest_waiting"] > 1e9
    assert sent < 20_000


async def test_ids_of_more_than_is_read_are_our_limit_and_what_was_counted_stays(
    resources: Resources, queue: Queue
) -> None:
    queue.job("x" * 10_000_000, age=10)
    sample = await look(resources, queue.url)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert sample.detail.endswith("answers with more than is read of it")
    assert values(sample) == {"length": 1, "due": 1, "deferred": 0}


async def test_nothing_of_a_job_is_shown_or_remembered(resources: Resources, queue: Queue) -> None:
    queue.job("mail-to-jane@example.com", age=10)
    queue.job("mail-to-joe@example.com", age=10, left=100)
    sample = await look(resources, queue.url)
    assert "example.com" not in repr((sample, resources.memories))


async def test_nothing_is_changed(resources: Resources, queue: Queue) -> None:
    queue.job("waits", age=10)
    queue.job("runs", age=10, left=100)
    queue.client.rpush("list", b'{"at": 1}')
    queue.client.xgroup_create("stream", "workers", mkstream=True)
    queue.client.xadd("stream", {"a": "b"})
    before = queue.dump()
    for fields in ({}, {"type": "list", "queue": "list", "age": "at", "unit": "s"}, STREAM):
        assert (await look(resources, queue.url, **fields)).state is State.UP
    assert queue.dump() == before


STREAM: dict[str, object] = {"type": "stream", "queue": "stream", "group": "workers"}
ZSET: dict[str, object] = {"type": "zset", "queue": "zset"}
LIST: dict[str, object] = {"type": "list", "queue": "list"}


@pytest.mark.parametrize("fields", [{}, ZSET, LIST, {**STREAM, "group": ""}, {**ZSET, "unit": "s"}])
async def test_a_key_of_another_type_is_our_mistake(
    resources: Resources, queue: Queue, fields: dict[str, object]
) -> None:
    name = str(fields.get("queue", QUEUE))
    queue.client.set(name, "a text")
    sample = await look(resources, queue.url, **{key: value for key, value in fields.items() if value})
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.UNKNOWN)
    assert "WRONGTYPE" in sample.detail


async def test_a_list_has_a_length_and_a_next_one(resources: Resources, queue: Queue) -> None:
    assert values(await look(resources, queue.url, **LIST)).keys() == {"length", "waiting", "stuck", "duration"}
    queue.client.lpush("list", "first", "second")
    found = values(await look(resources, queue.url, **LIST))
    assert (found["length"], found["waiting"], found["stuck"]) == (2, 2, 0)
    assert values(await look(resources, queue.url, **LIST))["stuck"] > 0
    queue.client.lpop("list")
    assert values(await look(resources, queue.url, **LIST))["stuck"] > 0
    assert values(await look(resources, queue.url, **LIST, oldest="left"))["stuck"] > 0
    queue.client.lpush("list", "third")
    assert values(await look(resources, queue.url, **LIST, oldest="left"))["stuck"] == 0


@pytest.mark.parametrize(
    ("element", "unit"),
    [
        (lambda at: {"job": {"at": at}}, "s"),
        (lambda at: {"job": {"at": int(at * 1e3)}}, "ms"),
        (lambda at: {"job": {"at": str(int(at * 1e6))}}, "us"),
        (lambda at: {"job": {"at": int(at * 1e9)}}, "ns"),
        (lambda at: {"job": {"at": datetime.fromtimestamp(at, UTC).isoformat()}}, None),
        (lambda at: {"job": {"at": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}}, "s"),
    ],
)
async def test_an_element_may_tell_its_age(
    resources: Resources, queue: Queue, element: Callable[[float], object], unit: str | None
) -> None:
    fields = {**LIST, "age": "job.at", **({"unit": unit} if unit else {})}
    assert values(await look(resources, queue.url, **fields))["oldest_waiting"] == 0
    for age in (400, 100):
        queue.client.lpush("list", json.dumps(element(queue.now() - age)))
    found = values(await look(resources, queue.url, **fields))
    assert found["oldest_waiting"] == pytest.approx(400, abs=5)
    assert values(await look(resources, queue.url, **fields, oldest="left"))["oldest_waiting"] == pytest.approx(
        100, abs=5
    )


@pytest.mark.parametrize(
    ("element", "unit"),
    [
        (b'{"at": 1795290276}', None),
        (b'{"at": true}', "s"),
        (b'{"at": null}', "s"),
        (b'{"at": "2026-11-21T09:00:00"}', "s"),
        (b'{"at": "hunter2"}', "s"),
        (b'{"at": [1]}', "s"),
        (b'{"at": 1e999}', "s"),
        (b"{}", "s"),
        (b"hunter2", "s"),
        (b"\x80\x04pickled", "s"),
        (b"[" * 60_000, "s"),
        (b"[" * 5_000, "s"),
    ],
)
async def test_an_element_that_tells_no_age_is_never_repeated(
    resources: Resources, queue: Queue, element: bytes, unit: str | None
) -> None:
    queue.client.lpush("list", element)
    sample = await look(resources, queue.url, **LIST, age="at", **({"unit": unit} if unit else {}))
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.BODY)
    assert sample.detail == "at finds no moment in the next element of the list"
    assert values(sample) == {"length": 1}


async def test_an_element_of_more_than_is_read_is_our_limit(resources: Resources, queue: Queue) -> None:
    queue.client.lpush("list", b"x" * 10_000_000)
    sample = await look(resources, queue.url, **LIST)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert values(sample) == {"length": 1}


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)])
async def test_the_scores_of_a_sorted_set_may_be_moments(
    resources: Resources, queue: Queue, unit: str, factor: float
) -> None:
    now = queue.now()
    queue.client.zadd("zset", {"old": (now - 400) * factor, "new": (now - 10) * factor, "later": (now + 99) * factor})
    found = values(await look(resources, queue.url, **ZSET, unit=unit))
    assert (found["length"], found["due"], found["deferred"], found["waiting"]) == (3, 2, 1, 2)
    assert found["oldest_waiting"] == pytest.approx(400, abs=5)
    assert values(await look(resources, queue.url, **ZSET, unit=unit))["stuck"] > 0


async def test_a_sorted_set_whose_scores_are_no_moments_has_a_length(resources: Resources, queue: Queue) -> None:
    assert values(await look(resources, queue.url, **ZSET)).keys() == {"length", "waiting", "stuck", "duration"}
    queue.client.zadd("zset", {"low": 1, "high": 9})
    found = values(await look(resources, queue.url, **ZSET))
    assert (found["length"], found["waiting"]) == (2, 2)
    assert values(await look(resources, queue.url, **ZSET, unit="ms"))["oldest_waiting"] > 1e9


async def test_what_only_waits_for_its_time_is_not_due(resources: Resources, queue: Queue) -> None:
    queue.client.zadd("zset", {"later": queue.now() + 99})
    found = values(await look(resources, queue.url, **ZSET, unit="s"))
    assert (found["due"], found["deferred"], found["oldest_waiting"]) == (0, 1, 0)


async def test_a_stream_is_counted_for_a_group(resources: Resources, queue: Queue) -> None:
    needs_release_7()
    now = queue.now()
    for age in (500, 300, 100):
        queue.client.xadd("stream", {"some": "thing"}, id=f"{int((now - age) * 1e3)}-0")
    queue.client.xgroup_create("stream", "others", id="$")
    queue.client.xgroup_create("stream", "workers", id="0")
    before = values(await look(resources, queue.url, **STREAM))
    queue.client.xreadgroup("workers", "one", {"stream": ">"}, count=1)
    during = values(await look(resources, queue.url, **STREAM))
    assert (before["length"], before["waiting"], before["running"], before["longest_running"]) == (3, 3, 0, 0)
    assert before["oldest_waiting"] == pytest.approx(500, abs=5)
    assert (during["length"], during["waiting"], during["running"]) == (3, 2, 1)
    assert during["oldest_waiting"] == pytest.approx(300, abs=5)
    assert 0 <= during["longest_running"] < 20
    assert values(await look(resources, queue.url, **STREAM))["stuck"] > 0
    queue.client.xreadgroup("workers", "one", {"stream": ">"})
    after = values(await look(resources, queue.url, **STREAM))
    assert (after["waiting"], after["running"], after["oldest_waiting"], after["stuck"]) == (0, 3, 0, 0)


async def test_what_waits_in_a_stream_is_not_told_once_entries_were_deleted(resources: Resources, queue: Queue) -> None:
    """Its age still is (Redis 7 says nil for the lag, Redis 6 never tells it)."""
    now = int(queue.now() * 1e3)
    for index in range(4):
        queue.client.xadd("stream", {"some": "thing"}, id=f"{now}-{index}")
    queue.client.xgroup_create("stream", "workers", id="0")
    queue.client.xreadgroup("workers", "one", {"stream": ">"}, count=1)
    queue.client.xdel("stream", f"{now}-2")
    found = values(await look(resources, queue.url, **STREAM))
    assert "waiting" not in found
    assert 0 <= found["oldest_waiting"] < 20


async def test_all_entries_of_a_stream_wait_where_there_is_no_group(resources: Resources, queue: Queue) -> None:
    fields = {"type": "stream", "queue": "stream"}
    assert values(await look(resources, queue.url, **fields))["oldest_waiting"] == 0
    queue.client.xadd("stream", {"some": "thing"}, id="1000-0")
    found = values(await look(resources, queue.url, **fields))
    assert (found["length"], found["waiting"]) == (1, 1)
    assert found["oldest_waiting"] > 1e9


@pytest.mark.parametrize("there", [True, False])
async def test_a_group_that_is_not_there_is_missing(resources: Resources, queue: Queue, *, there: bool) -> None:
    if there:
        queue.client.xadd("stream", {"some": "thing"})
    sample = await look(resources, queue.url, **STREAM)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.MISSING), sample.detail


async def test_any_queue_may_have_workers_that_renew_a_key(resources: Resources, queue: Queue) -> None:
    fields = {**LIST, "health_check_key": "worker", "health_check_interval": "30s"}
    assert "worker_alive" not in values(await look(resources, queue.url, **fields))
    queue.client.psetex("worker", 21_000, b"\xff")
    found = values(await look(resources, queue.url, **fields))
    assert found["worker_alive"] == 1
    assert found["worker_seen"] < 20


async def test_the_age_of_a_health_key_is_what_of_its_life_is_over(resources: Resources, queue: Queue) -> None:
    queue.client.psetex(KEY, 21_000, b"Nov-21 09:00:00 j_complete=7 j_failed=1 j_retried=2 j_ongoing=2 queued=5")
    sample = await look(resources, queue.url, health_check_interval="30s")
    found = values(sample)
    assert found["worker_alive"] == 1
    assert found["worker_seen"] == pytest.approx(10, abs=2)
    assert "The key that workers renew is there, last renewed 10" in sample.remarks["worker_alive"]


async def test_jobs_are_counted_from_the_first_look_on(resources: Resources, queue: Queue) -> None:
    found: dict[str, float] = {}
    for counts in (
        "complete=7 j_failed=1 j_retried=2",
        "complete=9 j_failed=3 j_retried=2",
        "complete=1 j_failed=1 j_retried=0",
    ):
        queue.client.psetex(KEY, 31_000, f"Nov-21 09:00:00 j_{counts} j_ongoing=0 queued=0")
        found = values(await look(resources, queue.url, health_check_interval="30s"))
    assert (found["complete"], found["failed"], found["retried"]) == (3, 3, 0)


async def test_a_health_key_that_never_ends_proves_nothing(resources: Resources, queue: Queue) -> None:
    queue.client.set(KEY, b"x" * 5_000_000)
    assert "worker_alive" not in values(await look(resources, queue.url))


RIGHTS = documented_rights("jobs")
USES: list[tuple[dict[str, object], str]] = [
    ({}, "arq:queue"),
    ({"type": "list", "age": "at", "unit": "s"}, "queue:renders"),
    ({"type": "zset", "unit": "s", "health_check_key": "worker:mails"}, "queue:mails"),
    ({"type": "stream", "group": "workers"}, "events"),
]


@pytest.mark.parametrize(("use", "rights"), list(zip(USES, RIGHTS, strict=True)), ids=[key for _, key in USES])
async def test_the_rights_in_the_documentation_suffice_and_none_is_too_many(
    resources: Resources, queue: Queue, use: tuple[dict[str, object], str], rights: list[str]
) -> None:
    needs_release_7()
    fields, key = use
    queue.job("runs", age=10, left=100)
    queue.job("waits", age=5)
    queue.client.lpush("queue:renders", b'{"at": 1}')
    queue.client.zadd("queue:mails", {"one": 1})
    queue.client.xadd("events", {"some": "thing"})
    queue.client.xgroup_create("events", "workers", id="0")
    url = f"redis://jobs:password@127.0.0.1:{queue.server.port}/{queue.settings.database}"
    given = [right for right in rights if right.startswith(("+", "%"))]
    for left_out in (None, *given):
        kept = [right for right in rights if right != left_out]
        allow(queue.client, "jobs", "reset", *kept)
        sample = await look(resources, url, **fields, **({"queue": key} if fields else {}))
        assert sample.state is (State.UNKNOWN if left_out else State.UP), (left_out, sample.detail)
        assert sample.reason is (Reason.AUTH if left_out else None)
    queue.client.acl_deluser("jobs")


@pytest.mark.parametrize(
    ("talk", "state", "reason"),
    [
        (says(b"-LOADING Redis is loading the dataset in memory\r\n"), State.DOWN, Reason.STARTING),
        (says(b"-NOPERM this user has no permissions\r\n"), State.UNKNOWN, Reason.AUTH),
        (says(b"*2\r\n$1\r\n1\r\n$1\r\n1\r\n", b":5\r\n", close=True), State.DOWN, Reason.RESET),
    ],
)
async def test_a_server_that_does_not_answer_is_not_a_queue_that_is_empty(
    resources: Resources, talk: Talk, state: State, reason: Reason
) -> None:
    async with tcp_peer(talk) as peer:
        sample = await look(resources, f"redis://127.0.0.1:{peer.port}")
    assert (sample.state, sample.reason) == (state, reason), sample.detail
    assert not values(sample)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"type": "list"}, "a queue of type list needs its key: write it under queue"),
        ({"type": "zset", "queue": "q", "max_jobs": 5}, "max_jobs is of no use here: it is for the type arq"),
        ({"type": "stream", "queue": "q", "unit": "s"}, "unit is of no use here: it is for the type list or zset"),
        ({"group": "workers"}, "group is of no use here: it is for the type stream"),
        ({"type": "list", "queue": "q", "age": "a["}, "not a JMESPath"),
        ({"url": "http://cache"}, "the address of the Redis server cannot be read"),
    ],
)
def test_fields_that_make_no_sense_together_are_refused(fields: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why.replace("[", r"\[")):
        QueueCheck.model_validate({"url": "redis://cache", **fields})


@pytest.mark.parametrize(
    ("fields", "absent"),
    [
        ({}, set()),
        ({"workers": 2}, {"complete", "failed", "retried"}),
        (
            {**LIST, "age": "at"},
            {"due", "deferred", "running", "longest_running", "worker_alive", "busy_share", "failed"},
        ),
        (LIST, {"oldest_waiting"}),
        (ZSET, {"due", "deferred", "oldest_waiting", "running"}),
        ({**ZSET, "unit": "s"}, {"running", "over_limit"}),
        (STREAM, {"due", "deferred", "over_limit", "worker_seen"}),
        ({"type": "stream", "queue": "q"}, {"running", "longest_running"}),
    ],
)
def test_a_measure_that_a_queue_cannot_have_is_not_declared(fields: dict[str, object], absent: set[str]) -> None:
    """So a threshold on it is a mistake in the file, and not one that never fires."""
    check = QueueCheck.model_validate({"url": "redis://cache", **fields})
    declared = {spec.name for spec in check.declared()}
    assert not declared & absent
    assert {"length", "waiting", "stuck", "duration"} <= declared
    with_a_key = QueueCheck.model_validate({"url": "redis://cache", **fields, "health_check_key": "worker"})
    assert {"worker_alive", "worker_seen"} <= {spec.name for spec in with_a_key.declared()}


def encoded(reply: object) -> bytes:
    """Return a reply as a server writes it."""
    match reply:
        case None:
            return b"$-1\r\n"
        case int():
            return b":%d\r\n" % reply
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(reply), reply)
        case _:
            parts = list(reply) if isinstance(reply, list) else []
            return b"*%d\r\n" % len(parts) + b"".join(map(encoded, parts))


@pytest.mark.parametrize(
    "replies",
    [
        [7, [b"name"]],
        [7, [[b"name"]]],
        [7, [[b"name", b"workers", b"pending", 0]]],
        [7, [[b"name", b"workers", b"pending", 0, b"last-delivered-id", b"0-0"]], [[b"x-1", []]], []],
        [7, [[b"name", b"workers", b"pending", 0, b"last-delivered-id", b"0-0"]], [], [[b"1-1", b"one", b"x", 1]]],
    ],
)
async def test_a_stream_of_another_shape_is_no_stream(resources: Resources, replies: list[object]) -> None:
    talk = says(b"".join(map(encoded, [[b"1795290276", b"5"], *replies])))
    async with tcp_peer(talk) as peer:
        sample = await look(resources, f"redis://127.0.0.1:{peer.port}", **STREAM)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.PROTOCOL)
    assert sample.detail.endswith("in another shape than Redis")
    assert values(sample) == {"length": 7}


WORDS = st.sampled_from(
    [b"", b"x", b"1", b"-1", b"17.5", b"1-0", b"name", b"workers", b"last-delivered-id", b"pending"]
)
REPLIES = st.recursive(
    st.none() | st.integers(-3, 10**13) | WORDS, lambda inner: st.lists(inner, max_size=4), max_leaves=8
)


@settings(max_examples=60)
@given(
    st.lists(REPLIES, max_size=12),
    st.sampled_from([{}, LIST, {**LIST, "age": "at"}, ZSET, {**ZSET, "unit": "s"}, STREAM, {**STREAM, "group": ""}]),
    st.booleans(),
)
def test_replies_of_any_shape_are_no_bug_of_ours(replies: list[object], fields: dict[str, object], timed: bool) -> None:
    """A proxy, or another server's idea of a command: what comes may be of another shape, and is then said to be."""
    first = [[b"1795290276", b"5"]] if timed else []
    given_fields = {key: value for key, value in fields.items() if value}

    async def observed() -> Sample:
        resolver = Resolver(["127.0.0.1"])
        resources = Resources(resolver, TlsContexts(), Databases(resolver), Redactor([]))
        async with tcp_peer(says(b"".join(map(encoded, [*first, *replies])), close=True)) as peer:
            sample = await look(resources, f"redis://127.0.0.1:{peer.port}", **given_fields)
        await resolver.close()
        return sample

    assert not asyncio.run(observed()).detail.startswith("the probe itself failed")
