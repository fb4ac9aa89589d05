from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monitor.fetch import Options
from monitor.fetch.redirects import is_public
from monitor.model import Failure, Reason, State
from tests.fetch.web import PLAIN, redirect, serving
from tests.peers import drips, free_port, hangs_up, resets, says, silence, tcp_peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.fetch import Exchange
    from tests.fetch.web import Client
    from tests.peers import Authority, Talk

BOTH_LOOPS = True
NAME = "shop.test"
PUBLIC = "93.184.216.34"


async def failure(exchange: Exchange) -> Failure:
    with pytest.raises(Failure) as caught:
        await asyncio.wait_for(exchange.run(), 2)
    return caught.value


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture
def complaints() -> list[dict[str, Any]]:
    """Return a list for what the loop has to complain of: an exception in a callback, a future that nobody asked."""
    return []


async def test_an_answer_and_its_phases(client: Client) -> None:
    async with tcp_peer(serving(PLAIN)) as peer:
        answer = await client.get(f"http://127.0.0.1:{peer.port}/x")
        await asyncio.wait_for(peer.quiet.wait(), 20)
    assert (answer.status, answer.body, answer.redirects, answer.truncated) == (200, b"OK", 0, False)
    assert answer.header("Content-Length") == "2"
    assert client.exchange
    assert set(client.exchange.phases) == {"dns", "connect", "processing", "transfer"}
    assert all(seconds >= 0 for seconds in client.exchange.phases.values())
    assert answer.took == timedelta(seconds=sum(client.exchange.phases.values()))
    assert client.exchange.certificate is None


async def test_each_phase_is_measured_where_the_time_is_spent(client: Client, late: Callable[[], float]) -> None:
    client.knows(NAME)
    client.names.delay = 0.08

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.12)
        writer.write(PLAIN[:-1])
        await asyncio.sleep(0.16)
        writer.write(PLAIN[-1:])

    async with tcp_peer(slow) as peer:
        answer = await client.get(f"http://{NAME}:{peer.port}/")
    assert client.exchange
    phases = client.exchange.phases
    assert 0.07 < phases["dns"] < 0.2 + late()
    assert phases["connect"] < 0.07 + late()
    assert 0.11 < phases["processing"] < 0.2 + late()
    assert 0.15 < phases["transfer"] < 0.25 + late()
    assert 0.35 < answer.took.total_seconds() < 0.7 + late()


async def test_tls_is_a_phase_and_shows_the_certificate(client: Client, authority: Authority) -> None:
    client.knows(NAME)
    async with tcp_peer(serving(PLAIN), authority.server(NAME)) as peer:
        answer = await client.get(f"https://{NAME}:{peer.port}/")
        await asyncio.wait_for(peer.quiet.wait(), 20)
    assert answer.body == b"OK"
    assert client.exchange
    assert set(client.exchange.phases) == {"dns", "connect", "tls", "processing", "transfer"}
    certificate = client.exchange.certificate
    assert certificate
    assert timedelta(days=59) < certificate.expires - datetime.now(UTC) < timedelta(days=61)
    assert certificate.issuer == "CN=Test Authority"


async def test_a_server_name_of_its_own_is_asked_for_and_verified(client: Client, authority: Authority) -> None:
    async with tcp_peer(serving(PLAIN), authority.server(NAME)) as peer:
        url = f"https://127.0.0.1:{peer.port}/"
        assert (await client.get(url, Options(server_name=NAME))).status == 200
        assert (await failure(client.prepare(url, Options(server_name="other.test")))).reason is Reason.TLS_INVALID


