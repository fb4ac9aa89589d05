"""Whether a port takes connections, and says what it should."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from monitor.model import Failure, Reason
from monitor.network import Family, connect, conversation, failure_of, peer_text
from monitor.plain import plain
from monitor.probes.base import Check, MeasureSpec, Run
from monitor.probes.pattern import Pattern
from monitor.secrets import Secret
from monitor.units import Unit

if TYPE_CHECKING:
    import asyncio

LONGEST_ANSWER = 16 * 1024
SHOWN = 80


class TcpCheck(Check):
    """Opens a TCP connection; optionally sends a text and waits for one."""

    kind: str = "tcp"
    host_: str = Field(alias="host", min_length=1)
    """The name or address to connect to."""
    port: int = Field(ge=1, le=65_535)
    """The port to connect to."""
    family: Family = "any"
    """Connect over IPv4 or IPv6 only."""
    send: Secret | None = None
    """The text to send after connecting, such as `"PING\\r\\n"`; never shown."""
    expect: Pattern | None = None
    """What the peer must say: a text that it contains, or `/a regular expression/`."""

    measures: ClassVar = (
        MeasureSpec("duration", Unit.SECONDS, "the whole run, if it succeeded"),
        MeasureSpec("phase", Unit.SECONDS, "each part of a run: dns, connect, answer", ("phase",)),
    )
    reasons: ClassVar = frozenset(
        {Reason.TIMEOUT, Reason.DNS, Reason.REFUSED, Reason.RESET, Reason.UNREACHABLE, Reason.BODY, Reason.UNKNOWN}
    )

    @property
    def host(self) -> str:
        """Return the host that is connected to."""
        return self.host_

    async def probe(self, run: Run) -> None:
        """Connect, send, and read until the expected text has come, the peer closes, or it has said too much."""
        started = perf_counter()
        resolver = run.resources.resolver
        connected, _ = await connect(resolver, self.host, self.port, run.timeout, run.note, self.family)
        try:
            async with conversation(connected) as (reader, writer):
                await self._talk(run, reader, writer)
        except (OSError, EOFError) as error:
            raise failure_of(error, peer_text(self.host, self.port)) from None
        run.note("duration", perf_counter() - started)

    async def _talk(self, run: Run, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        started = perf_counter()
        if self.send:
            writer.write(self.send.reveal().encode())
            await writer.drain()
        if self.expect:
            answer = await _heard(reader, self.expect)
            if not self.expect.within(answer):
                # First the secrets, then the length: a secret that is cut in two would no longer be found.
                came = plain(run.resources.redact(answer), SHOWN)
                raise Failure(Reason.BODY, f"expected {self.expect}, got {came!r}")
            run.note("phase", perf_counter() - started, phase="answer")


async def _heard(reader: asyncio.StreamReader, expect: Pattern) -> str:
    answer = b""
    while len(answer) < LONGEST_ANSWER and (more := await reader.read(LONGEST_ANSWER)):
        answer += more
        if expect.within(answer.decode("utf-8", "replace")):
            break
    return answer.decode("utf-8", "replace")
