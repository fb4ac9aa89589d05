"""The nouns of a test: what is put on the stage, what came of it, and what was wrong with that."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import Act, CheckId, Labels, Reason, State
from monitor.trial.series import Series, constant

if TYPE_CHECKING:
    from collections.abc import Mapping


class Finding(NamedTuple):
    """What a run says of its target. `ran`: there was a run at all; with no reason, unknown means left out."""

    state: State
    reason: Reason | None = None
    ran: bool = True


UP = Finding(State.UP)
NOTHING = Finding(State.UNKNOWN, ran=False)
LEFT_OUT = Finding(State.UNKNOWN)

SeriesKey = tuple[str, Labels]
"""A measure and the labels of one of its series."""


class Value(NamedTuple):
    """What a run measures. `absent`: nothing; and if it `failed`, it should have."""

    number: float = 0.0
    absent: bool = False
    failed: bool = False


class Counting(enum.Enum):
    """How the numbers of a series are meant: as they are, or as what is left until a moment, or as a counter's pace."""

    PLAIN = "plain"
    TIME_LEFT = "time left"
    PER_SECOND = "per second"


class Past(NamedTuple):
    """What a series was in every hour of the past: that number, or a counter at that pace per second."""

    number: float
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """The series of one measure and label set."""

    series: Series[Value]
    counting: Counting = Counting.PLAIN


@dataclass(frozen=True, slots=True)
class Script:
    """What the runs of one check find. `every`: at that pace, instead of at the check's own."""

    states: Series[Finding] = field(default_factory=lambda: constant(UP))
    measures: Mapping[SeriesKey, Measured] = field(default_factory=dict)
    every: timedelta | None = None
    detail: str = ""


class Manners(enum.Enum):
    """How a channel behaves: it takes what it gets, cannot for now, or never will."""

    TAKES = "takes"
    FAILS = "fails"
    REFUSES = "refuses"


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that happens in a test.

    `past` is what each series was in every hour before. It goes on until all series are at their end, but at least for
    `least` and, where `until` says so, for exactly so long. Unless it is `telling`, routes and channels play no part,
    and only runs matter.
    """

    start: datetime
    scripts: Mapping[CheckId, Script]
    past: Mapping[CheckId, Mapping[SeriesKey, Past]] = field(default_factory=dict)
    manners: Mapping[str, Series[Manners]] = field(default_factory=dict)
    acts: tuple[tuple[timedelta, Act], ...] = ()
    least: timedelta = timedelta()
    until: timedelta | None = None
    telling: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Failure:
    """What was expected, where, and what came instead, a line each."""

    place: Place
    expected: str
    came: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test ended. `seconds` is how long it took, `lasted` how much time passed on its clock."""

    name: str
    place: Place
    failures: tuple[Failure, ...]
    seconds: float
    lasted: timedelta

    @property
    def passed(self) -> bool:
        """Return whether all was as expected."""
        return not self.failures
