from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from monitor.channels.alertmanager import AlertmanagerChannel, postable
from monitor.channels.base import Delivered, Rejected, deliver
from monitor.clock import SystemClock
from monitor.model import EventKind, Severity, labels
from tests.acceptance.peers import until
from tests.acceptance.process import program, running
from tests.channels.ears import Said, arrived, listening, logged
from tests.channels.examples import NOW, delivery, notification, page, storm
from tests.channels.peers import posts
from tests.fakes import FakeClock
from tests.peers import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from monitor.channels.base import Resources
    from monitor.model import Delivery, Notification
    from tests.channels.peers import Posts

HOUR = timedelta(hours=1)
UNTIL = NOW + HOUR
CONFIG = """
route: {{receiver: hook, group_by: ["..."], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "http://127.0.0.1:{port}/", send_resolved: true}}]}}]
"""


def channel(port: int, **fields: Any) -> AlertmanagerChannel:  # noqa: ANN401 - of any field
    return AlertmanagerChannel.model_validate({"url": f"http://127.0.0.1:{port}", **fields})


def ends(*notifications: Notification) -> dict[str, str]:
    """Return when each severity ends, of what is posted about one alert."""
    return {alert["labels"]["severity"]: alert["endsAt"] for alert in postable(delivery(*notifications), UNTIL)}


def test_an_alert_stands_until_the_moment_that_is_told() -> None:
    assert postable(delivery(notification(about=page(labels=labels({"state": "idle"})))), UNTIL) == [
        {
            "labels": {
                "alertname": "down",
                "system": "capliquify",
                "check": "backend",
                "severity": "critical",
                "state": "idle",
            },
            "annotations": {
                "summary": "CapLiquify: Back end health: down",
                "description": "status: expected 200, got 502",
                "context": "CapLiquify: Database: no data",
                "remedy": "1. Look at the latest deploy; roll back if it began there.\n"
                "2. See who holds the connections.",
                "runbook_url": "https://example.com/runbook",
            },
            "startsAt": "2026-11-21T03:12:05Z",
            "endsAt": "2026-11-21T04:12:50Z",
        }
    ]


@pytest.mark.parametrize("kind", [EventKind.RESOLVED, EventKind.REMOVED])
def test_an_end_ends_it_at_every_severity(kind: EventKind) -> None:
    about = page(until=NOW - timedelta(seconds=5))
    assert ends(notification(kind=kind, about=about)) == dict.fromkeys(
        ("info", "warning", "critical"), "2026-11-21T03:12:45Z"
    )


@pytest.mark.parametrize("kind", [EventKind.WORSENED, EventKind.EASED])
def test_another_severity_takes_the_place_of_the_former(kind: EventKind) -> None:
    now, later = "2026-11-21T03:12:50Z", "2026-11-21T04:12:50Z"
    assert ends(notification(0, kind, Severity.WARNING)) == {"info": now, "warning": later, "critical": now}


def test_of_one_alert_the_last_word_counts() -> None:
    """It ended and began anew while nothing could be sent."""
    over = notification(0, EventKind.RESOLVED, about=page(until=NOW))
    anew = notification(1, about=page(since=NOW + HOUR))
    assert ends(replace(anew, at=NOW + HOUR), over)["critical"] == "2026-11-21T04:12:50Z"


def test_an_end_never_lies_before_the_beginning() -> None:
    """Alertmanager refuses that, with all that came along: clocks are set back."""
    about = page(since=NOW + HOUR, until=NOW)
    (alert, *_) = postable(delivery(notification(kind=EventKind.RESOLVED, about=about)), UNTIL)
    assert alert["startsAt"] == alert["endsAt"] == "2026-11-21T04:12:50Z"


def test_an_alert_that_began_in_our_future_still_stands() -> None:
    about = page(since=UNTIL + HOUR)
    (alert,) = postable(delivery(notification(about=about)), UNTIL)
    assert alert["startsAt"] == alert["endsAt"] == "2026-11-21T05:12:50Z"


async def test_it_ends_a_quarter_of_an_hour_from_now(resources: Resources, web_peer: Posts) -> None:
    """Not from when it was decided: what waited here for an hour must not arrive as over."""
    clock = FakeClock(NOW + HOUR)
    one = channel(web_peer.port, url=f"http://127.0.0.1:{web_peer.port}/am/", bearer="t0ken")
    result = await deliver(one, delivery(), replace(resources, clock=clock))
    assert result == Delivered({"incident0": "critical"})
    assert [post[0]["endsAt"] for post in web_peer.got] == ["2026-11-21T04:27:50Z"]
    assert web_peer.paths == ["/am/api/v2/alerts"]
    assert web_peer.asked[0]["Authorization"] == "Bearer t0ken"


