"""Peers on real sockets, well-behaved and not: TCP and TLS servers, and a small name server."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BEAT = 0.01
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "MX": 15, "TXT": 16, "AAAA": 28}


@asynccontextmanager
async def lateness() -> AsyncIterator[Callable[[], float]]:
    """Count how late the loop comes round, in seconds; what it is late by less than `BEAT` is the timers' own."""
    total, due = 0.0, perf_counter() + BEAT

    def late() -> float:
        behind = perf_counter() - due
        return behind if behind > BEAT else 0.0

    async def beat() -> None:
        nonlocal total, due
        while True:
            due = perf_counter() + BEAT
            await asyncio.sleep(BEAT)
            total += late()

    beating = asyncio.create_task(beat())
    try:
        yield lambda: total + late()
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


@dataclass(slots=True)
class Peer:
    """A server on a port of the loopback: how many connections it has had, and how many are open."""

    port: int = 0
    seen: int = 0
    open: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    quiet: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)


@asynccontextmanager
async def tcp_peer(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """Serve `talk` for each connection. A connection counts as open until the other side has closed it."""
    peer = Peer()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        peer.tasks.add(task)
        peer.seen, peer.open = peer.seen + 1, peer.open + 1
        peer.quiet.clear()
        peer.heard.set()
        try:
            await talk(reader, writer)
            while await reader.read(65_536):
                pass
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            peer.open -= 1
            if not peer.open:
                peer.quiet.set()
            if not writer.transport.is_closing():
                writer.transport.abort()
            peer.tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for task in list(peer.tasks):
            task.cancel()
        await asyncio.gather(*peer.tasks, return_exceptions=True)


async def silence(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Say nothing at all."""


def says(*parts: bytes, close: bool = False) -> Talk:
    """Say `parts` one after the other; then, with `close`, end."""

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        if close:
            writer.close()

    return talk


def drips(text: bytes, every: float = 0.02) -> Talk:
    """Say one byte of `text` at a time, until the other side has gone: on uvloop a closed transport takes no more."""

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in itertools.cycle(text):
            if writer.is_closing():
                return
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(every)

    return talk


async def hangs_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close without a word."""
    writer.close()


def resets(*parts: bytes) -> Talk:
    """Say `parts`, then break the connection off (RST)."""

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return talk


def relays(port: int, *, tls: ssl.SSLContext | None = None, cut: bytes = b"", most: int | None = None) -> Talk:
    """Pass everything on to a PostgreSQL server on `port`, and back.

    With `tls`, take the client's wish for TLS, which the server then never sees. After `cut` came from the server,
    or `most` bytes, break off in the middle.
    """

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if tls:
            await reader.readexactly(8)
            writer.write(b"S")
            await writer.start_tls(tls)
        theirs, ours = await asyncio.open_connection("127.0.0.1", port)
        there = asyncio.create_task(_pump(reader, ours))
        try:
            await _pump(theirs, writer, cut, most)
            writer.transport.abort()
        finally:
            there.cancel()
            ours.transport.abort()
            await asyncio.gather(there, return_exceptions=True)

    return talk


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: bytes = b"", most: int | None = None
) -> None:
    while (most is None or most > 0) and (data := await reader.read(65_536 if most is None else 1_024)):
        before, marker, _ = data.partition(cut) if cut else (data, b"", b"")
        writer.write(before + marker)
        await writer.drain()
        most = None if most is None else most - len(data)
        if marker:
            return
    if most is None:
        writer.close()


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class NameServer(asyncio.DatagramProtocol):
    """Answers as it is told: `records` by name and type, `codes` by name (3: no such name), silent for `silent` names.

    `delay` is waited before each answer. A name in `truncated` is answered by "ask again over TCP". With `confuse` all
    records are said to be of that type.
    """

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[bytes]] = {}
        self.codes: dict[str, int] = {}
        self.silent: set[str] = set()
        self.truncated: set[str] = set()
        self.confuse = ""
        self.delay = 0.0
        self.asked: list[tuple[str, str]] = []
        self.heard = asyncio.Event()
        self.port = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def has(self, name: str, record_type: str, *values: bytes) -> None:
        """Have records of `name`: the data of each, ready for the wire."""
        self.records[name, record_type] = list(values)

    async def hears(self, *names: str) -> None:
        """Return when each of `names` has been asked for."""
        while not set(names) <= {name for name, _ in self.asked}:
            self.heard.clear()
            await self.heard.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        name, code, end = _question(data)
        record_type = next((key for key, number in TYPES.items() if number == code), str(code))
        self.asked.append((name, record_type))
        self.heard.set()
        if name in self.silent:
            return
        values = self.records.get((name, record_type), [])
        flags = 0x8180 | self.codes.get(name, 0) | (0x0200 if name in self.truncated else 0)
        head = data[:2] + struct.pack("!HHHHH", flags, 1, len(values), 0, 0)
        answers = [
            b"\xc0\x0c" + struct.pack("!HHIH", TYPES.get(self.confuse, code), 1, 3600, len(value)) + value
            for value in values
        ]
        reply = head + data[12:end] + b"".join(answers)
        asyncio.get_running_loop().call_later(self.delay, self._reply, reply, addr)

    def _reply(self, reply: bytes, addr: tuple[str | Any, int]) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(reply, addr)


@asynccontextmanager
async def name_server(port: int = 0) -> AsyncIterator[NameServer]:
    """Run a name server on a port of the loopback, over UDP."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", port))
    try:
        yield server
    finally:
        transport.close()


def wire_name(name: str) -> bytes:
    """Return `name` as it stands in a record."""
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def wire_text(*parts: bytes) -> bytes:
    """Return the parts of a TXT record as they stand in it."""
    return b"".join(bytes([len(part)]) + part for part in parts)


def _question(data: bytes) -> tuple[str, int, int]:
    at, parts = 12, []
    while size := data[at]:
        parts.append(data[at + 1 : at + 1 + size].decode())
        at += 1 + size
    return ".".join(parts).lower(), struct.unpack("!H", data[at + 1 : at + 3])[0], at + 5


class Authority:
    """A certificate authority of our own, which signs whatever it is asked to. `path` is the file to trust."""

    def __init__(self, folder: Path, name: str = "Test Authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        # No key identifiers: VERIFY_X509_STRICT would refuse this authority, browsers and curl do not.
        made = _builder(self._name, self._name, self._key, now - timedelta(days=900), now + timedelta(days=900))
        signed = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.path = folder / "authority.pem"
        self.path.write_bytes(signed.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def certificate(
        self, *names: str, starts: timedelta = timedelta(days=-30), ends: timedelta = timedelta(days=60)
    ) -> tuple[bytes, bytes]:
        """Return a certificate for `names`, valid from `starts` to `ends` from now, and its key, both as PEM."""
        now = datetime.now(UTC)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        made = _builder(subject, self._name, key, now + starts, now + ends)
        made = made.add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        return (
            made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )

    def server(
        self, *names: str, starts: timedelta = timedelta(days=-30), ends: timedelta = timedelta(days=60)
    ) -> ssl.SSLContext:
        """Return a server's context with such a certificate."""
        both = self._folder / f"{names[0]}.pem"
        both.write_bytes(b"".join(self.certificate(*names, starts=starts, ends=ends)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        return context


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, starts: datetime, ends: datetime
) -> x509.CertificateBuilder:
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    return made.serial_number(x509.random_serial_number()).not_valid_before(starts).not_valid_after(ends)
