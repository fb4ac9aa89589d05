"""When the review is sent: once a week, whatever happens to the process and the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from structlog.testing import capture_logs

from monitor.config import Review
from monitor.message import message_of
from monitor.model import Delivery, EventKind, Keepsake, Severity
from monitor.review import Reviews
from monitor.review.reviews import PLACE, REVIEW, UNREADABLE
from monitor.routing import parse_digest
from monitor.store import StoreUnavailable, StoreUnusable
from tests.fakes import START, FakeClock
from tests.review.weeks import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from monitor.model import Change, Notification
    from monitor.store import Store, Writer

WEEKLY = Review(("ops", "lead"), parse_digest("Mon 09:00 Europe/Berlin"))
MONDAY = START + 6 * DAY + 20 * HOUR
"""12 January 2026, 08:00 UTC: nine in Berlin."""


@dataclass
class Shelf:
    """What is durable, and whether it can be reached; nothing happened in the week."""

    away: bool = False
    broken: bool = False
    durable: bool = True
    kept: dict[str, Keepsake] = field(default_factory=dict)
    owed: dict[str, Notification] = field(default_factory=dict)
    reads: int = 0

    async def keepsakes(self) -> list[Keepsake]:
        if self.away:
            raise StoreUnavailable("away")
        return list(self.kept.values())

    async def journal(self, *_: object, **__: object) -> list[Any]:
        self.reads += 1
        if self.away:
            raise StoreUnavailable("away")
        if self.broken:
            raise StoreUnusable("the store holds an unreadable event")
        return []

    async def nothing(self, *_: object) -> list[Any]:
        return []

    dispatches = alerts = silences = nothing

    async def replay_hours(self, *_: object) -> AsyncIterator[Any]:
        hours: list[Any] = []
        for hour in hours:
            yield hour

    async def commit(self, change: Change) -> bool:
        if self.durable:
            self.kept |= {each.topic: each for each in change.keepsakes}
            self.owed |= {each.id: each for each in change.owed}
        return self.durable


class Process:
    """One process, which may be killed at any moment: whoever comes next has only the shelf."""

    def __init__(self, shelf: Shelf, at: datetime, review: Review | None = WEEKLY) -> None:
        self.clock = FakeClock(at)
        self.sent: list[tuple[Notification, bool]] = []
        self.reviews = Reviews(self.clock, cast("Store", shelf), cast("Writer", shelf), self.owe)
        self.reviews.configure(review, {})

    def owe(self, owed: Sequence[Notification], uncertain: bool) -> None:
        self.sent += [(each, uncertain) for each in owed]

    async def at(self, moment: datetime) -> list[str]:
        """Let that moment come; return who is told."""
        before = len(self.sent)
        self.clock.skip(moment - self.clock.now())
        await self.reviews.tick()
        return [note.channel for note, _ in self.sent[before:]]


async def test_one_message_for_each_channel_once_a_week() -> None:
    process = Process(Shelf(), START)
    assert await process.at(START) == []
    assert await process.at(MONDAY - MINUTE) == []
    assert await process.at(MONDAY) == ["ops", "lead"]
    assert await process.at(MONDAY + MINUTE) == []
    assert await process.at(MONDAY + 6 * DAY) == []
    assert await process.at(MONDAY + 7 * DAY) == ["ops", "lead"]
    note, uncertain = process.sent[0]
    assert (note.kind, note.severity, note.quiet, uncertain) == (EventKind.REPORTED, Severity.INFO, True, False)
    told = message_of(Delivery("d", (note,)))
    assert told.lead == "Info: The week from 5 Jan to 12 Jan, at 08:00 UTC."
    assert told.entries[0].summary == "A quiet week: nobody was paged."
    assert len({each.id for each, _ in process.sent}) == 4


async def test_nothing_is_sent_that_was_not_asked_for() -> None:
    process = Process(Shelf(), START, None)
    assert await process.at(MONDAY) == []


async def test_whoever_begins_today_has_no_week_behind_him() -> None:
    """Begun an hour after the moment, the first review is that of next week."""
    process = Process(Shelf(), MONDAY + HOUR)
    assert await process.at(MONDAY + HOUR) == []
    assert await process.at(MONDAY + 7 * DAY) == ["ops", "lead"]


async def test_it_is_sent_up_to_a_day_late_when_nobody_was_there() -> None:
    for late, told in ((23 * HOUR, ["ops", "lead"]), (25 * HOUR, [])):
        shelf = Shelf()
        await Process(shelf, START).at(START)
        assert await Process(shelf, MONDAY).at(MONDAY + late) == told


async def test_a_restart_sends_it_no_second_time() -> None:
    """Also one within the same minute, and one after it was owed and before it was sent: the store owes it."""
    shelf = Shelf()
    await Process(shelf, START).at(START)
    assert await Process(shelf, MONDAY).at(MONDAY) == ["ops", "lead"]
    assert await Process(shelf, MONDAY).at(MONDAY + timedelta(seconds=10)) == []
    assert sorted(note.channel for note in shelf.owed.values()) == ["lead", "ops"]


async def test_killed_before_it_was_durable_it_comes_again_under_the_same_id() -> None:
    shelf = Shelf()
    await Process(shelf, START).at(START)
    shelf.durable = False
    first = Process(shelf, MONDAY)
    assert await first.at(MONDAY) == ["ops", "lead"]
    assert [uncertain for _, uncertain in first.sent] == [True, True]
    assert await first.at(MONDAY + MINUTE) == []
    shelf.durable = True
    second = Process(shelf, MONDAY)
    assert await second.at(MONDAY + MINUTE) == ["ops", "lead"]
    assert [note.id for note, _ in second.sent] == [note.id for note, _ in first.sent]


async def test_a_store_that_is_away_is_waited_for() -> None:
    shelf = Shelf()
    process = Process(shelf, START)
    await process.at(START)
    shelf.away = True
    assert await process.at(MONDAY) == []
    assert await Process(shelf, MONDAY).at(MONDAY) == []
    shelf.away = False
    assert await process.at(MONDAY + HOUR) == ["ops", "lead"]


async def test_another_hour_makes_no_second_review() -> None:
    """Nor another zone; from the next week on it comes at the new one."""
    process = Process(Shelf(), START)
    await process.at(START)
    await process.at(MONDAY)
    process.reviews.configure(WEEKLY._replace(at=parse_digest("Tue 10:00")), {})
    assert await process.at(MONDAY + DAY + 5 * HOUR) == []
    assert await process.at(MONDAY + 8 * DAY + 5 * HOUR) == ["ops", "lead"]


async def test_what_cannot_be_put_together_is_said_once_and_ends_nothing() -> None:
    """A row that nobody can read would otherwise end the daemon every minute of a whole day."""
    shelf = Shelf()
    process = Process(shelf, START)
    await process.at(START)
    shelf.broken = True
    with capture_logs() as logs:
        assert await process.at(MONDAY) == ["ops", "lead"]
    assert [line["event"] for line in logs] == ["week_not_reviewed", "week_reviewed"]
    assert process.sent[0][0].page.summary == UNREADABLE
    assert await process.at(MONDAY + MINUTE) == []


async def test_a_mark_that_nobody_can_read_begins_anew() -> None:
    shelf = Shelf(kept={REVIEW: Keepsake(PLACE, REVIEW, "half a ma")})
    process = Process(shelf, START)
    assert await process.at(START) == []
    assert await process.at(MONDAY) == ["ops", "lead"]


async def test_nothing_is_read_while_nothing_is_due() -> None:
    """It looks three times a minute, all week."""
    shelf = Shelf()
    process = Process(shelf, START)
    for minute in range(60):
        await process.at(START + minute * MINUTE)
    assert shelf.reads == 0
