"""`python -m benchmarks.deploy`: how long nothing is probed when a daemon on SQLite is replaced by the next one.

As Render does with a disk: SIGTERM, wait for the end, start the next process on the same folder. What the platform
itself takes in between (it detaches the disk and starts a container) comes on top, and cannot be measured here.
"""

from __future__ import annotations

import argparse
import http.server
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60.0
LONG = 30.0
"""How long the channel hangs; more than the daemon waits for it."""


class Gap(NamedTuple):
    """Seconds: from SIGTERM to the end, from the next start to its first probe, and without any probe in all."""

    ending: float
    starting: float
    blind: float


class Target(http.server.ThreadingHTTPServer):
    """Answers GET at once, but /broken with 500; takes as long as LONG for a POST. `asked`: when each GET came."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[float] = []
        self.posted = threading.Event()

    def asked_since(self, moment: float) -> float:
        """Return when the first GET after `moment` came, waiting for it."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self.asked and self.asked[-1] > moment:
                return next(at for at in self.asked if at > moment)
            time.sleep(0.005)
        raise SystemExit("nothing was probed for a minute")


class _Answer(http.server.BaseHTTPRequestHandler):
    server: Target

    def do_GET(self) -> None:
        self.server.asked.append(time.monotonic())
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.server.posted.set()
        time.sleep(LONG)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[Target]:
    """Run a target until the block ends."""
    target = Target()
    thread = threading.Thread(target=target.serve_forever, daemon=True)
    thread.start()
    try:
        yield target
    finally:
        target.shutdown()
        thread.join()


def configuration(port: int, checks: int, every: int, *, failing: bool) -> str:
    """Return the file: so many checks that are well and, where wanted, one that pages a channel that hangs."""
    lines = [f"channels: {{hook: {{kind: webhook, url: 'http://127.0.0.1:{port}/hook'}}}}", "systems:", "  shop:"]
    lines += [f"    defaults: {{every: {every}s, timeout: 5s}}", "    checks:"]
    lines += [f"      site{number}: {{url: 'http://127.0.0.1:{port}/{number}'}}" for number in range(checks)]
    if failing:
        lines.append(f"      broken: {{url: 'http://127.0.0.1:{port}/broken', every: 1s, down: {{critical: 1}}}}")
    return "\n".join(lines) + "\n"


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start the real program on `folder`."""
    environment = {**os.environ, "MONITOR_DATA": str(folder / "data"), "MONITOR_LISTEN": "127.0.0.1:0"}
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "monitor", "run", "-c", str(folder / "monitor.yaml")],
            env={**environment, "LOG_FORMAT": "json"},
            stdout=log,
            stderr=log,
        )


def deploy(target: Target, folder: Path, seconds: float, *, sending: bool) -> Gap:
    """Return the gap of one deploy, after the first process has watched for some seconds, or has begun to send."""
    first = start(folder)
    target.asked_since(time.monotonic())
    if not sending:
        time.sleep(seconds)
    elif not target.posted.wait(PATIENCE):
        raise SystemExit("the channel was not asked")
    signalled = time.monotonic()
    first.send_signal(signal.SIGTERM)
    first.wait(PATIENCE)
    ended = time.monotonic()
    last = target.asked[-1]
    second = start(folder)
    probed = target.asked_since(ended)
    second.kill()
    second.wait()
    return Gap(ended - signalled, probed - ended, probed - last)


def measure(checks: int, every: int, seconds: float, *, sending: bool) -> Gap:
    """Return the gap of one deploy on a folder of its own."""
    with serving() as target, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "monitor.yaml").write_text(configuration(target.server_port, checks, every, failing=sending))
        return deploy(target, folder, seconds, sending=sending)


def main() -> None:
    """Measure some deploys of each kind, and print the medians and the worst."""
    parser = argparse.ArgumentParser(description="How long nothing is probed at a deploy with SQLite.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--checks", type=int, default=100)
    parser.add_argument("--every", type=int, default=10, help="seconds from one run of a check to the next")
    parser.add_argument("--seconds", type=float, default=10, help="how long the first process watches")
    options = parser.parse_args()
    for sending in (False, True):
        gaps = [measure(options.checks, options.every, options.seconds, sending=sending) for _ in range(options.rounds)]
        print("a send hangs in a channel" if sending else "nothing is being sent")
        for part, found in zip(Gap._fields, zip(*gaps, strict=True), strict=True):
            print(f"  {part:9} {median(found):6.2f} s, at most {max(found):.2f} s")


if __name__ == "__main__":
    main()