async def test_a_long_body_passes_tls_in_both_directions(client: Client, authority: Authority) -> None:
    body = bytes(range(256)) * 2_000
    web = serving(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    async with tcp_peer(web, authority.server("127.0.0.1")) as peer:
        answer = await client.get(f"https://127.0.0.1:{peer.port}/", method="POST", body=body)
    assert answer.body == body
    assert web.requests[0].endswith(body)


@pytest.mark.parametrize(
    ("starts", "ends", "name", "reason"),
    [
        (-30, -1, NAME, Reason.TLS_EXPIRED),
        (-30, 30, "other.test", Reason.TLS_INVALID),
        (5, 30, NAME, Reason.TLS_INVALID),
    ],
    ids=["expired", "of another name", "not yet valid"],
)
async def test_a_certificate_that_is_refused_is_still_seen(
    client: Client, authority: Authority, starts: int, ends: int, name: str, reason: Reason
) -> None:
    client.knows(NAME)
    server = authority.server(name, starts=timedelta(days=starts), ends=timedelta(days=ends))
    web = serving(PLAIN)
    async with tcp_peer(web, server) as peer:
        found = await failure(client.prepare(f"https://{NAME}:{peer.port}/"))
        await asyncio.wait_for(peer.quiet.wait(), 20)
    assert (found.reason, found.state) == (reason, State.DOWN)
    assert client.exchange
    assert client.exchange.certificate
    assert client.exchange.certificate.issuer == "CN=Test Authority"
    assert "tls" not in client.exchange.phases
    assert web.requests == []


async def test_unverified_tls_answers_whatever_the_certificate(client: Client, authority: Authority) -> None:
    server = authority.server(NAME, ends=timedelta(days=-1))
    async with tcp_peer(serving(PLAIN), server) as peer:
        answer = await client.get(f"https://127.0.0.1:{peer.port}/", Options(verify=False))
    assert answer.status == 200
    assert client.exchange
    assert client.exchange.certificate
    assert client.exchange.certificate.expires < datetime.now(UTC)


async def test_plain_http_where_tls_is_expected_is_a_protocol_failure(client: Client) -> None:
    async with tcp_peer(says(PLAIN)) as peer:
        found = await failure(client.prepare(f"https://127.0.0.1:{peer.port}/"))
    assert found.reason is Reason.PROTOCOL


async def test_tls_that_ends_without_a_good_bye_is_forgiven_to_a_body_without_a_length(
    client: Client, authority: Authority
) -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nOK")
        await writer.drain()
        writer.get_extra_info("socket").shutdown(socket.SHUT_WR)

    async with tcp_peer(rude, authority.server("127.0.0.1")) as peer:
        assert (await client.get(f"https://127.0.0.1:{peer.port}/")).body == b"OK"


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        (hangs_up, Reason.RESET),
        (resets(), Reason.RESET),
        (resets(b"HTTP/1.1 200 OK\r\nContent-Le"), Reason.RESET),
        (says(b"HTTP/1.1 200 OK\r\nContent-Le", close=True), Reason.PROTOCOL),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", close=True), Reason.PROTOCOL),
        (says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", close=True), Reason.PROTOCOL),
        (says(b"220 mail.example ESMTP\r\n"), Reason.PROTOCOL),
        (says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000), Reason.PROTOCOL),
    ],
    ids=["hangs up", "resets", "resets half-way", "half headers", "half body", "half chunks", "smtp", "long headers"],
)
async def test_what_is_no_whole_answer_is_a_failure(
    client: Client, authority: Authority, talk: Talk, reason: Reason, secure: bool
) -> None:
    async with tcp_peer(talk, authority.server("127.0.0.1") if secure else None) as peer:
        found = await failure(client.prepare(f"http{'s' * secure}://127.0.0.1:{peer.port}/"))
        await asyncio.wait_for(peer.quiet.wait(), 20)
    assert found.state is State.DOWN
    # A reset may overtake what was sent before it.
    assert found.reason is reason or (talk is not hangs_up and secure and found.reason is Reason.RESET)
    assert client.exchange
    assert {"dns", "connect"} <= set(client.exchange.phases)
    assert "transfer" not in client.exchange.phases


async def test_a_port_where_nobody_listens_is_refused(client: Client) -> None:
    found = await failure(client.prepare(f"http://127.0.0.1:{free_port()}/"))
    assert (found.reason, found.state) == (Reason.REFUSED, State.DOWN)


