"""Days and periods as people write them: 2026-09-01, 90d, quarterly. Pure.

A day begins at midnight UTC, for everybody: what is due on a day is due from then on.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, WithJsonSchema

from monitor.units import parse_duration

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
MONTHS = {"monthly": 1, "quarterly": 3, "half-yearly": 6, "yearly": 12}


class Interval(NamedTuple):
    """How long something is good for: whole months, or whole days. `text` is how the file has it."""

    text: str
    months: int = 0
    days: int = 0

    def after(self, day: date) -> date:
        """Return the day on which this interval, begun on `day`, is over.

        A month later is the same day of the next month, or its last one: of January 31st February 28th. Raises
        OverflowError after the year 9999.
        """
        if not self.months:
            return day + timedelta(days=self.days)
        year, month = divmod(day.month - 1 + self.months, 12)
        year, month = day.year + year, month + 1
        if year > date.max.year:
            raise OverflowError("date value out of range")
        return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def midnight(day: date) -> datetime:
    """Return the moment at which a day begins."""
    return datetime.combine(day, time(), UTC)


def _day(value: object) -> object:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("a day is written as 2026-09-01")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value} is a day that no calendar has") from None


def _interval(value: object) -> object:
    word = value if isinstance(value, str) else ""
    if word in MONTHS:
        return Interval(word, months=MONTHS[word])
    length = parse_duration(word) if word else timedelta()
    if not length or length % timedelta(days=1):
        raise ValueError(f"{value!r} is not a period of whole days, such as 90d, nor one of {', '.join(MONTHS)}")
    return Interval(word, days=length.days)


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Period = Annotated[
    Interval, BeforeValidator(_interval), WithJsonSchema({"type": "string", "examples": ["90d", *MONTHS]})
]