@pytest.mark.parametrize("kind", [EventKind.RESOLVED, EventKind.REMOVED, EventKind.REPORTED, EventKind.ANNOUNCED])
async def test_what_is_over_or_told_once_is_not_refreshed(
    kind: EventKind, resources: Resources, web_peer: Posts
) -> None:
    assert await deliver(channel(web_peer.port), delivery(notification(kind=kind)), resources) == Delivered()
    assert len(web_peer.got) == 1


def going_on(count: int) -> Said:
    """Return an ear that knows of so many criticals."""
    return Said(
        dict.fromkeys((f"incident{number}" for number in range(count)), "critical"),
        {one.incident: one for one in storm(count).notifications},
    )


def posted(peer: Posts) -> list[str]:
    """Return the checks and severities of all alerts that were posted, and forget them."""
    alerts = [alert["labels"] for post in peer.got for alert in post]
    peer.got.clear()
    return [f"{alert['check']} {alert['severity']}" for alert in alerts]


async def test_what_goes_on_is_refreshed_each_minute_and_what_is_over_no_more(
    resources: Resources, web_peer: Posts
) -> None:
    """Also one that is acknowledged, of which nobody is reminded."""
    clock, ear = FakeClock(NOW), going_on(2)
    async with listening(channel(web_peer.port), ear, resources, clock):
        await arrived(web_peer, 1, clock)
        assert web_peer.got[0][0]["endsAt"] == "2026-11-21T03:27:50Z"
        assert posted(web_peer) == ["page0 critical", "page1 critical"]
        await clock.advance(timedelta(seconds=59))
        assert posted(web_peer) == []
        await clock.advance(timedelta(seconds=1))
        await arrived(web_peer, 1, clock)
        assert web_peer.got[0][0]["endsAt"] == "2026-11-21T03:28:50Z"
        del ear.notes["incident0"]
        posted(web_peer)
        await clock.advance(timedelta(minutes=1))
        await arrived(web_peer, 1, clock)
        assert posted(web_peer) == ["page1 critical"]
        ear.references.clear()
        await clock.advance(timedelta(minutes=5))
        assert posted(web_peer) == []


async def test_a_refresh_never_makes_an_alert_worse_than_it_was_told(resources: Resources, web_peer: Posts) -> None:
    """What got worse while it was held back is known, but not told: Alertmanager would page."""
    clock, ear = FakeClock(NOW), going_on(1)
    ear.references["incident0"] = "warning"
    async with listening(channel(web_peer.port), ear, resources, clock):
        await arrived(web_peer, 1, clock)
        assert posted(web_peer) == ["page0 warning"]


async def test_a_refresh_knows_at_once_what_was_sent(resources: Resources, web_peer: Posts) -> None:
    """Before what was posted is durable: the former severity, which just ended, must not come back."""
    clock, ear, one = FakeClock(NOW), going_on(1), channel(web_peer.port)
    ear.references["incident0"] = "warning"
    told = replace(ear.notes["incident0"], kind=EventKind.WORSENED)
    async with listening(one, ear, resources, clock):
        await arrived(web_peer, 1, clock)
        assert isinstance(await deliver(one, delivery(told), replace(resources, clock=clock)), Delivered)
        web_peer.got.clear()
        await clock.advance(timedelta(minutes=1))
        await arrived(web_peer, 1, clock)
        assert posted(web_peer) == ["page0 critical"]
        ear.references.clear()
        await clock.advance(timedelta(minutes=1))
        assert one._told == {}


async def test_a_thousand_alerts_are_refreshed_in_parts(resources: Resources, web_peer: Posts) -> None:
    clock = FakeClock(NOW)
    async with listening(channel(web_peer.port), going_on(1_000), resources, clock):
        await arrived(web_peer, 10, clock)
        assert [len(post) for post in web_peer.got] == [100] * 10
        assert len(set(posted(web_peer))) == 1_000


async def test_a_refresh_that_fails_is_told_once_and_the_next_is_tried(resources: Resources, web_peer: Posts) -> None:
    """A part that is refused does not keep the others back; a peer that does not answer does."""
    clock = FakeClock(NOW)
    web_peer.answers = [(400, "odd label"), (200, ""), (503, ""), (503, "")]
    with capture_logs() as logs:
        async with listening(channel(web_peer.port), going_on(150), resources, clock):
            await arrived(web_peer, 2, clock)
            for number in (3, 4, 6):
                await clock.advance(timedelta(minutes=1))
                await arrived(web_peer, number, clock)
            await logged(logs, 2, clock)
    assert [len(post) for post in web_peer.got] == [100, 50, 100, 100, 100, 50]
    assert [entry["event"] for entry in logs] == ["alerts_not_refreshed", "alerts_refreshed_again"]
    assert logs[0]["reason"] == "answered 400: odd label"


