"""What is concluded from the keys of a queue, over many looks: no false alarm, no worker's death overlooked."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import example, given
from hypothesis import strategies as st

from monitor.probes.queue.judging import MARGIN, RENEWAL, Memory, Settings, judged, remarks
from monitor.probes.queue.look import Health, Job, Look
from monitor.probes.queue.signs import BLUR, Counts, Sign, Tally, alive, seen, tallied

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

START = 1_000_000.0
GRACE = 60.0
ARQ = Settings(grace=GRACE, interval=30.0, slots=10, job_timeout=300.0, counted=True)


@dataclass(frozen=True)
class Worker:
    """Renews the key when it starts and after each interval; deletes it at its end, if that is in good order."""

    start: int
    end: int
    clean: bool


Shift = st.builds(
    lambda start, span, clean: Worker(start, start + span, clean),
    st.integers(0, 600),
    st.integers(1, 900),
    st.booleans(),
)


@dataclass(frozen=True)
class Key:
    """The key as it is at a moment: what of its life is left, and when it was written last."""

    left: float | None
    written: float | None


def keys(workers: Sequence[Worker], interval: int, until: int) -> Iterator[Key]:
    """Yield the key of each second."""
    written: int | None = None
    last: int | None = None
    for now in range(until):
        for worker in workers:
            if worker.start <= now < worker.end and (now - worker.start) % interval == 0:
                written = last = now
        if any(worker.clean and worker.end == now for worker in workers):
            written = None
        if written is not None and now - written > interval:
            written = None
        yield Key(None if written is None else written + interval + RENEWAL - now, last)


def looks(keys: Sequence[Key], every: int, promised: float) -> Iterator[tuple[int, Key, Sign]]:
    sign = None
    for now in range(0, len(keys), every):
        sign = seen(sign, START + now, keys[now].left, promised + RENEWAL, GRACE)
        yield now, keys[now], sign


@given(
    st.lists(Shift, min_size=1, max_size=4),
    st.sampled_from([10, 30, 60, 300]),
    st.sampled_from([5, 30, 60]),
    st.booleans(),
)
@example(workers=[Worker(0, 40, clean=True), Worker(0, 900, clean=False)], interval=300, every=30, told=True)
def test_no_worker_that_lives_is_taken_for_gone(workers: list[Worker], interval: int, every: int, told: bool) -> None:
    """Unless another is stopped in good order while the key is already missing. The file may not say the interval."""
    missing = 0
    for now, key, sign in looks(list(keys(workers, interval, 1_500)), every, interval if told else 3_600):
        missing = missing if key.left is None else now + 1
        if alive(sign, 0.0, GRACE) is False:
            disturbed = any(worker.clean and missing <= worker.end <= now for worker in workers)
            assert disturbed or not any(worker.start <= missing and worker.end > now for worker in workers)


@given(st.lists(Shift, min_size=1, max_size=4), st.sampled_from([10, 30, 60]), st.sampled_from([5, 30]))
def test_no_death_of_the_last_worker_is_overlooked(workers: list[Worker], interval: int, every: int) -> None:
    """Told at the latest after two lives of the key and the grace."""
    end = max(worker.end for worker in workers)
    told = end + 2 * (interval + 1) + int(GRACE) + 2 * every
    for now, _, sign in looks(list(keys(workers, interval, told + 2 * every)), every, interval):
        assert now <= told or alive(sign, 0.0, GRACE) is False


@given(st.lists(Shift, min_size=1, max_size=4), st.sampled_from([10, 30, 60]), st.sampled_from([5, 30]), st.booleans())
def test_a_worker_was_never_seen_later_than_it_was_there(
    workers: list[Worker],
    interval: int,
    every: int,
    told: bool,
) -> None:
    """What is shown is the longest time that can have passed; and once a renewal was seen it is not much longer."""
    for now, key, sign in looks(list(keys(workers, interval, 1_500)), every, interval if told else 3_600):
        if sign.written is None:
            continue
        assert key.written is not None
        assert sign.written <= START + key.written + BLUR
        assert told is False or sign.life == interval + RENEWAL
        if sign.most < 3_600 and key.left is not None:
            assert START + now - sign.written <= interval + every + RENEWAL + BLUR


def test_a_rolling_restart_is_no_outage_though_the_key_vanishes() -> None:
    """One worker of two is stopped in good order and another takes its place, at arq's own interval of an hour."""
    workers = [Worker(0, 9_000, clean=True), Worker(10, 100, clean=True), Worker(130, 9_000, clean=True)]
    found = list(looks(list(keys(workers, 3_600, 8_000)), 10, 3_600))
    assert [now for now, key, _ in found if key.left is None] == [100, 110, 120]
    assert {alive(sign, 0.0, GRACE) for _, _, sign in found} == {True}


