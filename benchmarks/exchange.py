"""`python -m benchmarks.exchange`: one exchange of ours and one of aiohttp's with its phases traced, side by side.

A raw server in a process of its own, on another core, answers both; the rounds alternate, so that a noisy neighbour
meets both. A fresh connection for each exchange, and the certificate read, as a probe does it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import aiohttp
import trustme
import uvloop
from yarl import URL

from monitor.fetch import Exchange, Options, Request
from monitor.network import Resolver, TlsContexts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

HOST = "127.0.0.1"
AT_ONCE = 4
BODY = b'{"status": "healthy", "database": "connected", "uptime": 12345}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: raw\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(BODY), BODY)
)
TRACED = (
    "on_request_start",
    "on_dns_resolvehost_start",
    "on_dns_resolvehost_end",
    "on_connection_create_start",
    "on_connection_create_end",
    "on_request_headers_sent",
    "on_response_chunk_received",
    "on_request_end",
)
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}


class Cost(NamedTuple):
    """CPU seconds and seconds per exchange."""

    cpu: float
    wall: float


class Target(NamedTuple):
    """The addresses of the server, and the file that its certificate is trusted by."""

    plain: str
    tls: str
    ca_file: str


async def ours(url: str, ca_file: str, exchanges: int) -> Cost:
    """Measure `exchanges` of ours."""
    resolver, contexts, request = Resolver(), TlsContexts(), Request(URL(url))
    options = Options(ca_file=ca_file)

    async def exchange() -> None:
        answer = await Exchange(request, resolver, contexts, options).run()
        if answer.body != BODY:
            raise SystemExit("that was not the answer")

    try:
        return await measure(exchange, exchanges)
    finally:
        await resolver.close()


async def theirs(url: str, ca_file: str, exchanges: int) -> Cost:
    """Measure `exchanges` of aiohttp's, with the moments of each phase noted."""
    moments: list[float] = []
    trace = aiohttp.TraceConfig()

    async def note(*_: Any) -> None:  # noqa: ANN401 - aiohttp's hook
        moments.append(time.perf_counter())

    for event in TRACED:
        getattr(trace, event).append(note)
    connector = aiohttp.TCPConnector(force_close=True, ssl=TlsContexts().get(ca_file=ca_file))
    async with aiohttp.ClientSession(connector=connector, trace_configs=[trace]) as session:

        async def exchange() -> None:
            moments.clear()
            async with session.get(url) as answer:
                if await answer.read() != BODY:
                    raise SystemExit("that was not the answer")

        return await measure(exchange, exchanges)


async def measure(exchange: Callable[[], Awaitable[None]], exchanges: int) -> Cost:
    """Return what one of `exchanges` costs, a few at a time."""

    async def several(count: int) -> None:
        for _ in range(count):
            await exchange()

    await several(20)
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(several(exchanges // AT_ONCE) for _ in range(AT_ONCE)))
    return Cost((time.process_time() - cpu) / exchanges, (time.perf_counter() - wall) / exchanges)


@contextmanager
def serving(folder: Path, core: int) -> Iterator[Target]:
    """Run the server in a process of its own."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    command = [sys.executable, "-m", "benchmarks.exchange", "--serve", str(folder / "server.pem"), "--core", str(core)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            plain, tls = (server.stdout.readline() if server.stdout else "").split()
            yield Target(f"http://{HOST}:{plain}/health", f"https://{HOST}:{tls}/health", str(folder / "ca.pem"))
        finally:
            server.terminate()


class Served(asyncio.Protocol):
    """Answers whatever comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, _data: bytes) -> None:
        """Answer and close."""
        self.transport.write(ANSWER)
        self.transport.close()


async def serve(certificate: str) -> None:
    """Serve on two ports, say which, and go on until the end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Served, HOST, 0, ssl=tls) for tls in (None, context)]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


def compare(name: str, target: Target, rounds: int, exchanges: int) -> None:
    """Print both, over plain HTTP and TLS, on one kind of loop."""
    for scheme, url, count in (("plain", target.plain, exchanges), ("tls", target.tls, exchanges // 4)):
        pairs = []
        for _ in range(rounds):
            with asyncio.Runner(loop_factory=LOOPS[name]) as runner:
                pair = [runner.run(client(url, target.ca_file, count)) for client in (ours, theirs)]
            pairs.append(pair)
        mine, other = (Cost(*map(median, zip(*costs, strict=True))) for costs in zip(*pairs, strict=True))
        ratio = median(pair[0].cpu / pair[1].cpu for pair in pairs)
        print(
            f"{name:8}{scheme:6} ours {mine.cpu * 1e6:5.0f} µs {1 / mine.wall:6.0f}/s   "
            f"aiohttp {other.cpu * 1e6:5.0f} µs {1 / other.wall:6.0f}/s   ratio {ratio:.2f}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exchange", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--exchanges", type=int, default=2_000, help="of each round; a quarter of it over TLS")
    parser.add_argument("--serve", metavar="PEM", help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        os.sched_setaffinity(0, {given.core})
        uvloop.run(serve(given.serve))
        return
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("two cores are needed: one for what is measured, one for its target")
    print(f"CPU per exchange on a fresh connection, median of {given.rounds} rounds")
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), cores[1]) as target:
        os.sched_setaffinity(0, {cores[0]})
        for name in LOOPS:
            compare(name, target, given.rounds, given.exchanges)


if __name__ == "__main__":
    main()
