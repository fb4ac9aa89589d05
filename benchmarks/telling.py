"""`python -m benchmarks.telling`: what it costs to decide who is told, by many routes, in a storm over five systems.

The same storm, with one plain route and with forty routes that match by everything they can, in turn on one core; then
from the decision to the collected message. What is compared is the ratio: the machine matters less for that.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from monitor.message import as_text, message_of
from monitor.model import Alert, AlertKey, CheckId, Delivery, EventKind, Notification, Owed, Page, Severity
from monitor.owed import Queue, drop_stale, ready
from monitor.routing import Escalation, Route, parse_digest, parse_hours, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SYSTEMS = tuple("abcde")
PLAIN = (Route(("ops",), repeat=timedelta(minutes=30)),)
MATCHING = [
    Route(
        (f"channel{number}",),
        severities=frozenset({Severity(1 + number % 3)}),
        systems=frozenset({SYSTEMS[number % 5]}),
        checks=(f"check{number}*", "*/check9*"),
        alert="*down*",
        hours=parse_hours("Mon-Fri 09:00-18:00 Europe/Berlin") if number % 2 else None,
        digest=parse_digest("09:00 Europe/Berlin") if number % 5 == 0 else None,
        escalate=(Escalation(timedelta(minutes=15), ("cto",)),),
        place=number,
    )
    for number in range(39)
]
MANY = (*MATCHING, Route(("ops",), place=len(MATCHING)))


def storm(count: int) -> list[Alert]:
    """Return so many alerts that fire now."""
    keys = [AlertKey(CheckId(SYSTEMS[number % 5], f"check{number}"), "down") for number in range(count)]
    return [Alert(key, f"{key.check}: down", severity=Severity.CRITICAL, since=NOW) for key in keys]


def decide(alerts: Sequence[Alert], routes: Sequence[Route]) -> None:
    """Decide who is told of each, and a second later that nobody is told again."""
    for alert in alerts:
        told, _ = tell(alert, routes, NOW, held=False)
        tell(told, routes, NOW + timedelta(seconds=1), held=False)


def collect(alerts: Sequence[Alert]) -> None:
    """Turn what is owed to one channel into messages."""
    queue = Queue()
    for number, alert in enumerate(alerts):
        page = Page(alert.title, "timed out", *alert.key.check, alert.key.name, shares=(("reason", "timeout"),))
        note = Notification(str(number), "ops", str(number), alert.key, EventKind.OPENED, Severity.CRITICAL, NOW, page)
        queue.add(Owed(note))
    drop_stale(queue)
    batch = ready(queue, NOW + timedelta(seconds=1))
    as_text(message_of(Delivery("d", tuple(owed.notification for owed in batch))))


def cost(work: Callable[[], None]) -> float:
    """Return the CPU seconds that `work` takes."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=500, help="of the storm (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=9, help="(default %(default)s)")
    given = parser.parse_args()
    alerts = storm(given.alerts)
    rounds = [
        (cost(lambda: decide(alerts, PLAIN)), cost(lambda: decide(alerts, MANY)), cost(lambda: collect(alerts)))
        for _ in range(given.rounds)
    ]
    plain, many, collected = (median(each) for each in zip(*rounds, strict=True))
    each = 1e6 / given.alerts
    print(f"{given.alerts} alerts, medians of {given.rounds} rounds, CPU")
    print(f"who is told, one route:        {plain * each:6.0f} µs an alert")
    print(f"who is told, {len(MANY)} routes:       {many * each:6.0f} µs an alert, {many / plain:.1f} times that")
    print(f"collected into one message:    {collected * each:6.0f} µs an alert, {collected / plain:.1f} times that")


if __name__ == "__main__":
    main()
