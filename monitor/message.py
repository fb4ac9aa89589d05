"""How a delivery reads: plain text in order of weight, the same for every channel. Pure.

Whoever is woken must see in the first line what is broken, how bad it is, since when and what to do first. `message_of`
turns a delivery into a `Message`, every text in it already cleaned (`plain.py`). A channel gives it the form of its
medium, and escapes for that medium.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

from monitor.model import DOWN, EventKind, Severity
from monitor.plain import plain, plain_lines, safe_links
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from monitor.model import Delivery, Notification, Page

IN_FULL = 5
"""How many alerts of a collected message are told with their remedy."""
LISTED = 20
"""How many more get a line each; the others are only named."""
LONGEST_TITLE = 200
LONGEST_SUMMARY = 1_000
LONGEST_SUMMARY_COLLECTED = 300
LONGEST_FACT = 300
LONGEST_STEP = 20_000
LONGEST_STEP_COLLECTED = 300
MOST_STEPS = 50
MOST_STEPS_COLLECTED = 3
MOST_BESIDE = 5
MOST_LINKS = 5
LONGEST_FIRST_STEP = 140
ENDED = frozenset({EventKind.RESOLVED, EventKind.REMOVED})
ASIDE = frozenset({EventKind.ACKNOWLEDGED, EventKind.SILENCED, EventKind.LIFTED, EventKind.ANSWERED, EventKind.NOTED})
"""What is told about an alert that is neither better nor worse for it, and so rings nobody, whatever its severity."""
TOLD_ONCE = frozenset({EventKind.REPORTED, EventKind.ANNOUNCED})
"""What is no alert, and has no end."""
BLOCKS = "▁▂▃▄▅▆▇█"
GAP = "·"
UNCERTAIN = "Possibly repeated: this was sent while our database could not be reached."


@dataclass(frozen=True, slots=True)
class Entry:
    """How one notification reads. `name` is short (`shop/site down`), `when` a phrase, `notes` what is unusual here."""

    severity: Severity
    ended: bool
    headline: str
    when: str
    name: str
    notes: tuple[str, ...] = ()
    summary: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    steps: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    @property
    def lead(self) -> str:
        """Return the line to read if only one is read: what, how bad, since when, what to do first."""
        return f"{self.line} Do: {plain(self.steps[0], LONGEST_FIRST_STEP)}" if self.steps else self.line

    @property
    def line(self) -> str:
        """Return one line without the remedy."""
        return f"{self.headline}, {self.when}."


@dataclass(frozen=True, slots=True)
class Message:
    """How a delivery reads, the worst first.

    `entries` are told in full, `lines` tell of one more alert each, `more` only names the rest. `lead` is the first
    line, `headline` the same without time and remedy. `severity` is the worst that goes on, None if all has ended.
    """

    headline: str
    lead: str
    severity: Severity | None
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    more: tuple[str, ...] = ()

    @property
    def collected(self) -> bool:
        """Return whether this tells of several alerts."""
        return len(self.entries) > 1


def message_of(delivery: Delivery) -> Message:
    """Return how `delivery` reads; times are in UTC, with the date unless it is that of the decision."""
    ordered = sorted(delivery.notifications, key=_weight)
    collected = len(ordered) > 1
    entries = tuple(_entry(notification, short=collected) for notification in ordered[: IN_FULL + LISTED])
    going_on = [notification.severity for notification in ordered if notification.kind not in ENDED]
    headline = _count_line(ordered) if collected else entries[0].headline
    return Message(
        headline=headline,
        lead=f"{headline}. First: {entries[0].lead}" if collected else entries[0].lead,
        severity=max(going_on, default=None),
        entries=entries[:IN_FULL],
        notes=(UNCERTAIN,) if delivery.uncertain else (),
        lines=tuple(" ".join((entry.line, *entry.notes)) for entry in entries[IN_FULL:]),
        more=tuple(_named(notification) for notification in ordered[IN_FULL + LISTED :]),
    )


def as_text(message: Message) -> str:
    """Return `message` as plain text, the most important line first."""
    parts = ["\n".join((message.lead, *message.notes))]
    if message.collected:
        parts += [f"{entry.line}\n{entry_text(entry)}" for entry in message.entries]
    else:
        parts.append(entry_text(message.entries[0]))
    parts.append("\n".join(f"- {line}" for line in message.lines))
    parts.append(more_text(message))
    return "\n\n".join(part for part in parts if part) + "\n"


def entry_text(entry: Entry) -> str:
    """Return what is to be said of `entry` below its headline, as plain text."""
    facts = [f"{name}: {value}" for name, value in entry.facts]
    links = [f"{label}: {address}" for label, address in entry.links]
    remedy = ["What to do", steps_text(entry.steps)] if entry.steps else []
    said = [line for line in (*entry.notes, entry.summary) if line]
    return "\n\n".join("\n".join(part) for part in (said, facts, remedy, links) if part)


def steps_text(steps: Sequence[str]) -> str:
    """Return `steps` one below the other, numbered if there are several; a step's further lines are set in."""
    if len(steps) == 1:
        return steps[0].replace("\n", "\n   ")
    return "\n".join(f"{number}. {step}".replace("\n", "\n   ") for number, step in enumerate(steps, 1))


def more_text(message: Message) -> str:
    """Return the sentence that names what did not fit, or nothing."""
    return f"and {len(message.more)} more: {', '.join(message.more)}" if message.more else ""


