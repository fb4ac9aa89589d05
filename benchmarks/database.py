"""`python -m benchmarks.database`: a `postgres` check beside a scrape of postgres_exporter, on one core, in turn.

A PostgreSQL server of its own runs on the other core, and what each asks of it is measured too. Both look once a second
at each of some databases. Ours takes its default measures; the exporter those of the collectors that it has by default.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.daemon import daemon
from benchmarks.process import TICKS, Usage, await_port, free_port, program, running, version_of
from benchmarks.scrape import get
from tests.postgres import cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import Cluster

NAME = "prometheus-postgres-exporter"
CHECKS = 20
PACE = 1.0
GUESTS = 10


class Cost(NamedTuple):
    """CPU seconds of one look: of who looks, and of the server that is looked at."""

    own: float
    server: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.database", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement (default %(default)s)")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name, cluster(max_connections="200") as server:
        os.sched_setaffinity(server.pid, {cores[-1]})
        print(f"{server.psql('SELECT version()').split(' on ')[0]}, {version_of([program(NAME), '--version'])}")
        rounds = [
            (ours(Path(name), server, cores[0], given.seconds), theirs(Path(name), server, cores[0], given.seconds))
            for _ in range(given.rounds)
        ]
    print(f"\nCPU per look, {CHECKS / PACE:.0f} looks a second, median of {given.rounds} rounds\n")
    for index, part in enumerate(Cost._fields):
        mine, peer = (median(one[who][index] for one in rounds) for who in (0, 1))
        ratios = [one[0][index] / one[1][index] for one in rounds]
        print(f"{part:7} daemon {mine * 1e6:6.0f} µs   postgres_exporter {peer * 1e6:6.0f} µs", end="")
        print(f"   ratio {median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")


def ours(folder: Path, server: Cluster, core: int, seconds: float) -> Cost:
    """Return what a check of ours costs: schedule, probe, judge, store and metrics."""
    checks = {
        f"check-{number:02}": {
            "kind": "postgres",
            "dsn": f"{server.dsn()}?application_name=bench-{number}",
            "every": f"{PACE:g}s",
            "thresholds": [{"watch": "connection_share", "warning": "> 80%", "critical": "> 90%"}],
        }
        for number in range(CHECKS)
    }
    nobody = {"nobody": {"kind": "webhook", "url": "http://127.0.0.1:9/"}}
    configuration = {"channels": nobody, "systems": {"bench": {"checks": checks}}}
    with daemon(folder, configuration, core, {}) as looking:
        looking.warm_up(3 * CHECKS)
        spent = Spent(server)
        cost = looking.cost(seconds)
        return Cost(cost.per_check, spent.since() / (cost.rate * seconds))


def theirs(folder: Path, server: Cluster, core: int, seconds: float) -> Cost:
    """Return what a scrape of postgres_exporter costs."""
    with exporting(folder, server, core) as (port, usage):
        for _ in range(CHECKS):
            get(port, "/metrics")
        spent, before, began, count = Spent(server), usage.cpu(), time.monotonic(), 0
        while time.monotonic() - began < seconds:
            get(port, "/metrics")
            count += 1
            time.sleep(max(began + count * PACE / CHECKS - time.monotonic(), 0))
        return Cost((usage.cpu() - before) / count, spent.since() / count)


@contextmanager
def exporting(folder: Path, server: Cluster, core: int) -> Iterator[tuple[int, Usage]]:
    """Run postgres_exporter until the block ends."""
    port, log = free_port(), folder / "postgres-exporter.log"
    address = {"DATA_SOURCE_NAME": f"{server.dsn()}?sslmode=disable"}
    with running([program(NAME), f"--web.listen-address=127.0.0.1:{port}"], core, log, address) as process:
        await_port(port, process, log)
        yield port, Usage(process.pid)


class Spent:
    """The CPU that a server's processes have used, those that have ended included."""

    def __init__(self, server: Cluster) -> None:
        self._pid = server.pid
        self._before = self._total()

    def since(self) -> float:
        """Return the seconds used since this was made."""
        return self._total() - self._before

    def _total(self) -> float:
        children = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split()
        return sum(_ticks(int(pid)) for pid in children) + _ticks(self._pid, ended=True)


def _ticks(pid: int, *, ended: bool = False) -> float:
    """Return the seconds of a process; with `ended`, those of the children that it has waited for besides."""
    try:
        fields = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11 : 15 if ended else 13])) / TICKS


if __name__ == "__main__":
    main()
