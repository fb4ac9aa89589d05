"""Drills: an alert that is none, to see whether somebody is woken and takes it, and whether every channel works. Pure.

A drill is an alert of its own, and goes the way of every alert. It is over once somebody takes it, or when it is too
late for that. What is unusual is what comes after: whoever was not told hears that nobody took it, and which channel
did not take the message. So it is remembered until every channel that was told has answered, or had the time to.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import (
    DRILL,
    Alert,
    AlertKey,
    AttemptResult,
    CheckId,
    Drill,
    Event,
    EventKind,
    Level,
    Notification,
    Page,
    Phase,
    Severity,
    stable_id,
)
from monitor.plain import plain
from monitor.timetable import moments_of
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from monitor.model import Act, Dispatch, Told

WITHIN = timedelta(minutes=15)
"""How long somebody has to take a drill, unless it says otherwise."""
LEAST, MOST = timedelta(seconds=1), timedelta(days=1)
STALE = timedelta(minutes=5)
"""A drill that was asked for so long ago, while nobody led, does not begin any more: it may be night now."""
LATE = timedelta(hours=1)
"""A planned drill that is later than this is left out."""
GRACE = timedelta(minutes=2)
"""So long after a message had to leave, a channel that has not taken it does not work. Others may be waited for."""
LONGEST_REASON = 200
PLANNED = "the configuration"
REMEDY = (
    "Acknowledge it: with a button here, if there is one, or with `monitor ack {} --alert drill`.",
    "Nothing else is to be done. If nobody takes it, that is reported through the other channels.",
)


class PlannedDrill(NamedTuple):
    """A drill of `check` at every moment of a `cron` expression on the clocks of `zone`."""

    check: CheckId
    cron: str
    zone: str = "UTC"
    severity: Severity = Severity.CRITICAL
    within: timedelta = WITHIN

    def after(self, moment: datetime) -> datetime:
        """Return when it comes next after `moment`."""
        return next(moments_of(self.cron, self.zone, moment))


class Answer(NamedTuple):
    """What a channel said to the messages of a drill.

    `taken_at`: when it took one; `refused`: when, and why, it last did not; `rejected`: it never will. `first`: when
    the first of them had to leave.
    """

    first: datetime
    taken_at: datetime | None = None
    refused: str = ""
    rejected: bool = False

    def answered(self, now: datetime) -> bool:
        """Return whether there is nothing more to be waited for."""
        return self.rejected or self.taken_at is not None or now - self.first >= GRACE

    def fault(self, now: datetime) -> str:
        """Return why the channel does not work; nothing if it does, or may yet."""
        if self.rejected:
            return f"rejected: {self.refused}" if self.refused else "rejected"
        if self.taken_at is not None or now - self.first < GRACE:
            return ""
        waited = show_duration(round((now - self.first).total_seconds()))
        return f"not accepted for {waited}" + (f": {self.refused}" if self.refused else "")

    def __str__(self) -> str:
        """Return it in words."""
        if self.rejected:
            return self.fault(self.first)
        if self.taken_at is not None:
            return f"accepted {self.taken_at:%H:%M:%S}"
        return f"not accepted: {self.refused}" if self.refused else "no answer yet"


class Seen(NamedTuple):
    """What follows from how a drill stands: the alert as it is then, what is reported, and the lines of the journal."""

    alert: Alert
    reports: tuple[Notification, ...] = ()
    events: tuple[Event, ...] = ()


def key_of(check: CheckId) -> AlertKey:
    """Return the key of the drill of `check`."""
    return AlertKey(check, DRILL)


def begin(act: Act, title: str, now: datetime) -> Alert:
    """Return the alert of the drill that `act` asks for of a check that is called `title`."""
    severity = act.severity or Severity.CRITICAL
    within = act.until - act.at if act.until is not None else WITHIN
    return Alert(
        key_of(CheckId(act.scope.system, act.scope.check)),
        f"Drill, nothing is broken: {title}",
        {severity: Level(Phase.FIRING, 0, timedelta())},
        severity=severity,
        since=now,
        drill=Drill(act.id, act.who, now, min(max(within, LEAST), MOST), severity),
    )


def end(alert: Alert, taken_by: str, now: datetime) -> Alert:
    """Return the alert of a drill that is over, before anybody is told: taken by somebody, or (empty) by nobody."""
    if alert.drill is None:
        return alert
    over = replace(alert.drill, over_at=now, taken_by=taken_by, told=alert.told)
    return replace(alert, levels={}, severity=None, drill=over)


def late(alert: Alert, now: datetime) -> bool:
    """Return whether `alert` is a drill that goes on and that nobody took in time."""
    return alert.drill is not None and alert.drill.over_at is None and now >= alert.drill.until


def refusal(alert: Alert, drill: Drill) -> str:
    """Return why another drill of the same check cannot begin while there is this one."""
    since = f"{drill.at:%Y-%m-%d %H:%M:%S} UTC"
    if drill.over_at is not None:
        return f"a drill of {alert.key.check} is over, and waits for what a channel answers; try again in two minutes"
    return f"a drill of {alert.key.check} goes on since {since}, asked for by {drill.who}"


def incident_of(alert: Alert) -> str:
    """Return the id of the incident that a drill is, or was."""
    return replace(alert, since=alert.drill.at if alert.drill else alert.since).incident


def outcome(drill: Drill) -> str:
    """Return in words how a drill that is over ended."""
    if drill.taken_by:
        return f"{drill.taken_by} took it after {_span((drill.over_at or drill.until) - drill.at)}"
    return f"nobody took it within {_span(drill.within)}"


def page(alert: Alert, drill: Drill, now: datetime) -> Page:
    """Return what a message about `drill`, which `alert` is, says."""
    check = alert.key.check
    over = drill.over_at is not None
    asked = f"This is a drill, asked for by {drill.who}; nothing is broken."
    goes_on = f"{asked} Somebody should take it within {_span(drill.within)}."
    return Page(
        alert.title,
        f"Drill over: {outcome(drill)}." if over else goes_on,
        *check,
        DRILL,
        since=drill.at,
        until=now if over else None,
        remedy=() if over else (REMEDY[0].format(check), *REMEDY[1:]),
        taken=None if over else alert.acknowledged,
        rung=None if over else alert.rung_at,
    )


def answers(told: Iterable[Told], incident: str, dispatches: Iterable[Dispatch]) -> dict[str, Answer]:
    """Return what each channel that was `told` said to the messages about `incident`."""
    found = {one.channel: Answer(one.at) for one in told}
    ours = [one for one in dispatches if one.notification.incident == incident]
    for one in sorted(ours, key=lambda one: (one.notification.at, one.notification.id)):
        note = one.notification
        before = found.get(note.channel)
        leaves = note.leaves or note.at
        first = leaves if before is None else min(before.first, leaves)
        found[note.channel] = _answer(before or Answer(first), one)._replace(first=first)
    return found


def look(
    alert: Alert, known: Mapping[str, Answer], takers: Callable[[Severity], Collection[str]], now: datetime
) -> Seen:
    """Return what follows from what the channels said to the drill `alert`.

    `takers` returns the channels that are told of a severity. The drill is forgotten, and the alert idle, once there is
    nothing more to be seen; what waits for a digest is not waited for.
    """
    drill = alert.drill
    if drill is None:
        return Seen(alert)
    faults = {name: fault for name, one in known.items() if name not in drill.named and (fault := one.fault(now))}
    failed = drill.over_at is not None and not drill.taken_by and not drill.reported
    made = [_of_faults(alert, drill, faults)] if faults else []
    made += [_of_failure(alert, drill, known)] if failed else []
    seen: Drill | None = replace(drill, named=(*drill.named, *sorted(faults)), reported=drill.reported or failed)
    waited = drill.over_at is not None and now - drill.over_at >= GRACE
    if waited or (drill.over_at is not None and all(one.answered(now) for one in known.values())):
        seen = None
    return Seen(
        replace(alert, drill=seen),
        tuple(note for one in made for note in one.to(alert, _others(known, takers(one.severity)), now)),
        tuple(Event(alert.key, now, EventKind.REPORTED, one.severity, detail=one.said) for one in made),
    )


class _Report(NamedTuple):
    """What is reported: in a line of the journal, and as a page. `topic` tells it from other reports of the drill."""

    topic: str
    said: str
    severity: Severity
    page: Page

    def to(self, alert: Alert, channels: Iterable[str], now: datetime) -> Iterator[Notification]:
        """Yield the same message for each of `channels`; its incident is another than the drill's."""
        incident, kind = stable_id(incident_of(alert), self.topic), EventKind.REPORTED
        for name in channels:
            identity = stable_id(incident, name)
            yield Notification(identity, name, incident, alert.key, kind, self.severity, now, self.page)


