"""What the API says of what runs found: samples, and plots of a measure."""

from __future__ import annotations

from monitor.model import Reason, State
from monitor.units import Unit
from monitor.web.api.models.base import Answer, Labels, Level, Moment


class Measure(Answer):
    """One number that a run found."""

    name: str
    """The measure, as the kind declares it."""
    value: float | None
    """In its base unit; null: not a number, or without end."""
    labels: Labels
    """The series."""


class Sample(Answer):
    """What one run found."""

    at: Moment
    """When it ended."""
    took_seconds: float
    """How long it took."""
    state: State
    """What it says of its target."""
    reason: Reason | None
    """Why it was not found up; null also where the run was left out."""
    detail: str | None
    """The same in a line, which may hold text of the target."""
    left_out: bool
    """Whether nothing was looked at, on purpose."""
    measures: list[Measure]
    """What was measured."""


class Samples(Answer):
    """What runs found, the newest first."""

    next_until: Moment | None
    """The `until` that asks for what came before these; null: nothing did, after `since`."""
    samples: list[Sample]
    """Each run."""


class Point(Answer):
    """What was measured around a moment."""

    at: Moment
    """The moment."""
    mean: float | None
    """The mean of the values that it stands for."""
    least: float | None
    """The least of them."""
    greatest: float | None
    """The greatest of them."""


class Series(Answer):
    """The points of one series, the oldest first."""

    labels: Labels
    """The series."""
    points: list[Point]
    """Its points."""


class Line(Answer):
    """A figure of a threshold, in the unit of the plot."""

    value: float | None
    """Where it lies."""
    text: str
    """The figure in words."""
    severity: Level | None
    """Of what severity; null: it is a target."""


class Mark(Answer):
    """Something that happened: a deploy, or an alert that began or ended."""

    at: Moment
    """When."""
    kind: str
    """What."""
    text: str
    """In words."""
    severity: Level | None
    """How bad an alert that began is."""


class Dark(Answer):
    """A time in which the check was down, or nobody could tell."""

    since: Moment
    """Its beginning."""
    until: Moment
    """Its end."""
    state: State
    """What was so."""


class Plot(Answer):
    """One measure over time."""

    system: str
    """The system."""
    check: str
    """The check."""
    measure: str
    """The measure."""
    unit: Unit
    """The base unit of all values."""
    meaning: str
    """What it says."""
    since: Moment
    """Where it begins."""
    until: Moment
    """Where it ends."""
    gap_seconds: float
    """Where points are further apart than this, nothing was measured between them."""
    series: list[Series]
    """At most 12 series, of at most some 300 points."""
    lines: list[Line]
    """The figures of its thresholds."""
    marks: list[Mark]
    """What happened meanwhile."""
    dark: list[Dark]
    """When there was nothing to measure."""
