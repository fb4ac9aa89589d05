"""`make bench`: the daemon and blackbox_exporter in turn, on one core, with nginx on the other."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import blackbox, nginx
from benchmarks.blackbox import exporting
from benchmarks.daemon import Cost, Load, watching
from benchmarks.stall import Stall, stall
from monitor import __version__

SCHEMES = ("plain", "tls")
WANTED = {"plain": 0.60, "tls": 0.85}
MANY = Load(checks=1_000, every=15, window="10m")
BUSY = 0.7
"""Of a core: what the daemon is given to do when it is to be busy."""
MIB = 2**20


class Round(NamedTuple):
    """CPU seconds per check, ours and blackbox_exporter's: both at the same pace, then each as busy as it gets.

    Busy is what flatters a program most, because nothing ever sleeps: blackbox_exporter asked back to back, ours with
    as many checks as fill most of a core.
    """

    ours: float
    theirs: float
    ours_busy: float
    theirs_busy: float


class Bench(NamedTuple):
    """Where and how long to measure."""

    folder: Path
    target: nginx.Target
    core: int
    other: int
    rate: int
    seconds: float

    def compare(self, scheme: str) -> Round:
        """Return one round over `plain` or `tls`."""
        address = self.target.address(scheme)
        with exporting(self.folder, self.target, self.core) as peer:
            theirs = peer.cost(address, self.rate, self.seconds, self.other)
            theirs_busy = peer.cost(address, 0, self.seconds, self.other)
        ours = self.daemon(scheme, self.rate)
        return Round(ours, theirs, self.daemon(scheme, int(BUSY / ours)), theirs_busy)

    def daemon(self, scheme: str, rate: int) -> float:
        """Return what a check of ours costs at `rate` checks a second."""
        with watching(self.folder, self.target, scheme, Load(rate, every=1, window="1m"), self.core) as daemon:
            daemon.warm_up(3 * rate)
            return daemon.cost(self.seconds).per_check

    def many(self) -> tuple[Cost, Stall]:
        """Return what 1,000 checks every 15 s cost, and how long a scrape of them stalls the loop."""
        with watching(self.folder, self.target, "plain", MANY, self.core) as daemon:
            daemon.warm_up(MANY.checks)
            return daemon.cost(2 * MANY.every), stall(daemon.port)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement (default %(default)s)")
    parser.add_argument("--rate", type=int, default=200, help="checks a second (default %(default)s)")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("two cores are needed: one for what is measured, one for its target")
    with tempfile.TemporaryDirectory() as name, nginx.serving(Path(name), cores[1]) as target:
        bench = Bench(Path(name), target, cores[0], cores[1], given.rate, given.seconds)
        versions(target)
        rounds = [{scheme: bench.compare(scheme) for scheme in SCHEMES} for _ in range(given.rounds)]
        print(f"\nCPU per check at {given.rate} checks a second, body checked, median of {given.rounds} rounds\n")
        for scheme in SCHEMES:
            comparison(scheme, [one[scheme] for one in rounds])
        print()
        at_scale(*bench.many())


def versions(target: nginx.Target) -> None:
    """Print what is compared, and on what."""
    print(
        f"runbook-monitor {__version__} on Python {platform.python_version()}, {blackbox.version()}, {target.version}"
    )
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    print(f"{system}, {os.cpu_count()} cores, ECDSA P-256 certificates")


def comparison(scheme: str, rounds: list[Round]) -> None:
    """Print one scheme's medians and ratios."""
    ours, theirs, ours_busy, theirs_busy = (median(column) for column in zip(*rounds, strict=True))
    ratios = [one.ours / one.theirs for one in rounds]
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"{scheme:5}  daemon {ours * 1e6:6.0f} µs   blackbox_exporter {theirs * 1e6:6.0f} µs", end="")
    print(f"   ratio {median(ratios):.2f}, {spread} (wanted: at most {WANTED[scheme]:.2f})")
    ratio = median(one.ours_busy / one.theirs_busy for one in rounds)
    print(
        f"busy   daemon {ours_busy * 1e6:6.0f} µs   blackbox_exporter {theirs_busy * 1e6:6.0f} µs   ratio {ratio:.2f}"
    )


def at_scale(cost: Cost, stalled: Stall) -> None:
    """Print what 1,000 checks cost."""
    print(f"{MANY.checks:,} checks every {MANY.every} s: {cost.rate:.1f} a second, {cost.per_check * 1e6:.0f} µs each")
    print(f"  CPU      {cost.share:8.1%} of a core")
    print(f"  memory   {cost.memory / MIB:8.0f} MiB resident (wanted: under 150 MB)")
    print(f"  lag p99  {cost.lag * 1e3:8.1f} ms late (wanted: under 100 ms)")
    print(f"  scrape   {stalled.scrape * 1e3:8.1f} ms until it is read")
    print(f"  stall    {stalled.scraping * 1e3:8.1f} ms of no answer to others (wanted: under 5 ms)", end="")
    print(f"; {stalled.quiet * 1e3:.1f} ms without a scrape")


if __name__ == "__main__":
    main()