async def test_the_next_address_is_tried_when_the_first_refuses(client: Client) -> None:
    client.names.has(NAME, "A", socket.inet_aton("127.0.0.9"), socket.inet_aton("127.0.0.1"))
    async with tcp_peer(serving(PLAIN)) as peer:
        answer = await client.get(f"http://{NAME}:{peer.port}/")
    assert answer.status == 200
    assert client.exchange
    assert client.exchange.address == "127.0.0.1"


async def test_no_other_address_is_tried_for_any_other_fault(client: Client) -> None:
    client.names.has(NAME, "A", socket.inet_aton("127.0.0.1"), socket.inet_aton("127.0.0.9"))
    async with tcp_peer(hangs_up) as peer:
        found = await failure(client.prepare(f"http://{NAME}:{peer.port}/"))
        assert peer.seen == 1
    assert found.reason is Reason.RESET


async def test_a_fault_of_our_own_is_unknown(client: Client) -> None:
    """No stream leads to such an address, whoever is there: the system says that it has no route."""
    found = await failure(client.prepare("http://255.255.255.255:9/"))
    assert (found.reason, found.state) == (Reason.UNREACHABLE, State.UNKNOWN)


async def test_ipv6_literals_and_families(client: Client) -> None:
    web = serving(PLAIN)
    server = await asyncio.start_server(web, "::1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        answer = await client.get(f"http://[::1]:{port}/", Options(family="ipv6"))
    assert answer.status == 200
    assert f"Host: [::1]:{port}\r\n".encode() in web.requests[0]
    found = await failure(client.prepare(f"http://[::1]:{port}/", Options(family="ipv4")))
    assert found.reason is Reason.DNS


async def test_a_name_in_another_script_is_asked_for_in_its_ascii_form(client: Client) -> None:
    client.knows("xn--bcher-kva.test")
    web = serving(PLAIN)
    async with tcp_peer(web) as peer:
        assert (await client.get(f"http://bücher.test:{peer.port}/")).status == 200
    assert b"Host: xn--bcher-kva.test:" in web.requests[0]


async def test_a_silent_name_server_is_unknown_within_the_time_that_is_left(client: Client) -> None:
    client.names.silent.add(NAME)
    found = await failure(client.prepare(f"http://{NAME}/", Options(within=timedelta(milliseconds=200))))
    assert (found.reason, found.state) == (Reason.DNS, State.UNKNOWN)


async def test_a_server_name_that_cannot_be_sent_is_a_failure(client: Client) -> None:
    found = await failure(client.prepare("https://127.0.0.1/", Options(server_name="." * 3)))
    assert found.reason is Reason.PROTOCOL


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("dripping", [False, True])
async def test_being_cancelled_closes_everything_and_keeps_what_was_measured(
    client: Client, authority: Authority, complaints: list[dict[str, Any]], secure: bool, dripping: bool
) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    talk = drips(b"HTTP/1.1 200 OK\r\nX: x") if dripping else silence
    async with tcp_peer(talk, authority.server("127.0.0.1") if secure else None) as peer:
        files = open_files()
        exchange = client.prepare(f"http{'s' * secure}://127.0.0.1:{peer.port}/")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.6):
                await exchange.run()
        await asyncio.wait_for(peer.quiet.wait(), 5)
        await asyncio.sleep(0.02)
        gc.collect()
        assert open_files() <= files
    assert complaints == []
    assert set(exchange.phases) == {"dns", "connect"} | ({"tls"} if secure else set()) | (
        {"processing"} if dripping else set()
    )


async def test_being_cancelled_within_the_handshake_closes_everything(
    client: Client, complaints: list[dict[str, Any]]
) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with tcp_peer(silence) as peer:
        exchange = client.prepare(f"https://127.0.0.1:{peer.port}/")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await exchange.run()
        await asyncio.wait_for(peer.quiet.wait(), 20)
    assert complaints == []
    assert set(exchange.phases) == {"dns", "connect"}


