from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.model import CheckId, Reason, Sample, State
from monitor.probes.base import Resources, observe
from monitor.probes.tls import TlsCheck
from tests.fakes import FakeClock
from tests.peers import says, silence, tcp_peer

if TYPE_CHECKING:
    from tests.peers import Authority, NameServer

BOTH_LOOPS = True

EXPIRED = {"starts": timedelta(days=-90), "ends": timedelta(days=-3)}


async def look(resources: Resources, authority: Authority, port: int, **fields: object) -> Sample:
    base = {
        "host": "127.0.0.1",
        "port": port,
        "server_name": "shop.test",
        "ca_file": str(authority.path),
        "timeout": "2s",
    }
    check = TlsCheck.model_validate(base | fields)
    return await observe(CheckId("shop", "certificate"), check, resources, FakeClock())


def measured(sample: Sample) -> dict[str, float]:
    return {measure.name: measure.value for measure in sample.measures}


def days_left(sample: Sample) -> int:
    return round((measured(sample)["expiry"] - datetime.now(UTC).timestamp()) / 86_400)


async def test_a_valid_certificate_is_up_with_its_expiry(
    names: NameServer, resources: Resources, authority: Authority
) -> None:
    names.has("shop.test", "A", socket.inet_aton("127.0.0.1"))
    async with tcp_peer(silence, authority.server("shop.test")) as peer:
        sample = await look(resources, authority, peer.port, host="shop.test.", server_name="")
        await asyncio.wait_for(peer.quiet.wait(), 20)
    assert (sample.state, sample.detail) == (State.UP, "")
    assert days_left(sample) == 60
    assert measured(sample)["version"] == 1.3
    phases = [dict(measure.labels)["phase"] for measure in sample.measures if measure.name == "phase"]
    assert phases == ["dns", "connect", "tls"]
    assert "duration" in measured(sample)


async def test_an_address_can_be_what_the_certificate_is_for(resources: Resources, authority: Authority) -> None:
    async with tcp_peer(silence, authority.server("127.0.0.1")) as peer:
        assert (await look(resources, authority, peer.port, server_name="")).state is State.UP


async def test_an_expired_certificate_is_told_apart_and_measured(resources: Resources, authority: Authority) -> None:
    async with tcp_peer(silence, authority.server("shop.test", **EXPIRED)) as peer:
        sample = await look(resources, authority, peer.port)
        await asyncio.wait_for(peer.quiet.wait(), 20)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.TLS_EXPIRED)
    assert days_left(sample) == -3
    assert "duration" not in measured(sample)


async def test_a_certificate_of_another_name_is_invalid_and_measured(
    resources: Resources, authority: Authority
) -> None:
    async with tcp_peer(silence, authority.server("other.test")) as peer:
        sample = await look(resources, authority, peer.port)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.TLS_INVALID)
    assert "shop.test" in sample.detail
    assert days_left(sample) == 60


async def test_an_authority_that_is_not_trusted_is_invalid(resources: Resources, authority: Authority) -> None:
    async with tcp_peer(silence, authority.server("shop.test")) as peer:
        sample = await look(resources, authority, peer.port, ca_file="")
    assert (sample.state, sample.reason) == (State.DOWN, Reason.TLS_INVALID)


async def test_a_second_look_that_stalls_hides_nothing(resources: Resources, authority: Authority) -> None:
    """Expired is what is wrong, even if the peer then goes silent until the deadline."""
    server = authority.server("shop.test", **EXPIRED)
    second = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if second.is_set():
            await silence(reader, writer)
        else:
            second.set()
            await writer.start_tls(server)

    async with tcp_peer(accept) as peer:
        sample = await look(resources, authority, peer.port, timeout="500ms")
    assert (sample.state, sample.reason) == (State.DOWN, Reason.TLS_EXPIRED)
    assert "expiry" not in measured(sample)


async def test_an_old_version_is_refused_where_a_newer_is_the_minimum(
    resources: Resources, authority: Authority
) -> None:
    server = authority.server("shop.test")
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    async with tcp_peer(silence, server) as peer:
        assert measured(await look(resources, authority, peer.port))["version"] == 1.2
        sample = await look(resources, authority, peer.port, minimum="1.3")
    assert sample.state is State.DOWN
    assert "version" not in measured(sample)


@pytest.mark.parametrize(
    ("issuer", "state"), [("Test Auth", State.UP), ("/^CN=Test A/", State.UP), ("Acme", State.DOWN)]
)
async def test_the_issuer_can_be_asked_for(
    resources: Resources, authority: Authority, issuer: str, state: State
) -> None:
    async with tcp_peer(silence, authority.server("shop.test")) as peer:
        sample = await look(resources, authority, peer.port, issuer=issuer)
    assert sample.state is state
    assert days_left(sample) == 60
    if state is State.DOWN:
        assert sample.reason is Reason.TLS_INVALID
        assert sample.detail == "expected a certificate issued by Acme, got one by CN=Test Authority"


async def test_a_peer_that_speaks_no_tls_has_no_expiry(resources: Resources, authority: Authority) -> None:
    async with tcp_peer(says(b"HTTP/1.1 400 \r\n\r\n")) as peer:
        sample = await look(resources, authority, peer.port)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.PROTOCOL)
    assert "expiry" not in measured(sample)


async def test_a_ca_file_that_is_missing_is_our_own_fault(resources: Resources, authority: Authority) -> None:
    sample = await look(resources, authority, 1, ca_file="/nowhere/ca.pem")
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.UNKNOWN)


def test_the_remaining_time_is_watched_without_being_asked_for() -> None:
    (implied,) = TlsCheck.model_validate({"host": "h"}).implied()
    assert (implied.watch, implied.name, implied.warning, implied.critical) == (
        "expiry",
        "certificate",
        "< 21d",
        "< 7d",
    )
    assert implied.remedy
    assert not implied.source


def test_the_port_is_443_and_the_host_is_that_connected_to() -> None:
    check = TlsCheck.model_validate({"host": "h", "server_name": "other"})
    assert (check.port, check.host) == (443, "h")
