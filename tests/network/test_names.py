from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING

import pytest

from monitor.model import Failure, Reason, State
from monitor.network import Resolver
from monitor.network.names import KEPT
from tests.peers import wire_name, wire_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.peers import NameServer

BOTH_LOOPS = True

FOUR = socket.inet_aton("192.0.2.7")
SIX = socket.inet_pton(socket.AF_INET6, "2001:db8::7")


@pytest.fixture
async def resolver(names: NameServer) -> AsyncIterator[Resolver]:
    made = Resolver([names.address])
    yield made
    await made.close()


async def test_addresses_come_with_ipv4_first(names: NameServer, resolver: Resolver) -> None:
    names.has("both.test", "AAAA", SIX)
    names.has("both.test", "A", FOUR, socket.inet_aton("192.0.2.3"), FOUR)
    assert await resolver.addresses("both.test") == ["192.0.2.7", "192.0.2.3", "2001:db8::7"]


async def test_a_family_is_asked_for_alone(names: NameServer, resolver: Resolver) -> None:
    names.has("both.test", "A", FOUR)
    names.has("both.test", "AAAA", SIX)
    assert await resolver.addresses("both.test", "ipv6") == ["2001:db8::7"]
    assert await resolver.addresses("both.test", "ipv4") == ["192.0.2.7"]
    assert names.asked == [("both.test", "AAAA"), ("both.test", "A")]


@pytest.mark.parametrize("number", ["192.0.2.1", "2001:db8::1", "fe80::1%lo"])
async def test_a_numeric_host_asks_nobody(names: NameServer, resolver: Resolver, number: str) -> None:
    assert await resolver.addresses(number) == [number]
    assert names.asked == []


async def test_a_numeric_host_of_the_other_family_is_down(resolver: Resolver) -> None:
    with pytest.raises(Failure) as raised:
        await resolver.addresses("192.0.2.1", "ipv6")
    assert (raised.value.reason, raised.value.state) == (Reason.DNS, State.DOWN)


async def test_the_hosts_file_counts(names: NameServer, resolver: Resolver) -> None:
    assert "127.0.0.1" in await resolver.addresses("localhost")
    assert names.asked == []


@pytest.mark.parametrize(
    ("code", "state"),
    [(0, State.DOWN), (3, State.DOWN), (2, State.UNKNOWN), (5, State.UNKNOWN), (1, State.UNKNOWN)],
    ids=["no data", "no such name", "failing", "refusing", "not understanding"],
)
@pytest.mark.parametrize("records", [False, True])
async def test_a_name_that_is_not_there_is_down_and_a_server_that_does_not_say_unknown(
    names: NameServer, resolver: Resolver, code: int, state: State, *, records: bool
) -> None:
    names.codes["gone.test"] = code
    with pytest.raises(Failure) as raised:
        await (resolver.records("gone.test", "TXT") if records else resolver.addresses("gone.test"))
    assert (raised.value.reason, raised.value.state) == (Reason.DNS, state)
    assert "gone.test" in raised.value.detail


@pytest.mark.parametrize(
    "name", ["", "a..b", "x" * 64 + ".test", "x." * 200, "a\0b.test", "a\nb", "☃" * 90 + ".test", "-☃", "127.0.0.1%lo"]
)
async def test_what_is_no_name_is_down_without_asking(names: NameServer, resolver: Resolver, name: str) -> None:
    with pytest.raises(Failure) as raised:
        await resolver.addresses(name)
    assert (raised.value.reason, raised.value.state) == (Reason.DNS, State.DOWN)
    assert names.asked == []


async def test_a_silent_server_is_unknown_within_half_of_the_time_left(
    names: NameServer, resolver: Resolver, late: Callable[[], float]
) -> None:
    names.silent.add("silent.test")
    started = perf_counter()
    with pytest.raises(Failure) as raised:
        await resolver.addresses("silent.test", within=timedelta(seconds=0.4))
    assert (raised.value.reason, raised.value.state) == (Reason.DNS, State.UNKNOWN)
    assert 0.15 < perf_counter() - started < 0.35 + late()