async def test_being_cancelled_while_connecting_closes_everything(
    client: Client, complaints: list[dict[str, Any]]
) -> None:
    """A full backlog: the kernel drops what comes after it, so that the connection is never made."""
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.settimeout(0)
            filler.connect_ex(address)
        seen = []
        for _ in range(3):
            exchange = client.prepare(f"http://127.0.0.1:{address[1]}/")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await exchange.run()
            assert set(exchange.phases) == {"dns"}
            await asyncio.sleep(0.02)
            gc.collect()
            seen.append(open_files())
        for filler in fillers:
            filler.close()
    assert seen[1] == seen[2]  # uvloop opens one for itself at the first
    assert complaints == []


async def test_a_server_that_keeps_the_connection_open_is_left(client: Client) -> None:
    async with tcp_peer(serving(PLAIN, hold=True)) as peer:
        assert (await client.get(f"http://127.0.0.1:{peer.port}/")).body == b"OK"
        await asyncio.wait_for(peer.quiet.wait(), 20)


async def test_an_endless_body_is_cut_and_the_connection_left(client: Client) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    async with tcp_peer(serving(head + gzip.compress(bytes(30 * 2**20)), hold=True)) as peer:
        answer = await client.get(f"http://127.0.0.1:{peer.port}/")
        await asyncio.wait_for(peer.quiet.wait(), 20)
    assert answer.truncated
    assert len(answer.body) == 2**20


# Redirects


async def test_redirects_are_followed_and_their_phases_add_up(client: Client) -> None:
    web = serving(redirect("/b"), redirect("?c=1", 301), PLAIN)
    async with tcp_peer(web) as peer:
        answer = await client.get(f"http://127.0.0.1:{peer.port}/a", headers={"X-Key": "k"})
        assert str(answer.url) == f"http://127.0.0.1:{peer.port}/b?c=1"
    assert (answer.status, answer.redirects) == (200, 2)
    assert [request.split()[1] for request in web.requests] == [b"/a", b"/b", b"/b?c=1"]
    assert all(b"X-Key: k" in request for request in web.requests)


@pytest.mark.parametrize(("allowed", "followed"), [(0, 0), (1, 1), (10, 10)])
async def test_redirects_have_a_limit(client: Client, allowed: int, followed: int) -> None:
    web = serving(redirect("/round"))
    async with tcp_peer(web) as peer:
        exchange = client.prepare(f"http://127.0.0.1:{peer.port}/", Options(redirects=allowed))
        if allowed:
            found = await failure(exchange)
            assert (found.reason, found.detail) == (Reason.STATUS, f"expected at most {allowed} redirects, got more")
        else:
            assert (await exchange.run()).status == 302
    assert len(web.requests) == followed + 1
    assert exchange.redirects == followed


async def test_a_redirect_without_a_location_is_the_answer(client: Client) -> None:
    async with tcp_peer(serving(b"HTTP/1.1 301 X\r\nContent-Length: 0\r\n\r\n")) as peer:
        assert (await client.get(f"http://127.0.0.1:{peer.port}/")).status == 301


async def test_another_origin_gets_no_header_and_is_asked_for_by_its_own_name(
    client: Client, authority: Authority
) -> None:
    client.knows(NAME, "other.test")
    other = serving(PLAIN)
    async with tcp_peer(other, authority.server("other.test")) as second:
        first = serving(redirect(f"https://u:p@other.test:{second.port}/x"))
        async with tcp_peer(first, authority.server("127.0.0.1")) as peer:
            answer = await client.get(
                f"https://{NAME}:{peer.port}/", Options(server_name="127.0.0.1"), headers={"X-Key": "hunter2"}
            )
    assert answer.status == 200
    assert b"hunter2" in first.requests[0]
    assert b"hunter2" not in other.requests[0]
    assert b"uthorization" not in other.requests[0]
    assert f"Host: other.test:{second.port}".encode() in other.requests[0]