def sparkline(values: Sequence[float | None]) -> str:
    """Return the shape of `values`, oldest first: `▁▂·█`; a gap is None or not finite, nothing but gaps is no text."""
    known = [value for value in values if _finite(value)]
    if not known:
        return ""
    low, high = min(known), max(known)
    # Halves, because the distance of two large numbers may be more than a float can hold.
    span = high / 2 - low / 2
    top = len(BLOCKS) - 1

    def block(value: float | None) -> str:
        if not _finite(value):
            return GAP
        return BLOCKS[round((value / 2 - low / 2) / span * top)] if span else BLOCKS[0]

    return "".join(block(value) for value in values)


def _weight(notification: Notification) -> tuple[bool, int, datetime, str]:
    """Order what goes on before what has ended, then the worst, then the oldest."""
    return notification.kind in ENDED, -notification.severity, notification.at, notification.id


def _count_line(notifications: Sequence[Notification]) -> str:
    words = {EventKind.RESOLVED: "resolved", EventKind.REMOVED: "removed"}
    counts = Counter(words.get(one.kind) or _loud(one.severity) for one in notifications)
    parts = ", ".join(f"{count} {word}" for word, count in counts.items())
    systems = list(dict.fromkeys(plain(one.page.system, 40) for one in notifications))
    shown = ", ".join(systems[:MOST_BESIDE]) + (
        f" and {len(systems) - MOST_BESIDE} more" * (len(systems) > MOST_BESIDE)
    )
    return f"{parts} in {shown}"


def _entry(notification: Notification, *, short: bool) -> Entry:
    page = notification.page
    longest, most = (LONGEST_STEP_COLLECTED, MOST_STEPS_COLLECTED) if short else (LONGEST_STEP, MOST_STEPS)
    ended = notification.kind in ENDED
    steps = [] if ended else [plain_lines(step, longest) for step in page.remedy[:most]]
    return Entry(
        severity=notification.severity,
        ended=ended,
        headline=_headline(notification),
        when=_when(notification),
        name=_name(page),
        notes=notes(notification),
        summary=plain(page.summary, LONGEST_SUMMARY_COLLECTED if short else LONGEST_SUMMARY),
        facts=tuple(_facts(page, notification.at, () if short else page.beside)),
        steps=tuple(step for step in steps if step),
        links=safe_links(page.links)[:MOST_LINKS],
    )


def _headline(notification: Notification) -> str:
    title = plain(notification.page.title, LONGEST_TITLE)
    severity = notification.severity
    lasted = _lasted(notification)
    after = f" after {lasted}" if lasted else ""
    match notification.kind:
        case EventKind.RESOLVED:
            return f"Resolved{after}: {title}"
        case EventKind.REMOVED:
            return f"Removed from the configuration: {title}"
        case EventKind.REPEATED:
            return f"Still {severity}{after}: {title}"
        case EventKind.WORSENED:
            return f"Worse, now {_loud(severity)}: {title}"
        case EventKind.EASED:
            return f"Eased to {severity}: {title}"
        case _:
            word = _loud(severity)
            return f"{word[0].upper()}{word[1:]}: {title}"


def notes(notification: Notification) -> tuple[str, ...]:
    """Return what is unusual about how `notification` comes."""
    found = []
    if notification.missed:
        found.append(
            f"This is the first you hear of it: it was {notification.severity}, but no earlier message got through."
        )
    if notification.fallback_for:
        found.append(f"You get this because {plain(notification.fallback_for, 60)} did not accept it.")
    return tuple(found)


def _facts(page: Page, at: datetime, beside: Sequence[str]) -> Iterable[tuple[str, str]]:
    titles = [plain(title, LONGEST_TITLE) for title in beside[:MOST_BESIDE]]
    if len(beside) > MOST_BESIDE:
        titles.append(f"{len(beside) - MOST_BESIDE} more")
    facts = (
        ("Value", plain(page.value, LONGEST_FACT)),
        ("Figure", plain(page.figure, LONGEST_FACT)),
        ("Last hour", plain(page.trend, LONGEST_FACT)),
        ("At that time", "; ".join(titles)),
        ("Alert", f"{_name(page)}, as of {_moment(at, at)} UTC"),
    )
    return (fact for fact in facts if fact[1])


def _name(page: Page) -> str:
    return plain(f"{page.system}/{page.check} {page.alert}", 120)


def _named(notification: Notification) -> str:
    """Return the name for a list of many, shorter where nothing needs to be said."""
    name = _name(notification.page)
    if notification.kind in ENDED:
        return f"{name} ({notification.kind})"
    return name.removesuffix(f" {DOWN}")


def _when(notification: Notification) -> str:
    since, at = notification.page.since, notification.at
    if since is None:
        return f"at {_moment(at, at)} UTC"
    if notification.kind in ENDED:
        return f"from {_moment(since, at)} to {_moment(notification.page.until or at, at)} UTC"
    lasted = _lasted(notification)
    told = lasted and notification.kind is not EventKind.REPEATED
    return f"since {_moment(since, at)} UTC" + (f" ({lasted})" if told else "")


def _lasted(notification: Notification) -> str:
    """Return how long it has gone on, or went on; nothing if that is not known or not a second."""
    since = notification.page.since
    if since is None:
        return ""
    seconds = round(((notification.page.until or notification.at) - since).total_seconds())
    return show_duration(seconds) if seconds > 0 else ""


def _moment(moment: datetime, today: datetime) -> str:
    if moment.date() == today.date():
        return f"{moment:%H:%M}"
    year = f" {moment.year}" if moment.year != today.year else ""
    return f"{moment.day} {moment:%b}{year} {moment:%H:%M}"


def _loud(severity: Severity) -> str:
    return str(severity).upper() if severity is Severity.CRITICAL else str(severity)


def _finite(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)
