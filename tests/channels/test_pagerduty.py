from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from monitor.channels.base import Delivered, Rejected, Retry, deliver
from monitor.channels.pagerduty import PagerDutyChannel
from monitor.model import EventKind, Severity
from tests.channels.examples import delivery, notification, page, storm
from tests.peers import says, tcp_peer
from tests.systems.openapi import described

if TYPE_CHECKING:
    from monitor.channels.base import Resources
    from monitor.model import Notification
    from tests.channels.peers import Posts

KEY = "0123456789abcdef0123456789abcdef"


def channel(port: int) -> PagerDutyChannel:
    return PagerDutyChannel.model_validate({"routing_key": KEY, "url": f"http://127.0.0.1:{port}/v2/"})


async def sent(peer: Posts, resources: Resources, *notifications: Notification, uncertain: bool = False) -> list[Any]:
    """Return what arrives of a delivery of `notifications`."""
    peer.got.clear()
    one = delivery(*notifications, uncertain=uncertain)
    assert await deliver(channel(peer.port), one, resources) == Delivered()
    return peer.got


async def test_an_alert_opens_with_what_it_takes_to_act(resources: Resources, web_peer: Posts) -> None:
    figure = "p95(duration, 5m), critical > 500ms"
    (event,) = await sent(web_peer, resources, notification(about=page(value="612 ms", figure=figure)), uncertain=True)
    assert web_peer.paths == ["/v2/enqueue"]
    assert event == {
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": "incident0-critical",
        "client": "runbook-monitor",
        "links": [{"href": "https://example.com/runbook", "text": "Runbook"}],
        "payload": {
            "summary": "CapLiquify: Back end health: down: status: expected 200, got 502",
            "source": "capliquify",
            "severity": "critical",
            "timestamp": "2026-11-21T03:12:05+00:00",
            "component": "backend",
            "group": "capliquify",
            "class": "down",
            "custom_details": {
                "Value": "612 ms",
                "Figure": figure,
                "Last hour": "▁▁▂·▅█",
                "At that time": "CapLiquify: Database: no data",
                "Alert": "capliquify/backend down, as of 03:12 UTC",
                "Finding": "status: expected 200, got 502",
                "What to do": "1. Look at the latest deploy; roll back if it began there.\n"
                "2. See who holds the connections.",
                "Note": "Possibly repeated: this was sent while our database could not be reached.",
            },
        },
    }


@pytest.mark.parametrize("severity", Severity)
async def test_every_severity_has_its_own(severity: Severity, resources: Resources, web_peer: Posts) -> None:
    (event,) = await sent(web_peer, resources, notification(severity=severity))
    assert event["payload"]["severity"] == str(severity)


@pytest.mark.parametrize("kind", [EventKind.RESOLVED, EventKind.REMOVED])
async def test_what_ends_is_resolved_under_the_same_keys(
    kind: EventKind, resources: Resources, web_peer: Posts
) -> None:
    """And that of another incident of the same alert is left alone."""
    events = await sent(web_peer, resources, notification(kind=kind), notification(1))
    told = {(event["event_action"], event["dedup_key"]) for event in events}
    assert told == {("resolve", "incident0-critical"), ("resolve", "incident0"), ("trigger", "incident1-critical")}


async def test_what_gets_worse_rings_anew_and_is_one_alert(resources: Resources, web_peer: Posts) -> None:
    """PagerDuty leaves an open alert as urgent as it began."""
    (opened,) = await sent(web_peer, resources, notification(severity=Severity.WARNING))
    assert opened["dedup_key"] == "incident0"
    worse, former = await sent(web_peer, resources, notification(kind=EventKind.WORSENED))
    assert (worse["event_action"], worse["dedup_key"]) == ("trigger", "incident0-critical")
    assert former == {"routing_key": KEY, "event_action": "resolve", "dedup_key": "incident0"}
    eased = notification(kind=EventKind.REPEATED, severity=Severity.WARNING)
    again, former = await sent(web_peer, resources, eased)
    assert (again["event_action"], again["dedup_key"]) == ("trigger", "incident0")
    assert former["dedup_key"] == "incident0-critical"


async def test_an_easing_is_not_told(resources: Resources, web_peer: Posts) -> None:
    """An alert that somebody closed by hand would open again, and ring."""
    assert await sent(web_peer, resources, notification(kind=EventKind.EASED, severity=Severity.WARNING)) == []


