"""Pushover's receipts: who confirms an emergency has acknowledged what it was about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from monitor.channels.base import Delivered, deliver
from monitor.channels.pushover import PushoverChannel
from monitor.model import Act, Deed, EventKind, Scope, labels
from tests.acceptance.peers import until
from tests.channels.ears import Said, arrived, listening, logged
from tests.channels.examples import NOW, delivery, notification, page, storm
from tests.channels.pushover import USER, phones
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.channels.base import Resources
    from monitor.model import Delivery
    from tests.channels.pushover import Phones

FIVE = timedelta(seconds=5)
FIRST = f"r{1:029}"
SECOND = f"r{2:029}"


@pytest.fixture
async def peer() -> AsyncIterator[Phones]:
    async with phones() as server:
        yield server


def channel(peer: Phones) -> PushoverChannel:
    return PushoverChannel.model_validate({"token": "a" * 30, "user": USER, "url": f"http://127.0.0.1:{peer.port}"})


async def rung(peer: Phones, resources: Resources, one: Delivery, ear: Said) -> None:
    """Send `one`, as the outbox would: what was posted is known from then on."""
    result = await deliver(channel(peer), one, resources)
    assert isinstance(result, Delivered)
    ear.references |= result.posted
    ear.notes |= {note.incident: note for note in one.notifications}


async def look(peer: Phones, clock: FakeClock, count: int, by: timedelta = FIVE) -> None:
    """Let so much time pass and so many requests arrive in all."""
    await clock.advance(by)
    await arrived(peer, count, clock)


async def quiet(peer: Phones, clock: FakeClock, count: int) -> None:
    """Nothing more is asked in ten minutes."""
    for _ in range(20):
        await clock.advance(timedelta(seconds=30))
    assert len(peer.got) == count


def test_it_can_acknowledge(peer: Phones) -> None:
    assert channel(peer).acknowledges


async def test_who_confirms_an_emergency_acknowledges_exactly_its_alert(peer: Phones, resources: Resources) -> None:
    clock, ear = FakeClock(NOW), Said()
    about = page(labels=labels({"state": "idle"}))
    await rung(peer, resources, delivery(notification(about=about)), ear)
    assert ear.references == {"incident0": FIRST}
    async with listening(channel(peer), ear, resources, clock):
        await arrived(peer, 1, clock)
        assert ear.acts == []
        peer.confirmed[FIRST] = ("iphone", int(NOW.timestamp()) + 2)
        await look(peer, clock, 2)
        await until(lambda: ear.acts, "the acknowledgement")
        await quiet(peer, clock, 2)
    assert ear.acts == [
        Act(
            ear.acts[0].id,
            datetime.fromtimestamp(int(NOW.timestamp()) + 2, UTC),
            Deed.ACKNOWLEDGE,
            "iphone",
            Scope("capliquify", "backend", "down", labels({"state": "idle"})),
            "incident0",
        )
    ]


async def test_after_a_restart_it_is_the_same_act(peer: Phones, resources: Resources) -> None:
    clock, ear = FakeClock(NOW), Said()
    await rung(peer, resources, delivery(), ear)
    peer.confirmed[FIRST] = ("", 0)
    async with listening(channel(peer), ear, resources, clock):
        await until(lambda: len(ear.acts) == 1, "the acknowledgement")
    async with listening(channel(peer), ear, resources, clock):
        await until(lambda: len(ear.acts) == 2, "the acknowledgement")
    first, second = ear.acts
    assert first == second
    assert first.who == "ops", "Pushover names no device"
    assert first.at == NOW


@pytest.mark.parametrize("at", [-5, "soon", 10**18, None, True])
async def test_a_moment_that_cannot_be_is_now(at: Any, peer: Phones, resources: Resources) -> None:  # noqa: ANN401 - of any kind
    clock, ear = FakeClock(NOW), Said()
    await rung(peer, resources, delivery(), ear)
    peer.confirmed[FIRST] = ("\x1b[31mmine\u202e", at)
    async with listening(channel(peer), ear, resources, clock):
        await until(lambda: ear.acts, "the acknowledgement")
    assert (ear.acts[0].who, ear.acts[0].at.replace(microsecond=0)) in {
        ("mine", NOW),
        ("mine", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
    }


async def test_one_message_about_several_acknowledges_all_that_still_go_on(peer: Phones, resources: Resources) -> None:
    clock, ear = FakeClock(NOW), Said()
    await rung(peer, resources, storm(3), ear)
    assert set(ear.references.values()) == {FIRST}
    del ear.notes["incident1"], ear.references["incident1"]
    peer.confirmed[FIRST] = ("pixel", int(NOW.timestamp()))
    async with listening(channel(peer), ear, resources, clock):
        await until(lambda: len(ear.acts) == 2, "two acknowledgements")
        await quiet(peer, clock, 1)
    assert sorted(act.incident for act in ear.acts) == ["incident0", "incident2"]
    assert len({act.id for act in ear.acts}) == 2


async def test_it_rings_until_none_of_several_goes_on(peer: Phones, resources: Resources) -> None:
    """The end of one must not silence the others, and the end of all must."""
    clock, ear = FakeClock(NOW), Said()
    await rung(peer, resources, storm(2), ear)
    async with listening(channel(peer), ear, resources, clock):
        await arrived(peer, 1, clock)
        del ear.notes["incident0"], ear.references["incident0"]
        await look(peer, clock, 2)
        assert peer.cancelled == []
        del ear.notes["incident1"], ear.references["incident1"]
        await look(peer, clock, 4)
        assert peer.cancelled == [FIRST]
        await quiet(peer, clock, 4)
    assert ear.acts == []


async def test_a_reminder_rings_in_place_of_what_rang_before(peer: Phones, resources: Resources) -> None:
    """The former is asked for once more: it may have been confirmed in the last moment."""
    clock, ear = FakeClock(NOW), Said()
    await rung(peer, resources, delivery(), ear)
    async with listening(channel(peer), ear, resources, clock):
        await arrived(peer, 1, clock)
        await rung(peer, resources, delivery(notification(kind=EventKind.REPEATED)), ear)
        assert ear.references == {"incident0": SECOND}
        await look(peer, clock, 4)
        assert peer.asked == [FIRST, FIRST, SECOND]
        assert peer.cancelled == [FIRST]
        peer.confirmed[SECOND] = ("iphone", int(NOW.timestamp()))
        await look(peer, clock, 5)
        await until(lambda: ear.acts, "the acknowledgement")


async def test_a_confirmation_in_the_last_moment_counts(peer: Phones, resources: Resources) -> None:
    clock, ear = FakeClock(NOW), Said()
    await rung(peer, resources, delivery(), ear)
    async with listening(channel(peer), ear, resources, clock):
        await arrived(peer, 1, clock)
        peer.confirmed[FIRST] = ("iphone", int(NOW.timestamp()))
        await rung(peer, resources, delivery(notification(kind=EventKind.REPEATED)), ear)
        await clock.advance(FIVE)
        await until(lambda: ear.acts, "the acknowledgement")
    assert FIRST not in peer.cancelled


async def test_a_gap_in_what_is_posted_silences_nothing(peer: Phones, resources: Resources) -> None:
    """While the incident goes on, that no reference is known may be our own fault."""
    clock, ear = FakeClock(NOW), Said()
    await rung(peer, resources, delivery(), ear)
    async with listening(channel(peer), ear, resources, clock):
        await arrived(peer, 1, clock)
        ear.references.clear()
        await look(peer, clock, 2)
    assert peer.cancelled == []


@pytest.mark.parametrize("state", ["expired", "unknown"])
async def test_what_can_no_longer_be_confirmed_is_not_asked_for(state: str, peer: Phones, resources: Resources) -> None:
    clock, ear = FakeClock(NOW), Said()
    await rung(peer, resources, delivery(), ear)
    getattr(peer, state).add(FIRST)
    async with listening(channel(peer), ear, resources, clock):
        await arrived(peer, 1, clock)
        await quiet(peer, clock, 1)
    assert (ear.acts, peer.cancelled) == ([], [])


async def test_an_answer_that_is_none_is_told_once_and_asked_for_again(peer: Phones, resources: Resources) -> None:
    """After a minute, or when Pushover says."""
    clock, ear = FakeClock(NOW), Said()
    await rung(peer, resources, delivery(), ear)
    peer.answers = [
        (500, f"broken {'a' * 30}", {}),
        (200, '{"acknowledged"', {}),
        (200, '{"acknowledged": "1", "expired": 0}', {}),
        (429, "", {"Retry-After": "90"}),
    ]
    with capture_logs() as logs:
        async with listening(channel(peer), ear, resources, clock):
            for number in (1, 2, 3):
                await arrived(peer, number, clock)
                await clock.advance(timedelta(seconds=59))
                assert len(peer.asked) == number
                await clock.advance(timedelta(seconds=1))
            await arrived(peer, 4, clock)
            await clock.advance(timedelta(seconds=89))
            assert len(peer.asked) == 4
            await look(peer, clock, 5, timedelta(seconds=1))
            await look(peer, clock, 6)
            await logged(logs, 1, clock)
    assert [(entry["event"], entry["reason"]) for entry in logs] == [
        ("receipts_not_answered", "answered 500: broken •••")
    ]


async def test_what_could_not_be_carried_out_is_heard_again(peer: Phones, resources: Resources) -> None:
    clock, ear = FakeClock(NOW), Said(deaf=True)
    await rung(peer, resources, delivery(), ear)
    peer.confirmed[FIRST] = ("iphone", int(NOW.timestamp()))
    async with listening(channel(peer), ear, resources, clock):
        await arrived(peer, 1, clock)
        ear.deaf = False
        await look(peer, clock, 2, timedelta(minutes=1))
        await until(lambda: ear.acts, "the acknowledgement")


async def test_what_is_acknowledged_elsewhere_rings_no_more(peer: Phones, resources: Resources) -> None:
    ear = Said()
    await rung(peer, resources, delivery(), ear)
    taken = notification(kind=EventKind.ACKNOWLEDGED, quiet=True)
    assert await deliver(channel(peer), delivery(taken), resources) == Delivered()
    assert peer.cancelled == ["incident0"]
    assert peer.messages[-1]["priority"] == "-1"


async def test_what_does_not_ring_has_no_receipt(peer: Phones, resources: Resources) -> None:
    """Of a collected message those that only come along are not acknowledged by confirming it."""
    eased = notification(1, EventKind.EASED)
    result = await deliver(channel(peer), delivery(notification(), eased), resources)
    assert result == Delivered({"incident0": FIRST})


async def test_nothing_posted_is_nothing_asked(peer: Phones, resources: Resources) -> None:
    clock = FakeClock(NOW)
    async with listening(channel(peer), Said(), resources, clock):
        await quiet(peer, clock, 0)


async def test_many_receipts_are_asked_for_one_after_the_other(peer: Phones, resources: Resources) -> None:
    clock, ear = FakeClock(NOW), Said()
    for number in range(30):
        one = replace(delivery(notification(number)), id=f"d{number}")
        await rung(peer, resources, one, ear)
    async with listening(channel(peer), ear, resources, clock):
        await arrived(peer, 30, clock)
        await look(peer, clock, 60)
    assert len(set(peer.asked)) == 30