def test_a_key_that_was_never_seen_tells_nothing_until_it_should_have_been() -> None:
    verdicts = [alive(sign, 0.0, GRACE) for _, _, sign in looks([Key(None, None)] * 200, 1, 30)]
    assert verdicts == [None] * 91 + [False] * 109


def test_workers_that_change_their_pace_are_understood() -> None:
    slow, fast = [Key(61.0 - now % 60, None) for now in range(240)], [Key(11.0 - now % 10, None) for now in range(60)]
    *_, (_, _, sign) = looks([*slow, *fast], 5, 60)
    assert sign.life <= 11 + 5 + BLUR
    *_, (_, _, sign) = looks([*fast, *slow], 5, 60)
    assert sign.life == 61


def look(now: float, *jobs: Job, waiting: int | None = None, health: Health | None = None) -> Look:
    waits = [job for job in jobs if job.left is None]
    return Look(
        now=START + now,
        waiting=len(waits) if waiting is None else waiting,
        oldest=START + now - 100,
        head=waits[0].name if waits else "",
        running=len(jobs) - len(waits),
        jobs=jobs,
        health=health or Health(),
    )


def judge(*looks: Look, settings: Settings = ARQ) -> list[dict[str, float]]:
    memory, found = Memory(), []
    for each in looks:
        figures, memory = judged(each, memory, settings)
        found.append(figures)
        assert all(text for _, text in remarks(each, figures, settings))
    return found


ALIVE = Health(31.0, "Nov-21 09:00:00 j_complete=0 j_failed=0 j_retried=0 j_ongoing=0 queued=0")
OLD = Health(3_000.0, ALIVE.text)


def test_no_worker_while_jobs_wait_is_gone_though_its_key_is_there_for_an_hour() -> None:
    """With arq's own interval the key alone would say nothing for 61 minutes."""
    settings = ARQ._replace(interval=3_600.0)
    waits = [look(now, Job("first"), health=Health(3_000.0 - now)) for now in (0, 30, 60)]
    assert [found["worker_alive"] for found in judge(*waits, settings=settings)] == [1, 1, 0]


def test_a_worker_that_renews_its_key_lives_even_if_it_takes_no_job() -> None:
    waits = [look(now, Job("first"), health=ALIVE) for now in range(0, 300, 30)]
    found = judge(*waits)
    assert {figures["worker_alive"] for figures in found} == {1}
    assert found[-1]["stuck"] == 270


def test_a_job_that_was_tried_before_is_no_sign_of_death_in_a_deploy() -> None:
    """It was due long ago, ran, was given back, and waits for some seconds: what counts is how long nobody takes it."""
    settings = ARQ._replace(interval=3_600.0)
    found = judge(
        look(0, Job("long", 200.0), health=OLD),
        look(30, Job("long")),
        look(60, Job("long", 300.0), health=OLD),
        settings=settings,
    )
    assert [figures["worker_alive"] for figures in found] == [1, 1, 1]
    assert found[1]["oldest_waiting"] == 100


def test_many_short_jobs_are_no_sign_of_death() -> None:
    """Each look finds some that wait and none that runs, but never the same one first."""
    settings = ARQ._replace(interval=3_600.0)
    busy = [look(now, Job(f"job {now}"), health=OLD) for now in range(0, 600, 30)]
    assert {found["worker_alive"] for found in judge(*busy, settings=settings)} == {1}


