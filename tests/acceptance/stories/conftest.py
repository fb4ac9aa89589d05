"""Stories: what takes long is told beside the tests.

A story is an async function that takes a folder and returns what it saw. Whatever is marked `story(tell=it)` gets
that as `told`. All stories are begun at once, each in a thread and an event loop of its own; what is marked comes last.
Where tests run in several processes, one has all of this folder (`tests/conftest.py`): each story is told once.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    Story = Callable[[Path], Awaitable[Any]]

AT_ONCE = 6


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "story(tell): judges what the story that `tell` tells has seen")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let those that ask for a story come last, when it has been told."""
    items.sort(key=lambda item: _story(item) is not None)


def _story(item: pytest.Item) -> Story | None:
    marker = item.get_closest_marker("story")
    return marker.kwargs["tell"] if marker else None


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
