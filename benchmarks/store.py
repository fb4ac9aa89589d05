"""What the store costs: CPU per sample, by samples per commit, and how long a writer waits while `tidy` works.

`python -m benchmarks.store` writes into a temporary file; TMPDIR chooses the disk. `python -m benchmarks.store
postgresql://…` writes into that database, which should be empty, and measures its size and a page of history too.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import uvloop

from monitor.model import Change, CheckId, Measure, Sample, State
from monitor.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.store import Store

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
CHECKS = [CheckId("bench", f"check-{number}") for number in range(1_000)]
EVERY = timedelta(seconds=15)
PHASES = ("dns", "connect", "tls", "processing", "transfer")
ROUNDS = 5
FILL = 400_000


def samples(start: datetime, count: int) -> Iterator[Sample]:
    """Yield `count` samples as an `http` check makes them, of 1,000 checks that run every 15 s."""
    for number in range(count):
        at = start + EVERY * number / len(CHECKS)
        phases = (Measure("phase", 0.01 + number % 97 / 1e4, (("phase", name),)) for name in PHASES)
        measures = (
            Measure("duration", 0.123456 + number % 89 / 1e3),
            *phases,
            Measure("status", 200.0),
            Measure("size", 512.0),
        )
        yield Sample(CHECKS[number % len(CHECKS)], at, timedelta(milliseconds=123), State.UP, measures=measures)


def cpu() -> float:
    """Return the seconds of CPU that this process used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def write(store: Store, batches: Sequence[Change]) -> float:
    """Write each batch in a transaction of its own, and return the seconds of CPU that took."""
    before = cpu()
    for batch in batches:
        await store.write([batch])
    return cpu() - before


async def measure_writes(store: Store) -> None:
    """Print CPU per sample for several sizes of a commit; the median of five rounds."""
    start = START
    for size in (1, 67, 100):
        rounds = []
        for _ in range(ROUNDS):
            made = list(samples(start, size * 150))
            start = made[-1].at + EVERY
            batches = [Change(tuple(made[at : at + size])) for at in range(0, len(made), size)]
            rounds.append(await write(store, batches) / len(made) * 1e6)
        print(f"{size:4} samples a commit: {sorted(rounds)[ROUNDS // 2]:6.1f} µs of CPU per sample")


async def measure_tidy(store: Store) -> None:
    """Print how long a lone sample waits for its commit while an old hour is rolled up and deleted."""
    made = list(samples(START - timedelta(days=30), 100_000))
    for at in range(0, len(made), 5_000):
        await store.write([Change(tuple(made[at : at + 5_000]))])
    tidying = asyncio.create_task(store.tidy(START + timedelta(hours=6)))
    waits, stalls = [], []
    for sample in samples(START + timedelta(hours=7), 100_000):
        if tidying.done():
            break
        before = time.perf_counter()
        await asyncio.sleep(0)
        stalls.append(time.perf_counter() - before)
        before = time.perf_counter()
        await store.write([Change((sample,))])
        waits.append(time.perf_counter() - before)
    await tidying
    waits.sort()
    print(
        f"beside tidy: a commit waits {waits[len(waits) // 2] * 1e3:.1f} ms, at most {waits[-1] * 1e3:.1f} ms", end=""
    )
    print(f"; the loop stalls for at most {max(stalls) * 1e3:.1f} ms")


async def measure_size(store: Store, url: str) -> None:
    """Print what a day of samples takes on disk, and how long a page of one check's history does, in PostgreSQL."""
    asking = await asyncpg.connect(url)
    sizes = []
    start = START + timedelta(days=1)
    for _ in range(3):
        made = samples(start, FILL)
        for batch in iter(lambda: tuple(islice(made, 5_000)), ()):  # noqa: B023 - used up before the next round
            await store.write([Change(batch)])
        start += EVERY * FILL / len(CHECKS)
        sizes.append(await asking.fetchval("SELECT pg_total_relation_size('samples')"))
    await asking.close()
    a_sample = (sizes[-1] - sizes[0]) / (2 * FILL)
    a_day = a_sample * len(CHECKS) * (timedelta(days=1) / EVERY)
    print(f"{a_sample:.0f} bytes a sample on disk, {a_day / 1e6:.0f} MB a day")
    times = []
    for check in CHECKS[:100]:
        before = time.perf_counter()
        found = await store.samples(check, START, 1_000)
        times.append(time.perf_counter() - before)
        assert len(found) == 1_000  # noqa: S101 - a shorter page would be a faster one
    times.sort()
    print(f"a page of 1,000 samples: median {times[50] * 1e3:.1f} ms, at most {times[-1] * 1e3:.1f} ms")


async def main(url: str = "") -> None:
    """Measure."""
    if url:
        store = await open_store(url)
        await store.lead()
        await measure_writes(store)
        await measure_size(store, url)
        await measure_tidy(store)
        await store.close()
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        store = await open_store(path)
        await store.lead()
        await measure_writes(store)
        await measure_tidy(store)
        await store.close()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
