"""The real program, started as a user starts it, and what can be seen of it from outside."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import sys
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import aiohttp
import pytest

from tests.acceptance import forks
from tests.acceptance.forks import ROOT
from tests.acceptance.peers import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path
    from signal import Signals
    from types import TracebackType

SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
LONGEST_LINE = 1 << 20

SITE = """
channels: {hook: "${HOOK_URL}"}
systems:
  shop:
    title: The shop
    runbook: https://example.com/runbook
    defaults: {every: 1s, timeout: 2s, retry: {every: 200ms}, down: {critical: 2}}
    checks:
      site: {url: "${SHOP_URL}/", title: Front page, remedy: Restart the shop.}
"""
DELIVERED = "SELECT * FROM notifications WHERE result = 'delivered'"


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """Return an environment for a monitor that keeps its data in `folder`."""
    ours = {"MONITOR_DATA": str(folder / "data"), "MONITOR_LISTEN": "127.0.0.1:0", "LOG_FORMAT": "json"}
    return {**forks.inherited(), **ours, **variables}


async def command(folder: Path, *arguments: str, **variables: str) -> Ended:
    """Run `monitor` with `arguments` to its end, as in a pipe."""
    loop = asyncio.get_running_loop()
    (out, to_out), (err, to_err) = os.pipe(), os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    asked = forks.start(arguments, environment(folder, **variables), ROOT, nothing, to_out, to_err)
    for file in (nothing, to_out, to_err):
        os.close(file)
    with asked:
        process = int(await loop.sock_recv(asked, 100))
        try:
            told = asyncio.gather(_whole(out), _whole(err), loop.sock_recv(asked, 100))
            said, complained, status = await asyncio.wait_for(told, PATIENCE)
        except TimeoutError:
            os.kill(process, signal.SIGKILL)
            raise
    return Ended(int(status), said.decode(), complained.decode())


async def _whole(pipe: int) -> bytes:
    """Return all that comes out of a pipe."""
    reader = asyncio.StreamReader()
    with open(pipe, "rb") as end:  # noqa: ASYNC230 - nothing is opened
        read = partial(asyncio.StreamReaderProtocol, reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(read, end)
        with closing(transport):
            return await reader.read()


def program(name: str, package: str) -> str:
    """Return where a program of the machine is; skip where it is not, but never in CI."""
    return needed(shutil.which(name) or shutil.which(name, path=SBIN), name, package)


def needed(found: str | None, name: str, package: str) -> str:
    """Return `found`; where it is None skip, saying how to get it, but never in CI."""
    if found is not None:
        return found
    missing = f"{name} is not here; on Debian or Ubuntu: sudo apt-get install {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@asynccontextmanager
async def running(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program of the machine until the block ends."""
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Monitor:
    """The daemon as a process on a folder of its own. It may be killed and started again; its log is one list."""

    def __init__(self, folder: Path, text: str = "", *arguments: str, **variables: str) -> None:
        """Make one that does not run yet. `text` is its configuration; `arguments` take the place of `run -c` it."""
        self.folder = folder
        self.file = folder / "monitor.yaml"
        if text:
            self.file.write_text(text)
        self.arguments = arguments or ("run", "-c", str(self.file))
        self.variables = variables
        self.log: list[dict[str, Any]] = []
        self.out: list[str] = []
        self.strange: list[str] = []
        self.url = ""
        self._process: asyncio.subprocess.Process | None = None
        self._reading: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and hold it to this: it never logs a traceback, and nothing but whole lines of JSON."""
        await self.stop() if kind is None else await self.kill()
        if kind is None:
            assert not self.strange
            assert not [line for line in self.log if "exception" in line]

    @property
    def store(self) -> Path:
        return self.folder / "data" / "monitor.db"

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process
        return self._process

    async def start(self) -> None:
        """Start it, and return when it watches."""
        begun = len(self.log)
        await self.spawn()
        await self.watches(since=begun)

    async def watches(self, *, since: int) -> None:
        """Return when it has logged that it watches, not looking at the first `since` lines."""
        self.url = (await self.logs("watching", since=since))["listen"]

    async def spawn(self) -> None:
        """Start it, and do not wait."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "monitor", *self.arguments),
            env=environment(self.folder, **self.variables),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
        )
        assert self.process.stdout
        assert self.process.stderr
        self._reading = [
            asyncio.create_task(self._read(self.process.stdout, self.out.append)),
            asyncio.create_task(self._read(self.process.stderr, self._take)),
        ]

    async def logs(self, event: str, *, since: int = 0, within: float = PATIENCE) -> dict[str, Any]:
        """Return the first line of the log that tells of `event`, not looking at the first `since` lines."""

        def found() -> dict[str, Any] | None:
            fitting = [line for line in self.log[since:] if line["event"] == event]
            assert fitting or self.process.returncode is None, f"it ended, without {event}: {self.log} {self.strange}"
            return fitting[0] if fitting else None

        line: dict[str, Any] = await until(found, f"{event} in {self.log}", within)
        return line

    async def kill(self) -> None:
        """End it as a power cut does."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """End it as an operator does; return its exit status."""
        return await self._end(signal.SIGTERM)

    def signal(self, number: Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    async def ended(self, within: float = PATIENCE) -> int:
        """Return its exit status once it has ended and all that it said was read."""
        status = await asyncio.wait_for(self.process.wait(), within)
        await asyncio.gather(*self._reading)
        return status

    async def shows(self, series: str) -> float | None:
        """Return what its metrics page says of `series`, written as it is there; None if it says nothing."""
        return self.read(await self.page()).get(series)

    async def page(self, address: str = "/metrics", token: str = "") -> str:
        """Return the text of one of its pages."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with aiohttp.ClientSession(headers=headers) as session, session.get(self.url + address) as answer:
            return await answer.text()

    @staticmethod
    def read(page: str) -> dict[str, float]:
        """Return every series of a metrics page."""
        lines = (line.rpartition(" ") for line in page.splitlines() if not line.startswith("#"))
        return {series: float(value) for series, _, value in lines}

    def stored(self, query: str) -> list[tuple[Any, ...]]:
        """Return what its store says, asked from outside; nothing while there is no store, or no such table, yet."""
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as db:
            return db.execute(query).fetchall()
        return []

    async def _end(self, number: Signals) -> int:
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.signal(number)
        return await self.ended()

    def _take(self, text: str) -> None:
        try:
            line = json.loads(text)
            self.log.append({**line, "event": line["event"]})
        except (ValueError, TypeError, KeyError):
            self.strange.append(text)

    @staticmethod
    async def _read(stream: asyncio.StreamReader, take: Callable[[str], None]) -> None:
        while line := await stream.readline():
            take(line.decode().rstrip("\n"))
