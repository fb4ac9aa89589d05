"""Sums each check's samples of an hour up into one row, which outlives them.

An hour is closed, read, and its rows written. A sample that comes for a closed hour leaves a mark in `late` in the same
transaction; every marked hour is computed anew from all its samples. So each row equals a recomputation however late
samples come and wherever a crash interrupts, except that what comes after the hour's first samples were deleted is left
out. Runs during maintenance are no part of it, see `maintenance`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, tuple_, update

from monitor.model import State
from monitor.store import schema
from monitor.store.database import all_rows, insert_or_replace
from monitor.store.maintenance import marks_of, read_maintenance
from monitor.store.rows import HOUR, hour_of, micros, to_json
from monitor.store.samples import read_layout, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from monitor.model import Silence
    from monitor.store.database import Database
    from monitor.store.maintenance import Maintenance, Mark
    from monitor.store.samples import Layout, SampleRow, Series

PAGE = 500
STEP = 500

Rows = list[tuple[Any, ...]]


@dataclass(slots=True)
class Tally:
    """What the samples of one check and hour add up to. A run that was left out, unknown for no reason, is no part."""

    states: dict[str, int] = field(default_factory=lambda: {"up": 0, "down": 0, "unknown": 0})
    figures: dict[Series, tuple[int, float, float, float]] = field(default_factory=dict)

    def add(self, state: str, reason: str | None, layout: Layout, values: Sequence[float]) -> None:
        """Take in one sample."""
        if state == State.UNKNOWN and reason is None:
            return
        self.states[state] += 1
        for series, value in zip(layout, values, strict=True):
            if math.isfinite(value):
                count, total, least, greatest = self.figures.get(series, (0, 0.0, math.inf, -math.inf))
                self.figures[series] = count + 1, total + value, min(least, value), max(greatest, value)

    def row(self, check_id: int, hour: int) -> tuple[Any, ...]:
        """Return the columns of `hours`, in their order."""
        measures = [(*series, *figures) for series, figures in sorted(self.figures.items())]
        return check_id, hour, *self.states.values(), to_json(measures)


class Rollup:
    """Knows which hours are closed, and computes them."""

    def __init__(self, database: Database, rolled_to: int) -> None:
        """Make a rollup on `database`, where the hours before `rolled_to` are computed already (see `read_facts`)."""
        self._database = database
        self._replace = insert_or_replace(schema.hours, database.dialect)
        self._closed_until = rolled_to
        self._under_way: int | None = None

    def late(self, rows: Sequence[SampleRow]) -> list[Mark]:
        """Return the marks that `rows` must leave in the transaction that writes them."""
        hours = {(check_id, hour_of(at)) for at, check_id, *_ in rows if at < self._closed_until}
        return [(check_id, hour, 1) for check_id, hour in sorted(hours)]

    async def silenced(self, silences: Sequence[Silence], connection: AsyncConnection) -> list[Mark]:
        """Return the marks that `silences` must leave in the transaction that writes them, before they are written."""
        return await marks_of(silences, self._closed_until, self._under_way, connection) if silences else []

    async def run(self, now: datetime) -> None:
        """Compute every hour that is over by `now` and was not computed yet, or was marked since."""
        over = hour_of(micros(now))
        await self._close(over)
        facts = await read_facts(self._database)
        hour = await self._next(facts["rolled_to"], over)
        while hour is not None:
            await self._save(hour, await self._tallies(hour))
            hour = await self._next(hour + HOUR, over)
        for marked, marks in groupby(await self._marks(over), key=lambda mark: mark[1]):
            for some in _parts(list(marks)):
                await self._again(marked, some, whole=marked >= facts["samples_from"])

    async def _close(self, until: int) -> None:
        """Let every sample before `until` leave a mark from now on: waits for its turn, so none slips through."""

        async def close(_: AsyncConnection) -> None:
            self._closed_until = max(self._closed_until, until)

        await self._database.write(close)

    async def _next(self, since: int, over: int) -> int | None:
        """Return the first hour from `since` on that is over and has samples."""
        at = schema.samples.c.at
        first = (await self._rows(select(func.min(at)).where(at >= since, at < over)))[0][0]
        return None if first is None else hour_of(first)

    async def _tallies(self, hour: int, *only: ColumnElement[bool]) -> dict[int, Tally]:
        """Return what the samples of an hour add up to, by check."""
        maintenance = await self._maintenance(hour)
        table, layouts = schema.samples, schema.layouts
        columns = table.c.at, table.c.check_id, table.c.state, table.c.reason, table.c.figures, layouts.c.body
        query = select(*columns).select_from(table.outerjoin(layouts, layouts.c.id == table.c.layout))
        query = query.where(table.c.at < hour + HOUR, *only).order_by(table.c.at, table.c.check_id).limit(PAGE)
        layout_of = cache(read_layout)
        tallies: dict[int, Tally] = {}
        page = await self._rows(query.where(table.c.at >= hour))
        while page:
            for at, check_id, state, reason, figures, body in page:
                tally = tallies.setdefault(check_id, Tally())
                if not maintenance.covers(check_id, at):
                    tally.add(state, reason, layout_of(body), unpack(figures))
            place = tuple_(table.c.at, table.c.check_id)
            page = await self._rows(query.where(place > (page[-1].at, page[-1].check_id)))
        return tallies

    async def _maintenance(self, hour: int) -> Maintenance:
        """Return the maintenance within an hour; what is written of it from now on marks the hour.

        It waits for its turn, so that none slips through.
        """

        async def look(connection: AsyncConnection) -> Maintenance:
            self._under_way = hour
            return await read_maintenance(hour, connection)

        return await self._database.write(look)

    async def _save(self, hour: int, tallies: dict[int, Tally]) -> None:
        """Write the rows of an hour, and with the last of them that it is done."""
        rows = [tally.row(check_id, hour) for check_id, tally in sorted(tallies.items())]
        steps = _parts(rows)
        for number, step in enumerate(steps, 1):

            async def save(
                connection: AsyncConnection, step: Rows = step, *, last: bool = number == len(steps)
            ) -> None:
                await self._database.many(connection, self._replace, step)
                if last:
                    await raise_fact(connection, "rolled_to", hour + HOUR)

            await self._database.write(save)

    async def _marks(self, over: int) -> Sequence[Any]:
        late = schema.late
        query = select(late.c.check_id, late.c.at, late.c.writes).where(late.c.at < over)
        return await self._rows(query.order_by(late.c.at, late.c.check_id))

    async def _again(self, hour: int, marks: Sequence[Mark], *, whole: bool) -> None:
        """Compute a marked hour of some checks anew if its samples are still whole; a mark that is renewed stays."""
        late = schema.late
        marked = schema.samples.c.check_id.in_([check_id for check_id, *_ in marks])
        tallies = await self._tallies(hour, marked) if whole else {}
        rows = [tally.row(check_id, hour) for check_id, tally in sorted(tallies.items())]
        done = delete(late).where(
            tuple_(late.c.check_id, late.c.at, late.c.writes).in_([tuple(mark) for mark in marks])
        )

        async def save(connection: AsyncConnection) -> None:
            if rows:
                await self._database.many(connection, self._replace, rows)
            await connection.execute(done)

        await self._database.write(save)

    async def _rows(self, query: Select[Any]) -> Sequence[Any]:
        return await self._database.read(partial(all_rows, query))


def _parts(rows: list[Any]) -> list[list[Any]]:
    """Return `rows` in parts that are written at once."""
    return [rows[start : start + STEP] for start in range(0, len(rows), STEP)]


async def read_facts(database: Database) -> dict[str, int]:
    """Return the single numbers that the store keeps: see `schema.facts`."""
    rows = await database.read(partial(all_rows, select(schema.facts.c.name, schema.facts.c.value)))
    return dict(map(tuple, rows))


async def raise_fact(connection: AsyncConnection, name: str, value: int) -> None:
    """Raise one of these numbers to `value` if it is less, within a transaction."""
    facts = schema.facts
    await connection.execute(update(facts).where(facts.c.name == name, facts.c.value < value).values(value=value))
