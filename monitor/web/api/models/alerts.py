"""What the API says of alerts and silences, and of what became of an act."""

from __future__ import annotations

from pydantic import Field

from monitor.web.api.models.base import Answer, Labels, Level, Moment


class Acknowledged(Answer):
    """That somebody takes an alert."""

    who: str
    """Who."""
    why: str
    """Why, or how; may be empty."""
    at: Moment
    """When that was said."""
    until: Moment
    """When it lapses."""
    severity: Level
    """The severity that it covers; not a worse one."""


class Told(Answer):
    """A channel that is told of an alert."""

    channel: str
    """Its name."""
    severity: Level
    """What it was told last."""
    at: Moment
    """When that was decided."""
    delivered_at: Moment | None
    """When it took its first message of this incident; null: it took none."""


class Alert(Answer):
    """An alert that is live: it fires, or is about to."""

    severity: Level | None
    """How bad it is; null while it does not fire yet."""
    state: str = Field(json_schema_extra={"enum": ["firing", "pending"]})
    """Whether it fires."""
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
    since: Moment | None
    """When it began to fire."""
    value: str | None
    """The value that was told last, for people."""
    figure: str | None
    """The figure that it crosses."""
    incident: str | None
    """The id of the present incident, as `POST /api/v1/acks` takes it."""
    acknowledged: Acknowledged | None
    """Who takes it."""
    silenced_until: Moment | None
    """Nothing new is told of it until then."""
    told: list[Told]
    """Who was told."""


class Alerts(Answer):
    """What is live, the worst first."""

    alerts: list[Alert]
    """Each alert."""


class Silence(Answer):
    """From `since` to `until` nothing new is told of what it covers."""

    id: str
    """What it is known by."""
    system: str | None
    """The system; null: all."""
    check: str | None
    """The check; null: all."""
    alert: str | None
    """The alert; null: all."""
    labels: Labels
    """Labels that an alert must have."""
    since: Moment
    """When it began."""
    until: Moment
    """When it ends."""
    who: str
    """Who silenced."""
    why: str
    """Why; may be empty."""
    maintenance: bool
    """Whether what is down meanwhile counts as no outage."""


class Silences(Answer):
    """The silences that have not ended."""

    silences: list[Silence]
    """Each silence, in the order in which they begin."""


class Done(Answer):
    """What became of an act."""

    id: str
    """Its name: what comes again under the same is done once."""
    done: bool
    """Whether it is done; false: it is noted, and the instance that leads will do it within a second."""
    said: str
    """The same in words."""


class AlertsDone(Done):
    """What became of an acknowledgement."""

    alerts: list[Alert]
    """What is live there now."""


class SilenceDone(Done):
    """What became of a silence."""

    silences: list[Silence]
    """The silence, if it holds now."""
