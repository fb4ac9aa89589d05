"""How long what is kept, and how it goes: a few thousand rows a transaction, so that a writer waits milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, func, select, tuple_, update

from monitor.store import schema
from monitor.store.batch import DONE
from monitor.store.rollup import raise_fact, read_facts
from monitor.store.rows import DAY, HOUR, hour_of, micros

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Column, Select, Table
    from sqlalchemy.ext.asyncio import AsyncConnection

    from monitor.store.database import Database
    from monitor.store.samples import Layouts

STEP = 5_000
FORGOTTEN = timedelta(days=60)
"""How long it is known where messages stand, and how long an act waits for somebody who can carry it out."""
DONE_FOR = timedelta(days=1)
"""How long it is known that an act was done, so that it is not done again."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept.

    `size`: bytes of the whole database beyond which the oldest samples go before their time; those of the present and
    the last whole hour, and those not yet rolled up, always stay. `journal` is also for notifications that are settled.
    """

    samples: timedelta = timedelta(days=14)
    size: int = 10**9
    hours: timedelta = timedelta(days=400)
    journal: timedelta = timedelta(days=400)


async def delete_old(database: Database, retention: Retention, now: datetime, layouts: Layouts) -> None:
    """Delete what is older at `now` than `retention` says, and give room back; `layouts` are told what they lose."""
    rolled_to = (await read_facts(database))["rolled_to"]
    aged = min(micros(now - retention.samples), rolled_to)
    while await _delete_samples(database, aged):
        continue
    spare = min(hour_of(micros(now)) - HOUR, rolled_to)
    while await database.used() > retention.size and await _delete_samples(database, spare):
        continue
    await _delete_layouts(database, layouts)
    await _stamp_done(database, now)
    for rows in _old_rows(now, retention):
        while await _delete_rows(database, rows):
            continue
    await database.shrink()


async def _delete_samples(database: Database, before: int) -> bool:
    """Delete the oldest samples, but none from `before` on; return whether there were any."""
    at = schema.samples.c.at
    oldest = select(at).where(at < before).order_by(at).limit(1)

    async def step(connection: AsyncConnection) -> bool:
        first = (await connection.execute(oldest)).scalar()
        if first is None:
            return False
        beyond = (await connection.execute(oldest.offset(STEP))).scalar()
        until = before if beyond is None else max(beyond, first + 1)
        await connection.execute(delete(schema.samples).where(at < until))
        await raise_fact(connection, "samples_from", until)
        return True

    return await database.write(step, STEP)


async def _delete_layouts(database: Database, layouts: Layouts) -> None:
    """Delete the layouts of days that have no samples any more."""
    first = select(func.min(schema.samples.c.at))

    async def step(connection: AsyncConnection) -> None:
        oldest = (await connection.execute(first)).scalar()
        if oldest is not None:
            gone = await connection.execute(delete(schema.layouts).where(schema.layouts.c.day < oldest // DAY))
            if gone.rowcount:
                layouts.forget()

    await database.write(step, STEP)


async def _stamp_done(database: Database, now: datetime) -> None:
    """Note that what was done since the last time was done by `now`: who does it need not tell the time."""
    done = schema.acts.c.done_at
    stamp = update(schema.acts).where(done == DONE).values(done_at=micros(now))

    async def step(connection: AsyncConnection) -> None:
        await connection.execute(stamp)

    await database.write(step)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of one table, told by their key."""

    table: Table
    key: tuple[Column[Any], ...]
    query: Select[Any]


def _old_rows(now: datetime, retention: Retention) -> tuple[_Rows, ...]:
    hours_before, journal_before = micros(now - retention.hours), micros(now - retention.journal)
    forgotten, done_before = micros(now - FORGOTTEN), micros(now - DONE_FOR)
    hours, events, notes, tries = schema.hours, schema.events, schema.notifications, schema.attempts
    deploys, acts, silences, posts = schema.deploys, schema.acts, schema.silences, schema.posts
    owed = exists().where(notes.c.id == tries.c.notification, notes.c.settled_at.is_(None))
    hour, post = (hours.c.check_id, hours.c.at), (posts.c.channel, posts.c.incident)
    return (
        _Rows(hours, hour, select(*hour).where(hours.c.at < hours_before)),
        _Rows(events, (events.c.number,), select(events.c.number).where(events.c.at < journal_before)),
        _Rows(tries, (tries.c.number,), select(tries.c.number).where(tries.c.at < journal_before, ~owed)),
        _Rows(deploys, (deploys.c.id,), select(deploys.c.id).where(deploys.c.at < hours_before)),
        _Rows(notes, (notes.c.number,), select(notes.c.number).where(notes.c.settled_at < journal_before)),
        _Rows(silences, (silences.c.id,), select(silences.c.id).where(silences.c.until < hours_before)),
        _Rows(posts, post, select(*post).where(posts.c.at < forgotten)),
        _Rows(acts, (acts.c.id,), select(acts.c.id).where(acts.c.done_at < done_before, acts.c.done_at != DONE)),
        _Rows(acts, (acts.c.id,), select(acts.c.id).where(acts.c.done_at.is_(None), acts.c.at < forgotten)),
    )


async def _delete_rows(database: Database, rows: _Rows) -> bool:
    """Delete some of `rows`; return whether there may be more."""
    some = delete(rows.table).where(tuple_(*rows.key).in_(rows.query.limit(STEP)))

    async def step(connection: AsyncConnection) -> bool:
        return (await connection.execute(some)).rowcount == STEP

    return await database.write(step, STEP)