def _answer(before: Answer, one: Dispatch) -> Answer:
    for attempt in one.attempts:
        if attempt.result is AttemptResult.DELIVERED:
            before = before._replace(taken_at=before.taken_at or attempt.at)
        elif attempt.result in {AttemptResult.RETRY, AttemptResult.REJECTED}:
            rejected = before.rejected or attempt.result is AttemptResult.REJECTED
            before = before._replace(refused=plain(attempt.reason, LONGEST_REASON), rejected=rejected)
    return before


def _of_faults(alert: Alert, drill: Drill, faults: Mapping[str, str]) -> _Report:
    names, said = ", ".join(sorted(faults)), "; ".join(f"{name}: {faults[name]}" for name in sorted(faults))
    title = f"Drill: {names} did not take the message: {_subject(alert)}"
    summary = f"{said}. A drill found it; of a real alert nobody would hear there either."
    remedy = tuple(f"Mend the channel {name}, then try it: `monitor notify {name}`." for name in sorted(faults))
    page = Page(title, summary, *alert.key.check, DRILL, remedy=remedy)
    return _Report(names, said, min(drill.severity, Severity.WARNING), page)


def _of_failure(alert: Alert, drill: Drill, known: Mapping[str, Answer]) -> _Report:
    title = f"Drill failed, {outcome(drill)}: {_subject(alert)}"
    each = "; ".join(f"{name} at {one.first:%H:%M:%S}, {one}" for name, one in known.items())
    summary = f"Told: {each}. Times are in UTC." if each else "No route told anybody of it."
    broken = [name for name, one in sorted(known.items()) if one.rejected or one.taken_at is None]
    remedy = (
        "Find out why nobody took it: had it been real, it would still go on.",
        *(f"Mend the channel {name}, then try it: `monitor notify {name}`." for name in broken),
    )
    page = Page(title, summary, *alert.key.check, DRILL, remedy=remedy)
    return _Report("failed", outcome(drill), drill.severity, page)


def _others(known: Mapping[str, Answer], takers: Collection[str]) -> list[str]:
    """Return who hears what is wrong: who was not told; if there is nobody, who took the message; else all."""
    taken = [name for name, one in known.items() if one.taken_at is not None and not one.rejected]
    return [name for name in takers if name not in known] or taken or list(known)


def _subject(alert: Alert) -> str:
    return alert.title.partition(": ")[2] or str(alert.key.check)


def _span(span: timedelta) -> str:
    return show_duration(max(round(span.total_seconds()), 1))
