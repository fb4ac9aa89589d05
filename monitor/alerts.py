"""(alert, verdict) → (alert, events): the state machine of alerts, and everything that moves it.

Two rules keep this readable. Everything that affects a transition stands in this file. And the machine knows nothing of
people: who is told, and whether telling is held back, is routing's business.

An alert has up to three *levels* (info, warning, critical). Each level moves alone, exactly as a Prometheus rule of its
own would: it is PENDING from the first crossing until it was crossed for `for` (and for so many runs), then FIRING;
when the figure is no longer crossed it is KEEPING, still firing, until it was quiet for `keep` (and for so many runs),
which is Prometheus's `keep_firing_for`. The alert's severity is that of the worst level that fires. So a warning that
turns critical is the same alert getting worse, and never a second one.

A check being down is an alert of the same kind: its levels are crossed by each failed run and count runs instead of
time.

What a verdict could not judge (BLIND: the run was unknown, the window holds too little) moves nothing, and the time
around it counts for nothing: `dwell` grows only by the time between two judged moments that lie no further apart than
`gap`. That one rule makes restarts, deploys and our own outages harmless: pending time is neither lost nor invented.

The machine is `TABLE`: (phase, what is seen) → phase. It is total; docs/alerts.md draws it.
"""

from __future__ import annotations

import enum
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.model import Event, EventKind, Level, Outcome, Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.model import Alert, Patience, Severity, Verdict


class Seen(enum.StrEnum):
    """What a verdict shows one level: crossed or quiet, and whether for as long as its patience asks."""

    CROSSED = "crossed"
    CROSSED_LONG = "crossed long enough"
    QUIET = "quiet"
    QUIET_LONG = "quiet long enough"
    BLIND = "not judged"


TABLE: Mapping[tuple[Phase, Seen], Phase] = {
    (Phase.INACTIVE, Seen.CROSSED): Phase.PENDING,
    (Phase.INACTIVE, Seen.CROSSED_LONG): Phase.FIRING,
    (Phase.INACTIVE, Seen.QUIET): Phase.INACTIVE,
    (Phase.INACTIVE, Seen.QUIET_LONG): Phase.INACTIVE,
    (Phase.INACTIVE, Seen.BLIND): Phase.INACTIVE,
    (Phase.PENDING, Seen.CROSSED): Phase.PENDING,
    (Phase.PENDING, Seen.CROSSED_LONG): Phase.FIRING,
    (Phase.PENDING, Seen.QUIET): Phase.INACTIVE,
    (Phase.PENDING, Seen.QUIET_LONG): Phase.INACTIVE,
    (Phase.PENDING, Seen.BLIND): Phase.PENDING,
    (Phase.FIRING, Seen.CROSSED): Phase.FIRING,
    (Phase.FIRING, Seen.CROSSED_LONG): Phase.FIRING,
    (Phase.FIRING, Seen.QUIET): Phase.KEEPING,
    (Phase.FIRING, Seen.QUIET_LONG): Phase.INACTIVE,
    (Phase.FIRING, Seen.BLIND): Phase.FIRING,
    (Phase.KEEPING, Seen.CROSSED): Phase.FIRING,
    (Phase.KEEPING, Seen.CROSSED_LONG): Phase.FIRING,
    (Phase.KEEPING, Seen.QUIET): Phase.KEEPING,
    (Phase.KEEPING, Seen.QUIET_LONG): Phase.INACTIVE,
    (Phase.KEEPING, Seen.BLIND): Phase.KEEPING,
}

WAITING = frozenset({Phase.PENDING, Phase.KEEPING})

_INACTIVE = Level(Phase.INACTIVE, 0, timedelta())
_COUNTS_IN = {Outcome.BREACH: Phase.PENDING, Outcome.CLEAR: Phase.KEEPING}


def step(
    alert: Alert, verdict: Verdict, patience: Mapping[Severity, Patience], gap: timedelta
) -> tuple[Alert, tuple[Event, ...]]:
    """Return the alert after `verdict`, and what changed.

    `patience` says how long each level waits; a level that it does not name (its figure was removed) ends. Judged
    moments further apart than `gap` have a gap between them that counts for nothing.
    """
    elapsed = _elapsed(alert, verdict, gap)
    levels = {}
    for severity, waits in patience.items():
        outcome = verdict.outcomes.get(severity, Outcome.BLIND)
        level = _move(alert.levels.get(severity, _INACTIVE), outcome, waits, elapsed)
        if level.phase is not Phase.INACTIVE:
            levels[severity] = level
    after = _settled(alert, levels, verdict)
    return after, tuple(_events(alert, after, verdict))


def close(alert: Alert) -> Alert:
    """Return `alert` with nothing firing any more, because what it watched is no longer there."""
    return replace(alert, levels={}, judged_at=None, severity=None, changes=(), flapping=False, drill=None)


def _elapsed(alert: Alert, verdict: Verdict, gap: timedelta) -> timedelta:
    if alert.judged_at is None:
        return timedelta()
    elapsed = verdict.at - alert.judged_at
    return elapsed if timedelta() <= elapsed <= gap else timedelta()


def _move(level: Level, outcome: Outcome, patience: Patience, elapsed: timedelta) -> Level:
    if outcome is Outcome.BLIND:
        return level
    counting = level.phase is _COUNTS_IN[outcome]
    count = level.count + 1 if counting else 1
    dwell = level.dwell + elapsed if counting else timedelta()
    phase = TABLE[level.phase, _seen(outcome, count, dwell, patience)]
    return Level(phase, count, dwell) if phase in WAITING else Level(phase, 0, timedelta())


def _seen(outcome: Outcome, count: int, dwell: timedelta, patience: Patience) -> Seen:
    if outcome is Outcome.BREACH:
        enough = count >= patience.breaches and dwell >= patience.for_
        return Seen.CROSSED_LONG if enough else Seen.CROSSED
    enough = count >= patience.clears and dwell >= patience.keep
    return Seen.QUIET_LONG if enough else Seen.QUIET


def _settled(alert: Alert, levels: dict[Severity, Level], verdict: Verdict) -> Alert:
    severity = max((severity for severity, level in levels.items() if level.phase.fires), default=None)
    waiting = any(level.phase in WAITING for level in levels.values())
    judged = any(outcome is not Outcome.BLIND for outcome in verdict.outcomes.values())
    since = alert.since
    if severity is None and alert.announced is None:
        since = None
    elif severity is not None and since is None:
        since = verdict.at
    return replace(
        alert, levels=levels, judged_at=verdict.at if waiting and judged else None, severity=severity, since=since
    )


def _events(before: Alert, after: Alert, verdict: Verdict) -> list[Event]:
    kind = _kind(before, after)
    if kind is None:
        return []
    severity = after.severity or before.severity or max(after.levels or before.levels)
    return [Event(after.key, verdict.at, kind, severity, verdict.value)]


def _kind(before: Alert, after: Alert) -> EventKind | None:
    was, now = before.severity, after.severity
    kind: EventKind | None = None
    if was is None and now is None:
        if bool(before.levels) != bool(after.levels):
            kind = EventKind.PENDING if after.levels else EventKind.CANCELLED
    elif was is None:
        kind = EventKind.OPENED
    elif now is None:
        kind = EventKind.RESOLVED
    elif now != was:
        kind = EventKind.WORSENED if now > was else EventKind.EASED
    return kind
