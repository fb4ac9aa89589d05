"""The store in SQL: what is written and read.

Where the SQL runs is a `Database`; what becomes of old samples is in `rollup` and `retention`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import func, literal, select, tuple_

from monitor.model import AttemptResult, CheckId, Dispatch, Keepsake, Owed
from monitor.store import schema
from monitor.store.base import LeaseLost, StoreUnavailable, StoreUnusable
from monitor.store.batch import Statements, batch
from monitor.store.database import all_rows
from monitor.store.lease import Fenced
from monitor.store.retention import delete_old
from monitor.store.rollup import Rollup, read_facts
from monitor.store.rows import (
    ACT,
    ALERT,
    DEPLOY,
    EVENT,
    NOTIFICATION,
    SILENCE,
    act_row,
    attempt_of,
    hour_row_of,
    micros,
    moment,
    post_of,
)
from monitor.store.samples import Layouts, sample_reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import FromClause, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from monitor.hour import Hour
    from monitor.model import Act, Alert, AlertKey, Attempt, Change, Deploy, Event, Post, Sample, Silence
    from monitor.store.batch import Batch
    from monitor.store.database import Database
    from monitor.store.lease import Lease
    from monitor.store.retention import Retention
    from monitor.store.samples import LayoutRow

PAGE = 500
"""Rows that are turned into values without a pause: a few milliseconds."""

HOURS_A_PAGE = 100
"""Rows that are read at once: with a thousand series each they take 6 MB, and one takes 4 ms to decode."""

T = TypeVar("T")


@dataclass(slots=True)
class Term:
    """What a leader knows of the store: true only as long as nobody else writes."""

    token: int
    database: Fenced
    rollup: Rollup
    layouts: Layouts = field(default_factory=Layouts)
    ids: dict[CheckId, int] = field(default_factory=dict)


class SqlStore:
    """A `Store` on an SQL database whose schema is up to date."""

    def __init__(self, database: Database, lease: Lease, retention: Retention) -> None:
        """Make a store that owns `database`, writes while it has the `lease`, and keeps things as `retention` says."""
        self._database = database
        self._lease = lease
        self._retention = retention
        self._statements = Statements(database.dialect)
        self._term: Term | None = None

    @property
    def owner(self) -> str:
        """Return who led when `lead` last looked; empty: nobody."""
        return self._lease.owner

    async def lead(self) -> bool:
        """Take the lease if it is free, or renew it; return whether we lead."""
        try:
            token = await self._lease.take()
        except LeaseLost:
            self._term = None
            raise
        if token is not None and (self._term is None or self._term.token != token):
            self._term = None
            self._term = await self._begin(token)
        return token is not None

    async def resign(self) -> None:
        """Let another instance lead at once; harmless when we do not lead."""
        self._term = None
        await self._lease.give()

    async def write(self, changes: Sequence[Change]) -> None:
        """Make all of `changes` durable in one transaction, in order. Writing the same change twice does no harm."""
        term = self._leading()
        samples = [sample for change in changes for sample in change.samples]
        await self._know(term, {sample.check for sample in samples})
        others, silences = batch(changes), [silence for change in changes for silence in change.silences]
        if count := others.size + len(samples):
            new = await term.database.write(partial(self._put, term, samples, silences, others), count)
            term.layouts.learn(new)

    async def alerts(self) -> list[Alert]:
        """Return every alert that is not idle."""
        rows = await self._all(select(schema.alerts.c.body))
        return await _decoded(rows, lambda row: ALERT.read(row[0]))

    async def owed(self) -> list[Owed]:
        """Return the notifications that are not settled, oldest first."""
        owed, latest, tries = schema.notifications, schema.attempts, schema.attempts.alias()
        its = tries.c.notification == owed.c.id
        refusals = select(func.count()).where(its, tries.c.result == AttemptResult.RETRY.value).scalar_subquery()
        last = select(func.max(tries.c.number)).where(its).scalar_subquery()
        query = (
            select(owed.c.body, refusals, latest.c.due, latest.c.delivery)
            .select_from(owed.outerjoin(latest, latest.c.number == last))
            .where(owed.c.settled_at.is_(None))
            .order_by(owed.c.at, owed.c.number)
        )
        return await _decoded(await self._all(query), _owed)

    async def checks(self) -> list[CheckId]:
        """Return every check that ever had a sample here, in the order of their names."""
        rows = await self._all(select(schema.checks.c.system, schema.checks.c.name))
        return sorted(CheckId(system, name) for system, name in rows)

    async def samples(
        self, check: CheckId, since: datetime, limit: int = 100_000, until: datetime | None = None
    ) -> list[Sample]:
        """Return the samples of `check` after `since` (and until `until`), oldest first; the newest `limit` of them."""
        table = schema.samples
        query = _with_layout(table).where(table.c.check_id == _id_of(check), table.c.at > micros(since))
        if until is not None:
            query = query.where(table.c.at <= micros(until))
        rows = await self._all(query.order_by(table.c.at.desc()).limit(limit))
        return await _decoded(rows[::-1], partial(sample_reader(), check))

    async def replay(self, since: datetime) -> AsyncIterator[Sample]:
        """Yield the samples of all checks after `since`, oldest first, without holding them all in memory."""
        table, checks = schema.samples, schema.checks
        place = tuple_(table.c.at, table.c.check_id)
        named = table.join(checks, checks.c.id == table.c.check_id)
        query = _with_layout(named, checks.c.system, checks.c.name).order_by(table.c.at, table.c.check_id).limit(PAGE)
        read = sample_reader()
        page = await self._all(query.where(table.c.at > micros(since)))
        while page:
            for *row, system, name in page:
                yield read(CheckId(system, name), row)
            page = await self._all(query.where(place > (page[-1].at, page[-1].check_id)))

    async def hours(self, check: CheckId, since: datetime) -> list[Hour]:
        """Return the hours of `check` that begin at or after `since`, oldest first."""
        table = schema.hours
        query = select(table).where(table.c.check_id == _id_of(check), table.c.at >= micros(since))
        return await _decoded(await self._all(query.order_by(table.c.at)), partial(hour_row_of, check))

    async def replay_hours(self, check: CheckId, since: datetime, measures: Collection[str]) -> AsyncIterator[Hour]:
        """Yield the same, each with only these of its measures, without holding them all in memory."""
        table = schema.hours
        bodies = table.c.measures if measures else literal("").label("measures")
        columns = table.c.check_id, table.c.at, table.c.up, table.c.down, table.c.unknown, bodies
        query = select(*columns).where(table.c.check_id == _id_of(check)).order_by(table.c.at)
        query = query.limit(HOURS_A_PAGE if measures else PAGE)
        page = await self._all(query.where(table.c.at >= micros(since)))
        while page:
            for row in page:
                yield hour_row_of(check, row, measures)
                if measures:
                    await asyncio.sleep(0)
            page = await self._all(query.where(table.c.at > page[-1].at))

    async def deploys(self, since: datetime) -> list[Deploy]:
        """Return the deploys after `since`, newest first."""
        table = schema.deploys
        rows = await self._all(select(table.c.body).where(table.c.at > micros(since)).order_by(table.c.at.desc()))
        return [DEPLOY.read(body) for (body,) in rows]

    async def keepsakes(self) -> list[Keepsake]:
        """Return what checks must remember."""
        rows = await self._all(select(schema.keepsakes))
        return [Keepsake(CheckId(system, name), topic, body) for system, name, topic, body in rows]

    async def ask(self, act: Act) -> None:
        """Ask whoever leads, or will, to carry `act` out: it is durable when this returns."""
        await self._database.once(self._statements.act, act_row(act))

    async def acts(self) -> list[Act]:
        """Return the acts that were asked for and not done, oldest first; one that cannot be read is left out."""
        table = schema.acts
        query = select(table.c.body).where(table.c.done_at.is_(None)).order_by(table.c.at, table.c.id)
        return [act for row in await self._all(query) if (act := _act(row)) is not None]

    async def silences(self, since: datetime) -> list[Silence]:
        """Return the silences that ended after `since`, or will end, in the order in which they begin."""
        table = schema.silences
        query = select(table.c.body).where(table.c.until > micros(since)).order_by(table.c.since, table.c.id)
        return await _decoded(await self._all(query), lambda row: SILENCE.read(row[0]))

    async def posts(self) -> list[Post]:
        """Return where messages about incidents stand, oldest first."""
        table = schema.posts
        query = select(table).order_by(table.c.at, table.c.channel, table.c.incident)
        return await _decoded(await self._all(query), post_of)

    async def journal(self, since: datetime, key: AlertKey | None = None, limit: int = 1_000) -> list[Event]:
        """Return the events after `since`, newest first; the newest `limit` of them."""
        table = schema.events
        query = select(table.c.body).where(table.c.at > micros(since))
        if key is not None:
            query = query.where(table.c.fingerprint == key.fingerprint)
        rows = await self._all(query.order_by(table.c.at.desc(), table.c.number.desc()).limit(limit))
        return await _decoded(rows, lambda row: EVENT.read(row[0]))

    async def dispatches(self, since: datetime, limit: int = 1_000) -> list[Dispatch]:
        """Return the notifications that were decided after `since`, newest first, each with its attempts."""
        notes, tries = schema.notifications, schema.attempts
        newest = select(notes).where(notes.c.at > micros(since))
        newest = newest.order_by(notes.c.at.desc(), notes.c.number.desc()).limit(limit)
        rows = await _decoded(await self._all(newest), lambda row: NOTIFICATION.read(row.body))
        known = select(tries).where(tries.c.notification.in_(select(newest.subquery().c.id))).order_by(tries.c.number)
        made: defaultdict[str, list[Attempt]] = defaultdict(list)
        for attempt in await _decoded(await self._all(known), attempt_of):
            made[attempt.notification].append(attempt)
        return [Dispatch(note, tuple(made[note.id])) for note in rows]

    async def tidy(self, now: datetime) -> None:
        """Roll finished hours up and delete what is past its retention, in short steps."""
        term = self._leading()
        await term.rollup.run(now)
        await delete_old(term.database, self._retention, now, term.layouts)

    async def close(self) -> None:
        """Resign, as far as that succeeds, and close; harmless when called twice."""
        with suppress(StoreUnavailable):
            await self._lease.give()
        await self._database.close()

    async def _begin(self, token: int) -> Term:
        """Return a term that knows what the leaders before it have left."""
        database = Fenced(self._database, partial(self._lease.guard, token))
        return Term(token, database, Rollup(database, (await read_facts(database))["rolled_to"]))

    def _leading(self) -> Term:
        if self._term is None:
            raise LeaseLost("this instance does not lead, so it writes nothing")
        return self._term

    async def _put(
        self,
        term: Term,
        samples: Sequence[Sample],
        silences: Sequence[Silence],
        others: Batch,
        connection: AsyncConnection,
    ) -> Mapping[Any, LayoutRow]:
        """Write within a transaction, so that nothing is deleted meanwhile, and return the layouts that are new."""
        rows, layouts = term.layouts.rows(samples, term.ids)
        statements = self._statements
        pairs: list[tuple[str, Sequence[tuple[Any, ...]]]] = [
            (statements.layout, list(layouts.values())),
            (statements.sample, rows),
            (statements.late, [*term.rollup.late(rows), *await term.rollup.silenced(silences, connection)]),
            *statements.pairs(others),
        ]
        for statement, some in pairs:
            if some:
                await self._database.many(connection, statement, some)
        return layouts

    async def _know(self, term: Term, wanted: set[CheckId]) -> None:
        """Give each check that is not known yet its number, and remember it."""
        new = sorted(wanted.difference(term.ids))
        if new:
            await term.database.write(lambda connection: self._database.many(connection, self._statements.check, new))
            rows = await self._all(select(schema.checks))
            term.ids = {CheckId(system, name): number for number, system, name in rows}

    async def _all(self, query: Select[Any]) -> Sequence[Any]:
        return await self._database.read(partial(all_rows, query))


def _id_of(check: CheckId) -> Any:  # noqa: ANN401 - SQLAlchemy's types for this are longer than the query
    checks = schema.checks
    return select(checks.c.id).where(checks.c.system == check.system, checks.c.name == check.check).scalar_subquery()


def _with_layout(source: FromClause, *more: Any) -> Select[Any]:  # noqa: ANN401 - as select
    """Return a query for samples as `sample_reader` takes them, and `more` behind."""
    samples, layouts = schema.samples, schema.layouts
    return select(samples, layouts.c.body, *more).select_from(
        source.outerjoin(layouts, layouts.c.id == samples.c.layout)
    )


def _owed(row: Sequence[Any]) -> Owed:
    body, refusals, due, delivery = row
    return Owed(NOTIFICATION.read(body), refusals, moment(due) if due is not None else None, delivery or "")


def _act(row: Sequence[Any]) -> Act | None:
    """Return the act that a row holds; None for one of another release, which must keep nobody from the others."""
    try:
        return ACT.read(row[0])
    except StoreUnusable:
        return None


async def _decoded(rows: Sequence[Any], decode: Callable[[Any], T]) -> list[T]:
    """Return each row decoded, letting others run in between."""
    found: list[T] = []
    for start in range(0, len(rows), PAGE):
        found.extend(decode(row) for row in rows[start : start + PAGE])
        await asyncio.sleep(0)
    return found
