"""Names to addresses and records, by c-ares: under the caller's deadline, and never in one of Python's threads."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import aiodns
import pycares
from aiodns.error import ARES_EBADNAME, ARES_ENODATA, ARES_ENONAME, ARES_ENOTFOUND, DNSError

from monitor.model import Failure, Reason, State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Family = Literal["any", "ipv4", "ipv6"]
RecordType = Literal["A", "AAAA", "CNAME", "TXT", "MX", "NS"]

PATIENCE = timedelta(seconds=4)
FIRST_WAIT = 1.0
TRIES = 4
KEPT = 1.0
LONGEST_NAME = 253
NO_SORT = 1 << 7
"""ARES_AI_NOSORT of ares.h: the order is ours."""
ABSENT = frozenset({ARES_ENOTFOUND, ARES_ENODATA, ARES_ENONAME, ARES_EBADNAME})

_T = TypeVar("_T")
_FAMILIES = {"any": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


class _Ares(aiodns.DNSResolver):
    """aiodns, with a way to empty c-ares's query cache, which would hide a change for as long as an hour.

    The cache cannot be switched off from Python, but reading the configuration again empties it; that happens beside
    the queries, keeps what is known of slow name servers, and takes a changed resolv.conf in.
    """

    def forget(self) -> None:
        self._channel.reinit()


class Resolver:
    """Resolves names with c-ares (the hosts file included). An answer is kept for a second at most.

    Must be made while an event loop runs. `nameservers` are numeric addresses, with a port where it is not 53
    (`192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:53`); none: those of the system.
    """

    def __init__(self, nameservers: Sequence[str] | None = None) -> None:
        # c-ares doubles its wait with each try, and begins with as little as 250 ms once it knows a server to be fast:
        # four tries are 3.75 s then. A slower start is cut off by PATIENCE.
        self._ares = _Ares(nameservers or None, asyncio.get_running_loop(), timeout=FIRST_WAIT, tries=TRIES)
        self._forgetting: asyncio.TimerHandle | None = None
        self._others: dict[tuple[str, ...], Resolver] = {}

    def at(self, nameservers: Sequence[str]) -> Resolver:
        """Return the resolver that asks these name servers: made on first use, kept, closed with this one."""
        key = tuple(nameservers)
        if key not in self._others:
            self._others[key] = Resolver(key)
        return self._others[key]

    async def addresses(self, host: str, family: Family = "any", within: timedelta = 2 * PATIENCE) -> list[str]:
        """Return the numeric addresses of `host`, IPv4 first when `any`; a numeric `host` is returned as it is.

        `within` is the time that the caller has left: at most half of it, and never more than `PATIENCE`, is spent
        here, so that a silent name server is seen as such before the caller's own deadline.
        Raises `Failure` (reason dns): down when the name does not exist or has no address of that family, unknown when
        the resolver is silent, refuses or fails.
        """
        wanted = _FAMILIES[family]
        found = _numeric(host)
        if not found:
            answer = await self._ask(host, lambda: self._ares.getaddrinfo(host, wanted, flags=NO_SORT), within)
            found = [(socket.AddressFamily(node.family), _text(node.addr[0])) for node in answer.nodes]
        fitting = [pair for pair in dict.fromkeys(found) if wanted in (pair[0], socket.AF_UNSPEC)]
        if not fitting:
            raise Failure(Reason.DNS, f"{host} has no {'' if family == 'any' else family} address")
        return [address for _, address in sorted(fitting, key=lambda pair: pair[0] != socket.AF_INET)]

    async def records(self, name: str, record_type: RecordType, within: timedelta = 2 * PATIENCE) -> list[str]:
        """Return the records of `name` as text, sorted; raises as `addresses` does. The hosts file is not looked at.

        Names are in lower case without the last dot; an MX is `10 mail.example.com`; the parts of a TXT are joined.
        """
        answer = await self._ask(name, lambda: self._ares.query_dns(name, record_type), within)
        wanted = aiodns.query_type_map[record_type]
        found = sorted({_record(record.data) for record in answer.answer if record.type == wanted})
        if not found:
            raise Failure(Reason.DNS, f"{name} has no {record_type} record")
        return found

    async def close(self) -> None:
        """Stop; queries under way end as unknown. Harmless when called twice."""
        if self._forgetting:
            self._forgetting.cancel()
        for other in self._others.values():
            await other.close()
        await self._ares.close()

    async def _ask(self, name: str, query: Callable[[], asyncio.Future[_T]], within: timedelta) -> _T:
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise Failure(Reason.DNS, f"{name!r} is not a name")
        try:
            async with asyncio.timeout(min(PATIENCE, within / 2).total_seconds()):
                return await query()
        except TimeoutError:
            raise Failure(Reason.DNS, f"no name server answered for {name}", State.UNKNOWN) from None
        except DNSError as error:
            state = State.DOWN if error.args[0] in ABSENT else State.UNKNOWN
            raise Failure(Reason.DNS, f"{name}: {error.args[1]}", state) from None
        except UnicodeError:
            raise Failure(Reason.DNS, f"{name!r} is not a name") from None
        finally:
            self._forget_soon()

    def _forget_soon(self) -> None:
        if self._forgetting is None:
            self._forgetting = asyncio.get_running_loop().call_later(KEPT, self._forget)

    def _forget(self) -> None:
        self._forgetting = None
        self._ares.forget()


def _numeric(host: str) -> list[tuple[socket.AddressFamily, str]]:
    plain = host.partition("%")[0]  # the zone of an IPv6 address: fe80::1%eth0
    for family, number in ((socket.AF_INET, host), (socket.AF_INET6, plain)):
        try:
            socket.inet_pton(family, number)
        except (OSError, ValueError):
            continue
        return [(family, host)]
    return []


def _record(data: Any) -> str:  # noqa: ANN401 - a union that pycares does not name
    match data:
        case pycares.ARecordData() | pycares.AAAARecordData():
            return _text(data.addr)
        case pycares.CNAMERecordData():
            return _plain(data.cname)
        case pycares.NSRecordData():
            return _plain(data.nsdname)
        case pycares.MXRecordData():
            return f"{data.priority} {_plain(data.exchange)}"
        case _:
            return _text(data.data)


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _plain(name: str) -> str:
    return name.lower().rstrip(".")
