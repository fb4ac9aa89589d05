"""A night and a morning of a shop, as the store remembers them: an outage that ended, and a figure that is crossed."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.chronicle import Chronicle
from monitor.hour import Hour
from monitor.incidents import incidents
from monitor.model import (
    Alert,
    AlertKey,
    Attempt,
    AttemptResult,
    Change,
    CheckId,
    Deploy,
    Dispatch,
    Event,
    EventKind,
    Level,
    Notification,
    Page,
    Phase,
    Sample,
    Severity,
    State,
    Told,
    stable_id,
)
from monitor.uptime import by_month, together
from tests.fakes import START

MORNING = START
"""Monday, 5 January 2026, 12:00: where the story is told from."""
SITE, DATABASE = CheckId("shop", "site"), CheckId("shop", "database")
OUTAGE, CONNECTIONS = AlertKey(SITE, "down"), AlertKey(DATABASE, "connections")
TITLES = {OUTAGE: "Shop: Site: down", CONNECTIONS: "Shop: Database: connections"}
SECOND = timedelta(seconds=1)
CHECKS = DATABASE, SITE


def at(clock: str) -> datetime:
    """Return that time of the day of the story."""
    hour, minute, second = map(int, clock.split(":"))
    return MORNING.replace(hour=hour, minute=minute, second=second)


def notification(
    channel: str, key: AlertKey, since: str, kind: EventKind, severity: Severity, when: str, value: str = ""
) -> Notification:
    """Return a message about the incident that began at `since`."""
    begun, ended = at(since), kind is EventKind.RESOLVED
    page = Page(
        TITLES[key],
        "status: expected 200, got 502",
        key.check.system,
        key.check.check,
        key.name,
        value=value,
        since=begun,
        until=at(when) if ended else None,
    )
    incident = Alert(key, since=begun).incident
    identity = stable_id(incident, channel, kind, severity, when)
    return Notification(identity, channel, incident, key, kind, severity, at(when), page, quiet=ended)


def event(key: AlertKey, when: str, kind: EventKind, severity: Severity, value: float | None = None) -> Event:
    """Return one line of the journal."""
    return Event(key, at(when), kind, severity, value)


def delivered(note: Notification) -> tuple[Attempt, ...]:
    """Return the attempts of a message that was taken within a second."""
    begun = Attempt(note.id, note.at + SECOND, AttemptResult.BEGUN, "d")
    return begun, Attempt(note.id, note.at + 2 * SECOND, AttemptResult.DELIVERED, "d")


CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING
PAGED = notification("ops", OUTAGE, "02:12:10", EventKind.OPENED, CRITICAL, "02:12:10")
REFUSED = notification("oncall", OUTAGE, "02:12:10", EventKind.OPENED, CRITICAL, "02:12:10")
OVER = notification("ops", OUTAGE, "02:12:10", EventKind.RESOLVED, CRITICAL, "02:25:40")
WARNED = notification("ops", CONNECTIONS, "11:00:00", EventKind.OPENED, WARNING, "11:00:00", "82 %")
WORSE = notification("ops", CONNECTIONS, "11:00:00", EventKind.WORSENED, CRITICAL, "11:20:00", "96 %")
OWED = notification("oncall", CONNECTIONS, "11:00:00", EventKind.OPENED, CRITICAL, "11:20:00", "96 %")
TAKEN = Event(
    OUTAGE, at("02:16:30"), EventKind.ACKNOWLEDGED, CRITICAL, detail="ana until 2026-01-05 06:16 UTC: it is the worker"
)
NOTED = Event(OUTAGE, at("02:31:00"), EventKind.NOTED, detail="restarted the worker (ana)")

CHANGE = Change(
    samples=(
        Sample(SITE, at("11:59:50"), SECOND, State.UP),
        Sample(DATABASE, at("11:59:40"), SECOND, State.UP),
    ),
    alerts=(
        Alert(
            CONNECTIONS,
            TITLES[CONNECTIONS],
            {CRITICAL: Level(Phase.FIRING, 0, timedelta())},
            severity=CRITICAL,
            since=at("11:00:00"),
            announced=CRITICAL,
            told=(Told("ops", CRITICAL, at("11:20:00")), Told("oncall", CRITICAL, at("11:20:00"))),
        ),
        Alert(OUTAGE, TITLES[OUTAGE], {CRITICAL: Level(Phase.PENDING, 1, timedelta())}),
    ),
    events=(
        event(OUTAGE, "02:11:50", EventKind.PENDING, CRITICAL),
        event(OUTAGE, "02:12:10", EventKind.OPENED, CRITICAL),
        TAKEN,
        event(OUTAGE, "02:25:40", EventKind.RESOLVED, CRITICAL),
        NOTED,
        event(CONNECTIONS, "11:00:00", EventKind.OPENED, WARNING, 0.82),
        event(CONNECTIONS, "11:20:00", EventKind.WORSENED, CRITICAL, 0.96),
    ),
    owed=(PAGED, REFUSED, OVER, WARNED, WORSE, OWED),
    attempts=(
        *delivered(PAGED),
        *delivered(OVER),
        *delivered(WARNED),
        *delivered(WORSE),
        Attempt(REFUSED.id, at("02:12:12"), AttemptResult.RETRY, "d", "answered 503", at("02:12:14")),
        Attempt(REFUSED.id, at("02:12:16"), AttemptResult.DELIVERED, "d"),
    ),
    deploys=(Deploy("shop", at("02:05:00"), at("03:05:00"), (("api", "1.4.1", "1.4.2"),)),),
)


def dispatches() -> list[Dispatch]:
    """Return what a store that holds `CHANGE` has of messages, newest first."""
    notes = sorted(CHANGE.owed, key=lambda note: note.at, reverse=True)
    return [Dispatch(note, tuple(one for one in CHANGE.attempts if one.notification == note.id)) for note in notes]


def hours() -> dict[CheckId, list[Hour]]:
    """Return the hours since the first of January: the outage is in one of them, when the site was looked at often."""
    begin = MORNING.replace(day=1, hour=0)
    count = (MORNING - begin) // timedelta(hours=1)
    found = {check: [Hour(check, begin + timedelta(hours=n), 120, 0, 0, ()) for n in range(count)] for check in CHECKS}
    night = count - 10
    found[SITE][night] = Hour(SITE, found[SITE][night].at, 93, 27, 0, ())
    return found


def told() -> Chronicle:
    """Return what `monitor history shop --since 1d` reads."""
    found = incidents(CHANGE.events, dispatches(), CHANGE.alerts)
    months = {str(check): by_month(known) for check, known in hours().items()}
    uptime = {"shop": together(months.values()), **months}
    return Chronicle("shop", MORNING - timedelta(days=1), MORNING, found, CHANGE.deploys, uptime=uptime)
