"""The daemons, one after the other or two beside each other, on one store that can be taken away."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import time
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tests.acceptance.process import Monitor
from tests.postgres import cluster
from tests.soak.real.street import TARGETS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.postgres import Cluster
    from tests.soak.real.street import Street

LOOK = 0.2
CHECK = '      {name}: {{url: "{url}/{name}"{more}}}'
HEAD = """
channels:
  ops: {{kind: webhook, url: "{ops}", fallback: phone}}
  phone: {{kind: webhook, url: "{phone}"}}
  hook: {{kind: webhook, url: "{hook}"}}
routes:
  - {{severity: [critical, warning], notify: [ops, hook], repeat: 4h}}
systems:
  shop:
    defaults: {{every: 2s, timeout: 2s, retry: {{every: 500ms}}, down: {{critical: 3}}}}
    checks:
"""
FIGURE = ", thresholds: [{watch: duration, warning: '> 300ms', for: 4s}]"


class Home(Protocol):
    """Where a store is: how daemons reach it, how it is taken away, and what it costs."""

    variables: dict[str, str]
    together: bool

    def away(self, how: str) -> None:
        """Take it away; `how` is `locked`, `paused` or `stopped`."""

    def back(self) -> None:
        """Give it back."""

    def size(self) -> int:
        """Return its bytes."""
        ...

    def connections(self) -> int:
        """Return how many connections are open, ours included."""
        ...

    hows: tuple[str, ...]


@dataclass
class File:
    """An SQLite file, which another process locks."""

    folder: Path
    together: bool = False
    hows: tuple[str, ...] = ("locked",)
    variables: dict[str, str] = field(default_factory=dict)
    _lock: sqlite3.Connection | None = None

    def away(self, how: str) -> None:
        assert how == "locked"
        path = self.folder / "data" / "monitor.db"
        with suppress(sqlite3.OperationalError):
            self._lock = sqlite3.connect(f"file:{path}?mode=rw", uri=True, isolation_level=None, timeout=5)
            self._lock.execute("BEGIN EXCLUSIVE")

    def back(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def size(self) -> int:
        return sum(file.stat().st_size for file in (self.folder / "data").iterdir())

    def connections(self) -> int:
        return 0


@dataclass
class Server:
    """A PostgreSQL server, which stands still or is gone."""

    cluster: Cluster
    variables: dict[str, str]
    together: bool = True
    hows: tuple[str, ...] = ("paused", "stopped")
    _how: str = ""

    def away(self, how: str) -> None:
        self._how = how
        if how == "paused":
            self.cluster.pause()
        else:
            self.cluster.stop()

    def back(self) -> None:
        if self._how == "paused":
            self.cluster.resume()
        elif self._how:
            self.cluster.start()
        self._how = ""

    def size(self) -> int:
        return int(self.cluster.psql("SELECT pg_database_size('soak')"))

    def connections(self) -> int:
        return int(self.cluster.psql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'soak'"))


@contextmanager
def home(kind: str, folder: Path) -> Iterator[Home]:
    """Make a store of that kind until the block ends."""
    if kind == "sqlite":
        yield File(folder)
        return
    with cluster() as server:
        server.psql("CREATE DATABASE soak")
        yield Server(server, {"MONITOR_DATABASE_URL": server.dsn("soak")})


@dataclass
class Daemon:
    """One process: when it began to watch, and when it was gone; `held` are spells of standing still."""

    monitor: Monitor
    begun: float = field(default_factory=time.time)
    watched: float = float("inf")
    ended: float = float("inf")
    held: list[tuple[float, float]] = field(default_factory=list)
    rss: list[tuple[float, int]] = field(default_factory=list)
    files: list[tuple[float, int]] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.monitor.process.pid

    def measure(self) -> None:
        """Note what it uses, from the kernel's books."""
        with suppress(OSError, StopIteration):
            status = Path(f"/proc/{self.pid}/status").read_text().splitlines()
            kib = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
            self.rss.append((time.time(), kib))
            self.files.append((time.time(), len(list(Path(f"/proc/{self.pid}/fd").iterdir()))))

    def look(self) -> None:
        """Note whether it watches by now, or has ended."""
        now = time.time()
        if self.monitor.process.returncode is not None:
            self.ended = min(self.ended, now)
        elif self.watched > now and any(line["event"] == "watching" for line in self.monitor.log):
            self.watched = now


class Fleet:
    """Starts and ends daemons on one store."""

    def __init__(self, folder: Path, street: Street, store: Home) -> None:
        self._folder = folder
        self.store = store
        text = HEAD.format(**street.urls)
        lines = [
            CHECK.format(name=name, url=street.urls["targets"], more=FIGURE if name == "slow" else "")
            for name in TARGETS
        ]
        self._text = text + "\n".join(lines) + "\n"
        self.daemons: list[Daemon] = []

    @property
    def newest(self) -> Daemon:
        return self.daemons[-1]

    async def start(self) -> Daemon:
        """Start one more."""
        folder = self._folder if not self.store.together else self._folder / f"instance-{len(self.daemons)}"
        folder.mkdir(exist_ok=True)
        monitor = Monitor(folder, self._text, **self.store.variables)
        await monitor.spawn()
        self.daemons.append(Daemon(monitor))
        return self.newest

    async def kill(self) -> None:
        """Kill the newest, and start another, as the platform does."""
        await self.newest.monitor.kill()
        self.newest.ended = time.time()
        await asyncio.sleep(1)
        await self.start()

    async def deploy(self, overlap: float) -> None:
        """Replace the newest: where a store takes two, the new one starts first and both run for a while."""
        old = self.newest
        if self.store.together:
            await self.start()
            await asyncio.sleep(overlap)
        await self.end(old)
        if not self.store.together:
            await self.start()

    async def end(self, daemon: Daemon) -> None:
        """End one as at a deploy."""
        status = await daemon.monitor.stop()
        daemon.ended = time.time()
        assert status == 0, f"it ended with {status}: {daemon.monitor.log[-5:]} {daemon.monitor.strange}"

    async def freeze(self, seconds: float) -> None:
        """Let the newest stand still."""
        daemon, begun = self.newest, time.time()
        daemon.monitor.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        daemon.monitor.signal(signal.SIGCONT)
        daemon.held.append((begun, time.time()))

    async def watch(self) -> None:
        """Note how they are, until cancelled."""
        beats = 0
        while True:
            for daemon in self.daemons:
                daemon.look()
                if beats % 25 == 0 and daemon.ended > time.time():
                    daemon.measure()
            beats += 1
            await asyncio.sleep(LOOK)


@asynccontextmanager
async def fleet(folder: Path, street: Street, store: Home) -> AsyncIterator[Fleet]:
    """Run daemons until the block ends; none is left behind."""
    made = Fleet(folder, street, store)
    async with AsyncExitStack() as stack:
        await made.start()
        watching = asyncio.create_task(made.watch())
        stack.callback(watching.cancel)
        try:
            yield made
        finally:
            for daemon in made.daemons:
                if daemon.monitor.process.returncode is None:
                    await daemon.monitor.kill()
