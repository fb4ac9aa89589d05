"""A whole test: what was expected of alerts and messages, and nothing else, held against what happened. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.trial.ledger import OK, PENDING, word
from monitor.trial.nouns import Failure, Place, Stage
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from monitor.model import Alert, AlertKey, CheckId, Labels
    from monitor.trial.ledger import Ledger, Message

ORDER = (OK, PENDING, "info", "warning", "critical")
MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Named:
    """An alert as a test names it; of several series the worst is meant, unless `labels` choose some."""

    check: CheckId
    name: str
    labels: Labels = ()

    def means(self, key: AlertKey) -> bool:
        """Return whether the alert of `key` is meant."""
        return key.check == self.check and key.name == self.name and set(self.labels) <= set(key.labels)

    def __str__(self) -> str:
        return " ".join((f"{self.check} {self.name}", *(f"{name}={value}" for name, value in self.labels)))


@dataclass(frozen=True, slots=True)
class Stands:
    """That an alert stands so at a moment."""

    place: Place
    at: timedelta
    alert: Named
    state: str


@dataclass(frozen=True, slots=True)
class Told:
    """That a channel is told at a moment; what is empty may be anything."""

    place: Place
    at: timedelta
    channel: str
    alert: Named | None = None
    kind: str = ""
    severity: str = ""
    text: str = ""
    within: timedelta = timedelta()

    def fits(self, message: Message, start: datetime) -> bool:
        """Return whether this means `message`."""
        note, late = message.notification, message.at - start - self.at
        return (
            self.channel == note.channel
            and timedelta() <= late <= self.within
            and (self.alert is None or self.alert.means(note.key))
            and self.kind in {"", str(note.kind)}
            and self.severity in {"", str(note.severity)}
            and self.text in message.text
        )

    def __str__(self) -> str:
        about = f" of {self.alert}" if self.alert else ""
        saying = f", saying {self.text!r}" if self.text else ""
        what = " ".join(part for part in (self.severity, self.kind) if part) or "a message"
        return f"{moment(self.at)}: {self.channel} is told{about}: {what}{saying}"


@dataclass(frozen=True, slots=True)
class StoryCase:
    """A test and all that is expected. `silent`: no message at all may leave."""

    place: Place
    stage: Stage
    stands: tuple[Stands, ...] = ()
    told: tuple[Told, ...] = ()
    messages: tuple[tuple[Place, str, int], ...] = ()
    silent: bool = False
    nothing_else: bool = True

    def failures(self, ledger: Ledger) -> Iterator[Failure]:
        """Yield what is not as it was expected."""
        yield from self._states(ledger)
        yield from self._notifications(ledger)
        yield from self._counts(ledger)
        if self.nothing_else:
            yield from self._strangers(ledger)

    def _states(self, ledger: Ledger) -> Iterator[Failure]:
        for one in self.stands:
            at = self.stage.start + one.at
            meant = [alert for key in ledger.alerts if one.alert.means(key) and (alert := ledger.standing(key, at))]
            stood = max(map(word, meant), key=ORDER.index, default=OK)
            if stood != one.state:
                expected = f"{moment(one.at)}: {one.alert} is {one.state}"
                yield Failure(one.place, expected, (f"it was {stood}", *self._course(ledger, one.alert)))

    def _course(self, ledger: Ledger, alert: Named) -> Iterator[str]:
        """Yield how the alert changed over the test."""
        turns = [(at, word(one), key) for key, found in ledger.alerts.items() if alert.means(key) for at, one in found]
        before: dict[AlertKey, str] = {}
        for at, state, key in sorted(turns, key=lambda turn: turn[0])[:MOST_SHOWN]:
            if before.get(key, OK) != state:
                yield f"{moment(at - self.stage.start)}: {state}"
            before[key] = state

    def _notifications(self, ledger: Ledger) -> Iterator[Failure]:
        left = list(ledger.messages)
        for one in sorted(self.told, key=lambda told: told.at):
            found = next((message for message in left if one.fits(message, self.stage.start)), None)
            if found is None:
                near = sorted(left, key=lambda message: abs(message.at - self.stage.start - one.at))
                came = [self._line(message) for message in near if message.notification.channel == one.channel]
                yield Failure(one.place, str(one), tuple(came[:3]) or (f"{one.channel} was told nothing else",))
            else:
                left.remove(found)
        if left and self.nothing_else and (self.told or self.silent):
            shown = tuple(map(self._line, left[:MOST_SHOWN]))
            yield Failure(self.place, "no other message leaves" if self.told else "no message leaves", shown)

    def _counts(self, ledger: Ledger) -> Iterator[Failure]:
        sent = {(message.notification.channel, message.delivery) for message in ledger.messages}
        counts = Counter(channel for channel, _ in sent)
        for place, channel, wanted in self.messages:
            if counts[channel] != wanted:
                lines = [self._line(one) for one in ledger.messages if one.notification.channel == channel]
                came = (f"it got {counts[channel]}", *lines[:MOST_SHOWN])
                yield Failure(place, f"{channel} gets {wanted} message{'s' * (wanted != 1)}", came)

    def _strangers(self, ledger: Ledger) -> Iterator[Failure]:
        """Yield the alerts that fired and are named nowhere."""
        told = (one.alert for one in self.told if one.alert is not None)
        named = [*(one.alert for one in self.stands), *told]
        if any(one.alert is None for one in self.told):
            return  # a message of any alert is expected
        for key, found in ledger.alerts.items():
            firing = [(at, alert) for at, alert in found if alert.severity is not None]
            if firing and not any(alert.means(key) for alert in named):
                came = f"{moment(firing[0][0] - self.stage.start)}: {_called(firing[0][1])} is {firing[0][1].severity}"
                yield Failure(self.place, "no other alert fires", (came,))

    def _line(self, message: Message) -> str:
        note, at = message.notification, moment(message.at - self.stage.start)
        return f"{at}: {note.channel}: {note.severity} {note.kind}, {message.headline!r}"


def moment(span: timedelta) -> str:
    """Return how a moment of a test is told: so long after its start."""
    return show_duration(span.total_seconds())


def _called(alert: Alert) -> str:
    return " ".join((f"{alert.key.check} {alert.key.name}", *(f"{name}={value}" for name, value in alert.key.labels)))
