"""From the rows of a query to measures: which column is what, and which row is which series. Pure."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, WithJsonSchema

from monitor.databases.answer import Sort
from monitor.fields import MeasureName, ShortForm
from monitor.model import Failure, Measure, Reason, Severity, State, labels
from monitor.plain import plain
from monitor.probes.base import ThresholdFields
from monitor.units import COUNTED, Unit
from monitor.watch import Watch, parse_figure, parse_watch, result_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from monitor.databases.answer import Answer, Column, Value
    from monitor.watch import Figure

Watching = tuple[Watch, ThresholdFields]

AGE = "age"
UNITS = (*COUNTED, AGE)
LONGEST_LABEL = 100
GUESSES = ("number", "ratio", "seconds", "bytes")
"""In which unit a column may be that is known from thresholds alone, the first that their figures fit."""
UNFIT = {
    Sort.NUMBER: "age is for a moment, such as a timestamptz",
    Sort.TRUTH: "its unit is number: 1 for true, 0 for false",
    Sort.MOMENT: "say under measures whether it is a timestamp (judged by the time left) or an age (the time since)",
    Sort.SPAN: "its unit is seconds",
    Sort.TEXT: "that is no number; cast it in the query",
    Sort.OTHER: "that is no number; cast it in the query",
}


def _unit(word: str) -> str:
    if word not in UNITS:
        raise ValueError(f"{word!r} is not a unit: there are {', '.join(UNITS)}")
    return word


class Measured(ShortForm):
    """A column that becomes a measure; a bare text is its unit."""

    short: ClassVar[dict[type, str]] = {str: "unit"}

    unit: Annotated[str, AfterValidator(_unit), WithJsonSchema({"type": "string", "enum": list(UNITS)})] = "number"
    """What the column counts in: `number`, `seconds`, `ms`, `bytes`, `MB`, `ratio`, `%` … A moment is a `timestamp`,
    judged by the time left until it, or an `age`, the time since. An interval is in `seconds`."""
    name: MeasureName | None = None
    """What the measure is called; default: as the column."""

    @property
    def base(self) -> Unit:
        """Return the base unit of the measure."""
        return Unit.SECONDS if self.unit == AGE else COUNTED[self.unit][0]

    def fits(self, sort: Sort) -> bool:
        """Return whether a column of such values can be measured in this unit."""
        match sort:
            case Sort.NUMBER:
                return self.unit != AGE
            case Sort.TRUTH:
                return self.base is Unit.NUMBER
            case Sort.MOMENT:
                return self.unit == AGE or self.base is Unit.TIMESTAMP
            case Sort.SPAN:
                return self.unit != AGE and self.base in {Unit.SECONDS, Unit.NUMBER}
            case _:
                return False

    def value(self, found: Value, column: Column, at: float) -> float | None:
        """Return what was found in the base unit, None if there is no number; `at` is the database's time."""
        if found.number is None:
            return None
        if self.unit == AGE:
            return at - found.number
        return found.number * (COUNTED[self.unit][1] if column.sort is Sort.NUMBER else 1)


def watches(thresholds: Iterable[ThresholdFields]) -> Iterator[Watching]:
    """Yield what each of `thresholds` looks at, as far as that can be read."""
    for fields in thresholds:
        with suppress(ValueError):
            yield parse_watch(fields.watch), fields


def figures(fields: ThresholdFields, unit: Unit) -> Iterator[Figure]:
    """Yield the figures of a threshold whose watch results in `unit`; raises ValueError for one in another unit."""
    for severity in Severity:
        if text := getattr(fields, str(severity)):
            yield parse_figure(severity, text, unit)
    if fields.target:
        yield parse_figure(Severity.INFO, fields.target, unit)


def guessed(watching: Iterable[Watching], own: Iterable[str]) -> dict[str, Measured]:
    """Return the columns that thresholds watch, each in the unit that all their figures fit; `own` are no columns."""
    looks: dict[str, list[Watching]] = {}
    for watch, fields in watching:
        if watch.measure not in own:
            looks.setdefault(watch.measure, []).append((watch, fields))
    return {
        name: Measured(unit=next((unit for unit in GUESSES if _fit(looking, COUNTED[unit][0])), GUESSES[0]))
        for name, looking in looks.items()
    }


def selected(watching: Iterable[Watching], measures: Iterable[str]) -> set[str]:
    """Return the labels by which thresholds on one of `measures` select, or tell series apart."""
    looks = [watch for watch, _ in watching if watch.measure in measures]
    named = {label for watch in looks for label, _ in (*watch.selection, *watch.exclusion)}
    return named | {watch.by for watch in looks if watch.by}


def series(
    measured: Mapping[str, Measured], names: Sequence[str], answer: Answer, redact: Callable[[str], str]
) -> Iterator[Measure]:
    """Yield the measures of each row; `names` are the columns that are its labels.

    Raises `Failure` (unknown) when two rows have the same labels.
    """
    columns = {column.name: column for column in answer.columns}
    seen: dict[object, int] = {}
    for number, row in enumerate(answer.rows, 1):
        pairs = labels({name: _label(row[name], redact) for name in names})
        if seen.setdefault(pairs, number) != number:
            which = f"the same {', '.join(names)}" if names else "no label to tell them apart"
            detail = f"rows {seen[pairs]} and {number} have {which}: group them, or add a label"
            raise Failure(Reason.UNKNOWN, detail, State.UNKNOWN)
        for name, measure in measured.items():
            value = measure.value(row[name], columns[name], answer.at)
            if value is not None:
                yield Measure(measure.name or name, value, pairs)


def _label(value: Value, redact: Callable[[str], str]) -> str:
    text = value.shown if isinstance(value.shown, str) else "" if value.shown is None else json.dumps(value.shown)
    return plain(redact(text), LONGEST_LABEL)


def _fit(looking: Iterable[Watching], unit: Unit) -> bool:
    try:
        return all(figure.text for watch, fields in looking for figure in figures(fields, result_unit(watch, unit)))
    except ValueError:
        return False
