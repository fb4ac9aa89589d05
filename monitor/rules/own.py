"""Alerts about the daemon itself: that it watches, delivers, and has taken up its configuration."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.message import steps_text
from monitor.model import BLIND, NO_DATA, OURS, CheckId, Severity
from monitor.page import BLIND_REMEDY, BLIND_TITLE
from monitor.rules.rule import Alerting
from monitor.rules.words import labels_for
from monitor.situation import BLIND_LEAST, BLIND_SHARE, OURSELVES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNWATCHED = "not watched"
MINUTE = timedelta(minutes=1)


def missing(system: str) -> Alerting:
    """Return the rule that fires when nobody watches `system` any more."""
    return Alerting(
        UNWATCHED,
        f'absent(monitor_probe_runs_total{{system="{system}"}})',
        labels_for(CheckId(system, OURSELVES.check), Severity.CRITICAL),
        {
            "summary": f"Monitor: {system} is not watched",
            "description": "No series of its checks arrive: no daemon runs, none leads, or Prometheus cannot reach it.",
            "remedy": "Start the daemon, or see in Prometheus under Targets why it cannot be scraped. What fires stays "
            "as it was; what begins now is not seen.",
        },
        2 * MINUTE,
    )


def ours(systems: Iterable[str]) -> Iterator[Alerting]:
    """Yield the rules about the daemons of `systems`."""
    watched = f'system=~"{"|".join(systems)}"'
    silent = f'count(ALERTS{{alertname="{NO_DATA}",alertstate="firing",{watched}}})'
    share = f"{BLIND_SHARE} * count(monitor_probe_runs_total{{{watched}}})"
    yield Alerting(
        BLIND,
        f"{silent} >= {BLIND_LEAST} and {silent} >= {share}",
        labels_for(OURSELVES, Severity.WARNING),
        {"summary": BLIND_TITLE, "remedy": steps_text(BLIND_REMEDY)},
    )
    yield from _OWN


def _own(
    name: str, expression: str, severity: Severity, description: str, remedy: str, wait: timedelta = timedelta()
) -> Alerting:
    said = {"summary": f"Monitor: {name}", "description": description, "remedy": remedy}
    return Alerting(name, expression, labels_for(CheckId(OURS, "daemon"), severity), said, wait)


_OWN = (
    _own(
        "no leader",
        "max(monitor_leader) == 0",
        Severity.CRITICAL,
        "No instance leads, so nothing is watched.",
        "See in the log why the lease is not taken: is the database reachable, and another instance stuck?",
        2 * MINUTE,
    ),
    _own(
        "outbox",
        "monitor_outbox_oldest_age_seconds > 300",
        Severity.CRITICAL,
        "A message has been owed for {{ $value | humanizeDuration }}.",
        "Send a test with monitor notify, and see in the log why the channel takes nothing.",
        MINUTE,
    ),
    _own(
        "rejected",
        'increase(monitor_notifications_failed_total{reason="rejected"}[15m]) > 0',
        Severity.WARNING,
        "The channel {{ $labels.channel }} rejects messages for good.",
        "See the reason in the log; is its token still good?",
    ),
    _own(
        "configuration",
        "monitor_config_last_reload_successful == 0",
        Severity.WARNING,
        "The newest configuration was refused; the one before is in use.",
        "monitor validate says what is wrong with it.",
    ),
    _own(
        "store",
        "monitor_store_available == 0",
        Severity.WARNING,
        "What is seen cannot be written down, and is held in memory.",
        "See that the database is reachable and has room.",
        5 * MINUTE,
    ),
)
