"""Every question of every dashboard, asked of a real Prometheus: one that scrapes real daemons, one that they push to.

Two daemons share a store: one leads, one waits, and both are scraped. No panel, annotation or variable is without data.
What they are held against is a world of `WORLDS`: one more is one more line there.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import pytest

from tests.acceptance.peers import until
from tests.acceptance.process import Monitor, program, running
from tests.dashboards.boards import Board, boards, either, filled
from tests.dashboards.world import World, listening, world
from tests.peers import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.dashboards.boards import Asked

    Watched = Callable[[Path], AbstractAsyncContextManager[World]]

pytestmark = pytest.mark.timeout(300)  # whichever comes first waits for all that is started
WORLDS = {"everything": world}
"""Worlds to watch, each an asynchronous context that takes a folder and yields a `World`."""
PATIENCE, PAUSE = 60.0, 0.5
SPAN = 60
STEP = 5
ALL = ".+"
"""What the variables put in for all."""
SCRAPES = """
global: {{scrape_interval: 1s}}
scrape_configs: [{{job_name: monitor, static_configs: [{{targets: [{targets}]}}]}}]
"""
SHOWN = "sum (count by (system) (max by (system, check) (monitor_probe_runs_total)))"
LED = "count (monitor_probe_runs_total and on (instance) monitor_leader == 1)"
LEADERS = "sum (monitor_leader)"
SCRAPED, PUSHED = "scraped", "pushed"


class Prometheus(NamedTuple):
    """One that answers as Grafana asks."""

    url: str
    session: aiohttp.ClientSession

    async def ready(self) -> bool:
        try:
            async with self.session.get(f"{self.url}/-/ready") as answer:
                return answer.ok
        except aiohttp.ClientError:
            return False

    async def series(self, expr: str, *, instant: bool = False) -> list[dict[str, Any]]:
        """Return what a question yields: over the last minute, or now."""
        now = time.time()
        place, more = "query_range", {"start": str(now - SPAN), "end": str(now), "step": str(STEP)}
        if instant:
            place, more = "query", {}
        async with self.session.post(f"{self.url}/api/v1/{place}", data={"query": expr, **more}) as answer:
            said = await answer.json()
        assert said["status"] == "success", (said, expr)
        found: list[dict[str, Any]] = said["data"]["result"]
        return found

    async def values(self, series: str, label: str) -> list[str]:
        """Return what `label_values(series, label)` offers."""
        found = await self.series(f"group by ({label}) ({series})", instant=True)
        return sorted(each["metric"][label] for each in found)


async def prometheus(stack: AsyncExitStack, folder: Path, *targets: str) -> Prometheus:
    """Run one that scrapes `targets` and takes what is pushed."""
    file, port = folder / "prometheus.yml", free_port()
    file.write_text(SCRAPES.format(targets=", ".join(f"'{target}'" for target in targets)))
    options = (
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
    )
    session = await stack.enter_async_context(aiohttp.ClientSession())
    await stack.enter_async_context(running(program("prometheus", "prometheus"), *options))
    made = Prometheus(f"http://127.0.0.1:{port}", session)
    await until(made.ready, "Prometheus")
    return made


class Answers(NamedTuple):
    """What was seen: the questions without an answer, the labels of answers, how many series were counted."""

    world: World
    silent: dict[str, list[Asked]]
    labels: dict[str, dict[Asked, set[str]]]
    offered: dict[str, dict[str, list[str]]]
    counted: list[float]


async def _choices(board: Board, known: Prometheus, nth: int = 0) -> dict[str, list[str]]:
    """Return what each variable offers; of one that takes a single value, the `nth` one only."""
    chosen: dict[str, str] = {}
    offered: dict[str, list[str]] = {}
    for variable, series, label in board.choices():
        name, values = variable["name"], await known.values(filled(series, chosen), label)
        offered[name] = values if variable["includeAll"] else values[nth : nth + 1]
        chosen[name] = ALL if variable["includeAll"] else "".join(offered[name])
    return offered


def _selections(board: Board, offered: dict[str, list[str]]) -> Iterator[dict[str, str]]:
    """Yield all systems, checks and instances at once, then each by name as Grafana writes several of them."""
    given = {"__rate_interval": "15s", "__range": "300s"}
    many = {variable["name"] for variable, _, _ in board.choices() if variable["includeAll"]}
    yield given | {name: ALL if name in many else values[0] for name, values in offered.items()}
    yield given | {name: either(values) if name in many else values[0] for name, values in offered.items()}


async def _unanswered(known: Prometheus, answered: dict[Asked, set[str]]) -> list[Asked]:
    """Ask what is not `answered` yet; note the labels of answers, return what has none.

    A dashboard of one system is asked of one system after the other: each question needs an answer for some.
    """
    silent: list[Asked] = []
    for board in boards():
        nth = 0
        while all((offered := await _choices(board, known, nth)).values()):
            for question in [question for question in board.questions() if question not in answered]:
                await _try(known, question, [*_selections(board, offered)], answered)
            if all(variable["includeAll"] for variable, _, _ in board.choices()):
                break
            nth += 1
        silent += [question for question in board.questions() if question not in answered]
    return silent


async def _try(
    known: Prometheus, question: Asked, selections: list[dict[str, str]], answered: dict[Asked, set[str]]
) -> None:
    """Note the labels of an answer to a question, if there is one whatever is selected."""
    found = [await known.series(filled(question.expr, each), instant=question.instant) for each in selections]
    if all(found):
        answered[question] = {name for each in found[0] for name in each["metric"]}


async def _ask(known: Prometheus, answered: dict[Asked, set[str]], lacks: Sequence[str]) -> list[Asked]:
    """Return what has no answer after a time in which everything has run more than once."""

    async def left() -> list[Asked]:
        silent = await _unanswered(known, answered)
        return [each for each in silent if not any(part in each.expr for part in lacks)]

    late = time.monotonic() + PATIENCE
    while (silent := await left()) and time.monotonic() < late:  # noqa: ASYNC110 - others' time
        await asyncio.sleep(PAUSE)
    return silent


@pytest.fixture(scope="module", params=WORLDS)
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    folders = [tmp_path_factory.mktemp(name) for name in ("dashboards", SCRAPED, PUSHED)]
    return asyncio.run(_see(WORLDS[request.param], *folders))


async def _see(watched: Watched, folder: Path, scraping: Path, taking: Path) -> Answers:
    """Run all, ask all, end all."""
    async with AsyncExitStack() as stack:
        seen = await stack.enter_async_context(watched(folder))
        leads, waits = listening(), listening()
        addresses = [each["MONITOR_LISTEN"] for each in (leads, waits)]
        scraped, pushed = await prometheus(stack, scraping, *addresses), await prometheus(stack, taking)
        pushing = {"MONITOR_REMOTE_WRITE_URL": f"{pushed.url}/api/v1/write", "MONITOR_REMOTE_WRITE_EVERY": "1s"}
        variables = {**seen.variables, **pushing, "MONITOR_INSTANCE": "one", "MONITOR_DATA": str(folder / "data")}
        leader, waiter = [
            Monitor(folder, seen.text, *seen.arguments, **{**variables, **listen}) for listen in (leads, waits)
        ]
        await stack.enter_async_context(leader)
        if seen.twice:
            stack.push_async_callback(waiter.kill)
            await waiter.spawn()
            await waiter.logs("lease_not_had")
        await seen.happens(leader)
        labels: dict[str, dict[Asked, set[str]]] = {SCRAPED: {}, PUSHED: {}}
        silent = {
            name: await _ask(known, labels[name], seen.lacks) for name, known in ((SCRAPED, scraped), (PUSHED, pushed))
        }
        offered = {board.name: await _choices(board, scraped) for board in boards()}
        counted = [(await scraped.series(expr, instant=True))[0]["value"][1] for expr in (SHOWN, LED, LEADERS)]
        return Answers(seen, silent, labels, offered, [float(number) for number in counted])


@pytest.mark.parametrize("how", [SCRAPED, PUSHED])
def test_every_question_has_an_answer(how: str, answers: Answers) -> None:
    """With all chosen, and with each chosen by name, whether the series were scraped or pushed."""
    unanswered = [f"{each.board}: {each.where}: {each.expr}" for each in answers.silent[how]]
    assert not unanswered, "\n".join(dict.fromkeys(unanswered))


@pytest.mark.parametrize("how", [SCRAPED, PUSHED])
def test_an_answer_does_not_depend_on_how_the_series_came(how: str, answers: Answers) -> None:
    """Nothing of checks and alerts is told apart by instance: it goes on over a deploy, and is there once."""
    for question, found in answers.labels[how].items():
        assert "job" not in found, question
        assert question.board == "daemon" or "instance" not in found, question


def test_of_two_instances_only_the_leader_counts(answers: Answers) -> None:
    shown, led, leaders = answers.counted
    assert leaders == 1
    assert shown == led > 0
    assert len(answers.offered["daemon"]["instance"]) == 1 + answers.world.twice


def test_every_variable_offers_something(answers: Answers) -> None:
    for board in boards():
        wanted: Sequence[str] = [variable["name"] for variable, _, _ in board.choices()]
        assert list(answers.offered[board.name]) == wanted
        assert all(answers.offered[board.name].values())
