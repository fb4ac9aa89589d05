"""Where a redirect may lead, and what goes along. Pure.

A probe runs inside a private network with credentials in its hand, and a redirect is written by whoever holds the other
end. So it never leads from a public address to a private one, and nothing configured goes to another origin.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.answer import shown
from monitor.model import Failure, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yarl import URL

    from monitor.answer import Answer
    from monitor.fetch.request import Request

MOVED = frozenset({301, 302, 303, 307, 308})
KEEPING = frozenset({307, 308})
SEE_OTHER = 303
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")
_IPV4 = 2**32 - 1


def target(answer: Answer) -> URL | None:
    """Return where `answer` redirects to, without user and fragment; None if it is no redirect or names no place.

    Raises `Failure` when it names one that no probe can follow.
    """
    if answer.status not in MOVED:
        return None
    try:
        url = answer.location
    except ValueError:
        raise Failure(Reason.HEADER, "expected a redirect to an address, got a Location that is none") from None
    if url is None:
        return None
    if url.scheme not in {"http", "https"} or not url.host:
        detail = f"expected a redirect to an http or https address, got one to {url.scheme or 'no scheme'!r}"
        raise Failure(Reason.HEADER, detail)
    return (url.with_user(None) if url.user or url.password else url).with_fragment(None)


def onward(request: Request, url: URL, status: int) -> Request:
    """Return the request that follows a redirect with `status` to `url`: methods change as browsers change them.

    Raises `Failure` where the body would have to go to another origin.
    """
    method = request.method
    rewritten = method != "HEAD" and (status == SEE_OTHER or (method == "POST" and status not in KEEPING))
    foreign = not same_origin(url, request.url)
    if foreign and request.body and not rewritten:
        detail = f"a redirect of {method} to {shown(url)} was not followed: the body stays with its origin"
        raise Failure(Reason.STATUS, detail)
    if not rewritten:
        return replace(request, url=url, headers=() if foreign else request.headers)
    kept = () if foreign else tuple(pair for pair in request.headers if pair[0].lower() != "content-type")
    return replace(request, url=url, method="GET", headers=kept, body=b"")


def same_origin(one: URL, other: URL) -> bool:
    """Return whether scheme, host and port are the same (RFC 6454); a port that is written out is no other one."""
    return (one.scheme, one.raw_host, one.port) == (other.scheme, other.raw_host, other.port)


def permitted(addresses: Sequence[str], came_from: str, host: str) -> list[str]:
    """Return the addresses of `host` that may be spoken to, coming from address `came_from` (empty: from the file).

    Raises `Failure` if there are none.
    """
    if not came_from or not is_public(came_from):
        return list(addresses)
    public = [address for address in addresses if is_public(address)]
    if not public:
        raise Failure(
            Reason.STATUS, f"a redirect to {host} was not followed: it leads from a public to a private address"
        )
    return public


def is_public(address: str) -> bool:
    """Return whether a numeric address is reachable over the internet; what it carries inside (NAT64, 6to4) counts.

    Of IPv6 only what IANA gives out for that (RFC 4291, section 2.4) is: not the many forms that stand for an IPv4
    address of some network's own, such as `::127.0.0.1`. What is no address is not public.
    """
    try:
        number = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(number, ipaddress.IPv6Address):
        inner = number.ipv4_mapped or number.sixtofour
        if number in _NAT64:
            inner = ipaddress.IPv4Address(int(number) & _IPV4)
        if inner is None and number not in _UNICAST:
            return False
        number = inner or number
    return number.is_global and not number.is_multicast
