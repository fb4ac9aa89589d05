"""Whether a query gives what it should: rows become series, their columns measures and labels."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator

from monitor.databases.answer import Answer, Column, Sort, answer, columns_of
from monitor.databases.statement import one_statement
from monitor.expect import Path, operand
from monitor.fields import MEASURE
from monitor.model import Failure, Reason, State
from monitor.permission import Reads
from monitor.probes.base import MeasureSpec, Run
from monitor.probes.database import DatabaseCheck
from monitor.probes.sql.expect import Rows, judge, shown, too_many
from monitor.probes.sql.series import UNFIT, Measured, Watching, figures, guessed, selected, series, watches
from monitor.units import Unit
from monitor.watch import Function

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.databases import Connection

MOST_SERIES = 900
"""A page of metrics shows 1,000 series of one check, and those that every check has come on top of these."""
MOST_ROWS = 900
LONGEST_QUERY = 20_000
ROWS = MeasureSpec("rows", Unit.NUMBER, "how many rows there are; where there are more than `max_rows`, one more")
NO_MORE_THAN_ROWS = {Function.LAST, Function.AVG, Function.MIN, Function.MAX, Function.QUANTILE}
"""Functions whose result is no larger than the largest value."""


class SqlCheck(DatabaseCheck):
    """Runs a query, read only, and holds its rows against what is expected of them.

    Each row is a series: columns under `measures` are what is measured, columns under `labels` tell rows apart. Where
    nothing is expected and nothing measured, the query must run. What nobody looks at is computed and never fetched;
    nothing of the rows is shown but labels, what an expectation names, and `show`.
    """

    kind: str = "sql"
    query: Annotated[str, Field(max_length=LONGEST_QUERY), AfterValidator(one_statement)]
    """One statement that reads rows: `select`, `with`, `values` or `table`. It stands inside a query of ours that takes
    `max_rows` of its rows, so it is never read to its end where it gives more."""
    measures_: Annotated[dict[str, Measured] | None, Field(alias="measures")] = None
    """Columns of numbers, booleans (1 and 0), moments and intervals that become measures, and their units. Default: the
    columns that thresholds watch, in the unit of their figures. A null is no value: the measure is absent."""
    labels: list[str] | None = None
    """Columns whose texts, shortened to 100 characters, become labels; default: all text columns. No two rows may have
    the same."""
    expect: Rows = Rows()
    """What the rows must be like."""
    show: Path = ""
    """A column, or a JMESPath into a row, that is added to the message: of the first three rows, shortened."""
    max_rows: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 100
    """How many rows are read. If there are more, whatever depends on them all is unknown, and the message says so."""

    measures: ClassVar = (*DatabaseCheck.measures, ROWS)
    reasons: ClassVar = DatabaseCheck.reasons | {Reason.BODY}

    @model_validator(mode="after")
    def _agree(self) -> SqlCheck:
        for name, measured in (self.measures_ or {}).items():
            if measured.name is None and not MEASURE.fullmatch(name):
                raise ValueError(f"the column {name!r} cannot name a measure: give that a name, in small letters")
            if name in (self.labels or ()):
                raise ValueError(f"the column {name!r} is both a measure and a label")
        if len(self._measured) * self.max_rows > MOST_SERIES:
            many = f"{self.max_rows} rows of {len(self._measured)} measures"
            raise ValueError(f"{many} are more than {MOST_SERIES} series: lower max_rows")
        if self._highest > self.max_rows:
            raise ValueError(f"rows beyond {self.max_rows} are not counted: raise max_rows, or count in the query")
        return self

    def declared(self) -> tuple[MeasureSpec, ...]:
        """Return the measures of the kind, and the columns that become measures."""
        return (*self.measures, *(self._spec(*each) for each in self._measured.items()))

    def reads(self) -> tuple[Reads, ...]:
        """Return whatever the query names."""
        return (Reads(query=self.query),)

    async def probe(self, run: Run) -> None:
        """Ask, note what is measured, and hold the rows against what is expected."""
        started = perf_counter()
        found = await self.read(run, self._ask)
        run.note("rows", found.count)
        addition = self._remark(run, found)
        lacking = self._note_series(run, found)
        try:
            judge(self.expect, found, run.resources.redact)
        except Failure as failure:
            raise Failure(failure.reason, f"{failure.detail}{addition}", failure.state) from None
        if lacking:
            raise lacking
        run.note("duration", perf_counter() - started)

    async def _ask(self, connection: Connection) -> Answer:
        columns = await columns_of(connection, self.query)
        self._look_at(columns)
        return await answer(connection, self.query, columns, self._wanted(columns), self.max_rows)

    def _look_at(self, columns: Sequence[Column]) -> None:
        """Return if the query has the columns that are looked at; raises `Failure` (unknown)."""
        types = {column.name: column for column in columns}
        for name in (*self._measured, *(self.labels or ()), *self.expect.columns):
            if name not in types:
                has = ", ".join(types) or "none"
                raise _ours(Reason.MISSING, f"the query has no column {name}; its columns are {has}")
        for name, measured in self._measured.items():
            if not measured.fits(types[name].sort):
                unfit = UNFIT[types[name].sort]
                raise _ours(Reason.UNKNOWN, f"the column {name} is of the type {types[name].type}: {unfit}")
        for name in selected(self._watching, self._specs).difference(self._labels(columns)):
            raise _ours(Reason.MISSING, f"{name}, by which a threshold selects, is no text column: list it in labels")

    def _note_series(self, run: Run, found: Answer) -> Failure | None:
        """Note what is measured, or return why that cannot be."""
        if not self._measured:
            return None
        if found.more:
            return too_many(found)
        try:
            run.measures += series(self._measured, self._labels(found.columns), found, run.resources.redact)
        except Failure as failure:
            return failure
        return None

    def _remark(self, run: Run, found: Answer) -> str:
        """Say at each measure what is to be shown of the rows; return it as the end of a sentence."""
        text = shown(self.show, found, run.resources.redact) if self.show else ""
        if not text:
            return ""
        for spec in (ROWS, *self._specs.values()):
            run.remark(spec.name, text)
        return f": {text}"

    def _wanted(self, columns: Sequence[Column]) -> set[str]:
        """Return the columns whose values somebody looks at."""
        if self.show or self.expect.json_:
            return {column.name for column in columns}
        return {*self._measured, *self._labels(columns), *self.expect.columns}

    def _labels(self, columns: Sequence[Column]) -> list[str]:
        if not self._measured:
            return []
        if self.labels is not None:
            return self.labels
        return [column.name for column in columns if column.sort is Sort.TEXT]

    def _spec(self, name: str, measured: Measured) -> MeasureSpec:
        called = measured.name or name
        labels = sorted(selected(self._watching, {called})) if self.labels is None else self.labels
        return MeasureSpec(called, measured.base, f"what the query gives as {name}", tuple(labels))

    @cached_property
    def _watching(self) -> list[Watching]:
        return list(watches(self.thresholds))

    @cached_property
    def _measured(self) -> Mapping[str, Measured]:
        """Return the columns that become measures."""
        if self.measures_ is not None:
            return self.measures_
        return guessed(self._watching, {spec.name for spec in self.measures})

    @cached_property
    def _specs(self) -> Mapping[str, MeasureSpec]:
        """Return the measures that columns become."""
        return {spec.name: spec for spec in map(self._spec, self._measured, self._measured.values())}

    @property
    def _highest(self) -> float:
        """Return the highest number of rows that something asks for."""
        asked = [float(operand(self.expect.rows))] if self.expect.rows is not None else []
        for watch, fields in self._watching:
            if watch.measure == ROWS.name and watch.function in NO_MORE_THAN_ROWS:
                with suppress(ValueError):
                    asked += [figure.value for figure in figures(fields, ROWS.unit)]
        return max(asked, default=0.0)


def _ours(reason: Reason, detail: str) -> Failure:
    return Failure(reason, detail, State.UNKNOWN)
