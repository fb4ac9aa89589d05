from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from monitor.channels.alertmanager import AlertmanagerChannel, postable
from monitor.channels.base import Delivered, Rejected, deliver
from monitor.config import load
from monitor.model import EventKind, Severity, labels
from tests.acceptance.peers import until
from tests.acceptance.process import program, running
from tests.channels.examples import NOW, delivery, notification, page
from tests.channels.peers import posts
from tests.peers import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from monitor.channels.base import Resources
    from monitor.model import Delivery, Notification
    from tests.channels.peers import Posts

HOUR = timedelta(hours=1)
CONFIG = """
route: {{receiver: hook, group_by: ["..."], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "http://127.0.0.1:{port}/", send_resolved: true}}]}}]
"""


def channel(port: int, **fields: Any) -> AlertmanagerChannel:  # noqa: ANN401 - of any field
    return AlertmanagerChannel.model_validate({"url": f"http://127.0.0.1:{port}", **fields})


def ends(*notifications: Notification) -> dict[str, str]:
    """Return when each severity ends, of what is posted about one alert."""
    return {alert["labels"]["severity"]: alert["endsAt"] for alert in postable(delivery(*notifications), HOUR)}


def test_an_alert_stands_until_after_the_next_reminder() -> None:
    assert postable(delivery(notification(about=page(labels=labels({"state": "idle"})))), HOUR) == [
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
    assert ends(replace(anew, at=NOW + HOUR), over)["critical"] == "2026-11-21T05:12:50Z"


def test_an_end_never_lies_before_the_beginning() -> None:
    """Alertmanager refuses that, with all that came along: clocks are set back."""
    about = page(since=NOW + HOUR, until=NOW)
    (alert, *_) = postable(delivery(notification(kind=EventKind.RESOLVED, about=about)), HOUR)
    assert alert["startsAt"] == alert["endsAt"] == "2026-11-21T04:12:50Z"


def test_a_report_is_seen_and_gone() -> None:
    assert ends(notification(kind=EventKind.REPORTED)) == {"critical": "2026-11-21T03:27:50Z"}


async def test_the_end_follows_from_the_routes(tmp_path: Path, resources: Resources, web_peer: Posts) -> None:
    """A quarter of an hour after the slowest reminder; where none comes, after a day."""
    hook = f"{{kind: alertmanager, url: 'http://127.0.0.1:{web_peer.port}/am/', bearer: t0ken}}"
    (tmp_path / "monitor.yaml").write_text(
        f"channels: {{am: {hook}, spare: {hook}}}\n"
        "routes: [{severity: critical, notify: am, repeat: 30m}, {notify: am, repeat: 2h}]\n"
        "systems: {shop: {checks: {site: 'tls://shop.example.com'}}}\n"
    )
    channels = load(tmp_path, {}).channels
    for name in ("am", "spare"):
        assert await deliver(channels[name], delivery(), resources) == Delivered()
    assert [post[0]["endsAt"] for post in web_peer.got] == ["2026-11-21T05:27:50Z", "2026-11-22T03:27:50Z"]
    assert web_peer.paths == ["/am/api/v2/alerts"] * 2
    assert web_peer.asked[0]["Authorization"] == "Bearer t0ken"


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


async def firing(port: int) -> list[tuple[str, str]]:
    """Return what the real Alertmanager holds for firing: names and severities."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/api/v2/alerts") as answer:
        alerts = await answer.json()
    return [(alert["labels"]["alertname"], alert["labels"]["severity"]) for alert in alerts]


def about_now(one: Delivery, kind: EventKind, severity: Severity, began: datetime) -> Delivery:
    """Return `one` as it would be told at this moment: Alertmanager goes by the real clock."""
    note = notification(0, kind, severity, about=page(since=began))
    return replace(one, id=f"{one.id}{kind}", notifications=(replace(note, at=datetime.now(UTC)),))


async def test_the_real_alertmanager_follows_an_alert_through_its_life(tmp_path: Path, resources: Resources) -> None:
    """It opens, gets worse and ends: each severity is told once as firing and once as resolved."""
    began = datetime.now(UTC) - timedelta(minutes=1)
    async with posts() as hook, alertmanager(tmp_path, hook.port) as port:
        one = channel(port)

        async def tell(kind: EventKind, severity: Severity) -> None:
            assert await deliver(one, about_now(delivery(), kind, severity, began), resources) == Delivered()

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


async def test_the_real_alertmanager_takes_hostile_labels_and_says_what_it_refuses(
    tmp_path: Path, resources: Resources
) -> None:
    odd = {"": "x", "1st": "x", "a-b": "x", "ж": "x", " ": "\t", "__name__": "x", "empty": ""}
    async with posts() as hook, alertmanager(tmp_path, hook.port) as port:
        about = page(labels=labels(odd), alert="<b>", system="\x00", summary="\ud800")
        assert await deliver(channel(port), delivery(notification(about=about)), resources) == Delivered()
        wrong = await deliver(channel(port, url=f"http://127.0.0.1:{port}/elsewhere"), delivery(), resources)
    assert isinstance(wrong, Rejected)
    assert "404" in wrong.reason
