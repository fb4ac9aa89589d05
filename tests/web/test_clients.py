from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.web.clients import client_of

PROXY = "10.19.6.53"
CLOUDFLARE = "172.70.247.28"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ([f"203.0.113.7, {CLOUDFLARE}, {PROXY}"], "203.0.113.7"),
        ([f"198.51.100.1,203.0.113.7, {CLOUDFLARE}, {PROXY}"], "203.0.113.7"),
        (["198.51.100.1, 198.51.100.2", f"203.0.113.7, {CLOUDFLARE}, {PROXY}"], "203.0.113.7"),
        ([f"2001:db8:1:2:3::4, {CLOUDFLARE}, {PROXY}"], "2001:db8:1:2::/64"),
        ([f"not an address, {CLOUDFLARE}, {PROXY}"], "10.0.0.9"),
        (["198.51.100.1"], "10.0.0.9"),
        ([f"198.51.100.1, {PROXY}"], "10.0.0.9"),
        ([], "10.0.0.9"),
    ],
)
def test_on_render_the_client_is_who_asked_cloudflare(forwarded: list[str], client: str) -> None:
    """What a client writes into the header himself stands before, and is not believed."""
    assert client_of("10.0.0.9", forwarded, on_render=True) == client


@given(st.lists(st.text()))
def test_elsewhere_nobody_is_believed(forwarded: list[str]) -> None:
    assert client_of("192.0.2.1", forwarded, on_render=False) == "192.0.2.1"


@given(st.text(), st.lists(st.text()), st.booleans())
def test_no_header_is_an_error(peer: str, forwarded: list[str], on_render: bool) -> None:
    assert isinstance(client_of(peer, forwarded, on_render=on_render), str)


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_one_client_has_one_name(peer: str, client: str) -> None:
    """An IPv4 address in IPv6 is itself, and all the addresses of one IPv6 customer are one client."""
    assert client_of(peer, [], on_render=False) == client
