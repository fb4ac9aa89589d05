"""What every kind of channel promises, whatever its peer does. A new kind adds one `Rig`."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from monitor.channels import KINDS
from monitor.channels.base import Delivered, Rejected, Retry, deliver
from monitor.channels.slack import SlackChannel
from tests.channels.examples import delivery, notification, page, storm
from tests.channels.rigs import RIGS, SECRET, standing
from tests.peers import drips, free_port, hangs_up, resets, says, tcp_peer

if TYPE_CHECKING:
    from monitor.channels.base import Resources, SendResult
    from tests.channels.rigs import Rig
    from tests.peers import Talk

BOTH_LOOPS = True


async def sent_to(talk: Talk, rig: Rig, resources: Resources, deadline: timedelta | None = None) -> SendResult:
    """Return how a send to a peer that does `talk` ends; the peer must see the connection closed."""
    async with tcp_peer(talk) as peer:
        deadline = deadline or rig.patience
        began = perf_counter()
        result = await deliver(rig.channel(peer.port), delivery(), resources, deadline)
        assert perf_counter() - began < deadline.total_seconds() + 1
        if peer.seen or not rig.dear:  # on a machine under load its process may be ended before it has begun
            await asyncio.wait_for(peer.quiet.wait(), 5)
    return result


def test_every_kind_with_a_peer_has_a_rig() -> None:
    assert {name.split()[0] for name in RIGS} == set(KINDS) - {"console"}


async def test_a_message_arrives_and_its_repetition_names_itself_the_same(rig: Rig, resources: Resources) -> None:
    """At least once: a peer that looks at the id sees one message, whatever was lost on the way back."""
    async with standing(rig) as (channel, peer):
        for _ in range(2):
            assert isinstance(await deliver(channel, delivery(), resources), Delivered)
        first, second = rig.arrived(peer)
        assert rig.check(first) == rig.check(second)
        assert len(set(rig.identity(peer))) in {0, 1}
        text = rig.check(first)
    for wanted in ("CapLiquify: Back end health: down", "critical", "expected 200, got 502", "roll back if it began"):
        assert wanted.lower() in text.lower()


@pytest.mark.parametrize(("name", "place"), [(name, place) for name, rig in RIGS.items() for place in rig.silent])
async def test_a_peer_that_falls_silent_costs_one_deadline(name: str, place: str, resources: Resources) -> None:
    result = await sent_to(RIGS[name].silent[place], RIGS[name], resources)
    assert result == Retry(f"no answer within {RIGS[name].patience.total_seconds():g} s")


async def test_a_peer_that_drips_costs_one_deadline(rig: Rig, resources: Resources) -> None:
    assert isinstance(await sent_to(drips(b"220-x\r\n"), rig, resources), Retry)


async def test_a_peer_that_never_stops_costs_no_more(rig: Rig, resources: Resources) -> None:
    async def floods(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad\r\n\r\n")
        while True:
            writer.write(b"220-" + b"x" * 60_000)
            await writer.drain()

    assert not isinstance(await sent_to(floods, rig, resources, timedelta(seconds=3)), Delivered)


@pytest.mark.parametrize("talk", [hangs_up, resets(), says(b"garbage\r\n\r\n", close=True)])
async def test_a_broken_connection_may_be_tried_again(rig: Rig, talk: Talk, resources: Resources) -> None:
    result = await sent_to(talk, rig, resources, timedelta(seconds=5))
    assert isinstance(result, Retry)
    assert result.after is None
    assert "failed" not in result.reason
    assert result.reason


async def test_a_refused_connection_may_be_tried_again(rig: Rig, resources: Resources) -> None:
    result = await deliver(rig.channel(free_port()), delivery(), resources)
    assert isinstance(result, Retry)
    assert "127.0.0.1" in result.reason
    assert "refused" in result.reason


async def test_what_will_never_be_accepted_is_rejected_in_the_peers_words(rig: Rig, resources: Resources) -> None:
    result = await sent_to(rig.never, rig, resources, timedelta(seconds=5))
    assert isinstance(result, Rejected)
    assert "no entry for •••" in result.reason
    assert SECRET not in result.reason


async def test_what_may_be_accepted_later_says_when(rig: Rig, resources: Resources) -> None:
    result = await sent_to(rig.later, rig, resources, timedelta(seconds=5))
    assert isinstance(result, Retry)
    assert result.after == rig.asks
    assert "•••" in result.reason
    assert SECRET not in result.reason


async def test_no_secret_shows(rig: Rig, resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the channel's own texts nor a bug that carries a secret in its error give it away."""
    channel = rig.channel(9)
    assert SECRET in "".join(secret.reveal() for secret in channel.secrets())
    for shown in (
        repr(channel),
        str(channel),
        repr(channel.secrets()),
        channel.model_dump_json(),
        f"{channel.model_dump()}",
    ):
        assert SECRET not in shown

    async def crash(*_: object) -> SendResult:
        await asyncio.sleep(0)
        raise RuntimeError(f"cannot use {SECRET}") from ValueError(SECRET)

    monkeypatch.setattr(type(channel), "send", crash)
    with capture_logs() as logs:
        result = await deliver(channel, delivery(), resources)
    assert result == Retry("the channel itself failed: RuntimeError")
    assert [entry["event"] for entry in logs] == ["send_crashed"]
    assert "in crash" in logs[0]["where"]
    assert "•••" in logs[0]["error"]
    assert SECRET not in repr(logs)


async def test_every_script_and_sign_arrives(rig: Rig, resources: Resources) -> None:
    said = "🔥 Größe, Ünïcödé, שלום עולם, مرحبا, 日本語, e\u0301 n\u0303, 👍🏽, ₂, ﷽"
    about = page(title=f"Shop: {said}", summary=said, remedy=(said, said))
    async with standing(rig) as (channel, peer):
        assert isinstance(await deliver(channel, delivery(notification(about=about)), resources), Delivered)
        text = rig.check(rig.arrived(peer)[0])
    assert text.count(said) >= 3


@pytest.mark.parametrize("step", ["Do this. " * 1_111, "x" * 10_000, "ж" * 10_000, "🔥" * 10_000, "a\n" * 5_000])
async def test_a_remedy_of_10_000_characters_arrives(rig: Rig, step: str, resources: Resources) -> None:
    """Where it does not fit, its beginning does, and whatever else the page says."""
    about = page(remedy=(step,))
    async with standing(rig) as (channel, peer):
        assert isinstance(await deliver(channel, delivery(notification(about=about)), resources), Delivered)
        text = rig.check(rig.arrived(peer)[0])
    assert step[: 50 if rig.brief else 1_000].partition("\n")[0] in text
    assert "https://example.com/runbook" in text or "Runbook" in text


@pytest.mark.parametrize("count", [2, 60, 500])
async def test_a_storm_is_one_message_that_names_everything(rig: Rig, count: int, resources: Resources) -> None:
    async with standing(rig) as (channel, peer):
        assert isinstance(await deliver(channel, storm(count), resources), Delivered)
        arrived = rig.arrived(peer)
        assert len(arrived) == (count if rig.apart or count <= rig.few else 1)
        text = "\n".join(rig.check(one) for one in arrived)
    named = [number for number in range(count) if re.search(rf"[pP]age ?{number}\b", text)]
    if rig.brief:
        assert f"{count} CRITICAL in shop" in text
    else:
        assert len(named) == count or (isinstance(rig.channel(9), SlackChannel) and count == 500 and len(named) > 60)