async def test_the_first_unanswered_query_is_asked_again(names: NameServer, resolver: Resolver) -> None:
    """One lost datagram is no outage."""
    names.has("lossy.test", "A", FOUR)
    names.has("warm.test", "A", FOUR)
    await resolver.addresses("warm.test")
    names.silent.add("lossy.test")
    asked = asyncio.create_task(resolver.addresses("lossy.test", "ipv4"))
    await names.hears("lossy.test")
    names.silent.clear()
    assert await asked == ["192.0.2.7"]


async def test_twenty_silent_names_delay_no_other(
    names: NameServer, resolver: Resolver, late: Callable[[], float]
) -> None:
    names.silent.update(f"silent{number}.test" for number in range(20))
    names.has("healthy.test", "A", FOUR)
    stuck = [asyncio.create_task(resolver.addresses(name)) for name in names.silent]
    await names.hears(*names.silent)
    started = perf_counter()
    await resolver.addresses("healthy.test")
    assert perf_counter() - started < 0.2 + late()
    await resolver.close()
    failures = await asyncio.gather(*stuck, return_exceptions=True)
    assert {failure.state for failure in failures if isinstance(failure, Failure)} == {State.UNKNOWN}


async def test_an_answer_is_forgotten_within_about_a_second(names: NameServer, resolver: Resolver) -> None:
    """c-ares would keep it for an hour: a changed record, or a name server that died, would not be seen."""
    names.has("moved.test", "A", FOUR)
    await resolver.addresses("moved.test")
    names.has("moved.test", "A", socket.inet_aton("192.0.2.8"))
    await asyncio.sleep(KEPT + 0.2)
    assert await resolver.addresses("moved.test") == ["192.0.2.8"]


async def test_a_cancelled_query_leaves_the_resolver_usable(names: NameServer, resolver: Resolver) -> None:
    names.silent.add("silent.test")
    names.has("healthy.test", "A", FOUR)
    asked = asyncio.create_task(resolver.addresses("silent.test"))
    await names.hears("silent.test")
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await resolver.addresses("healthy.test") == ["192.0.2.7"]


async def test_records_come_as_people_write_them(names: NameServer, resolver: Resolver) -> None:
    names.has("shop.test", "A", FOUR, socket.inet_aton("192.0.2.6"))
    names.has("shop.test", "AAAA", SIX)
    names.has("shop.test", "CNAME", wire_name("Shop.OnRender.com"))
    names.has("shop.test", "NS", wire_name("ns1.shop.test"))
    names.has("shop.test", "MX", b"\0\x0a" + wire_name("Mail.shop.test"))
    names.has("shop.test", "TXT", wire_text(b"v=spf1 ", b"-all"), wire_text(b"\xff"))
    assert await resolver.records("shop.test", "A") == ["192.0.2.6", "192.0.2.7"]
    assert await resolver.records("shop.test", "AAAA") == ["2001:db8::7"]
    assert await resolver.records("shop.test", "CNAME") == ["shop.onrender.com"]
    assert await resolver.records("shop.test", "NS") == ["ns1.shop.test"]
    assert await resolver.records("shop.test", "MX") == ["10 mail.shop.test"]
    assert await resolver.records("shop.test", "TXT") == ["v=spf1 -all", "\ufffd"]


async def test_the_resolver_of_a_name_server_is_made_once_and_closed_with_its_parent(names: NameServer) -> None:
    resolver = Resolver()
    names.has("shop.test", "A", FOUR)
    at = resolver.at([names.address])
    assert at is resolver.at((names.address,))
    assert await at.addresses("shop.test") == ["192.0.2.7"]
    await resolver.close()
    await resolver.close()
    with pytest.raises(RuntimeError):
        await at.addresses("shop.test")


async def test_an_answer_without_the_wanted_type_is_down(names: NameServer, resolver: Resolver) -> None:
    """Asked for a CNAME, a server may well answer with something else."""
    names.confuse = "A"
    names.has("shop.test", "CNAME", FOUR)
    with pytest.raises(Failure) as raised:
        await resolver.records("shop.test", "CNAME")
    assert (raised.value.reason, raised.value.state) == (Reason.DNS, State.DOWN)
