"""An alert as Alertmanager writes it, in what it sends and in what it takes: labels, annotations, moments."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from monitor.message import UNCERTAIN, notes, steps_of, steps_text
from monitor.plain import plain, safe_links

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.model import Notification

RUNBOOK = "runbook"


def labels_of(notification: Notification) -> dict[str, str]:
    """Return the labels of an alert: those of its measure, and ours, which none of them hides."""
    page = notification.page
    return {
        **{plain(name): plain(value) for name, value in page.labels},
        "alertname": plain(page.alert),
        "system": plain(page.system),
        "check": plain(page.check),
        "severity": str(notification.severity),
    }


def annotations_of(notification: Notification, *, uncertain: bool, shares: str = "") -> dict[str, str]:
    """Return what people read of an alert, `shares` with others; what is empty is left out."""
    page = notification.page
    said = (page.summary, page.value and f"value {page.value}", page.figure and f"figure {page.figure}")
    runbook = next((address for label, address in safe_links(page.links) if label.lower() == RUNBOOK), "")
    annotations = {
        "summary": plain(page.title),
        "description": "; ".join(plain(text) for text in said if text),
        "context": "; ".join(plain(text) for text in page.beside),
        "shared": shares,
        "remedy": steps_text(steps_of(page)),
        "runbook_url": runbook,
        "note": " ".join((*notes(notification), *([UNCERTAIN] if uncertain else []))),
    }
    return {name: text for name, text in annotations.items() if text}


def moment(when: datetime) -> str:
    """Return a moment as Go writes it, in UTC."""
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")