async def test_a_post_becomes_a_get_after_303(client: Client) -> None:
    web = serving(redirect("/done", 303), PLAIN)
    async with tcp_peer(web) as peer:
        await client.get(f"http://127.0.0.1:{peer.port}/", method="POST", body=b"pay")
    assert web.requests[0].endswith(b"pay")
    assert web.requests[1].startswith(b"GET /done ")
    assert b"Content-Length" not in web.requests[1]


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/x",
        "http://inside.test:{port}/x",
        "http://localhost:{port}/x",
        "http://[::ffff:127.0.0.1]:{port}/x",
        "http://[::127.0.0.1]:{port}/x",
        "http://[64:ff9b::127.0.0.1]:{port}/x",
        "http://0.0.0.0:{port}/x",
        "http://127.0.0.1%25lo:{port}/x",
        "/x",
    ],
)
async def test_nothing_leads_from_a_public_to_a_private_address(client: Client, location: str) -> None:
    """Also not by a name that now resolves to another address than before."""
    client.knows("inside.test", NAME)
    web = serving(PLAIN)
    async with tcp_peer(web) as peer:
        url = location.format(port=peer.port) if "://" in location else f"http://{NAME}:{peer.port}{location}"
        found = await failure(client.prepare(url, came_from=PUBLIC))
    if "%" in location:  # no name that could be looked up
        assert found.reason is Reason.DNS
    else:
        assert found.reason is Reason.STATUS
        assert "from a public to a private address" in found.detail
    assert web.requests == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "017700000001", "127.1"])
async def test_a_number_in_another_notation_leads_nowhere_private(client: Client, host: str) -> None:
    """What some resolvers read as 127.0.0.1 is a name to ours, or the public address that it spells."""
    asked = client.resolver.addresses(host, "any", timedelta(seconds=2))
    (found,) = await asyncio.gather(asked, return_exceptions=True)
    assert isinstance(found, list | Failure)
    assert isinstance(found, Failure) or all(is_public(address) for address in found)


@pytest.mark.parametrize(
    "location", ["http://a b/", "http://127.0.0.1:1\r\nX: y/", "gopher://x/", "http://[::1/", "http://%00/"]
)
async def test_a_hostile_location_is_a_failure_and_no_crash(client: Client, location: str) -> None:
    answer = b"HTTP/1.1 302 X\r\nContent-Length: 0\r\nLocation: " + location.encode() + b"\r\n\r\n"
    async with tcp_peer(serving(answer)) as peer:
        found = await failure(client.prepare(f"http://127.0.0.1:{peer.port}/"))
    assert found.state is State.DOWN or found.reason is Reason.DNS


async def test_the_first_certificate_to_expire_counts(client: Client, authority: Authority) -> None:
    client.knows(NAME, "other.test")
    async with tcp_peer(serving(PLAIN), authority.server("other.test", ends=timedelta(days=90))) as second:
        hop = serving(redirect(f"https://other.test:{second.port}/"))
        async with tcp_peer(hop, authority.server(NAME, ends=timedelta(days=9))) as first:
            await client.get(f"https://{NAME}:{first.port}/")
    assert client.exchange
    assert client.exchange.certificate
    assert client.exchange.certificate.expires - datetime.now(UTC) < timedelta(days=10)


async def test_a_failure_never_names_path_or_query(client: Client) -> None:
    async with tcp_peer(hangs_up) as peer:
        found = await failure(client.prepare(f"http://127.0.0.1:{peer.port}/secret-path?token=hunter2"))
    assert found.detail in {f"127.0.0.1:{peer.port} {verb} the connection" for verb in ("closed", "reset")}


async def test_a_second_look_at_a_certificate_leaves_time_to_tell_of_it(client: Client, authority: Authority) -> None:
    """A relay that lets the first handshake through and swallows the second."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if outer.seen == 1:
            inward, outward = await asyncio.open_connection("127.0.0.1", inner.port)
            with contextlib.suppress(OSError):
                await asyncio.gather(pump(reader, outward), pump(inward, writer))
            outward.close()

    async with tcp_peer(silence, authority.server("other.test")) as inner, tcp_peer(relay) as outer:
        options = Options(within=timedelta(seconds=0.6))
        async with asyncio.timeout(0.6):
            found = await failure(client.prepare(f"https://127.0.0.1:{outer.port}/", options))
        assert outer.seen == 2
    assert found.reason is Reason.TLS_INVALID
    assert client.exchange
    assert client.exchange.certificate is None
