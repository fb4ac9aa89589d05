"""What the document promises is held against what is answered, by schemathesis: hundreds of requests, good and bad."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from monitor.web.api.operations import OPERATIONS, Access
from tests.web.api.daemon import asked, watching
from tests.web.api.shop import DEPLOY, JOB, OPERATOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLES = 3
PATIENCE = 120
SETTINGS = f"""
headers = {{ Authorization = "Bearer {OPERATOR}" }}

# What fits the schema may be a silence that has ended, or that ends in two ways: that is 400, with a sentence.
[[operations]]
include-path-regex = "^/api/v1/(acks|silences)$"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404"]

# Who reports without the right token is told 404, as if there were nothing: test_door.py holds that to it.
[[operations]]
include-path-regex = "^/api/v1/heartbeats/"
headers = {{ Authorization = "Bearer {JOB}" }}
checks.ignored_auth.enabled = false

[[operations]]
include-path-regex = "^/api/v1/deploys/"
headers = {{ Authorization = "Bearer {DEPLOY}" }}
checks.ignored_auth.enabled = false
"""


async def held_against(url: str, folder: Path) -> tuple[int, str, list[tuple[str, str, int]]]:
    """Run schemathesis; return its exit status, what it says, and each request's method, path and status."""
    settings, record = folder / "schemathesis.toml", folder / "record.har"
    settings.write_text(SETTINGS)
    words = ["--config-file", str(settings), "run", f"{url}/api/v1/openapi.json", "--no-color"]
    words += ["--max-examples", str(EXAMPLES), "--report", "har", "--report-har-path", str(record)]
    words += ["--generation-deterministic"] if os.environ.get("CI") == "true" else []
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", *words),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    return process.returncode or 0, said.decode(), list(_requests(json.loads(record.read_bytes())))


def _requests(record: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    for entry in record["log"]["entries"]:
        asked = entry["request"]
        path = "/" + asked["url"].split("/", 3)[3].partition("?")[0]
        yield asked["method"], path, entry["response"]["status"]


def form(path: str) -> str:
    """Return what the addresses of an operation look like."""
    return re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))


@pytest.mark.timeout(PATIENCE)
async def test_every_answer_is_as_the_document_says(tmp_path: Path) -> None:
    """Whatever is asked; and everything that the document tells of was done at least once."""
    async with watching(tmp_path) as daemon:
        begun, _ = await asked(daemon, "POST", "/api/v1/silences", {"system": "vault", "for": "1h", "id": "move-7"})
        status, said, requests = await held_against(daemon.address, tmp_path)
    assert begun == HTTPStatus.OK
    assert status == 0, said
    assert len(requests) > 300
    for one in OPERATIONS:
        if one.access is Access.OPEN:
            continue  # the document itself, which was read
        met = {code for method, path, code in requests if method == one.method and re.fullmatch(form(one.path), path)}
        assert met & {200, 202}, f"{one.name} was never done: {sorted(met)}"
