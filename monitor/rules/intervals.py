"""The hours of routes as Alertmanager's time intervals: weekdays and times on the clocks of a place."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.routing.hours import DAY, WEEK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.routing import Hours
    from monitor.rules.text import Value

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Intervals:
    """The intervals that routes use, each under a name of its own."""

    def __init__(self) -> None:
        self._named: dict[tuple[str, Hours], str] = {}

    def open(self, hours: Hours) -> str:
        """Return the name of the interval in which `hours` are open, holidays aside."""
        return self._named.setdefault(("hours", hours), f"hours {len(self._named) + 1}")

    def holidays(self, hours: Hours) -> str:
        """Return the name of the interval that holds their holidays; none: nothing."""
        return self._named.setdefault(("holidays", hours), f"holidays {len(self._named) + 1}") if hours.holidays else ""

    def values(self) -> list[Value]:
        """Return all of them as an Alertmanager's configuration has them."""
        return [
            {"name": name, "time_intervals": [*(_open(hours) if kind == "hours" else _closed(hours))]}
            for (kind, hours), name in self._named.items()
        ]


def _open(hours: Hours) -> Iterator[Value]:
    for stretch in hours.stretches:
        days = stretch.days
        yield _on(days, stretch.begin, min(stretch.end, DAY), hours.zone)
        if stretch.end > DAY:
            yield _on(frozenset((day + 1) % WEEK for day in days), timedelta(), stretch.end - DAY, hours.zone)


def _on(days: frozenset[int], begin: timedelta, end: timedelta, zone: str) -> Value:
    times: list[Value] = [{"start_time": _clock(begin), "end_time": _clock(end)}]
    return {"weekdays": [DAYS[day] for day in sorted(days)], "times": times, "location": zone}


def _closed(hours: Hours) -> Iterator[Value]:
    for day in sorted(hours.holidays):
        date: dict[str, Value] = {"years": [str(day.year)], "months": [str(day.month)], "days_of_month": [str(day.day)]}
        yield {**date, "location": hours.zone}


def _clock(since: timedelta) -> str:
    minutes = since // timedelta(minutes=1)
    return f"{minutes // 60:02}:{minutes % 60:02}"
