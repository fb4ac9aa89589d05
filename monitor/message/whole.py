"""How a delivery reads as a whole: one alert in full, or several, the worst first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.kinship import in_common
from monitor.message.entry import MOST_BESIDE, Entry, entry_of
from monitor.message.words import COUNTED, ENDED, TOLD_ONCE, UPDATES, loud, name_of
from monitor.model import DOWN, Severity
from monitor.plain import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.model import Delivery, Notification

IN_FULL = 5
"""How many alerts of a collected message are told with their remedy."""
LISTED = 20
"""How many more get a line each; the others are only named."""
UNCERTAIN = "Possibly repeated: this was sent while our database could not be reached."


@dataclass(frozen=True, slots=True)
class Message:
    """How a delivery reads, the worst first.

    `entries` are told in full, `lines` tell of one more alert each, `more` only names the rest. `lead` is the first
    line, `headline` the same without time and remedy. `severity` is the worst that goes on, None if all has ended.
    `shares` is the sentence that says what several have in common; empty: nothing that would explain them.
    """

    headline: str
    lead: str
    severity: Severity | None
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    shares: str = ""

    @property
    def collected(self) -> bool:
        """Return whether this tells of several alerts."""
        return len(self.entries) > 1


def message_of(delivery: Delivery) -> Message:
    """Return how `delivery` reads; times are in UTC, with the date unless it is that of the decision."""
    ordered = sorted(delivery.notifications, key=_weight)
    collected = len(ordered) > 1
    entries = tuple(entry_of(notification, short=collected) for notification in ordered[: IN_FULL + LISTED])
    going_on = [notification for notification in ordered if notification.kind not in ENDED]
    headline = _count_line(ordered) if collected else entries[0].headline
    failing = [notification.page.shares for notification in going_on if notification.kind not in TOLD_ONCE]
    shares = in_common(failing) if collected else ""
    first = f"{headline}. {f'{shares} ' if shares else ''}First: {entries[0].lead}"
    return Message(
        headline=headline,
        lead=first if collected else entries[0].lead,
        severity=max((notification.severity for notification in going_on), default=None),
        entries=entries[:IN_FULL],
        notes=(UNCERTAIN,) if delivery.uncertain else (),
        lines=tuple(" ".join((entry.line, *entry.notes)) for entry in entries[IN_FULL:]),
        more=tuple(_named(notification) for notification in ordered[IN_FULL + LISTED :]),
        shares=shares,
    )


def _weight(notification: Notification) -> tuple[bool, bool, int, datetime, str]:
    """Order what goes on before updates and what has ended, then the worst, then the oldest."""
    kind = notification.kind
    return kind in ENDED, kind in UPDATES, -notification.severity, notification.at, notification.id


def _count_line(notifications: Sequence[Notification]) -> str:
    counts = Counter(COUNTED.get(one.kind) or loud(one.severity) for one in notifications)
    parts = ", ".join(f"{count} {word}" for word, count in counts.items())
    systems = list(dict.fromkeys(plain(one.page.system, 40) for one in notifications))
    shown = ", ".join(systems[:MOST_BESIDE]) + (
        f" and {len(systems) - MOST_BESIDE} more" * (len(systems) > MOST_BESIDE)
    )
    return f"{parts} in {shown}"


def _named(notification: Notification) -> str:
    """Return the name for a list of many, shorter where nothing needs to be said."""
    name = name_of(notification.page)
    if word := COUNTED.get(notification.kind):
        return f"{name} ({word})"
    return name.removesuffix(f" {DOWN}")
