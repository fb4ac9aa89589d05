"""What maintenance takes out of the hours: runs that were ended while it lasted count neither as up nor as down.

A silence that comes late, or ends otherwise than was known, marks the hours that it changes as late samples do, in the
transaction that writes it (see `rollup`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from monitor.store import schema
from monitor.store.database import all_rows
from monitor.store.rows import HOUR, SILENCE, hour_of, micros

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from monitor.model import Scope, Silence

Span = tuple[int, int]
"""From a moment to before another."""

Mark = tuple[int, int, int]
"""The columns of `late`, in their order."""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """When no run of a check counts, by the check's number."""

    spans: Mapping[int, Sequence[Span]] = field(default_factory=dict)

    def covers(self, check_id: int, at: int) -> bool:
        """Return whether a run that ended `at` that moment is left out."""
        return any(since <= at < until for since, until in self.spans.get(check_id, ()))


async def read_maintenance(hour: int, connection: AsyncConnection) -> Maintenance:
    """Return the maintenance within an hour."""
    table = schema.silences
    within = table.c.maintenance == 1, table.c.until > hour, table.c.since < hour + HOUR
    silences = [SILENCE.read(body) for (body,) in await all_rows(select(table.c.body).where(*within), connection)]
    spans: dict[int, list[Span]] = {}
    for silence in silences:
        for check_id in await _covered(silence.scope, connection):
            spans.setdefault(check_id, []).append((micros(silence.since), micros(silence.until)))
    return Maintenance(spans)


async def marks_of(
    silences: Iterable[Silence], closed_until: int, under_way: int | None, connection: AsyncConnection
) -> list[Mark]:
    """Return the marks that `silences` must leave in the transaction that writes them, before they are written.

    The hours before `closed_until` are closed; the one `under_way` is being computed, and may have no row yet.
    """
    marks: set[Mark] = set()
    for silence in silences:
        since, until = await _changed(silence, connection)
        until = min(until, closed_until)
        if not silence.maintenance or since >= until:
            continue
        checks = await _covered(silence.scope, connection)
        hours = schema.hours
        within = hours.c.at >= hour_of(since), hours.c.at < until
        rows = await all_rows(select(hours.c.check_id, hours.c.at).where(*within), connection)
        marks |= {(check_id, at, 1) for check_id, at in rows if check_id in checks}
        if under_way is not None and hour_of(since) <= under_way < until:
            marks |= {(check_id, under_way, 1) for check_id in checks}
    return sorted(marks)


async def _changed(silence: Silence, connection: AsyncConnection) -> Span:
    """Return the time in which `silence` is not what is known of it: only its end changes; empty if nothing does."""
    table, since, until = schema.silences, micros(silence.since), micros(silence.until)
    query = select(table.c.until).where(table.c.id == silence.id, table.c.since == since, table.c.maintenance == 1)
    known = (await connection.execute(query)).scalar()
    return (since, until) if known is None else (min(known, until), max(known, until))


async def _covered(scope: Scope, connection: AsyncConnection) -> set[int]:
    """Return the numbers of the checks of which `scope` means every alert."""
    if scope.alert or scope.labels:
        return set()
    checks = schema.checks
    named: list[Any] = [checks.c.system == scope.system] if scope.system else []
    named += [checks.c.name == scope.check] if scope.check else []
    return {number for (number,) in await all_rows(select(checks.c.id).where(*named), connection)}
