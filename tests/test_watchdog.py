from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from monitor.watchdog import Watchdog

CHILD = """
import asyncio, ctypes, re, sys, time
from datetime import timedelta
from monitor.watchdog import Watchdog

def stall_asleep():
    time.sleep(60)

def stall_holding_the_gil():
    ctypes.PyDLL(None).sleep(60)

def stall_in_a_regular_expression():
    re.match(r"(a+)+$", "a" * 60 + "b")

async def main():
    watching = asyncio.create_task(Watchdog(lambda _: None, patience=timedelta(seconds=1)).run())
    await asyncio.sleep(2.5)
    print("alive after more than the patience", flush=True)
    if len(sys.argv) > 1:
        secret = "hunter2"
        globals()[sys.argv[1]]()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    time.sleep(1.5)
    print("the end may take its time", flush=True)

asyncio.run(main())
"""


def run_child(*arguments: str) -> tuple[int, str, str, float]:
    """Run the child; return its exit status, what it wrote, and how long it took."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stdout, done.stderr, time.monotonic() - begun


@pytest.mark.parametrize("stall", ["stall_asleep", "stall_holding_the_gil", "stall_in_a_regular_expression"])
def test_a_stalled_loop_ends_the_process(stall: str) -> None:
    """Asleep or holding the GIL: non-zero in time, and a traceback that names the culprit, not its values."""
    status, out, errors, took = run_child(stall)
    assert status == 1
    assert "alive after" in out
    assert "the end may" not in out
    assert f"in {stall}" in errors
    assert "hunter2" not in errors
    assert took < 15


def test_a_loop_that_comes_round_lives_on() -> None:
    """Twice the patience passes in peace; and after the watchdog's end the process may stall."""
    status, out, errors, _ = run_child()
    assert (status, errors) == (0, "")
    assert "the end may take its time" in out


async def test_lag_is_what_the_loop_was_late() -> None:
    """A blocked loop shows as the time that it was blocked; a free one as next to nothing."""
    lags: list[float] = []
    with open("/dev/null", "w") as nowhere:  # noqa: ASYNC230, PTH123 - pytest's stderr has no descriptor
        watching = asyncio.create_task(Watchdog(lags.append, beat=timedelta(milliseconds=20), file=nowhere).run())
        await asyncio.sleep(0.05)
        time.sleep(0.3)  # noqa: ASYNC251 - the stall
        await asyncio.sleep(0.05)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert 0.2 < max(lags) < 5
    assert all(lag >= 0 for lag in lags)
    assert min(lags) < 0.1


async def test_a_stall_is_remembered_for_those_who_ran_beside_it() -> None:
    """Whoever asks in the midst of waking, before the next beat, hears of it as well; who began later does not."""
    with open("/dev/null", "w") as nowhere:  # noqa: ASYNC230, PTH123 - pytest's stderr has no descriptor
        watchdog = Watchdog(lambda _: None, beat=timedelta(milliseconds=20), file=nowhere)
        assert watchdog.stalled(timedelta(seconds=60)) == timedelta()
        watching = asyncio.create_task(watchdog.run())
        await asyncio.sleep(0.05)
        time.sleep(0.5)  # noqa: ASYNC251 - the stall
        waking = watchdog.stalled(timedelta())
        await asyncio.sleep(0.05)
        beside, later = watchdog.stalled(timedelta(seconds=60)), watchdog.stalled(timedelta(milliseconds=1))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert waking > timedelta(seconds=0.4)
    assert beside > timedelta(seconds=0.4)
    assert later < beside
