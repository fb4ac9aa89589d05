"""What every rendering is looked at with: one delivery of each sort there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from monitor.model import Acknowledgement, EventKind, Severity, labels
from tests.channels.examples import NOW, delivery, notification, page, storm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.model import Delivery, Page

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
STEPS = (
    "See who holds the connections; restart the one that holds too many.",
    "Is PgBouncer bypassed? Every service should come through it.",
    "Lower the pools, or take the next plan of PostgreSQL in Render.",
)
BEFORE = ("restarted the worker (ana, 3 Nov)", "rolled back to 4.1 (bo, 12 Oct)")
TAKEN = Acknowledgement("ana", NOW - 9 * MINUTE, Severity.CRITICAL, NOW + 4 * HOUR, "looking at the pools")
SHARES = (("host", "sentia-backend-prod.onrender.com"), ("platform", "Render"), ("reason", "timeout"))
MARKUP = "<!channel> <script>alert(1)</script> [x](http://evil.example) *b* \x1b[31m\u202e {{ 7 * 7 }} @here"
WORDY = f"{MARKUP} {'wordsthatneverend' * 40} {'and so on ' * 300}"


def full() -> Page:
    """Return a page that says all that a page can say."""
    return page(
        title="CapLiquify: Database: connections",
        summary="25 of 25 slots of max_connections: api 20, worker 5",
        check="database",
        alert="connections",
        labels=labels({"database": "prod"}),
        value="96 %",
        figure="connection_share, critical > 90%, target < 70%",
        since=NOW - 14 * MINUTE,
        trend="▁▁▂▂▃▅▇███",
        beside=("Deploy of 4.2, 3 min before: going back is safe", "CapLiquify: Back end health: slow"),
        remedy=STEPS,
        answers=("25 in all: api 20, worker 5", "", "no answer within 5 s"),
        before=BEFORE,
        shares=SHARES,
        links=(("Runbook", "https://example.com/runbook#pools"), ("Render", "https://dashboard.render.com/")),
    )


def hostile() -> Page:
    """Return a page whose every text is long and means harm."""
    texts = dict.fromkeys(("title", "summary", "system", "check", "alert", "value", "figure", "trend"), WORDY)
    lists = dict.fromkeys(("beside", "remedy", "answers", "before"), (WORDY, WORDY))
    return page(**texts, **lists, labels=labels({MARKUP: MARKUP}), taken=replace(TAKEN, who=MARKUP, why=WORDY))


def several() -> Delivery:
    """Return three alerts of one cause, and the end of another."""
    pages = [
        replace(full(), title=f"CapLiquify: {name}: down", check=name.lower(), alert="down", value="", figure="")
        for name in ("Backend", "Frontend", "Worker")
    ]
    worst = [notification(number, about=one) for number, one in enumerate(pages)]
    ended = notification(9, EventKind.RESOLVED, about=page(title="CapLiquify: Mail: down", check="mail", remedy=()))
    return delivery(replace(worst[2], severity=Severity.WARNING), ended, *worst[:2])


def flood() -> Delivery:
    """Return a storm of 500 over five systems."""
    made = storm(500).notifications
    systems = ("shop", "shed", "barn", "mill", "yard")
    return delivery(
        *(
            replace(one, page=replace(one.page, system=systems[number % 5], shares=SHARES[number % 20 == 0 :]))
            for number, one in enumerate(made)
        )
    )


def of(kind: EventKind, severity: Severity = Severity.CRITICAL, **fields: Any) -> Delivery:  # noqa: ANN401 - of any field
    """Return a delivery of one notification of `kind` about the full page, but for `fields`."""
    about = replace(full(), **fields)
    quiet = kind in {EventKind.RESOLVED, EventKind.ACKNOWLEDGED, EventKind.LAPSED, EventKind.ANSWERED}
    return delivery(notification(kind=kind, severity=severity, about=about, quiet=quiet))


OVER: Mapping[str, Any] = {"remedy": (), "answers": (), "before": (), "until": NOW, "beside": ()}
ANNOUNCED: Mapping[str, Any] = {
    "title": "CapLiquify: PostgreSQL 17",
    "summary": "The database moves to PostgreSQL 17. Saving fails meanwhile, reading goes on.",
    **dict.fromkeys(("check", "alert"), "maintenance"),
    **dict.fromkeys(("value", "figure", "trend"), ""),
    "since": NOW + 24 * HOUR,
    "until": NOW + 26 * HOUR,
    **dict.fromkeys(("beside", "remedy", "answers", "before"), ()),
}

DELIVERIES: Mapping[str, Delivery] = {
    "critical": of(EventKind.OPENED),
    "hostile": delivery(notification(about=hostile()), uncertain=True),
    "collected": several(),
    "storm": flood(),
    "resolved": of(EventKind.RESOLVED, **OVER),
    "reminder": of(EventKind.REPEATED, taken=TAKEN),
    "escalated": of(EventKind.ESCALATED, rung=NOW - 15 * MINUTE),
    "acknowledged": of(EventKind.ACKNOWLEDGED, taken=TAKEN),
    "lapsed": of(EventKind.LAPSED, taken=replace(TAKEN, at=NOW - 4 * HOUR, until=NOW)),
    "flapping": of(EventKind.FLAPPING, changes=4, settles=30 * MINUTE),
    "announced": of(EventKind.ANNOUNCED, Severity.INFO, **ANNOUNCED),
    "answered": of(EventKind.ANSWERED),
    "missed": delivery(notification(kind=EventKind.RESOLVED, about=replace(full(), **OVER), missed=True)),
    "fallback": delivery(notification(about=full(), fallback_for="ops")),
    "uncertain": delivery(notification(about=full()), uncertain=True),
}
