"""The fields of every check that are mappings of their own: patience, pace, figures, remedies."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from monitor.fields import Duration, Fields, PositiveDuration
from monitor.model import Severity


class Retry(Fields):
    """The pace after a failed run."""

    every: PositiveDuration | None = None
    """From the failed run's end to the next one; default: 10s, or `every` if that is shorter."""


class Down(Fields):
    """How many consecutive failures open an alert of each severity."""

    info: Annotated[int, Field(ge=1)] | None = None
    """How many make an info alert."""
    warning: Annotated[int, Field(ge=1)] | None = None
    """How many make a warning."""
    critical: Annotated[int, Field(ge=1)] | None = None
    """How many make a critical alert."""

    def counts(self) -> dict[Severity, int]:
        """Return the failures that each severity needs."""
        named = ((severity, getattr(self, str(severity))) for severity in Severity)
        return {severity: count for severity, count in named if count is not None}


class LevelDurations(Fields):
    """A duration for each severity of a threshold."""

    info: Duration = timedelta()
    """Before an info alert."""
    warning: Duration = timedelta()
    """Before a warning."""
    critical: Duration = timedelta()
    """Before a critical alert."""


class Step(Fields):
    """One step of a remedy."""

    do: str
    """What to do, in one sentence."""
    run: str = ""
    """A check that is run once when a critical alert fires, and whose answer is put below the step: `database`, or one
    of its measures, `database/held`; of another system `shop/database` or `shop/database/held`. It must only read."""


RemedyText = str | list[str | Step]


class ThresholdFields(Fields):
    """A figure at which somebody is told: a measure over a window, against a warning and a critical figure."""

    watch: str
    """A measure, or `function(measure, window)`: `p95(duration, 5m)`, `connections{state="active"}`."""
    name: str = ""
    """What the alert is called; default: the text of `watch`."""
    target: str = ""
    """The figure that is good, such as `< 200ms`; shown, never fires."""
    info: str = ""
    """The figure at which an info alert fires."""
    warning: str = ""
    """The figure at which a warning fires, such as `> 300ms`."""
    critical: str = ""
    """The figure at which a critical alert fires."""
    for_: Annotated[Duration | LevelDurations, Field(alias="for")] = timedelta()
    """How long the figure must stay crossed, for all levels or for each."""
    keep: Duration | None = None
    """How long the alert stays firing until quiet; default: as `for`."""
    remedy: RemedyText = ""
    """What to do; default: the check's remedy."""
    source: str = ""
    """Where in the runbook the figure stands."""
