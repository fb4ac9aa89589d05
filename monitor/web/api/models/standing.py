"""What the API says of how systems and checks stand."""

from __future__ import annotations

from typing import Any

from monitor.model import Reason, State
from monitor.units import Unit
from monitor.view import Condition
from monitor.web.api.models.alerts import Alert
from monitor.web.api.models.base import Answer, Cell, Labels, Level, Moment, Uptimes


class Figure(Answer):
    """One threshold and one of its series: the newest value against its figures."""

    name: str
    """The threshold's name."""
    watch: str
    """What it watches, as the file says."""
    unit: Unit
    """The base unit of `value`."""
    labels: Labels
    """The series."""
    value: float | None
    """The newest value; null: there is none to judge."""
    shown: str | None
    """The same for people, such as `412 ms`."""
    target: str | None
    """What it should be; never fires."""
    figures: dict[Level, str]
    """The figure of each severity, such as `> 500ms`."""
    firing: Level | None
    """What fires now."""
    remedy: list[str]
    """What to do then."""
    source: str | None
    """Where in the runbook the figure stands."""
    implied: bool
    """Whether it comes with the kind, and no file names it."""


class Standing(Answer):
    """How a check stands. `state`, `reason`, `detail`, `at` and `took_seconds` are those of its newest run."""

    system: str
    """The system."""
    check: str
    """The check's name in its system."""
    title: str
    """What people call it."""
    kind: str
    """What kind of check it is."""
    condition: Condition
    """How it stands, in one word."""
    state: State | None
    """What the newest run said of its target; null: there was none."""
    reason: Reason | None
    """Why it was not found up."""
    detail: str | None
    """The same in a line, which may hold text of the target."""
    at: Moment | None
    """When the newest run ended."""
    took_seconds: float | None
    """How long it took."""
    every_seconds: float
    """How often it runs."""
    since: Moment | None
    """When the worst of its alerts began."""
    skipped: str | None
    """Why it is not run."""
    uptime: Uptimes
    """How much of the time it was up."""
    figures: list[Figure]
    """Its thresholds, with their newest values."""


class Checks(Answer):
    """How the checks of a system stand."""

    at: Moment
    """When that was so."""
    checks: list[Standing]
    """Each check, in the order of the file."""


class Measured(Answer):
    """A measure that a check takes."""

    unit: Unit
    """Its base unit."""
    meaning: str
    """What it says."""


class Check(Standing):
    """Everything there is to see of one check besides its samples and plots."""

    alerts: list[Alert]
    """Those that are live."""
    strip: list[Cell]
    """The last 24 hours, the oldest first, the present one last."""
    phases: dict[str, float | None]
    """The parts of the newest exchange that was measured, in seconds, in order."""
    remedy: list[str]
    """What to do when it is down."""
    remedy_for: dict[Reason, list[str]]
    """What to do first for a reason."""
    needs: list[str]
    """The checks whose failure explains its own, as `system/check`."""
    measures: dict[str, Measured]
    """What can be plotted."""
    configuration: dict[str, Any]
    """The effective one, defaults included, without secrets."""


class System(Answer):
    """How a system stands."""

    system: str
    """Its name."""
    title: str
    """What people call it."""
    condition: Condition
    """How it stands, in one word: that of its worst check."""
    checks: dict[Condition, int]
    """How many of its checks stand so."""
    public: bool
    """Whether everybody may see its title, condition and uptime."""
    runbook: str | None
    """The address of its runbook."""
    maintenance_until: Moment | None
    """Until when it is worked on; null: it is not."""
    uptime: Uptimes
    """How much of the time it was up, over all of its checks."""
    strip: list[Cell]
    """The last 24 hours, the oldest first, the present one last."""


class Systems(Answer):
    """How everything stands."""

    at: Moment
    """When that was so."""
    leads: bool
    """Whether the instance that answers is the one that watches."""
    leader: str | None
    """Who watches, if it is another one, as far as is known."""
    problems: list[str]
    """What the daemon itself suffers from, one sentence each."""
    systems: list[System]
    """Each system."""
