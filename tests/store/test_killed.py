"""What is there after `kill -9`: every change that was acknowledged, and nothing by halves."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.child import acknowledged, opened, whole

ROOT = Path(__file__).parents[2]


async def killed(path: Path, *deaths: str) -> int:
    """Let one process after the other write to a store and die; return how many changes are there at last."""
    out = path.with_suffix(".out")
    command = [sys.executable, "-W", "error", "-m", "tests.store.child", str(path), str(out), *deaths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=50)  # noqa: ASYNC221 - nothing runs meanwhile
    assert done.returncode == 0, done.stderr
    store = await opened(path)
    count = await whole(store, acknowledged(out))
    assert count <= acknowledged(out) + len(deaths), "each process left at most one change that it did not acknowledge"
    await store.close()
    return count


async def test_killed_at_any_moment_it_kept_what_it_acknowledged(tmp_path: Path) -> None:
    """Through writes, commits, checkpoints and tidying."""
    deaths = [f"open {random.uniform(0.0, 0.4)}" for _ in range(8)]
    assert await killed(tmp_path / "monitor.db", *deaths) > 20


@pytest.mark.parametrize(("when", "last"), [("before", 29), ("after", 21)])
async def test_killed_at_every_step_of_a_transaction_it_is_whole_or_absent(
    tmp_path: Path, when: str, last: int
) -> None:
    """Begin, each statement, commit: each process dies one step later than the one before."""
    assert await killed(tmp_path / "monitor.db", *(f"{when} {number}" for number in range(1, last + 1))) > 1


async def test_killed_while_it_is_made_it_is_made_by_the_next(tmp_path: Path) -> None:
    for number in range(2):
        await killed(tmp_path / f"{number}.db", f"made {number * 0.004}", "open 0.05")
