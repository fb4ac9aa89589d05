"""Short ways to write what a channel is asked to send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.model import AlertKey, CheckId, Delivery, EventKind, Notification, Page, Severity

NOW = datetime(2026, 11, 21, 3, 12, 50, tzinfo=UTC)
REMEDY = ("Look at the latest deploy; roll back if it began there.", "See who holds the connections.")


def page(**fields: Any) -> Page:  # noqa: ANN401 - of any field
    """Return a page about an outage of 45 seconds, but for `fields`."""
    known: dict[str, Any] = {
        "title": "CapLiquify: Back end health: down",
        "summary": "status: expected 200, got 502",
        "system": "capliquify",
        "check": "backend",
        "alert": "down",
        "since": NOW - timedelta(seconds=45),
        "trend": "▁▁▂·▅█",
        "beside": ("CapLiquify: Database: no data",),
        "remedy": REMEDY,
        "links": (("Runbook", "https://example.com/runbook"),),
    }
    return Page(**known | fields)


def notification(
    number: int = 0,
    kind: EventKind = EventKind.OPENED,
    severity: Severity = Severity.CRITICAL,
    *,
    about: Page | None = None,
    **fields: Any,  # noqa: ANN401 - of any field
) -> Notification:
    """Return a notification about `about`, decided at NOW."""
    about = about or page()
    key = AlertKey(CheckId(about.system, about.check), about.alert, about.labels)
    known = {"quiet": kind in {EventKind.RESOLVED, EventKind.REMOVED, EventKind.EASED}} | fields
    return Notification(f"n{number:03}", "ops", f"incident{number}", key, kind, severity, NOW, about, **known)


def delivery(*notifications: Notification, uncertain: bool = False) -> Delivery:
    """Return a delivery of `notifications`, or of one outage."""
    return Delivery("0123456789abcdef", notifications or (notification(),), uncertain)


def storm(count: int) -> Delivery:
    """Return a delivery of `count` outages in one system."""
    about = (page(title=f"Shop: Page {number}: down", system="shop", check=f"page{number}") for number in range(count))
    return delivery(*(notification(number, about=one) for number, one in enumerate(about)))
