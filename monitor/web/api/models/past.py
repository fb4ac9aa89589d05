"""What the API says of what happened: incidents, deploys, reports of jobs."""

from __future__ import annotations

from pydantic import Field

from monitor.model import EventKind, Reason, State
from monitor.view import Condition
from monitor.web.api.models.base import Answer, Labels, Level, Moment


class Taker(Answer):
    """Who took an incident."""

    who: str
    """Who."""
    at: Moment
    """When."""
    until: str | None
    """Until when, in words; null: not known."""
    why: str
    """Why, or how; may be empty."""


class Event(Answer):
    """A line of the journal."""

    at: Moment
    """When."""
    kind: EventKind
    """What changed."""
    severity: Level | None
    """To which severity."""
    value: float | None
    """At which value."""
    detail: str
    """Why, in words; may be empty."""


class Attempt(Answer):
    """An attempt to deliver a message."""

    at: Moment
    """When."""
    result: str
    """`begun`, `delivered`, `retry`, `rejected` or `superseded`."""
    reason: str
    """Why it was not delivered; may be empty."""


class Message(Answer):
    """A message about an incident."""

    at: Moment
    """When it was decided."""
    channel: str
    """To whom."""
    kind: EventKind
    """What it tells of."""
    severity: Level
    """How bad."""
    title: str
    """Its title."""
    value: str | None
    """The value that it tells, for people."""
    fallback_for: str | None
    """The channel that it stands in for."""
    delivered_at: Moment | None
    """When it was taken."""
    attempts: list[Attempt]
    """How that went."""


class Incident(Answer):
    """One alert from its opening to its end, with every change and every message."""

    incident: str | None
    """Its id; null: it began before what is kept."""
    title: str
    """What messages call it."""
    system: str
    """The system."""
    check: str
    """The check."""
    alert: str
    """`down`, `no data`, or the name of a threshold."""
    labels: Labels
    """The series."""
    severity: Level | None
    """The worst that it was."""
    opened_at: Moment | None
    """When it began; null: before what is kept."""
    ended_at: Moment | None
    """When it ended; null: it goes on, or its end was not noted."""
    resolved: bool
    """Whether it was seen to recover."""
    goes_on: bool
    """Whether it still fires."""
    seconds_to_resolve: float | None
    """How long it lasted, if it was resolved."""
    seconds_to_acknowledge: float | None
    """From the first message that was taken to the first acknowledgement."""
    acknowledged: list[Taker]
    """Who took it."""
    changes: list[Event]
    """What happened to it, the oldest first."""
    messages: list[Message]
    """Who was told of it."""


class Incidents(Answer):
    """What happened, the newest first."""

    since: Moment
    """From when on."""
    incidents: list[Incident]
    """Each incident."""


class Step(Answer):
    """A part of a system that changed."""

    part: str
    """Its name; empty: the system."""
    before: str
    """Its version before; empty: not known."""
    now: str
    """Its version now; empty: not known."""


class Deploy(Answer):
    """A release of a system, as it was noticed."""

    id: str
    """What it is known by."""
    system: str
    """The system."""
    at: Moment
    """When it was noticed."""
    version: str
    """What runs now, in words."""
    steps: list[Step]
    """What changed."""
    back: bool
    """Whether it went back to an earlier version."""
    failed: bool | None
    """Whether one of the checks that are run after a deploy failed; null: they did not run."""
    protocol: list[str]
    """How they ended, a line each."""


class Deploys(Answer):
    """Deploys, the newest first."""

    since: Moment
    """From when on."""
    deploys: list[Deploy]
    """Each deploy."""


class Ended(Answer):
    """How a run of a job ended."""

    at: Moment
    """When that was reported."""
    good: bool
    """Whether it succeeded."""
    exit_status: int | None
    """Its exit status, if it told one."""
    took_seconds: float | None
    """How long it ran, if its start was reported."""


class Heartbeat(Answer):
    """A job that reports its runs, and when it did so last."""

    system: str
    """The system."""
    check: str
    """The check."""
    title: str
    """What people call it."""
    condition: Condition
    """How it stands, in one word."""
    state: State | None
    """What its newest look said."""
    reason: Reason | None
    """Why it is not up."""
    by: str = Field(json_schema_extra={"enum": ["http", "database"]})
    """Where it reports: here, or as rows of a database, of which only the last success is known."""
    last_success_at: Moment | None
    """When it last succeeded."""
    last_end: Ended | None
    """How the run that ended last did; null: none was reported."""
    running_since: Moment | None
    """When the oldest of its runs began that is under way."""


class Heartbeats(Answer):
    """The jobs that report their runs."""

    heartbeats: list[Heartbeat]
    """Each job."""
