"""What follows from what people do: who takes an alert, what is silenced, what fixed it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor import drill
from monitor.model import DOWN, OURS, Acknowledgement, AlertKey, CheckId, Deed, Event, EventKind, Severity, Silence
from monitor.situation import Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from monitor.model import Act, Scope
    from monitor.situation import Situation

TAKEN_FOR = timedelta(hours=4)
"""After so long an acknowledgement lapses, unless it says otherwise."""
SILENT_FOR = timedelta(hours=1)
SILENCE = "silence"
EVERY = "*"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from an act: what becomes of alerts, the silences as they are now, and a sentence for the person.

    `noted` are the alerts that the act's text is a note about.
    """

    said: str
    decision: Decision = field(default_factory=Decision)
    silences: tuple[Silence, ...] = ()
    noted: tuple[AlertKey, ...] = ()


def outcome(situation: Situation, act: Act, now: datetime) -> Outcome:
    """Return what follows from `act`; one that comes again changes nothing."""
    return _OUTCOMES[act.deed](situation, act, now)


def journalled(silence: Silence, kind: EventKind, now: datetime) -> Event:
    """Return the line of the journal that says what became of a silence."""
    place = CheckId(silence.scope.system or OURS, silence.scope.check or EVERY)
    word = "maintenance" if silence.maintenance else "silence"
    why = f": {silence.why}" if silence.why else ""
    detail = f"{word} of {silence.scope} until {moment(silence.until)}, by {silence.who}{why}"
    return Event(AlertKey(place, SILENCE), now, kind, detail=detail)


def moment(at: datetime) -> str:
    """Return a moment as people read it."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _acknowledge(situation: Situation, act: Act, now: datetime) -> Outcome:
    until = act.until or now + TAKEN_FOR
    firing = [alert for alert in situation.covered(act) if alert.severity is not None]
    drills = [alert for alert in firing if alert.drill is not None]
    if not firing:
        return Outcome(_nothing(act.scope, over=bool(act.incident)))
    if until <= now:
        return Outcome("An acknowledgement must end in the future.")
    decision = Decision()
    for alert in firing:
        taken = Acknowledgement(act.who, now, alert.severity or Severity.CRITICAL, until, act.why)
        before = alert.acknowledged
        if before is None or replace(before, at=now) != taken:
            decision.join(situation.acknowledge(alert, taken, now))
    if firing == drills:
        return Outcome(f"{firing[0].title}: the drill is over, taken by {act.who}.", decision)
    what = firing[0].title if len(firing) == 1 else f"{len(firing)} alerts"
    return Outcome(f"{what}: taken by {act.who} until {moment(until)}.", decision)


def _silence(situation: Situation, act: Act, now: datetime) -> Outcome:
    until = act.until or now + SILENT_FOR
    if act.id in situation.silences:
        return Outcome(f"{act.scope} is silent already, until {moment(situation.silences[act.id].until)}.")
    if until <= now:
        return Outcome("A silence must end in the future.")
    silence = Silence(act.id, act.scope, now, until, act.who, act.why, maintenance=act.maintenance)
    said = (
        f"{act.scope}: silent until {moment(until)}. What still fires then is told; ends of what was told still come."
    )
    return Outcome(said, Decision(events=[journalled(silence, EventKind.SILENCED, now)]), (silence,))


def _lift(situation: Situation, act: Act, now: datetime) -> Outcome:
    """End the silence that the act names in place of an incident, or those of exactly its scope."""
    meant = [
        replace(silence, until=now)
        for silence in situation.silences.values()
        if now < silence.until and (silence.id == act.incident if act.incident else silence.scope == act.scope)
    ]
    if not meant:
        return Outcome(f"No silence of {act.scope} is in force.")
    events = [journalled(replace(silence, who=act.who), EventKind.LIFTED, now) for silence in meant]
    return Outcome(f"{meant[0].scope}: no longer silent.", Decision(events=events), tuple(meant))


def _note(situation: Situation, act: Act, now: datetime) -> Outcome:
    keys = [alert.key for alert in situation.covered(act) if alert.drill is None]
    if not keys and not act.scope.check:
        return Outcome("A note needs a check, such as shop/site.")
    if not keys or act.incident:
        keys = [AlertKey(CheckId(act.scope.system, act.scope.check), act.scope.alert or DOWN, act.scope.labels)]
    said = f"{act.why} ({act.who})"
    events = [Event(key, now, EventKind.NOTED, detail=said) for key in keys]
    return Outcome("Noted; the next message about it says so.", Decision(events=events), noted=tuple(keys))


def _run(_situation: Situation, act: Act, _now: datetime) -> Outcome:
    return Outcome(f"{act.scope} was asked to run.")


def _drill(situation: Situation, act: Act, now: datetime) -> Outcome:
    """Begin a drill; one that waited for a daemon for long is left out, since nobody expects it any more."""
    check = CheckId(act.scope.system, act.scope.check)
    if check not in situation.watched:
        return Outcome(f"There is no check {check} to drill.")
    before = situation.board.get(drill.key_of(check))
    if before is not None and before.drill is not None:
        return Outcome(drill.refusal(before, before.drill))
    if now - act.at > drill.STALE:
        return Outcome(f"A drill that was asked for at {moment(act.at)} does not begin any more.")
    return Outcome(f"A drill of {check} begins.", situation.begin_drill(act, now))


def _nothing(scope: Scope, *, over: bool) -> str:
    return "That incident is over." if over else f"Nothing of {scope} fires now."


_OUTCOMES: Mapping[Deed, Callable[[Situation, Act, datetime], Outcome]] = {
    Deed.ACKNOWLEDGE: _acknowledge,
    Deed.SILENCE: _silence,
    Deed.LIFT: _lift,
    Deed.NOTE: _note,
    Deed.RUN: _run,
    Deed.DRILL: _drill,
}
