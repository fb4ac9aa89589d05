"""The peer: the distribution's blackbox_exporter, asked for probes with a check of the body, on one core."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from benchmarks.process import Usage, await_port, free_port, program, running, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.nginx import Target

NAME = "prometheus-blackbox-exporter"
CONNECTIONS = 4
CONFIG = """\
modules:
  body:
    prober: http
    timeout: 5s
    http:
      valid_status_codes: [200]
      preferred_ip_protocol: ip4
      fail_if_body_not_matches_regexp: ['"status":\\s*"healthy"']
      tls_config: {{ca_file: {authority}}}
"""


class Blackbox(NamedTuple):
    """A running blackbox_exporter."""

    port: int
    usage: Usage

    def cost(self, address: str, rate: int, seconds: float, core: int) -> float:
        """Return the CPU seconds of one probe.

        `rate` probes a second for so many `seconds`, or back to back if it is 0; the driver runs on `core`.
        """
        self._drive(address, rate, 1, core)
        before = self.usage.cpu()
        answers = self._drive(address, rate, seconds, core)
        return (self.usage.cpu() - before) / answers

    def _drive(self, address: str, rate: int, seconds: float, core: int) -> int:
        path = "/probe?" + urlencode({"target": address, "module": "body"})
        given = [str(self.port), path, str(rate), str(seconds), str(CONNECTIONS)]
        command = ["taskset", "--cpu-list", str(core), sys.executable, "-m", "benchmarks.driver", *given]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        answers, successes, latest = done.stdout.split()
        if answers != successes:
            raise SystemExit(f"blackbox_exporter: of {answers} probes of {address} only {successes} succeeded")
        if float(latest) > 1.0:
            raise SystemExit(f"blackbox_exporter cannot keep up with {rate} probes a second: {latest} s late")
        return int(answers)


@contextmanager
def exporting(folder: Path, target: Target, core: int) -> Iterator[Blackbox]:
    """Run blackbox_exporter until the block ends."""
    config, log, port = folder / "blackbox.yml", folder / "blackbox.log", free_port()
    config.write_text(CONFIG.format(authority=target.authority))
    command = [program(NAME), f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    with running(command, core, log) as process:
        await_port(port, process, log)
        yield Blackbox(port, Usage(process.pid))


def version() -> str:
    """Return the name and version, as the program tells it."""
    return version_of([program(NAME), "--version"]).split(" (")[0].replace(", version", "")
