from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.channels.base import Delivered, Rejected, Retry, deliver
from monitor.channels.pushover import PushoverChannel
from monitor.model import EventKind, Severity
from tests.channels.examples import NOW, delivery, notification, page, storm

if TYPE_CHECKING:
    from monitor.channels.base import Resources
    from monitor.model import Delivery
    from tests.channels.peers import Posts

FIELDS = {"token": "a" * 30, "user": "u" * 30}


def channel(port: int, **fields: Any) -> PushoverChannel:  # noqa: ANN401 - of any field
    return PushoverChannel.model_validate({**FIELDS, "url": f"http://127.0.0.1:{port}", **fields})


async def sent(peer: Posts, resources: Resources, one: Delivery, **fields: Any) -> Any:  # noqa: ANN401 - a form
    assert isinstance(await deliver(channel(peer.port, **fields), one, resources), Delivered)
    return peer.got[-1]


async def test_a_critical_is_an_emergency_that_says_what_to_do(resources: Resources, web_peer: Posts) -> None:
    about = page(value="612 ms", figure="duration, critical > 500ms")
    form = await sent(web_peer, resources, delivery(notification(about=about)))
    assert web_peer.paths == ["/1/messages.json"]
    assert form == {
        **FIELDS,
        "title": "CRITICAL: CapLiquify: Back end health: down",
        "message": "since 03:12 UTC (45 s).\nstatus: expected 200, got 502\nValue: 612 ms\n"
        "Figure: duration, critical > 500ms\nWhat to do\n"
        "1. Look at the latest deploy; roll back if it began there.\n2. See who holds the connections.\n"
        "Last hour: ▁▁▂·▅█\nAt that time: CapLiquify: Database: no data\n"
        "Alert: capliquify/backend down, as of 03:12 UTC",
        "priority": "2",
        "retry": "60",
        "expire": "3600",
        "tags": "incident0",
        "timestamp": str(int(NOW.timestamp())),
        "url": "https://example.com/runbook",
        "url_title": "Runbook",
    }


@pytest.mark.parametrize(
    ("kind", "severity", "quiet", "priority"),
    [
        (EventKind.OPENED, Severity.CRITICAL, False, "2"),
        (EventKind.REPEATED, Severity.CRITICAL, False, "2"),
        (EventKind.WORSENED, Severity.CRITICAL, True, "-1"),
        (EventKind.OPENED, Severity.WARNING, False, "0"),
        (EventKind.OPENED, Severity.INFO, False, "-1"),
        (EventKind.RESOLVED, Severity.CRITICAL, True, "-1"),
    ],
)
async def test_what_must_ring_rings_and_nothing_else_does(
    kind: EventKind, severity: Severity, quiet: bool, priority: str, resources: Resources, web_peer: Posts
) -> None:
    form = await sent(web_peer, resources, delivery(notification(0, kind, severity, quiet=quiet)))
    assert form["priority"] == priority
    assert ("retry" in form) == ("expire" in form) == (priority == "2")


@pytest.mark.parametrize("kind", [EventKind.RESOLVED, EventKind.REMOVED, EventKind.EASED])
async def test_what_is_over_rings_no_more(kind: EventKind, resources: Resources, web_peer: Posts) -> None:
    await sent(web_peer, resources, delivery(notification(kind=kind)))
    assert web_peer.paths == ["/1/receipts/cancel_by_tag/incident0.json", "/1/messages.json"]
    assert web_peer.got[0] == {"token": FIELDS["token"]}


async def test_of_a_storm_that_ends_the_first_are_stopped(resources: Resources, web_peer: Posts) -> None:
    ends = (
        notification(number, EventKind.RESOLVED, about=page(since=NOW - timedelta(seconds=number)))
        for number in range(50)
    )
    await sent(web_peer, resources, delivery(*ends))
    stopped = [path.rpartition("/")[2] for path in web_peer.paths[:-1]]
    assert stopped == [f"incident{number}.json" for number in range(49, 39, -1)]


async def test_the_end_of_one_of_several_does_not_silence_the_others(resources: Resources, web_peer: Posts) -> None:
    form = await sent(web_peer, resources, storm(3))
    assert form["priority"] == "2"
    assert "tags" not in form


async def test_an_emergency_that_is_unknown_there_keeps_no_message_back(resources: Resources, web_peer: Posts) -> None:
    web_peer.answers = [(404, "")]
    await sent(web_peer, resources, delivery(notification(kind=EventKind.RESOLVED)))
    assert len(web_peer.got) == 2


async def test_one_that_cannot_be_stopped_now_is_stopped_later(resources: Resources, web_peer: Posts) -> None:
    """Before the message that it is over: that would come twice."""
    web_peer.answers = [(503, "")]
    ended = delivery(notification(kind=EventKind.RESOLVED))
    assert isinstance(await deliver(channel(web_peer.port), ended, resources), Retry)
    assert len(web_peer.got) == 1


async def test_what_pushover_refuses_is_said_in_its_words(resources: Resources, web_peer: Posts) -> None:
    web_peer.status, web_peer.body = 400, '{"user":"invalid","errors":["user identifier is invalid"],"status":0}'
    result = await deliver(channel(web_peer.port), delivery(), resources)
    assert isinstance(result, Rejected)
    assert "user identifier is invalid" in result.reason


async def test_an_address_that_is_too_long_is_left_out(resources: Resources, web_peer: Posts) -> None:
    about = page(links=(("Runbook", f"https://example.com/{'x' * 500}"),))
    assert "url" not in await sent(web_peer, resources, delivery(notification(about=about)))


@pytest.mark.parametrize("fields", [{"retry": "29s"}, {"expire": "4h"}, {"token": ""}, {"user": "a b"}])
def test_wrong_fields_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        channel(9, **fields)
