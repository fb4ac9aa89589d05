"""A process on one core of this machine, and what it has used so far."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TICKS = os.sysconf("SC_CLK_TCK")
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
PATIENCE = 15.0


class Usage:
    """Reads what a running process has used, from the kernel's books."""

    def __init__(self, pid: int) -> None:
        self._folder = Path("/proc") / str(pid)

    def cpu(self) -> float:
        """Return the seconds of CPU so far, user and system, of all threads."""
        fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> int:
        """Return the resident bytes."""
        status = (self._folder / "status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) * 1024


def program(name: str) -> str:
    """Return the path of a program, /usr/sbin included; leaves with the line that installs it if it is missing."""
    found = shutil.which(name) or shutil.which(name, path=SBIN)
    if not found:
        raise SystemExit(
            f"{name} is not installed; on Debian: sudo apt-get install nginx-light prometheus-blackbox-exporter"
        )
    return found


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str], core: int, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` on one core, its output in `log`, until the block ends: with SIGTERM, or SIGKILL after 15 s."""
    pinned = ["taskset", "--cpu-list", str(core), *command]
    with log.open("wb") as output:
        process = subprocess.Popen(pinned, stdout=output, stderr=output, env={**os.environ, **(environment or {})})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when something accepts connections on `port`; leaves with the log if the process ends before."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"{process.args!r} does not listen on port {port}:\n{log.read_text(errors='replace')[-2000:]}")


def version_of(command: Sequence[str]) -> str:
    """Return the first line that `command` prints, on whichever stream."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE)
    return (done.stdout + done.stderr).strip().splitlines()[0]
