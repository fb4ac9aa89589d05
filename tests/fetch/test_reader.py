from __future__ import annotations

import asyncio
import gzip
import zlib
from itertools import pairwise

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.fetch.reader import LONGEST_BODY, LONGEST_HEAD, Reader
from monitor.model import Failure, Reason

OK = b"HTTP/1.1 200 OK\r\n"


def read(*parts: bytes, method: str = "GET", eof: bool = False) -> Reader:
    """Read `parts` as they come, on a loop that is closed again."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_read(parts, method, eof=eof))
    finally:
        loop.close()


async def _read(parts: tuple[bytes, ...], method: str, *, eof: bool) -> Reader:
    reader = Reader(method)
    for part in parts:
        reader.feed(part)
    if eof:
        reader.eof()
    return reader


def whole(reader: Reader) -> bytes:
    assert reader.done.done()
    assert reader.done.result() is None
    return reader.body


def refused(reader: Reader) -> str:
    assert reader.done.done()
    failure = reader.done.result()
    assert isinstance(failure, Failure)
    assert failure.reason is Reason.PROTOCOL
    return failure.detail


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def chunked(body: bytes, cuts: list[int]) -> bytes:
    chunks = (f"{len(part):x}".encode() + b";ext=1\r\n" + part + b"\r\n" for part in split(body, cuts) if part)
    return b"".join(chunks) + b"0\r\nTrailer: x\r\n\r\n"


def raw_deflate(body: bytes) -> bytes:
    made = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return made.compress(body) + made.flush()


CODINGS = {
    "identity": bytes,
    "gzip": gzip.compress,
    "X-GZip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
    "br": brotli.compress,
}
CUTS = st.lists(st.integers(0, 100_000), max_size=12)


@given(st.binary(max_size=3000), st.sampled_from(sorted(CODINGS)), st.booleans(), CUTS, CUTS)
def test_a_body_is_the_same_however_it_is_coded_framed_and_cut(
    body: bytes, name: str, in_chunks: bool, chunk_cuts: list[int], cuts: list[int]
) -> None:
    sent = CODINGS[name](body)
    framing = b"Transfer-Encoding: chunked" if in_chunks else f"Content-Length: {len(sent)}".encode()
    answer = OK + b"Content-Encoding: " + name.encode() + b"\r\n" + framing + b"\r\n\r\n"
    answer += chunked(sent, chunk_cuts) if in_chunks else sent
    reader = read(*split(answer, cuts))
    assert whole(reader) == body
    assert not reader.truncated
    assert reader.status == 200
    assert ("content-encoding", name) in reader.headers
    assert "trailer" not in dict(reader.headers)


@given(st.binary(min_size=1, max_size=2000), st.sampled_from(sorted(CODINGS)), CUTS, st.data())
def test_an_answer_that_ends_early_is_never_taken_for_whole(
    body: bytes, name: str, cuts: list[int], data: st.DataObject
) -> None:
    sent = CODINGS[name](body)
    kind = data.draw(st.sampled_from(["length", "chunked"]))
    framing = b"Transfer-Encoding: chunked" if kind == "chunked" else f"Content-Length: {len(sent)}".encode()
    answer = OK + b"Content-Encoding: " + name.encode() + b"\r\n" + framing + b"\r\n\r\n"
    answer += chunked(sent, []) if kind == "chunked" else sent
    short = answer[: data.draw(st.integers(1, len(answer) - 1))]
    assert "closed the connection" in refused(read(*split(short, cuts), eof=True))


@given(st.binary(max_size=300), CUTS)
def test_no_bytes_raise_and_an_end_always_comes(data: bytes, cuts: list[int]) -> None:
    reader = read(*split(data, cuts), eof=True)
    assert reader.done.done()


@given(st.binary(min_size=1, max_size=300), st.sampled_from(["gzip", "deflate", "br"]))
def test_bytes_that_are_not_compressed_never_raise(data: bytes, name: str) -> None:
    head = OK + f"Content-Encoding: {name}\r\nContent-Length: {len(data)}\r\n\r\n".encode()
    assert read(head + data, eof=True).done.done()


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    answer = OK + b"\r\nsome"
    assert not read(answer).done.done()
    assert whole(read(answer, b"thing", eof=True)) == b"something"


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_ends_with_its_headers(status: int) -> None:
    assert whole(read(f"HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\n".encode())) == b""


def test_the_answer_to_head_ends_with_its_headers() -> None:
    reader = read(OK + b"Content-Length: 5\r\nContent-Encoding: gzip\r\n\r\n", b"more", method="HEAD")
    assert whole(reader) == b""


def test_an_empty_compressed_body_is_empty() -> None:
    assert whole(read(OK + b"Content-Length: 0\r\nContent-Encoding: gzip\r\n\r\n")) == b""


@pytest.mark.parametrize("together", [True, False])
def test_informational_answers_are_passed_over(together: bool) -> None:
    parts = [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        OK + b"Content-Length: 2\r\n\r\nOK",
    ]
    reader = read(b"".join(parts)) if together else read(*parts)
    assert whole(reader) == b"OK"
    assert reader.headers == [("content-length", "2")]
    assert 0 < reader.first_at <= reader.ended_at


def test_switching_protocols_is_an_answer() -> None:
    reader = read(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nfoo")
    assert whole(reader) == b""
    assert reader.status == 101


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 99999 X\r\n\r\n",
        OK + b"X\x00Y: 1\r\n\r\n",
        OK + b"Content-Length: 5, 5\r\n\r\nabcde",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 99999999999999999999999\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"<html>",
    ],
)
def test_what_is_not_http_is_refused(garbage: bytes) -> None:
    assert refused(read(garbage)).startswith("does not speak HTTP")


def test_a_connection_closed_without_a_word_is_no_answer() -> None:
    assert isinstance(read(eof=True).done.result(), EOFError)


def test_headers_that_stop_are_refused() -> None:
    assert refused(read(OK + b"Content-Le", eof=True)) == "closed the connection within the headers"


def test_what_follows_an_answer_changes_nothing() -> None:
    reader = read(
        OK + b"Content-Length: 2\r\nConnection: close\r\n\r\nOKHTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n", eof=True
    )
    assert whole(reader) == b"OK"
    pipelined = read(OK + b"Content-Length: 2\r\n\r\nOK" + b"HTTP/1.1 500 X\r\nY: 1\r\nContent-Length: 3\r\n\r\nabc")
    assert whole(pipelined) == b"OK"
    assert (pipelined.status, pipelined.headers) == (200, [("content-length", "2")])


def test_only_the_first_end_counts() -> None:
    reader = read(eof=True)
    first = reader.done.result()
    reader.end(None)
    reader.feed(OK)
    assert reader.done.result() is first


@pytest.mark.parametrize("parts", [1, 50], ids=["at once", "in pieces"])
def test_headers_have_a_limit(parts: int) -> None:
    fill = b"X-Fill: " + b"x" * 999 + b"\r\n"
    head = OK + fill * (LONGEST_HEAD // 1000 + 1) + b"Content-Length: 0\r\n\r\n"
    size = len(head) // parts + 1
    pieces = [head[at : at + size] for at in range(0, len(head), size)]
    assert refused(read(*pieces)) == "sent too many bytes of headers"


def test_headers_of_just_the_limit_are_read() -> None:
    fill = b"X-Fill: " + b"x" * 986 + b"\r\n"  # 996 bytes and a line end
    assert whole(read(OK + fill * 65 + b"Content-Length: 0\r\n\r\n")) == b""


def test_endless_informational_answers_have_the_limit_of_headers() -> None:
    assert "bytes of headers" in refused(read(*[b"HTTP/1.1 102 Processing\r\n\r\n" * 100] * 30))


def test_an_endless_chunk_extension_has_a_limit() -> None:
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n5;"
    piece = b"x" * LONGEST_BODY
    assert not read(head, *[piece] * 7).done.done()
    assert refused(read(head, *[piece] * 8)) == "sent too many bytes around the body"


def test_a_body_of_just_the_limit_is_whole_and_one_byte_more_is_cut() -> None:
    head = OK + b"Connection: close\r\n\r\n"
    exact = read(head, b"x" * LONGEST_BODY, eof=True)
    assert len(whole(exact)) == LONGEST_BODY
    assert not exact.truncated
    over = read(head, b"x" * LONGEST_BODY, b"x")
    assert len(whole(over)) == LONGEST_BODY
    assert over.truncated


async def test_a_caller_may_read_more_or_less_of_a_body() -> None:
    for longest in (10, 2 * LONGEST_BODY):
        reader = Reader("GET", longest)
        reader.feed(OK + b"Connection: close\r\n\r\n")
        reader.feed(b"x" * longest)
        assert not reader.done.done()
        reader.feed(b"x")
        assert (len(reader.body), reader.truncated, reader.done.result()) == (longest, True, None)


def test_a_full_body_in_chunks_of_one_byte_is_read() -> None:
    body = b"1\r\nx\r\n" * LONGEST_BODY + b"0\r\n\r\n"
    assert len(whole(read(OK + b"Transfer-Encoding: chunked\r\n\r\n", body))) == LONGEST_BODY


@pytest.mark.parametrize("name", ["gzip", "deflate", "br"])
def test_a_bomb_is_cut_at_the_limit(name: str) -> None:
    """100 MiB of zeros, compressed; only as much comes out as is kept."""
    bomb = CODINGS[name](bytes(100 * 2**20))
    head = OK + f"Content-Encoding: {name}\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    reader = read(head + bomb)
    assert whole(reader) == bytes(LONGEST_BODY)
    assert reader.truncated


@pytest.mark.parametrize("name", ["gzip", "deflate", "br"])
def test_a_compressed_body_that_ends_early_is_refused(name: str) -> None:
    short = CODINGS[name](bytes(range(256)) * 8)[:-3]
    head = OK + f"Content-Encoding: {name}\r\nContent-Length: {len(short)}\r\n\r\n".encode()
    assert refused(read(head + short)) == "ended the compressed body early"


@pytest.mark.parametrize("name", ["gzip", "deflate", "br"])
def test_a_damaged_compressed_body_is_refused(name: str) -> None:
    broken = b"\x78\xff\xff\xff" * 10
    head = OK + f"Content-Encoding: {name}\r\nContent-Length: {len(broken)}\r\n\r\n".encode()
    assert "damaged" in refused(read(head + broken))


@pytest.mark.parametrize("name", ["gzip", "deflate", "br"])
def test_what_follows_the_end_of_a_compressed_body_is_ignored(name: str) -> None:
    sent = CODINGS[name](b"OK")
    head = OK + f"Content-Encoding: {name}\r\nContent-Length: {len(sent) + 3}\r\n\r\n".encode()
    assert whole(read(head + sent, b"abc")) == b"OK"


@pytest.mark.parametrize("name", ["zstd", "gzip, br", "gzip, gzip"])
def test_an_encoding_that_was_not_asked_for_is_refused(name: str) -> None:
    assert name in refused(read(OK + f"Content-Encoding: {name}\r\nContent-Length: 2\r\n\r\nOK".encode()))


def test_header_names_are_lowered_and_values_kept_byte_by_byte() -> None:
    reader = read(OK + b"X-Name:  v\xe9 \r\nEmpty:\r\n\r\n", eof=True)
    assert reader.headers == [("x-name", "vé"), ("empty", "")]
