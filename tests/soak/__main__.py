"""`python -m tests.soak --seeds N --days D`: weeks on the virtual clock, with a ledger for each."""

from __future__ import annotations

import argparse
import sys
import time

import structlog

from tests.soak.week import week


def main() -> None:
    """Run the seeds one after the other; exit 1 when a ledger does not balance, naming its seed."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="how many (default %(default)s)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (default %(default)s)")
    parser.add_argument("--days", type=float, default=7, help="of trouble (default %(default)s)")
    parser.add_argument("--pace", type=float, default=1, help="so many times the usual trouble (default %(default)s)")
    given = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[])
    failed = []
    for seed in range(given.first, given.first + given.seeds):
        begun = time.monotonic()
        ledger = week(seed, given.days, given.pace)
        sys.stdout.write(f"{ledger}\n  {given.days:g} days in {time.monotonic() - begun:.0f} s\n")
        sys.stdout.flush()
        if not ledger.balanced:
            failed.append(seed)
    if failed:
        raise SystemExit(f"seeds that failed, with --days {given.days:g} --pace {given.pace:g}: {failed}")


if __name__ == "__main__":
    main()
