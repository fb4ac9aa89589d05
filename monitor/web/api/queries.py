"""What the addresses that show may be asked for."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from monitor.web.asked import Asked, Moment, Name, Scoped, Since, Span, Whole

PLACE = "/api/v1"
CHECK = f"{PLACE}/systems/{{system}}/checks/{{check}}"
DAY = timedelta(days=1)
MOST_SAMPLES = 1_000


class SamplesAsked(Asked):
    """Which samples."""

    since: Since = Field(default=DAY, json_schema_extra={"default": "24h"})
    """Those after this moment, or of so long until now."""
    until: Moment | None = Field(default=None, json_schema_extra={"default": None})
    """Those until this moment; the answer's `next_until` here asks for what came before."""
    limit: Whole = Field(default=100, ge=1, le=MOST_SAMPLES)
    """At most so many, the newest."""


class PlotAsked(Asked):
    """Which plot."""

    measure: Name = Field(min_length=1, examples=["duration"])
    """The measure: one of the check's `measures`."""
    span: Span = Field(default=DAY, json_schema_extra={"default": "24h"})
    """Of so long until now."""


class IncidentsAsked(Scoped):
    """Which incidents."""

    since: Since = Field(default=7 * DAY, json_schema_extra={"default": "7d"})
    """What happened after this moment, or in so long until now."""


class DeploysAsked(Asked):
    """Which deploys."""

    since: Since = Field(default=30 * DAY, json_schema_extra={"default": "30d"})
    """Those after this moment, or of so long until now."""
    system: Name = ""
    """Only of this system."""
