"""What a job has noted in a table of its own: the rows of a query, read as the reports that they stand for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.databases.answer import Sort, answer, columns_of
from monitor.model import Failure, Reason, Report, Said, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monitor.databases import Connection
    from monitor.databases.answer import Column, Value
    from monitor.probes.heartbeat.journal import Journal

FINISHED, STARTED, OK, STATUS, RUN, TEXT = "finished", "started", "ok", "status", "run", "text"
NAMEABLE = frozenset({Sort.TEXT, Sort.NUMBER})
SORTS: Mapping[str, tuple[frozenset[Sort], str]] = {
    FINISHED: (frozenset({Sort.MOMENT}), "a moment"),
    STARTED: (frozenset({Sort.MOMENT}), "a moment"),
    OK: (frozenset({Sort.TRUTH}), "true or false"),
    STATUS: (frozenset({Sort.NUMBER}), "a number"),
    RUN: (NAMEABLE, "a text or a number"),
    TEXT: (frozenset({Sort.TEXT}), "a text"),
}
"""The columns that mean something, and what they must hold."""
MOST_ROWS = 100
AHEAD = timedelta(minutes=5)
"""How far a row may be dated ahead of the database's own clock: whoever wrote it has another."""


class Noted(NamedTuple):
    """What stands in the table: reports and their moments, in order; `at` is the database's time, if it has any row."""

    reports: Sequence[tuple[datetime, Report]] = ()
    at: datetime | None = None

    def told_to(self, journal: Journal) -> Journal:
        """Return `journal` with all of it."""
        for at, report in self.reports:
            journal = journal.hear(report, at)
        return journal


async def read_noted(connection: Connection, query: str) -> Noted:
    """Run `query` and return what its first rows say; raises `Failure` (unknown) when that makes no sense."""
    columns = await columns_of(connection, query)
    _look_at(columns)
    wanted = SORTS.keys() & {column.name for column in columns}
    found = await answer(connection, query, columns, wanted, MOST_ROWS)
    if not found.rows:
        return Noted()
    now = datetime.fromtimestamp(found.at, UTC)
    reports = [report for number, row in enumerate(found.rows) for report in _reports(number, row, now)]
    return Noted(sorted(reports, key=lambda each: (each[0], each[1].said is not Said.START)), now)


def _look_at(columns: Sequence[Column]) -> None:
    if FINISHED not in {column.name for column in columns}:
        has = ", ".join(column.name for column in columns) or "none"
        text = f"the query has no column {FINISHED}, which says when a run ended; its columns are {has}"
        raise Failure(Reason.MISSING, text, State.UNKNOWN)
    for column in columns:
        fitting, called = SORTS.get(column.name, (frozenset(Sort), ""))
        if column.sort not in fitting:
            text = f"the column {column.name} is of the type {column.type}, and must hold {called}"
            raise Failure(Reason.UNKNOWN, text, State.UNKNOWN)


def _reports(number: int, row: Mapping[str, Value], now: datetime) -> Iterator[tuple[datetime, Report]]:
    """Yield what a row says. Without a name, each row is a run of its own."""
    name = row[RUN].shown if RUN in row else None
    run = f"row {number}" if name is None else str(name)
    if started := _moment(STARTED, row, now):
        yield started, Report(Said.START, run=run)
    if finished := _moment(FINISHED, row, now):
        yield finished, _end(run, row)


def _end(run: str, row: Mapping[str, Value]) -> Report:
    status = row[STATUS].number if STATUS in row else 0.0
    good = row[OK].shown is True if OK in row else status == 0
    text = str(row[TEXT].shown or "") if TEXT in row else ""
    known = round(status) if STATUS in row and status is not None and abs(status) < float("inf") else None
    return Report(Said.SUCCESS if good else Said.FAILURE, known, run, text)


def _moment(column: str, row: Mapping[str, Value], now: datetime) -> datetime | None:
    """Return the moment in a column, None for a null; raises `Failure` where it is none that has been."""
    seconds = row[column].number if column in row else None
    if seconds is None:
        return None
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise Failure(Reason.UNKNOWN, f"{column} holds a moment that no calendar has", State.UNKNOWN) from None
    if at > now + AHEAD:
        text = f"{column} is {at:%Y-%m-%d %H:%M} UTC, and the database's clock shows {now:%Y-%m-%d %H:%M} UTC"
        raise Failure(Reason.UNKNOWN, text, State.UNKNOWN)
    return min(at, now)
