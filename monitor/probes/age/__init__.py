"""What grows old without a sound: secrets, tokens, licences. The file says since when they are, and for how long."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from pydantic import Field, model_validator

from monitor.fields import Fields, PositiveDuration
from monitor.model import Failure, Reason, State
from monitor.probes.age.calendar import Day, Period, midnight
from monitor.probes.base import Check, MeasureSpec, ThresholdFields
from monitor.units import Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.probes.base import Run

ELSEWHERE = timedelta(days=1)
"""Where the day begins earlier than in UTC, today is tomorrow."""
TOLD = 3
REPLACE = (
    "Replace what the message names: make the new one, give it to everything that uses the old one, see that all "
    "works, then revoke the old one. Afterwards write the day into the file."
)


class Item(Fields):
    """One thing that grows old: the day on which it was made and how long it is good for, or the day it is due."""

    set_: Annotated[Day | None, Field(alias="set")] = None
    """The day on which it was made or last replaced: `2026-09-01`."""
    every: Period | None = None
    """How long it is good for: `90d`, `monthly`, `quarterly`, `half-yearly` or `yearly`."""
    due: Day | None = None
    """The day on which it must be replaced, for what says so itself, such as a token that expires."""

    @model_validator(mode="after")
    def _told(self) -> Item:
        if (self.due is None) is (self.every is None):
            raise ValueError("give due, or set and every: when it was made, and how long it is good for")
        if self.every and not self.set_:
            raise ValueError("give set too: the day on which it was made")
        if self.set_ and self.due and self.due < self.set_:
            raise ValueError("it would be due before it was made")
        try:
            self.lasts()
        except OverflowError:
            raise ValueError("it is due after the year 9999") from None
        return self

    def lasts(self) -> date:
        """Return the day on which it is due."""
        return self.due or (self.every.after(self.set_) if self.every and self.set_ else date.max)

    def ahead(self, now: datetime) -> bool:
        """Return whether it is said to have been made on a day that has not come."""
        return self.set_ is not None and midnight(self.set_) > now + ELSEWHERE

    @property
    def origin(self) -> str:
        """Return in words why it is due."""
        return f", set {self.set_}" + (f" for {self.every.text}" if self.every else "") if self.set_ else ""


class Known(NamedTuple):
    """An item, by its name, and the day on which it is due."""

    due: date
    name: str
    item: Item


class AgeCheck(Check):
    """Counts the days of what must be replaced in time. It asks nobody: the days stand in the file.

    Whoever replaces something writes the new day down, and has the daemon read the file again.
    """

    kind: str = "age"
    items: Annotated[dict[Annotated[str, Field(min_length=1, max_length=100)], Item], Field(min_length=1)]
    """What grows old, by name."""
    every: PositiveDuration = Field(default=timedelta(hours=1))
    """How often it runs."""

    measures: ClassVar = (
        MeasureSpec("due", Unit.TIMESTAMP, "when it is due, at the beginning of that day in UTC", ("item",)),
        MeasureSpec("age", Unit.SECONDS, "since when it is, where `set` is given", ("item",), "monitor_age_seconds"),
    )
    reasons: ClassVar = frozenset({Reason.UNKNOWN})

    @property
    def host(self) -> str:
        """Return that nothing is asked."""
        return ""

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the figure on what is due."""
        remedy = "" if self.remedy else REPLACE
        return (ThresholdFields(watch="due", name="due", info="< 14d", warning="<= 0s", remedy=remedy),)

    def doubts_at(self, now: datetime) -> Iterator[str]:
        """Yield what is said to have been made in the future."""
        for name, item in self.items.items():
            if item.ahead(now):
                yield f"{name} is said to have been set on {item.set_}, which has not come yet"

    async def probe(self, run: Run) -> None:
        """Note when everything is due, and how old it is. What is of the future is unknown, after all others."""
        now = run.clock.now()
        wrong = list(self.doubts_at(now))
        known = sorted(Known(item.lasts(), name, item) for name, item in self.items.items() if not item.ahead(now))
        for due, name, item in known:
            run.note("due", midnight(due).timestamp(), item=name)
            if item.set_:
                run.note("age", (now - midnight(item.set_)).total_seconds(), item=name)
        if known:
            run.remark("due", "; ".join(f"{name} is due on {due}{item.origin}" for due, name, item in known[:TOLD]))
        if wrong:
            raise Failure(Reason.UNKNOWN, "; ".join(wrong), State.UNKNOWN)
