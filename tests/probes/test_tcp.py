from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

from monitor.model import CheckId, Reason, Sample, State
from monitor.probes.base import Resources, observe
from monitor.probes.tcp import LONGEST_ANSWER, TcpCheck
from tests.fakes import FakeClock
from tests.peers import free_port, hangs_up, says, silence, tcp_peer

if TYPE_CHECKING:
    from tests.peers import NameServer, Talk

BOTH_LOOPS = True


async def look(resources: Resources, port: int, **fields: object) -> Sample:
    check = TcpCheck.model_validate({"host": "127.0.0.1", "port": port, "timeout": "2s", **fields})
    return await observe(CheckId("shop", "port"), check, resources, FakeClock())


async def answers_ping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as Redis does."""
    if await reader.readline() == b"PING\r\n":
        writer.write(b"+PONG\r\n")


async def test_an_open_port_is_up_with_its_phases(names: NameServer, resources: Resources) -> None:
    names.has("db.test", "A", socket.inet_aton("127.0.0.1"))
    async with tcp_peer(silence) as peer:
        sample = await look(resources, peer.port, host="db.test")
        await asyncio.wait_for(peer.quiet.wait(), 20)
    assert (sample.state, sample.reason, sample.detail) == (State.UP, None, "")
    assert [(measure.name, measure.labels) for measure in sample.measures] == [
        ("phase", (("phase", "dns"),)),
        ("phase", (("phase", "connect"),)),
        ("duration", ()),
    ]


async def test_a_closed_port_is_refused_and_has_no_duration(resources: Resources) -> None:
    sample = await look(resources, free_port())
    assert (sample.state, sample.reason) == (State.DOWN, Reason.REFUSED)
    assert "duration" not in {measure.name for measure in sample.measures}


async def test_what_is_sent_is_answered(resources: Resources) -> None:
    async with tcp_peer(answers_ping) as peer:
        sample = await look(resources, peer.port, send="PING\r\n", expect="+PONG")
    assert sample.state is State.UP
    assert ("phase", "answer") in {(measure.name, dict(measure.labels).get("phase")) for measure in sample.measures}


@pytest.mark.parametrize("expect", ["ESMTP ready", r"/^220 .*\r\n220 ready/", "/(?i)esmtp/"])
async def test_a_text_that_comes_in_parts_is_found(resources: Resources, expect: str) -> None:
    async with tcp_peer(says(b"220 mail ES", b"MTP ready\r\n", b"220 ready\r\n")) as peer:
        assert (await look(resources, peer.port, expect=expect)).state is State.UP


@pytest.mark.parametrize(
    ("talk", "came"),
    [
        (says(b"554 no\r\n\x1b[31mgo away", close=True), "'554 no go away'"),
        (hangs_up, "''"),
        (says(b"\xff\xfe", close=True), "'\ufffd\ufffd'"),
        (says(b"x" * (2 * LONGEST_ANSWER)), "xxx…'"),
    ],
    ids=["another text", "nothing", "bytes", "too much"],
)
async def test_another_text_is_shown_short_and_on_one_line(resources: Resources, talk: Talk, came: str) -> None:
    async with tcp_peer(talk) as peer:
        sample = await look(resources, peer.port, expect="220 ")
    assert (sample.state, sample.reason) == (State.DOWN, Reason.BODY)
    assert sample.detail.startswith("expected 220 , got ")
    assert sample.detail.endswith(came)
    assert len(sample.detail) < 150


async def test_only_the_family_asked_for_is_used(resources: Resources) -> None:
    sample = await look(resources, free_port(), family="ipv6")
    assert (sample.state, sample.reason) == (State.DOWN, Reason.DNS)


def test_what_is_sent_never_prints() -> None:
    check = TcpCheck.model_validate({"host": "h", "port": 1, "send": "AUTH hunter2"})
    assert "hunter2" not in repr(check) + check.model_dump_json()
    assert check.host == "h"


@pytest.mark.parametrize(
    "fields", [{}, {"host": ""}, {"host": "h", "port": 0}, {"host": "h", "port": 65_536}, {"port": 1}]
)
def test_fields_that_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        TcpCheck.model_validate(fields)
