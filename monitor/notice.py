"""The notification that `monitor notify` sends, so that somebody can say "yes, I saw it" before it matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import AlertKey, CheckId, Delivery, EventKind, Notification, Page, Severity, stable_id

if TYPE_CHECKING:
    from datetime import datetime


def trial(channel: str, now: datetime) -> Delivery:
    """Return a delivery to `channel` that looks like a page, says that it is none, and asks for nothing."""
    key = AlertKey(CheckId("monitor", "notify"), "test")
    page = Page(
        title=f"Test of the channel {channel}",
        summary="This is a test. Nothing is wrong.",
        system=key.check.system,
        check=key.check.check,
        alert=key.name,
        since=now,
        remedy=("Did you see this? Tell whoever set it up.",),
    )
    identity = stable_id("test", channel, now.isoformat())
    note = Notification(identity, channel, identity, key, EventKind.OPENED, Severity.INFO, now, page)
    return Delivery(identity, (note,))
