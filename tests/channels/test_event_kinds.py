"""What each kind of channel makes of each kind of event."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from monitor.channels.base import Delivered, deliver
from monitor.message import ASIDE
from monitor.model import EventKind, Severity
from tests.channels.examples import delivery, notification
from tests.channels.rigs import RIGS, standing

if TYPE_CHECKING:
    from collections.abc import Collection

    from monitor.channels.base import Resources

QUIET = ASIDE | {EventKind.RESOLVED, EventKind.REMOVED, EventKind.EASED, EventKind.ANNOUNCED}
NEVER: dict[str, Collection[EventKind]] = {
    "slack": (),
    "slack conversation": (),
    "email": (),
    "resend": (),
    "pushover": (),
    "apprise": (),
    "webhook": ASIDE,
    "alertmanager": ASIDE,
    "sms": {*ASIDE, EventKind.ANNOUNCED},
    "pagerduty": {EventKind.EASED, EventKind.SILENCED, EventKind.LIFTED, EventKind.NOTED},
}
"""What a channel deliberately does not send."""


@pytest.mark.parametrize("name", RIGS)
async def test_each_kind_of_event_arrives_or_is_deliberately_not_sent(name: str, resources: Resources) -> None:
    rig = RIGS[name]
    arrived = set()
    kinds = set(EventKind) if not rig.dear else {EventKind.OPENED, EventKind.ACKNOWLEDGED, EventKind.ANNOUNCED}
    async with standing(rig) as (channel, peer):
        for kind in kinds:
            before = len(rig.arrived(peer))
            one = notification(kind=kind, quiet=kind in QUIET)
            result = await deliver(channel, replace(delivery(one), id=f"id-{kind}"), resources)
            assert isinstance(result, Delivered)
            for message in rig.arrived(peer)[before:]:
                rig.check(message)
                arrived.add(kind)
    assert kinds - arrived == set(NEVER[name])


@pytest.mark.parametrize("name", ["webhook", "alertmanager", "sms", "pagerduty", "pushover"])
@pytest.mark.parametrize("kind", sorted(ASIDE))
async def test_what_rings_nobody_does_not_even_if_it_is_told_aloud(
    name: str, kind: EventKind, resources: Resources
) -> None:
    """Whether a message is `quiet` is decided elsewhere: an acknowledgement must wake nobody anyhow."""
    async with standing(RIGS[name]) as (channel, peer):
        await deliver(channel, delivery(notification(kind=kind, quiet=False)), resources)
        for message in peer.got:
            assert message.get("priority", "-1") == "-1"
            assert message.get("event_action") != "trigger" or kind is EventKind.ANSWERED


@pytest.mark.parametrize("name", ["sms", "webhook", "alertmanager"])
async def test_what_is_not_sent_takes_nothing_along(name: str, resources: Resources) -> None:
    """Of a collected message the rest leaves."""
    rig = RIGS[name]
    taken = notification(0, EventKind.ACKNOWLEDGED, quiet=True)
    async with standing(rig) as (channel, peer):
        await deliver(channel, delivery(taken, notification(1, severity=Severity.WARNING)), resources)
        (message,) = rig.arrived(peer)
        assert "critical" not in rig.check(message).lower()
