"""Label values that nobody has seen before: each is new for as long as the window says from when it was first seen.

Known is what any hour that the store keeps has seen, whether it counts or not; 0 does not count as seen, since many
counters begin there. An hour tells a value's first sight only by the hour. So a value that is seen now is known if an
earlier hour has seen it, and otherwise its age is counted from the sample that had it first.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.baseline.drift import MOST_TOLD, named
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.hour import HourMeasure
    from monitor.model import Labels
    from monitor.units import Unit
    from monitor.watch import Watch

MOST_KNOWN = 10_000
"""Of the label: with more values it tells things apart that never come again, and each of them would be new."""
MOST_NEW = 20
"""So many new values have an alert of their own, the first ones; the others are one more alert, which has no label."""
HOUR = timedelta(hours=1) // timedelta(microseconds=1)
SECOND = 1_000_000


class Unseen:
    """The values that hours have seen, and the hour that did so first."""

    def __init__(self, watch: Watch) -> None:
        """Know nothing yet."""
        self._watch = watch
        self._window = watch.window // timedelta(microseconds=1)
        self._known: dict[Labels, int] = {}

    @property
    def full(self) -> bool:
        """Return whether the label has too many values."""
        return len(self._known) > MOST_KNOWN

    def add(self, hour: int, measures: Sequence[HourMeasure], *, counts: bool) -> None:  # noqa: ARG002 - seen is seen
        """Note what was seen in an hour."""
        for one in measures:
            if (one.min or one.max) and not self.full:
                self._known.setdefault(self._watch.group(one.labels), hour)

    def read(self, values: Mapping[Labels, float], now: int) -> dict[Labels, float]:
        """Return 1 for each new value, and how many more there are. `values` are the moments when they were seen first.

        Nothing where there are more values than can be known.
        """
        new = self._new(values, now)
        found = dict.fromkeys(new[:MOST_NEW], 1.0)
        return found | {(): float(len(new) - MOST_NEW)} if len(new) > MOST_NEW else found

    def tell(self, values: Mapping[Labels, float], now: int, labels: Labels, unit: Unit) -> str:  # noqa: ARG002 - as others
        """Return since when a value is known, or which are those that have no alert of their own."""
        new = self._new(values, now)
        if labels in new:
            age = now - values[labels]
            return f"first seen {show_duration(age / SECOND)} ago" if age else "seen for the first time"
        more = new[MOST_NEW:]
        examples = ", ".join(named(key) for key in more[:MOST_TOLD])
        return f"{len(more)} more were never seen before, such as {examples}" if more and not labels else ""

    def _new(self, values: Mapping[Labels, float], now: int) -> list[Labels]:
        """Return the new values, the first ones first."""
        young = [(first, key) for key, first in values.items() if now - first < self._window]
        return [key for first, key in sorted(young) if self._known.get(key, first // HOUR) >= first // HOUR]
