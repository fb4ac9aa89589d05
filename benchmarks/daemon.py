"""Ours: the whole daemon (schedule, probe, judge, store, metrics) on one core, and what it says of itself."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.process import Usage, await_port, free_port, running
from benchmarks.scrape import get, quantile, total

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from benchmarks.nginx import Target

RUNS = "monitor_probe_runs_total"
FAILURES = "monitor_probe_failures_total"
LAG = "monitor_schedule_lag_seconds"
PATIENCE = 60.0


class Cost(NamedTuple):
    """What running checks cost: CPU seconds per check, CPU per second, checks per second, bytes, p99 of being late."""

    per_check: float
    share: float
    rate: float
    memory: int
    lag: float


class Daemon(NamedTuple):
    """A running daemon."""

    port: int
    usage: Usage
    log: Path

    def warm_up(self, runs: int) -> None:
        """Return when so many runs were counted."""
        until = time.monotonic() + PATIENCE
        while total(get(self.port, "/metrics"), RUNS) < runs:
            if time.monotonic() > until:
                raise SystemExit(f"the daemon does not run its checks:\n{self._said()}")
            time.sleep(0.5)

    def cost(self, seconds: float) -> Cost:
        """Watch it for so many seconds. Leaves when a probe failed: the figures would mean nothing."""
        before = get(self.port, "/metrics")
        cpu, began = self.usage.cpu(), time.monotonic()
        time.sleep(seconds)
        used, lasted = self.usage.cpu() - cpu, time.monotonic() - began
        after = get(self.port, "/metrics")
        if total(after, FAILURES):
            raise SystemExit(f"probes of the daemon failed:\n{self._said()}")
        runs = total(after, RUNS) - total(before, RUNS)
        lag = quantile(0.99, LAG, before, after)
        return Cost(used / runs, used / lasted, runs / lasted, self.usage.memory(), lag)

    def _said(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


class Load(NamedTuple):
    """So many checks, each every so many seconds; `window` is that of the threshold each of them has."""

    checks: int
    every: int
    window: str


def watching(folder: Path, target: Target, scheme: str, load: Load, core: int) -> AbstractContextManager[Daemon]:
    """Run the daemon on checks of `target` until the block ends."""
    environment = {"SSL_CERT_FILE": str(target.authority)}
    return daemon(folder, configuration(target.address(scheme), load), core, environment)


@contextmanager
def daemon(
    folder: Path, configuration: Mapping[str, object], core: int, environment: Mapping[str, str]
) -> Iterator[Daemon]:
    """Run the daemon on an empty store until the block ends."""
    with_data = folder / f"data-{time.monotonic_ns()}"
    with_data.mkdir()
    config, log, port = with_data / "monitor.yaml", with_data / "daemon.log", free_port()
    config.write_text(json.dumps(configuration))
    settings = {
        "LOG_LEVEL": "warning",
        "MONITOR_CONFIG": str(config),
        "MONITOR_DATA": str(with_data),
        "MONITOR_LISTEN": f"127.0.0.1:{port}",
        **environment,
    }
    with running([sys.executable, "-m", "monitor", "run"], core, log, settings) as process:
        await_port(port, process, log)
        yield Daemon(port, Usage(process.pid), log)


def configuration(address: str, load: Load) -> dict[str, object]:
    """Return a configuration: each check looks at status and body, and has one threshold over a window."""
    check = {
        "every": f"{load.every}s",
        "expect": {"status": 200, "body": {"matches": r'"status":\s*"healthy"'}},
        "thresholds": [{"watch": f"p95(duration, {load.window})", "warning": "> 2s", "critical": "> 5s"}],
    }
    checks = {f"check-{number:05}": {"url": f"{address}?{number}", **check} for number in range(load.checks)}
    return {
        "channels": {"nobody": {"kind": "webhook", "url": "http://127.0.0.1:9/"}},
        "systems": {"bench": {"checks": checks}},
    }
