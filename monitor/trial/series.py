"""The notation of what runs find one after the other: `50% for 10m 50%..90%x20 - 96%`. Pure.

Spaces part terms, and commas where they read better. A term holds for so many runs (`x20`; one if nothing is said) or
for so long (`for 10m`); the last one holds until the test ends. `50%..90%` goes evenly from the one to the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from monitor.units import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

MOST_RUNS = 100_000
RAMP = ".."

_TERM = re.compile(r"(?P<value>[^\s,]+?)(?:\s*[x×](?P<runs>[0-9]+)|\s+for\s+(?P<span>[^\s,]+))?(?:[\s,]+|$)")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Term(Generic[T]):
    """A value that holds for `runs` runs or, if that is given, for `span`; with `to` it moves there meanwhile."""

    value: T
    runs: int = 1
    span: timedelta | None = None
    to: T | None = None


@dataclass(frozen=True, slots=True)
class Series(Generic[T]):
    """What is found by one run after the other; there is at least one term."""

    terms: tuple[Term[T], ...]


def constant(value: T) -> Series[T]:
    """Return a series that is always the same, and at its end at once."""
    return Series((Term(value, runs=0),))


def parse_series(text: str, read: Callable[[str], T], *, ramps: bool = False) -> Series[T]:
    """Return the series that `text` writes, each value read by `read`; raises ValueError in a sentence."""
    terms: list[Term[T]] = []
    text = text.strip()
    position = 0
    while position < len(text) or not terms:
        found = _TERM.match(text, position)
        if found is None:
            raise ValueError(f"{text[position:]!r} begins with no term such as 85%, 85%x10 or 85% for 10m")
        terms.append(_term(found, read, ramps=ramps))
        position = found.end()
    return Series(tuple(terms))


def _term(found: re.Match[str], read: Callable[[str], T], *, ramps: bool) -> Term[T]:
    part = found[0].strip(" ,")
    runs = int(found["runs"]) if found["runs"] else 1
    if not 0 < runs <= MOST_RUNS:
        raise ValueError(f"{part!r}: a term holds for 1 to {MOST_RUNS:,} runs")
    span = parse_duration(found["span"]) if found["span"] else None
    if span is not None and not span:
        raise ValueError(f"{part!r}: a term holds for longer than no time")
    begin, ramp, end = found["value"].partition(RAMP)
    if ramp and ramps:
        return Term(read(begin), runs, span, read(end))
    return Term(read(found["value"]), runs, span)


class Cursor(Generic[T]):
    """Goes along a series, run by run."""

    def __init__(self, series: Series[T], begin: datetime) -> None:
        self._terms = series.terms
        self._index = 0
        self._runs = 0
        self._since = begin

    @property
    def term(self) -> Term[T]:
        """Return the term that the newest run found."""
        return self._terms[self._index]

    def step(self, now: datetime) -> Term[T]:
        """Return the term that a run at `now` finds."""
        while self._index + 1 < len(self._terms) and self._over(now):
            span = self.term.span
            self._since = now if span is None else self._since + span
            self._index, self._runs = self._index + 1, 0
        self._runs += 1
        return self.term

    def share(self, now: datetime) -> float:
        """Return how far the present term has gone at the newest run, at `now`: 0 to 1."""
        term = self.term
        if term.span is not None:
            return min((now - self._since) / term.span, 1.0)
        return min((self._runs - 1) / (term.runs - 1), 1.0) if term.runs > 1 else 1.0

    def ended(self, now: datetime) -> bool:
        """Return whether nothing new is to come after a run at `now`."""
        return self._index + 1 == len(self._terms) and self._over(now)

    def _over(self, now: datetime) -> bool:
        if self.term.span is not None:
            return now - self._since >= self.term.span
        return self._runs >= self.term.runs
