"""What coverage says of code around greenlets: the same, whether it asks at each call or is told of each switch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

MEASURED = """
import asyncio, threading
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

def within(connection):
    if connection.execute(text("select 2")).scalar() == 2:
        return "two"
    return "another"

async def query(count):
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as connection:
        for _ in range(count):
            if (await connection.execute(text("select 1"))).scalar() != 1:
                raise AssertionError
        await connection.run_sync(within)
    await engine.dispose()

async def count():
    for number in range(20):
        await asyncio.sleep(0)
        if number == 30:
            print(number)

async def together():
    await asyncio.gather(query(5), count(), query(3), count())

def everywhere():
    asyncio.run(together())
    threads = [threading.Thread(target=asyncio.run, args=[together()]) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
"""
MEASURE = """
import json, sys
from coverage import Coverage

measuring = Coverage(data_file=None, config_file=False, branch=True, include=["*/measured.py"])
for name, value in json.loads(sys.argv[1]).items():
    measuring.set_option(f"run:{name}", value)
measuring.start()
import measured
measured.everywhere()
measuring.stop()
data = measuring.get_data()
print([sorted(data.arcs(file)) for file in data.measured_files()])
"""


def measured(folder: Path, **options: object) -> str:
    """Return the arcs that coverage saw with `options`."""
    (folder / "measured.py").write_text(MEASURED)
    command = [sys.executable, "-c", MEASURE, json.dumps({"core": "ctrace", **options})]
    path = {"PYTHONPATH": f"{ROOT}:{folder}"}
    return subprocess.run(command, env=path, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_the_arcs_are_those_of_a_coverage_that_asks_at_each_call(tmp_path: Path) -> None:
    """In the first thread and in others; one that knows nothing of greenlets sees arcs that nobody went."""
    asking = measured(tmp_path, concurrency=["thread", "greenlet"])
    told = measured(tmp_path, concurrency=["thread"], plugins=["tests.greenlets"])
    unaware = measured(tmp_path, concurrency=["thread"])
    assert told == asking
    assert unaware != asking
