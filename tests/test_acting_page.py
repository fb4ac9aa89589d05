"""The examples of docs/acting.md are what the commands and the API say, with what a daemon does at a real store."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from typer.testing import CliRunner

from monitor.cli import acting, app
from monitor.counter import Counter
from monitor.desk import Desk, Means
from monitor.metrics import Metrics
from monitor.pipeline import Pipeline
from monitor.secrets import Secret
from monitor.web import Acts, Door, Tokens, Web
from tests import story
from tests.fakes import FakeClock
from tests.store.files import leading
from tests.test_pipeline import Screen

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.model import Change, CheckId
    from monitor.store import Store

PAGE = (Path(__file__).parents[1] / "docs/acting.md").read_text("utf-8")
TOKEN = "operator-token-of-this-test"


def examples(section: str, form: str) -> list[str]:
    """Return what a section of the page shows in a form."""
    (text,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return re.findall(rf"^```{form}\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE)


class Direct:
    """Writes at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def commit(self, change: Change) -> bool:
        await self._store.write([change])
        return True

    def keep(self, _sample: object) -> None:
        raise AssertionError

    post = keep


async def remembering(store: Store) -> Pipeline:
    """Return a pipeline that knows what a store does."""
    pipeline = Pipeline(FakeClock(story.MORNING), Direct(store), Screen(), lambda *_: None, _run)
    pipeline.restore_silences(await store.silences(story.MORNING))
    pipeline.restore(await store.alerts())
    return pipeline


async def _run(_check: CheckId) -> None:
    """Run nothing."""


class Daemon:
    """A clock that stands still; whenever somebody waits, a daemon comes and does what it is asked to."""

    def __init__(self, where: Path) -> None:
        self._where = where

    def now(self) -> datetime:
        return story.MORNING

    async def sleep_until(self, _moment: datetime) -> None:
        store = await leading(self._where)
        pipeline = await remembering(store)
        for act in await store.acts():
            await pipeline.carry_out(act)
        await store.close()


async def filled(where: Path) -> None:
    store = await leading(where)
    await store.write([story.CHANGE])
    await store.close()


@pytest.mark.parametrize("section", ["Acknowledge", "Silence", "Say what helped"])
def test_what_the_commands_say(section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = tmp_path / "monitor.db"
    asyncio.run(filled(where))
    monkeypatch.setattr(acting, "SystemClock", lambda: Daemon(where))
    (commands,), (shown,) = examples(section, "sh"), examples(section, "text")
    told = ""
    for line in commands.splitlines():
        _, *words = shlex.split(line)
        ended = CliRunner().invoke(app, words, env={"MONITOR_DATABASE_URL": f"sqlite:///{where}"})
        assert ended.exit_code == 0, ended.output
        told += ended.output
    assert told == f"{shown}\n"


async def test_what_the_api_answers(tmp_path: Path) -> None:
    """And every route that the page lists is one."""
    store = await leading(tmp_path / "monitor.db")
    clock, tokens, metrics = FakeClock(story.MORNING), Tokens(Secret(TOKEN)), Metrics()
    means = Means(leads=lambda: True, checks=lambda: story.CHECKS, run_now=_run, post=lambda _: None)
    late: Any = store
    desk = Desk(clock, late, await remembering(store), means)

    async def look() -> Store:
        return store

    counter = Counter(clock=clock, desk=desk, look=look, alerts_here=lambda: None, checks=lambda: story.CHECKS)
    door = Door(tokens, clock, metrics.daemon.refused)
    routes = list(Acts(door, counter, clock).table())
    web = Web(door, metrics, healthy=list, ready=list, more=routes)
    await web.start("127.0.0.1", 0)
    (curl,), (shown,) = examples("Over HTTP", "sh"), examples("Over HTTP", "json")
    words = shlex.split(curl.replace("$MONITOR_TOKEN", TOKEN))
    (path,) = [word.partition("example.com")[2] for word in words if word.startswith("https://")]
    headers = dict([words[words.index("-H") + 1].split(": ")])
    url, body = f"http://127.0.0.1:{web.port}{path}", words[words.index("-d") + 1]
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url, data=body) as answer:
        assert (answer.status, await answer.json()) == (200, json.loads(shown))
    listed = re.findall(r"^\| `(\w+) (/api/v1/\S+)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted((route.method, route.path) for route in routes)
    await web.stop()
    await store.close()
