"""What a drill comes to, line by line as it happens, for whoever asked for it: read from the store alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.drill import answers, incident_of, key_of, refusal
from monitor.live import stamp
from monitor.model import AttemptResult, CheckId, EventKind
from monitor.plain import plain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from datetime import datetime

    from monitor.clock import Clock
    from monitor.drill import Answer
    from monitor.model import Act, Alert, AlertKey, Dispatch, Drill, Event
    from monitor.store import Store

LOOK = timedelta(milliseconds=500)
REPORTS_WITHIN = timedelta(minutes=2)
"""So long after the end it is waited for the channels to take the reports."""
MOST_MESSAGES = 2_000
MOMENT = timedelta(microseconds=1)
WORDS = {
    AttemptResult.DELIVERED: "accepted it",
    AttemptResult.RETRY: "refused it",
    AttemptResult.REJECTED: "rejected it",
    AttemptResult.SUPERSEDED: "was not sent it, since there was newer",
}
"""What is said of an attempt; that one began is not."""


class Line(NamedTuple):
    """Something that happened; `bad`: it should not have."""

    at: datetime
    text: str
    bad: bool = False

    def __str__(self) -> str:
        return f"{stamp(self.at)}  {self.text}"


async def refused(store: Store, check: CheckId) -> str:
    """Return why no drill of `check` can begin now; nothing if one can."""
    alert = await _drill_of(store, key_of(check))
    return refusal(alert, alert.drill) if alert is not None and alert.drill is not None else ""


@dataclass(slots=True)
class Followed:
    """The drill that `act` asked for, as far as it was seen."""

    store: Store
    act: Act
    clock: Clock
    alert: Alert | None = None
    known: dict[str, Answer] = field(default_factory=dict)

    @property
    def key(self) -> AlertKey:
        """Return the key of its alert."""
        return key_of(CheckId(self.act.scope.system, self.act.scope.check))

    @property
    def drill(self) -> Drill | None:
        """Return it as it was seen last; None: it was never seen."""
        return self.alert.drill if self.alert is not None else None

    async def begun(self) -> bool:
        """Return whether it goes on, or went on."""
        alert = await _drill_of(self.store, self.key)
        if alert is not None and alert.drill is not None and alert.drill.act == self.act.id:
            self.alert = alert
        return self.alert is not None

    async def lines(self) -> AsyncIterator[Line]:
        """Yield what happens, in order, until it is over, and every channel has answered or had the time to."""
        seen: set[str] = set()
        late: datetime | None = None
        while self.alert is not None and self.drill is not None:
            here = await _drill_of(self.store, self.key)
            goes_on = False
            if here is not None and here.drill is not None and here.drill.act == self.act.id:
                self.alert, goes_on = here, True
            events = await self.store.journal(self.drill.at - MOMENT, self.key)
            sent = [
                one
                for one in await self.store.dispatches(self.drill.at - MOMENT, MOST_MESSAGES)
                if one.notification.key == self.key
            ]
            self.known = answers((), incident_of(self.alert), sent)
            for name, line in sorted(_lines(events, sent), key=lambda named: named[1].at):
                if name not in seen:
                    seen.add(name)
                    yield line
            now = self.clock.now()
            if not goes_on:
                late = late or now + REPORTS_WITHIN
                reports = [one for one in sent if one.notification.kind is EventKind.REPORTED]
                if now >= late or all(map(_is_answered, reports)):
                    return
            await self.clock.sleep_until(now + LOOK)

    async def verdict(self) -> tuple[list[str], bool]:
        """Return in lines how it ended, and whether it went well: somebody took it, and every channel the message."""
        drill = self.drill
        if drill is None:
            return ["the drill was not begun; the daemon's log says why"], False
        ends = [one for one in await self.store.journal(drill.at - MOMENT, self.key) if one.kind in _ENDS]
        taken = any(one.kind is EventKind.ACKNOWLEDGED for one in ends)
        over = next((one.detail for one in ends if one.kind is EventKind.RESOLVED), "its check was removed")
        broken = {name: one for name, one in self.known.items() if one.rejected or one.taken_at is None}
        lines = [f"drill of {self.key.check}: {plain(over)}"]
        lines += [f"{plain(name)}: {plain(str(one))}" for name, one in sorted(broken.items())]
        if not self.known:
            lines.append("no route told anybody of it")
        return lines, taken and bool(self.known) and not broken


_ENDS = frozenset({EventKind.ACKNOWLEDGED, EventKind.RESOLVED, EventKind.REMOVED})
_SAID = {
    EventKind.ACKNOWLEDGED: "{} took it",
    EventKind.RESOLVED: "over: {}",
    EventKind.REPORTED: "reported: {}",
    EventKind.FELL_BACK: "falls back: {}",
}


async def _drill_of(store: Store, key: AlertKey) -> Alert | None:
    return next((alert for alert in await store.alerts() if alert.key == key and alert.drill is not None), None)


def _lines(events: Sequence[Event], sent: Sequence[Dispatch]) -> Iterator[tuple[str, Line]]:
    """Yield every line that there is, each with a name of its own; what is given is in order, the newest first."""
    for event in events[::-1]:
        said = _SAID.get(event.kind, f"{event.kind}" + (" {}" if event.detail else ""))
        bad = event.kind is EventKind.REPORTED
        yield event.id, Line(event.at, said.format(plain(event.detail)), bad)
    for one in sent[::-1]:
        note = one.notification
        channel = plain(note.channel)
        yield note.id, Line(note.at, f"to {channel}: {note.kind}")
        for attempt in one.attempts:
            if word := WORDS.get(attempt.result):
                why = f": {plain(attempt.reason)}" if attempt.reason else ""
                bad = attempt.result in {AttemptResult.RETRY, AttemptResult.REJECTED}
                name = f"{note.id} {attempt.at} {attempt.result}"
                yield name, Line(attempt.at, f"{channel} {word} ({note.kind}){why}", bad)


def _is_answered(one: Dispatch) -> bool:
    return any(attempt.result not in {AttemptResult.BEGUN, AttemptResult.RETRY} for attempt in one.attempts)
