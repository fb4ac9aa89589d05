from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.channels.base import Delivered, deliver
from monitor.channels.webhook import WebhookChannel
from monitor.model import EventKind, Severity, labels
from tests.channels.examples import NOW, delivery, notification, page

if TYPE_CHECKING:
    from monitor.channels.base import Resources
    from monitor.model import Delivery
    from tests.channels.peers import Posts


async def posted(peer: Posts, resources: Resources, sent: Delivery, **fields: Any) -> Any:  # noqa: ANN401 - JSON
    channel = WebhookChannel.model_validate({"url": f"http://127.0.0.1:{peer.port}/hook"} | fields)
    assert await deliver(channel, sent, resources) == Delivered()
    return peer.got[-1]


async def test_a_report_is_told_once_and_ends_where_it_begins(resources: Resources, web_peer: Posts) -> None:
    """No receiver holds it open as an alert."""
    one = notification(about=page(), kind=EventKind.REPORTED)
    (alert,) = (await posted(web_peer, resources, delivery(one)))["alerts"]
    assert (alert["status"], alert["endsAt"]) == ("firing", "2026-11-21T03:12:50Z")


async def test_the_payload_is_that_of_alertmanager(resources: Resources, web_peer: Posts) -> None:
    """Field by field: whatever takes Alertmanager's webhook must take ours."""
    figure = "p95(duration, 5m), critical > 500ms"
    one = notification(about=page(alert="slow", labels=labels({"state": "idle"}), value="612 ms", figure=figure))
    group = {"alertname": "slow", "system": "capliquify", "check": "backend"}
    annotations = {
        "summary": "CapLiquify: Back end health: down",
        "description": f"status: expected 200, got 502; value 612 ms; figure {figure}",
        "context": "CapLiquify: Database: no data",
        "remedy": "1. Look at the latest deploy; roll back if it began there.\n2. See who holds the connections.",
        "runbook_url": "https://example.com/runbook",
    }
    alert = {
        "status": "firing",
        "labels": group | {"severity": "critical", "state": "idle"},
        "annotations": annotations,
        "startsAt": "2026-11-21T03:12:05Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "",
        "fingerprint": one.key.fingerprint,
    }
    assert await posted(web_peer, resources, delivery(one)) == {
        "version": "4",
        "groupKey": '{}:{alertname="slow", check="backend", system="capliquify"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "ops",
        "groupLabels": group,
        "commonLabels": alert["labels"],
        "commonAnnotations": annotations,
        "externalURL": "",
        "alerts": [alert],
    }


@pytest.mark.parametrize("kind", [EventKind.RESOLVED, EventKind.REMOVED])
async def test_what_has_ended_is_resolved_under_the_same_fingerprint(
    kind: EventKind, resources: Resources, web_peer: Posts
) -> None:
    until = NOW + timedelta(minutes=12)
    opened = await posted(web_peer, resources, delivery())
    ended = await posted(web_peer, resources, delivery(notification(kind=kind, about=page(until=until, remedy=()))))
    assert ended["status"] == ended["alerts"][0]["status"] == "resolved"
    assert ended["alerts"][0]["endsAt"] == "2026-11-21T03:24:50Z"
    assert ended["alerts"][0]["fingerprint"] == opened["alerts"][0]["fingerprint"]
    assert ended["groupKey"] == opened["groupKey"]
    assert "remedy" not in ended["alerts"][0]["annotations"]


async def test_several_alerts_share_what_they_have_in_common(resources: Resources, web_peer: Posts) -> None:
    other = notification(1, EventKind.RESOLVED, Severity.WARNING, about=page(check="database"))
    payload = await posted(web_peer, resources, delivery(notification(), other))
    assert payload["status"] == "firing"
    assert payload["groupLabels"] == {}
    assert payload["groupKey"] == "{}:{}"
    assert payload["commonLabels"] == {"alertname": "down", "system": "capliquify"}
    assert payload["commonAnnotations"]["summary"] == "CapLiquify: Back end health: down"
    assert [alert["status"] for alert in payload["alerts"]] == ["firing", "resolved"]


async def test_a_label_of_a_measure_never_hides_ours(resources: Resources, web_peer: Posts) -> None:
    about = page(labels=labels({"severity": "none", "system": "other"}))
    payload = await posted(web_peer, resources, delivery(notification(about=about)))
    assert payload["commonLabels"]["severity"] == "critical"
    assert payload["commonLabels"]["system"] == "capliquify"


async def test_what_is_unusual_is_a_note(resources: Resources, web_peer: Posts) -> None:
    sent = delivery(notification(fallback_for="email"), uncertain=True)
    note = (await posted(web_peer, resources, sent))["alerts"][0]["annotations"]["note"]
    assert note.startswith("You get this because email did not accept it. Possibly repeated")


async def test_an_alert_without_a_beginning_began_when_it_was_decided(resources: Resources, web_peer: Posts) -> None:
    payload = await posted(web_peer, resources, delivery(notification(about=page(since=None))))
    assert payload["alerts"][0]["startsAt"] == "2026-11-21T03:12:50Z"


async def test_headers_and_token_are_sent(resources: Resources, web_peer: Posts) -> None:
    await posted(web_peer, resources, delivery(), headers={"X-Key": "key", "authorization": "Basic x"})
    await posted(web_peer, resources, delivery(), bearer="token")
    assert web_peer.asked[0]["X-Key"] == "key"
    assert web_peer.asked[0]["Authorization"] == "Basic x"
    assert web_peer.asked[1]["Authorization"] == "Bearer token"
    assert web_peer.asked[1]["Idempotency-Key"] == "0123456789abcdef"
