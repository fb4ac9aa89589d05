"""Whom a request comes from: the address that stands for a client when his failures are counted."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HOPS_ON_RENDER = 3
"""What stands last in `X-Forwarded-For` there: the client, then Cloudflare, then Render's own proxy. Each hop adds who
asked it at the end, so whatever a client wrote himself stands before (seen in github.com/arcjet/arcjet-js/issues/5411).
"""
ONE_CUSTOMER = 64
"""Bits of an IPv6 address: a provider gives each customer all the addresses that begin alike."""


def client_of(peer: str, forwarded: Sequence[str], *, on_render: bool) -> str:
    """Return the client's address: IPv4, or the network of an IPv6 one.

    `peer` is the other end of the connection; `forwarded` are the `X-Forwarded-For` headers, believed on Render only,
    where no one but its proxies and our own private network can connect. Elsewhere anybody may write them.
    """
    hops = [hop.strip() for header in forwarded for hop in header.split(",")]
    if on_render and len(hops) >= HOPS_ON_RENDER:
        return _network(hops[-HOPS_ON_RENDER]) or _network(peer)
    return _network(peer)


def _network(text: str) -> str:
    """Return the address in its one form, or its network; empty if it is none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Network((int(address), ONE_CUSTOMER), strict=False))
    return str(address)