@pytest.mark.parametrize(("severity", "key"), [(Severity.CRITICAL, "incident0-critical"), (Severity.INFO, "incident0")])
async def test_what_somebody_takes_is_acknowledged_there(
    severity: Severity, key: str, resources: Resources, web_peer: Posts
) -> None:
    """So that PagerDuty stops calling, whether or not the message is told aloud."""
    for quiet in (True, False):
        taken = notification(0, EventKind.ACKNOWLEDGED, severity, quiet=quiet)
        acknowledged = {"routing_key": KEY, "event_action": "acknowledge", "dedup_key": key}
        assert await sent(web_peer, resources, taken) == [acknowledged]


async def test_what_its_steps_answered_is_added_to_the_open_alert(resources: Resources, web_peer: Posts) -> None:
    (event,) = await sent(web_peer, resources, notification(kind=EventKind.ANSWERED, quiet=True))
    assert (event["event_action"], event["dedup_key"]) == ("trigger", "incident0-critical")


@pytest.mark.parametrize("kind", [EventKind.ESCALATED, EventKind.FLAPPING, EventKind.LAPSED, EventKind.REPEATED])
async def test_what_calls_again_is_the_same_alert(kind: EventKind, resources: Resources, web_peer: Posts) -> None:
    event, former = await sent(web_peer, resources, notification(kind=kind))
    assert (event["event_action"], event["dedup_key"]) == ("trigger", "incident0-critical")
    assert (former["event_action"], former["dedup_key"]) == ("resolve", "incident0")


@pytest.mark.parametrize("kind", [EventKind.REPORTED, EventKind.ANNOUNCED])
async def test_a_report_is_a_change_and_pages_nobody(kind: EventKind, resources: Resources, web_peer: Posts) -> None:
    (event,) = await sent(web_peer, resources, notification(kind=kind))
    assert web_peer.paths == ["/v2/change/enqueue"]
    assert set(event) == {"routing_key", "payload", "links"}
    assert set(event["payload"]) == {"summary", "source", "timestamp", "custom_details"}


@pytest.mark.parametrize(
    "kind", [EventKind.OPENED, EventKind.RESOLVED, EventKind.REPORTED, EventKind.ACKNOWLEDGED, EventKind.ANNOUNCED]
)
async def test_events_are_as_pagerduty_describes_them(kind: EventKind, resources: Resources, web_peer: Posts) -> None:
    document = described("pagerduty-events")
    event, *_ = await sent(web_peer, resources, notification(kind=kind))
    operation = document["paths"][web_peer.paths[-1].removeprefix("/v2")]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    found = Draft202012Validator({"components": document["components"], **schema}).iter_errors(event)
    assert [error.message for error in found] == []
    assert set(event) <= set(schema["properties"])


async def test_of_a_repetition_only_what_is_missing_is_sent(resources: Resources, web_peer: Posts) -> None:
    """Else a limit of 480 events a minute would never let a storm of 500 through."""
    web_peer.answers = [(202, "")] * 20 + [(429, "slow down")] * 8
    one, other = channel(web_peer.port), storm(50)
    assert await deliver(one, other, resources) == Retry("answered 429: slow down")
    assert await deliver(one, other, resources) == Delivered()
    keys = [event["dedup_key"] for event in web_peer.got]
    assert len(set(keys)) == 50
    assert len(keys) < 50 + 9
    await deliver(one, other, resources)
    assert len(web_peer.got) == len(keys) + 50


async def test_one_that_pagerduty_refuses_keeps_no_other_back(resources: Resources, web_peer: Posts) -> None:
    """It is told apart by itself, when the outbox sends each alone."""
    web_peer.answers = [(400, '{"status": "invalid event"}')]
    one, three = channel(web_peer.port), storm(3)
    result = await deliver(one, three, resources)
    assert result == Rejected('answered 400: {"status": "invalid event"}')
    assert len(web_peer.got) == 3
    for note in three.notifications:
        assert await deliver(one, delivery(note), resources) == Delivered()
    assert len(web_peer.got) == 4


async def test_a_peer_that_stays_silent_ends_a_storm_at_the_deadline(resources: Resources) -> None:
    async with tcp_peer(says()) as peer:
        result = await deliver(channel(peer.port), storm(100), resources, timedelta(seconds=0.3))
    assert result == Retry("no answer within 0.3 s")
    assert peer.seen == 8
