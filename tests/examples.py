"""Short ways to write the nouns in tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from monitor.model import (
    AlertKey,
    CheckId,
    EventKind,
    Measure,
    Notification,
    Page,
    Reason,
    Sample,
    Severity,
    State,
    stable_id,
)
from tests.fakes import START

if TYPE_CHECKING:
    from datetime import datetime

SECOND = timedelta(seconds=1)
SITE = CheckId("shop", "site")


def sample(
    at: float | datetime, state: State = State.UP, *measures: Measure, check: CheckId = SITE, detail: str = ""
) -> Sample:
    """Return a sample of `check` that ended `at` seconds after the start."""
    reason = {State.UP: None, State.DOWN: Reason.STATUS, State.UNKNOWN: Reason.DNS}[state]
    moment = START + at * SECOND if isinstance(at, (int, float)) else at
    return Sample(check, moment, SECOND / 10, state, reason, detail, measures)


def left_out(at: float | datetime, check: CheckId = SITE) -> Sample:
    """Return a sample of a run that was left out on purpose."""
    return replace(sample(at, State.UNKNOWN, check=check), reason=None, detail="it sleeps")


def notification(
    incident: str = "incident",
    kind: EventKind = EventKind.OPENED,
    severity: Severity = Severity.CRITICAL,
    *,
    at: float = 0,
    channel: str = "ops",
    **fields: Any,  # noqa: ANN401 - any field
) -> Notification:
    """Return a notification that was decided `at` seconds after the start."""
    key = AlertKey(CheckId("shop", incident), "down")
    quiet = kind in {EventKind.RESOLVED, EventKind.EASED, EventKind.REMOVED}
    page = Page(
        title=f"Shop: {incident}: down",
        summary="status: expected 200, got 502",
        system="shop",
        check=incident,
        alert="down",
        remedy=("Restart it.",),
    )
    known: dict[str, Any] = {"quiet": quiet, "page": page} | fields
    identity = stable_id(incident, kind, severity, at, channel)
    return Notification(identity, channel, incident, key, kind, severity, START + at * SECOND, **known)
