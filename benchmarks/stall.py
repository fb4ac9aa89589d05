"""How long the daemon's loop answers nobody while it renders /metrics, as somebody else who asks feels it."""

from __future__ import annotations

import http.client
import threading
import time
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.scrape import PATIENCE, get

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRAPES = 20
PAUSE = 0.3


class Stall(NamedTuple):
    """Seconds, medians over windows: the longest wait while a scrape is under way, the same without one, a scrape."""

    scraping: float
    quiet: float
    scrape: float


class Waits:
    """The longest wait for an answer since it was last asked for."""

    def __init__(self) -> None:
        self.longest = 0.0
        self.asking = True

    def ask(self, port: int) -> None:
        """Ask for /healthz without pause, over one connection, until `asking` is false."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        while self.asking:
            began = time.perf_counter()
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            self.longest = max(self.longest, time.perf_counter() - began)
        connection.close()

    def take(self) -> float:
        """Return the longest wait, and forget it."""
        longest, self.longest = self.longest, 0.0
        return longest


@contextmanager
def asking(port: int) -> Iterator[Waits]:
    """Keep asking in a thread until the block ends."""
    waits = Waits()
    thread = threading.Thread(target=waits.ask, args=(port,))
    thread.start()
    try:
        yield waits
    finally:
        waits.asking = False
        thread.join()


def stall(port: int) -> Stall:
    """Scrape /metrics so many times while another connection keeps asking; leave as long quiet in between."""
    scraping, quiet, scrapes = [], [], []
    with asking(port) as waits:
        for _ in range(SCRAPES):
            time.sleep(PAUSE)
            waits.take()
            began = time.perf_counter()
            get(port, "/metrics")
            scrapes.append(time.perf_counter() - began)
            scraping.append(waits.take())
            time.sleep(scrapes[-1])
            quiet.append(waits.take())
    return Stall(median(scraping), median(quiet), median(scrapes))
