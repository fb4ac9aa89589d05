from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from monitor.model import CheckId, Reason, Sample, State
from monitor.probes.base import Resources, observe
from monitor.probes.dns import DnsCheck
from tests.fakes import FakeClock
from tests.peers import name_server, wire_name, wire_text

if TYPE_CHECKING:
    from tests.peers import NameServer

BOTH_LOOPS = True


async def look(resources: Resources, **fields: object) -> Sample:
    check = DnsCheck.model_validate({"name": "auth.seedsource.test", "timeout": "2s", **fields})
    return await observe(CheckId("seedsource", "dns"), check, resources, FakeClock())


@pytest.mark.parametrize(
    ("target", "state"),
    [
        ("seedsource-auth.onrender.com", State.UP),
        ("Seedsource-Auth.OnRender.com", State.UP),
        ("seedsource-auth.onrender.com.evil.test", State.DOWN),
        ("parked.registrar.test", State.DOWN),
    ],
)
async def test_a_name_must_lead_to_render(names: NameServer, resources: Resources, target: str, state: State) -> None:
    """SS-08."""
    names.has("auth.seedsource.test", "CNAME", wire_name(target))
    sample = await look(resources, type="CNAME", expect="*.onrender.com")
    assert sample.state is state
    if state is State.DOWN:
        assert sample.reason is Reason.BODY
        assert sample.detail == f"expected auth.seedsource.test to have CNAME *.onrender.com, got {target}"


async def test_a_name_with_an_address_in_place_of_the_alias_is_down(names: NameServer, resources: Resources) -> None:
    """SS-08: the answer is no error, it holds no CNAME."""
    names.has("auth.seedsource.test", "A", socket.inet_aton("192.0.2.1"))
    sample = await look(resources, type="CNAME", expect="*.onrender.com")
    assert (sample.state, sample.reason) == (State.DOWN, Reason.DNS)


async def test_without_expectation_any_record_will_do(names: NameServer, resources: Resources) -> None:
    names.has("auth.seedsource.test", "A", socket.inet_aton("192.0.2.1"), socket.inet_aton("192.0.2.2"))
    sample = await look(resources)
    assert sample.state is State.UP
    assert {measure.name: measure.value for measure in sample.measures if measure.name != "duration"} == {"records": 2}
    assert "duration" in {measure.name for measure in sample.measures}


@pytest.mark.parametrize(
    ("expect", "state"),
    [
        (["v=spf1*", "/^google-site-verification=[a-z]+$/"], State.UP),
        (["v=spf1 include:mail.test -all"], State.UP),
        (["v=spf1*", "another"], State.DOWN),
        ("include:mail.test", State.DOWN),
    ],
)
async def test_everything_expected_must_be_there(
    names: NameServer, resources: Resources, expect: str | list[str], state: State
) -> None:
    spf = wire_text(b"v=spf1 include:mail.test", b" -all")
    names.has("auth.seedsource.test", "TXT", spf, wire_text(b"google-site-verification=abc"))
    sample = await look(resources, type="TXT", expect=expect)
    assert sample.state is state


@pytest.mark.parametrize(("code", "state"), [(3, State.DOWN), (2, State.UNKNOWN), (5, State.UNKNOWN)])
async def test_whose_fault_it_is(names: NameServer, resources: Resources, code: int, state: State) -> None:
    names.codes["auth.seedsource.test"] = code
    sample = await look(resources)
    assert (sample.state, sample.reason, sample.measures) == (state, Reason.DNS, ())


async def test_a_silent_name_server_is_unknown_and_no_timeout(names: NameServer, resources: Resources) -> None:
    names.silent.add("auth.seedsource.test")
    sample = await look(resources, timeout="300ms")
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.DNS)


async def test_another_name_server_can_be_asked(names: NameServer, resources: Resources) -> None:
    async with name_server() as other:
        other.has("auth.seedsource.test", "A", socket.inet_aton("192.0.2.9"))
        sample = await look(resources, nameservers=[other.address], expect="192.0.2.9")
    assert sample.state is State.UP
    assert names.asked == []


def test_the_limit_on_probes_in_flight_is_that_of_who_is_asked() -> None:
    assert DnsCheck.model_validate({"name": "a.test"}).host == "a.test"
    assert DnsCheck.model_validate({"name": "a.test", "nameservers": ["192.0.2.1:5353"]}).host == "192.0.2.1:5353"


@pytest.mark.parametrize("server", ["192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:53"])
def test_name_servers_are_numeric(server: str) -> None:
    assert DnsCheck.model_validate({"name": "a.test", "nameservers": [server]}).nameservers == [server]


@pytest.mark.parametrize(
    "server", ["", "ns1.test", "192.0.2.1:x", "192.0.2.1:0", "192.0.2.1:70000", "[2001:db8::1]:", "192.0.2"]
)
def test_other_name_servers_are_refused(server: str) -> None:
    with pytest.raises(ValueError, match="is not a numeric address"):
        DnsCheck.model_validate({"name": "a.test", "nameservers": [server]})


@pytest.mark.parametrize("fields", [{}, {"name": ""}, {"name": "a", "type": "SOA"}, {"name": "a", "expect": ""}])
def test_fields_that_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        DnsCheck.model_validate(fields)
