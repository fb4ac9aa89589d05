"""What is gathered from a store, a real one that holds the story."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.archive import read_history, read_live, read_replay
from monitor.config import Config
from monitor.faults import ConfigError
from monitor.model import AlertKey, Change, CheckId, Event, EventKind, Measure, State
from monitor.routing import Route
from monitor.store import read_store
from monitor.uptime import Uptime
from tests import story
from tests.examples import sample
from tests.plans import plan, threshold
from tests.store.files import leading
from tests.story import MORNING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from monitor.store import Store

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Yield a reader of the story; another system's samples are there, too, and hours of December and January."""
    writer = await leading(tmp_path / "monitor.db")
    other = sample(MORNING, check=CheckId("other", "site"))
    ends = [MORNING.replace(year=2025, month=12, day=31, hour=23), MORNING.replace(day=1, hour=0)]
    states = [(0, State.UP, State.DOWN), (1, State.UP, State.UP)]
    hours = [sample(ends[n] + i * HOUR / 4, state) for n, *some in states for i, state in enumerate(some)]
    await writer.write([story.CHANGE, Change(samples=(other, *hours))])
    await writer.tidy(MORNING + 3 * HOUR)
    await writer.close()
    reader = await read_store(tmp_path / "monitor.db")
    yield reader
    await reader.close()


async def test_what_is_live_of_a_system_or_a_check(store: Store) -> None:
    assert [one.alert.key for one in await read_live(store, story.MORNING)] == [story.CONNECTIONS, story.OUTAGE]
    assert [one.alert.key for one in await read_live(store, story.MORNING, "shop/site")] == [story.OUTAGE]
    assert await read_live(store, story.MORNING, "other") == []
    with pytest.raises(ConfigError, match="there is no system 'shed'"):
        await read_live(store, story.MORNING, "shed")


async def test_the_history_of_a_system_and_of_a_check(store: Store) -> None:
    """Whole months of uptime, from the first day of that in which it begins; deploys are those of the system."""
    told = await read_history(store, "shop", MORNING - DAY, MORNING)
    assert told.incidents == story.told().incidents
    assert told.deploys == list(story.CHANGE.deploys)
    assert set(told.uptime) == {"shop", "shop/database", "shop/site"}
    assert told.uptime["shop/site"] == {date(2026, 1, 1): Uptime(2 * HOUR)}
    one = await read_history(store, "shop/site", MORNING - 10 * DAY, MORNING)
    assert [incident.key for incident in one.incidents] == [story.OUTAGE]
    assert list(one.uptime["shop/site"].items()) == [
        (date(2025, 12, 1), Uptime(HOUR / 2, HOUR / 2)),
        (date(2026, 1, 1), Uptime(2 * HOUR)),
    ]
    assert not told.cut
    assert (await read_history(store, "other", MORNING - DAY, MORNING)).incidents == []
    with pytest.raises(ConfigError, match="there is no check 'shop/sight'"):
        await read_history(store, "shop/sight", MORNING - DAY, MORNING)


async def test_silences_of_more_than_it_are_told_too(tmp_path: Path) -> None:
    """Of all systems and of the whole system, not of another check."""
    places = [("monitor", "*"), ("shop", "*"), ("shop", "database"), ("other", "*")]
    events = [Event(AlertKey(CheckId(*place), "silence"), MORNING, EventKind.SILENCED) for place in places]
    writer = await leading(tmp_path / "monitor.db")
    await writer.write([story.CHANGE, Change(events=tuple(events))])
    told = await read_history(writer, "shop/site", MORNING - DAY, MORNING)
    await writer.close()
    assert {one.key.check for one in told.asides} == {CheckId("monitor", "*"), CheckId("shop", "*")}


async def test_what_is_more_than_can_be_read_is_cut(store: Store) -> None:
    """The newest is there."""
    told = await read_history(store, "shop", MORNING - DAY, MORNING, most=2)
    assert told.cut
    assert [incident.key for incident in told.incidents] == [story.CONNECTIONS]


async def test_a_replay_reads_what_it_needs_and_what_really_happened(tmp_path: Path) -> None:
    """Samples of the window before, of the needs; the real incidents since the first sample; and too many are cut."""
    averaged = plan(threshold("avg(duration, 10m)", warning="> 1s"), needs=(story.DATABASE,))
    config = Config(plans={story.SITE: averaged, story.DATABASE: plan(check=story.DATABASE)}, routes=(Route(("ops",)),))
    slow = [sample(MORNING - n * HOUR / 60, State.UP, Measure("duration", 2.0), check=story.SITE) for n in range(60)]
    writer = await leading(tmp_path / "monitor.db")
    await writer.write([story.CHANGE, Change(samples=tuple(slow))])
    await writer.close()
    reader = await read_store(tmp_path / "monitor.db")
    found = await read_replay(reader, story.SITE, config, MORNING - HOUR / 2, MORNING)
    few = await read_replay(reader, story.SITE, config, MORNING - HOUR / 2, MORNING, most=20)
    none = await read_replay(reader, story.SITE, config, MORNING, MORNING)
    await reader.close()
    (would,) = found.would
    assert would.opened_at == found.first == MORNING - timedelta(minutes=29)
    assert (found.count, found.cut, found.short, list(found.did)) == (31, False, False, [])
    assert (few.cut, few.count) == (True, 20)
    assert (none.first, none.would, none.did) == (None, [], [])
