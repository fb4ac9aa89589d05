"""The examples of docs/api.md are what the API says, and its tables tell of every address that shows."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from monitor.model import Measure, Reason, Sample, State
from monitor.web.api.operations import OPERATIONS, Access
from tests.web.api.shop import NOW, OPERATOR, SECOND, SITE, Site, opened

PAGE = (Path(__file__).parents[1] / "docs/api.md").read_text("utf-8")
DOWN = Sample(
    SITE,
    NOW,
    SECOND / 8,
    State.DOWN,
    Reason.STATUS,
    "expected 200, got 502",
    (Measure("phase", 0.031, (("phase", "processing"),)),),
)


async def test_the_examples_are_what_is_answered() -> None:
    examples = re.findall(r"^```sh\n(.*?)\n```\n\n```json\n(.*?)\n```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(examples) == 3
    async with opened(Site()) as site:
        site.shown.samples_of[SITE] = [DOWN]
        for curl, shown in examples:
            words = shlex.split(curl.replace("$MONITOR_TOKEN", OPERATOR))
            (path,) = [word.partition("example.com")[2] for word in words if word.startswith("https://")]
            assert "Authorization: Bearer " + OPERATOR in words or f"me:{OPERATOR}" in words
            answer = await site.ask(path)
            assert answer.json == json.loads(shown)
            assert (answer.status == 200) == ("-fsS" in words)


async def test_the_badges_of_the_page_are_shown_to_everybody() -> None:
    paths = re.findall(r"^!\[.*?\]\(https://monitor\.example\.com(.*?)\)$", PAGE, re.MULTILINE)
    assert len(paths) == 2
    async with opened(Site()) as site:
        for path in paths:
            assert (await site.ask(path, token="")).status == 200


def test_the_tables_tell_of_every_address_that_shows() -> None:
    told = re.findall(r"^\| `GET (/api/v1/\S+)` \|", PAGE, re.MULTILINE)
    assert sorted(told) == sorted(one.path for one in OPERATIONS if one.access is Access.READ)
    wrong = set(re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE))
    assert {"400", "401", "403", "404", "405", "429", "503"} == wrong
