"""What checks of a Redis or Valkey server share: its address, and one short conversation in each run."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator

from monitor.keyvalue import parse, talk
from monitor.model import Reason
from monitor.permission import Asks
from monitor.probes.base import Check, MeasureSpec
from monitor.secrets import Secret
from monitor.units import Unit

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from monitor.keyvalue import Address, Talk
    from monitor.probes.base import Run


def _readable(url: Secret) -> Secret:
    parse(url.reveal())
    return url


Url = Annotated[Secret, AfterValidator(_readable)]


class KeyValueCheck(Check):
    """A check that asks a Redis or Valkey server, over a connection that it makes for the run and closes after it."""

    url: Url
    """The server: `redis://user:password@host:6379/0`, `rediss://` with TLS, `unix:///run/redis.sock`, as its provider
    gives it; `valkey://` and `valkeys://` mean the same."""

    measures: ClassVar[tuple[MeasureSpec, ...]] = (
        MeasureSpec("duration", Unit.SECONDS, "the whole run, if it succeeded"),
        MeasureSpec(
            "phase",
            Unit.SECONDS,
            "each part of a run: dns, connect, tls and login where there are such; then ping and info, or look",
            ("phase",),
        ),
    )
    reasons: ClassVar = frozenset(
        {
            Reason.TIMEOUT,
            Reason.DNS,
            Reason.REFUSED,
            Reason.RESET,
            Reason.UNREACHABLE,
            Reason.TLS_INVALID,
            Reason.TLS_EXPIRED,
            Reason.SATURATED,
            Reason.STARTING,
            Reason.AUTH,
            Reason.PROTOCOL,
            Reason.MISSING,
            Reason.UNKNOWN,
        }
    )

    @cached_property
    def address(self) -> Address:
        """Return the server's address."""
        return parse(self.url.reveal())

    @property
    def host(self) -> str:
        """Return the host that is connected to, or the path of its socket."""
        return self.address.host

    @property
    def alone(self) -> str:
        """Return the server: its checks take turns, so that it never sees more than one connection of ours."""
        return self.address.key

    def asks_for(self) -> Asks:
        """Return what a user must be allowed there."""
        return Asks()

    def talk(self, run: Run) -> AbstractAsyncContextManager[Talk]:
        """Return a conversation with the server, for an `async with`; raises as `keyvalue.talk` does."""
        resources = run.resources
        return talk(self.address, resources.resolver, resources.tls, run.timeout, run.note)
