"""What a test writes down instead of a store, a screen and channels: every change of an alert, every message."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.channels.base import Delivered, Rejected, Retry
from monitor.message import as_text, message_of
from monitor.model import Delivery, Phase
from monitor.trial.nouns import Manners

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from monitor.channels.base import SendResult
    from monitor.clock import Clock
    from monitor.model import Alert, AlertKey, Change, CheckId, Notification, Sample, Severity
    from monitor.trial.series import Cursor

OK, PENDING = "ok", "pending"


@dataclass(frozen=True, slots=True)
class Message:
    """A notification that a channel took, when, and in which delivery."""

    at: datetime
    delivery: str
    notification: Notification

    @property
    def headline(self) -> str:
        """Return its first line."""
        return message_of(Delivery(self.delivery, (self.notification,))).headline

    @property
    def text(self) -> str:
        """Return all that it says."""
        return as_text(message_of(Delivery(self.delivery, (self.notification,))))


class Ledger:
    """Takes the places of the store's writer, of what is displayed and counted, and of every channel."""

    available = True
    overtaken = False

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.alerts: dict[AlertKey, list[tuple[datetime, Alert]]] = defaultdict(list)
        self.messages: list[Message] = []
        self.runs: dict[CheckId, list[datetime]] = defaultdict(list)
        self.changed_at: datetime | None = None
        self.committed_at: datetime | None = None

    def keep(self, sample: Sample) -> None:
        """Keep nothing: a sample that changes nothing is of no interest."""

    def post(self, change: Change) -> None:
        """Write `change` down."""
        now = self._clock.now()
        if change.alerts or change.owed:
            self.changed_at = now
        for alert in change.alerts:
            self.alerts[alert.key].append((now, alert))
        self.committed_at = now

    async def commit(self, change: Change) -> bool:
        """Write `change` down; it is durable."""
        self.post(change)
        return True

    def sample(self, sample: Sample) -> None:
        """Note that a check ran."""
        self.runs[sample.check].append(self._clock.now())

    def alert(self, alert: Alert) -> None:
        """Pass over what is shown: it is committed as well."""

    def left_out(self, check: CheckId, count: int) -> None:
        """Pass over what is counted."""

    def delivered(self, channel: str, count: int) -> None:
        """Pass over what is counted."""

    def failed(self, channel: str, reason: str) -> None:
        """Pass over what is counted."""

    def pending(self, count: int, oldest: float) -> None:
        """Pass over what is counted."""

    async def last_resort(self, text: str) -> None:
        """Pass over what the dead man's switch is told."""

    def channel(self, manners: Cursor[Manners] | None) -> Callable[[Delivery], Awaitable[SendResult]]:
        """Return a channel that behaves so, and writes down what it takes."""

        async def send(delivery: Delivery) -> SendResult:
            now = self._clock.now()
            manner = manners.step(now).value if manners is not None else Manners.TAKES
            if manner is Manners.FAILS:
                return Retry("it fails in this test")
            if manner is Manners.REFUSES:
                return Rejected("it refuses everything in this test")
            self.messages += [Message(now, delivery.id, one) for one in delivery.notifications]
            return Delivered()

        return send

    def standing(self, key: AlertKey, at: datetime) -> Alert | None:
        """Return the alert of `key` as it was at a moment, after all that happened in it."""
        return next((alert for moment, alert in reversed(self.alerts.get(key, ())) if moment <= at), None)

    def fired(self, key: AlertKey, level: Severity) -> list[tuple[datetime, bool]]:
        """Return when one level of an alert began to fire (True) and when it ended (False), in turns."""
        found: list[tuple[datetime, bool]] = []
        for moment, alert in self.alerts.get(key, ()):
            fires = level in alert.levels and alert.levels[level].phase.fires
            if fires != bool(found and found[-1][1]):
                found.append((moment, fires))
        return found


def word(alert: Alert | None) -> str:
    """Return how an alert stands: ok, pending, or the severity at which it fires."""
    if alert is None:
        return OK
    if alert.severity is not None:
        return str(alert.severity)
    return PENDING if any(level.phase is Phase.PENDING for level in alert.levels.values()) else OK
