"""What reaches the world outside: the resolver, TLS and the session, made once, shared, and closed together."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitor.channels.base import Resources as ChannelResources
from monitor.channels.posting import open_session
from monitor.databases import Databases
from monitor.network import Resolver, TlsContexts
from monitor.probes.base import Resources as ProbeResources
from monitor.probes.base import in_memory
from monitor.vendors import Accounts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import aiohttp

    from monitor.clock import Clock
    from monitor.model import CheckId, Keepsake
    from monitor.plan import Plan
    from monitor.secrets import Redactor


@dataclass(frozen=True, slots=True)
class Outside:
    """The shared parts; with what must not be told, they are what probes and channels need."""

    resolver: Resolver
    tls: TlsContexts
    databases: Databases
    session: aiohttp.ClientSession
    kept: aiohttp.ClientSession
    """For one peer that is sent to again and again: its connections are kept."""
    memories: dict[tuple[CheckId, str], dict[str, Any]] = field(default_factory=dict)
    """What the runs of each check note for the next one."""
    accounts: Accounts = field(default_factory=Accounts)
    """What is known of each key to a vendor's API."""

    def for_probes(self, redact: Redactor, keep: Callable[[Keepsake], Awaitable[bool]] = in_memory) -> ProbeResources:
        """Return what a run of a probe may use; `keep` makes a keepsake durable."""
        return ProbeResources(self.resolver, self.tls, self.databases, redact, self.memories, self.accounts, keep)

    def apart(self, redact: Redactor) -> ProbeResources:
        """Return what a run may use that no other run of its check must notice."""
        return ProbeResources(self.resolver, self.tls, self.databases, redact, accounts=self.accounts)

    def memory(self, plan: Plan) -> dict[str, Any]:
        """Return what the runs of a check note for the next one."""
        return self.memories.setdefault((plan.id, plan.check.kind), {})

    def for_channels(self, redact: Redactor, clock: Clock) -> ChannelResources:
        """Return what a send may use."""
        return ChannelResources(self.session, self.resolver, self.tls, redact, clock)


@asynccontextmanager
async def reach_outside() -> AsyncIterator[Outside]:
    """Yield the shared parts, and close them in the end. The system's certificates are read before, not by a probe."""
    resolver, tls = Resolver(), TlsContexts()
    databases = Databases(resolver)
    tls.get()
    try:
        async with open_session(resolver, tls) as session, open_session(resolver, tls, keep=True) as kept:
            yield Outside(resolver, tls, databases, session, kept)
    finally:
        databases.close()
        await resolver.close()