def test_a_queue_that_waits_behind_full_slots_is_not_stuck() -> None:
    full = [look(now, Job("runs", 250.0 - now), Job("waits"), health=ALIVE) for now in (0, 30, 60, 90)]
    assert {found["stuck"] for found in judge(*full)} == {0}


def test_without_a_health_key_nothing_is_said_of_workers() -> None:
    (found,) = judge(look(0, Job("first")), settings=ARQ._replace(interval=None, counted=False))
    assert not {"worker_alive", "worker_seen", "failed"} & found.keys()


@given(st.integers(0, 299), st.integers(0, 200), st.integers(1, 60))
def test_a_job_runs_as_long_as_it_does(ran: int, more: int, every: int) -> None:
    """Also past the end of its key, until it ends."""
    life = 300 + MARGIN
    times = range(ran, ran + more + every, every)
    found = judge(*(look(time, Job("it", life - time if time < life else None)) for time in times))
    for time, figures in zip(times, found, strict=True):
        seen_running = time < life or ran < life
        assert figures["longest_running"] == (time if seen_running else 0)
        assert figures["over_limit"] == (seen_running and time > 300)


def test_a_job_that_is_given_back_in_time_is_not_over_its_limit() -> None:
    found = judge(look(0, Job("it", 100.0)), look(30, Job("it")), look(200, Job("it")), look(230, Job("it", 309.0)))
    assert [figures["over_limit"] for figures in found] == [0, 0, 0, 0]
    assert found[-1]["longest_running"] == 1


Grown = st.lists(st.tuples(*[st.integers(0, 3)] * 3), max_size=8)


def said(counts: Counts) -> str:
    return (
        "Nov-21 09:00:00 " + " ".join(f"j_{name}={value}" for name, value in counts._asdict().items()) + " j_ongoing=1"
    )


@given(st.lists(Grown, max_size=4), st.booleans())
def test_jobs_are_counted_over_restarts(workers: list[list[tuple[int, int, int]]], apart: bool) -> None:
    """One worker after the other; each says at its start that it has done nothing."""
    tally, true, now = Tally(), Counts(), 0.0
    for grown in workers:
        counts = Counts()
        now += 100 if apart else 1
        tally = tallied(tally, now, said(counts), 31.0)
        for step in grown:
            now += 1
            counts, true = counts.plus(Counts(*step)), true.plus(Counts(*step))
            tally = tallied(tally, now, said(counts), 31.0)
        assert tally.total.follows(Counts())
    assert tally.total.failed <= true.failed
    if apart:
        assert tally.total == true


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.booleans()), max_size=20))
def test_two_workers_that_take_turns_in_the_key_fail_no_jobs_that_did_not_fail(
    turns: list[tuple[bool, int, bool]],
) -> None:
    """As in a deploy: the old one has long worked, the new one begins with nothing."""
    old, new, failures = Counts(1_000, 50, 50), Counts(), 0
    tally = tallied(Tally(), 0, said(old), 31.0)
    for now, (is_old, complete, fails) in enumerate(turns, 1):
        step = Counts(complete, int(fails), 0)
        failures += fails
        old, new = (old.plus(step), new) if is_old else (old, new.plus(step))
        tally = tallied(tally, now, said(old if is_old else new), 31.0)
    assert tally.total.failed <= failures


def test_a_worker_that_fell_silent_long_ago_is_forgotten() -> None:
    tally = tallied(Tally(), 0, said(Counts(5, 5, 5)), 31.0)
    tally = tallied(tally, 100, said(Counts(9, 9, 9)), 31.0)
    assert tally == Tally(Counts(), ((Counts(9, 9, 9), 100),))


@given(st.text())
def test_any_text_in_the_key_is_taken(text: str) -> None:
    assert tallied(Tally(), 0, text, 31.0).total == Counts()


def test_a_clock_that_is_set_back_makes_no_negative_times() -> None:
    found = judge(look(100, Job("it", 310.0), Job("waits"), health=ALIVE), look(0, Job("it", 310.0), health=ALIVE))
    for earlier, later in pairwise(found):
        assert all(value >= 0 for value in (*earlier.values(), *later.values()))