@asynccontextmanager
async def alertmanager(folder: Path, hook: int) -> AsyncIterator[int]:
    """Run the real one, which tells a webhook, and yield its port."""
    file, port = folder / "alertmanager.yml", free_port()
    file.write_text(CONFIG.format(port=hook))
    address = f"--web.listen-address=127.0.0.1:{port}"
    options = (f"--config.file={file}", f"--storage.path={folder / 'am'}", address, "--cluster.listen-address=")
    async with (
        running(program("prometheus-alertmanager", "prometheus-alertmanager"), *options),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):

        async def ready() -> bool:
            try:
                async with session.get("/-/ready") as answer:
                    return answer.ok
            except aiohttp.ClientError:
                return False

        await until(ready, "alertmanager")
        yield port


@pytest.fixture
def at_work(resources: Resources) -> Resources:
    """Return what channels share, by the real clock: a real Alertmanager goes by that."""
    return replace(resources, clock=SystemClock())


async def firing(port: int) -> list[tuple[str, str]]:
    """Return what the real Alertmanager holds for firing: names and severities."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/api/v2/alerts") as answer:
        alerts = await answer.json()
    return [(alert["labels"]["alertname"], alert["labels"]["severity"]) for alert in alerts]


def about_now(one: Delivery, kind: EventKind, severity: Severity, began: datetime) -> Delivery:
    """Return `one` as it would be told at this moment: Alertmanager goes by the real clock."""
    note = notification(0, kind, severity, about=page(since=began))
    return replace(one, id=f"{one.id}{kind}", notifications=(replace(note, at=datetime.now(UTC)),))


async def test_the_real_alertmanager_follows_an_alert_through_its_life(tmp_path: Path, at_work: Resources) -> None:
    """It opens, gets worse and ends: each severity is told once as firing and once as resolved."""
    began = datetime.now(UTC) - timedelta(minutes=1)
    async with posts() as hook, alertmanager(tmp_path, hook.port) as port:
        one = channel(port)

        async def tell(kind: EventKind, severity: Severity) -> None:
            assert isinstance(await deliver(one, about_now(delivery(), kind, severity, began), at_work), Delivered)

        def heard() -> list[tuple[str, str]]:
            return [(post["status"], post["alerts"][0]["labels"]["severity"]) for post in hook.got]

        await tell(EventKind.OPENED, Severity.WARNING)
        assert await firing(port) == [("down", "warning")]
        await tell(EventKind.REPEATED, Severity.WARNING)
        await until(lambda: heard() == [("firing", "warning")], "the warning")
        await tell(EventKind.WORSENED, Severity.CRITICAL)
        assert await firing(port) == [("down", "critical")]
        await until(lambda: sorted(heard()[1:]) == [("firing", "critical"), ("resolved", "warning")], "the critical")
        await tell(EventKind.RESOLVED, Severity.CRITICAL)
        assert await firing(port) == []
        await until(lambda: heard()[3:] == [("resolved", "critical")], "the end")


async def test_the_real_alertmanager_keeps_what_is_refreshed_and_drops_what_is_not(
    tmp_path: Path, at_work: Resources
) -> None:
    """An alert about to end there is moved a quarter of an hour ahead; one that nobody refreshes is over at its end."""
    async with posts() as hook, alertmanager(tmp_path, hook.port) as port:
        soon = datetime.now(UTC) - timedelta(minutes=15) + timedelta(seconds=5)
        late = replace(at_work, clock=FakeClock(soon))
        about = [notification(number, about=page(check=f"page{number}")) for number in range(2)]
        assert isinstance(await deliver(channel(port), delivery(*about), late), Delivered)
        assert len(await firing(port)) == 2
        ear = Said({"incident1": "critical"}, {"incident1": about[1]})
        async with listening(channel(port), ear, at_work, FakeClock(datetime.now(UTC))):
            await until(lambda: resolved(hook) == ["page0"], "the end of what nobody refreshes")
            assert await firing(port) == [("down", "critical")]


def resolved(hook: Posts) -> list[str]:
    """Return the checks that Alertmanager told of as over."""
    return [alert["labels"]["check"] for post in hook.got for alert in post["alerts"] if alert["status"] == "resolved"]


async def test_the_real_alertmanager_takes_hostile_labels_and_says_what_it_refuses(
    tmp_path: Path, at_work: Resources
) -> None:
    odd = {"": "x", "1st": "x", "a-b": "x", "ж": "x", " ": "\t", "__name__": "x", "empty": ""}
    async with posts() as hook, alertmanager(tmp_path, hook.port) as port:
        about = page(labels=labels(odd), alert="<b>", system="\x00", summary="\ud800")
        assert isinstance(await deliver(channel(port), delivery(notification(about=about)), at_work), Delivered)
        wrong = await deliver(channel(port, url=f"http://127.0.0.1:{port}/elsewhere"), delivery(), at_work)
    assert isinstance(wrong, Rejected)
    assert "404" in wrong.reason
