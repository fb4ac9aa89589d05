"""Asks an address for probes over kept connections, as Prometheus would: `python -m benchmarks.driver`.

It runs on the target's core, so that what it costs is on nobody's bill. As many targets as there are questions a second
are asked once a second, each at a moment of its own, like our checks. Rate 0 asks back to back instead. Prints how many
answers came, how many held `probe_success 1`, and how late the latest question was.
"""

from __future__ import annotations

import argparse
import http.client
import random
import sys
import threading
import time
from dataclasses import dataclass, field

SUCCESS = b"\nprobe_success 1\n"
SEED = 1


@dataclass(slots=True)
class Tally:
    """What came back, over all threads."""

    answers: int = 0
    successes: int = 0
    latest: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, *, success: bool, late: float) -> None:
        """Count one answer."""
        with self.lock:
            self.answers += 1
            self.successes += success
            self.latest = max(self.latest, late)


def moments(rate: int, seconds: float) -> list[float]:
    """Return when to ask, in seconds from the start: `rate` targets once a second, each at its own moment."""
    chance = random.Random(SEED)  # noqa: S311 - a spread, the same in every round
    phases = sorted(chance.random() for _ in range(rate))
    return [second + phase for second in range(int(seconds)) for phase in phases]


def ask_at(port: int, path: str, due: list[float], tally: Tally) -> None:
    """Ask for `path` at each of the moments `due` of the monotonic clock, over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for moment in due:
        time.sleep(max(0.0, moment - time.monotonic()))
        late = time.monotonic() - moment
        tally.count(success=_ask(connection, path), late=late)
    connection.close()


def ask_until(port: int, path: str, end: float, tally: Tally) -> None:
    """Ask for `path` again and again until the moment `end` of the monotonic clock, over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while time.monotonic() < end:
        tally.count(success=_ask(connection, path), late=0.0)
    connection.close()


def _ask(connection: http.client.HTTPConnection, path: str) -> bool:
    connection.request("GET", path)
    return SUCCESS in connection.getresponse().read()


def drive(port: int, path: str, rate: int, seconds: float, connections: int) -> Tally:
    """Ask for so many seconds, over `connections`, one thread each."""
    start = time.monotonic() + 0.1
    tally = Tally()
    if rate:
        due = [start + moment for moment in moments(rate, seconds)]
        work = [(ask_at, (port, path, due[first::connections], tally)) for first in range(connections)]
        threads = [threading.Thread(target=ask, args=given) for ask, given in work]
    else:
        threads = [
            threading.Thread(target=ask_until, args=(port, path, start + seconds, tally)) for _ in range(connections)
        ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def main() -> None:
    """Drive as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("rate", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("connections", type=int)
    given = parser.parse_args()
    tally = drive(given.port, given.path, given.rate, given.seconds, given.connections)
    sys.stdout.write(f"{tally.answers} {tally.successes} {tally.latest:.6f}\n")


if __name__ == "__main__":
    main()
