"""A shop, a receiver and a daemon for each test; and stories, which are told beside the tests because they take long.

A story is an async function that takes a folder and returns what it saw. Whatever is marked `story(tell=it)` gets
that as `told`. All stories are begun at once, each in a thread and an event loop of its own; what is marked comes last.
Where tests run in several processes, one has all of this folder (`tests/conftest.py`): each story is told once.
Bytecode is kept, so that a start of the daemon costs one second and not four.
"""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance import peers
from tests.acceptance.process import SITE, Monitor, command

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from tests.acceptance.peers import Receiver, Shop

    Story = Callable[[Path], Awaitable[Any]]

HERE = Path(__file__).parent
AT_ONCE = 6
LONGEST = 300
"""Seconds that a test here may take, for a story the wait for its turn included."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "story(tell): judges what the story that `tell` tells has seen")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let those that ask for a story come last, when it has been told; allow for `PATIENCE`."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(LONGEST))
    items.sort(key=lambda item: _story(item) is not None)


def _story(item: pytest.Item) -> Story | None:
    marker = item.get_closest_marker("story")
    return marker.kwargs["tell"] if marker else None


@pytest.fixture(scope="session", autouse=True)
def _kept_bytecode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where Python is told to write no bytecode, let the many starts share one folder of it, filled by a first one."""
    with pytest.MonkeyPatch.context() as environment:
        if sys.dont_write_bytecode:
            environment.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("bytecode")))
            asyncio.run(command(tmp_path_factory.mktemp("first"), "--version"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _stories(
    _kept_bytecode: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Story, Future[Any]]]:
    """Begin each story that some test will ask for."""
    wanted = dict.fromkeys(story for item in request.session.items if (story := _story(item)))
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="story") as threads:

        def begin(story: Story) -> Future[Any]:
            folder = tmp_path_factory.mktemp(getattr(story, "__name__", "story"))

            async def tell() -> Any:  # noqa: ANN401 - whatever it has seen
                return await story(folder)

            return threads.submit(lambda: asyncio.run(tell()))

        yield {story: begin(story) for story in wanted}


@pytest.fixture
def told(request: pytest.FixtureRequest, _stories: dict[Story, Future[Any]]) -> Any:  # noqa: ANN401 - whatever it has seen
    """Return what the story of this test saw; raises what it failed with."""
    story = _story(request.node)
    assert story
    return _stories[story].result()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with peers.shop() as made:
        yield made


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with peers.receiver() as made:
        yield made


@pytest.fixture
def watching(shop: Shop, hook: Receiver, tmp_path: Path) -> Callable[..., Monitor]:
    """Return what makes a daemon that watches the shop and tells the receiver; without a file of its own by `SITE`."""

    def make(text: str = SITE, **variables: str) -> Monitor:
        return Monitor(tmp_path, text, SHOP_URL=shop.url, HOOK_URL=hook.url, **variables)

    return make
