from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from monitor.fetch import Request, header_fault
from monitor.secrets import Secret


def lines(request: Request) -> list[str]:
    return request.wire.partition(b"\r\n\r\n")[0].decode().split("\r\n")


@pytest.mark.parametrize(
    ("url", "line", "host"),
    [
        ("http://shop.example", "GET / HTTP/1.1", "shop.example"),
        ("http://shop.example:80/", "GET / HTTP/1.1", "shop.example"),
        ("https://shop.example:8443/a b?q=ä#f", "GET /a%20b?q=%C3%A4 HTTP/1.1", "shop.example:8443"),
        ("http://[::1]:8080/?x", "GET /?x HTTP/1.1", "[::1]:8080"),
        ("https://bücher.example/", "GET / HTTP/1.1", "xn--bcher-kva.example"),
        ("http://shop.example/a%2Fb%0d%0aX:1", "GET /a%2Fb%0D%0AX:1 HTTP/1.1", "shop.example"),
    ],
)
def test_the_request_line_and_the_host(url: str, line: str, host: str) -> None:
    head = lines(Request(URL(url)))
    assert head[0] == line
    assert head[1] == f"Host: {host}"


def test_a_request_asks_for_a_fresh_connection_and_says_who_asks() -> None:
    head = lines(Request(URL("http://shop.example/")))
    assert "Connection: close" in head
    assert "Accept-Encoding: gzip, deflate, br" in head
    assert any(line.startswith("User-Agent: runbook-monitor/") for line in head)
    assert not any(line.startswith("Content-Length") for line in head)


def test_configured_headers_come_instead_of_ours() -> None:
    mine = (("user-agent", Secret("me")), ("HOST", Secret("other.example")), ("X-A", Secret("ü")))
    head = lines(Request(URL("http://shop.example/"), headers=mine))
    assert [line for line in head if line.lower().startswith(("user-agent", "host"))] == [
        "user-agent: me",
        "HOST: other.example",
    ]
    assert "X-A: ü" in head


@pytest.mark.parametrize(("method", "body", "length"), [("POST", b"", "0"), ("GET", b"ab", "2"), ("PUT", b"abc", "3")])
def test_a_body_has_its_length(method: str, body: bytes, length: str) -> None:
    request = Request(URL("http://shop.example/"), method, body=body)
    assert f"Content-Length: {length}" in lines(request)
    assert request.wire.endswith(b"\r\n\r\n" + body)


@pytest.mark.parametrize("url", ["http://sh op.example/", "http://\x00x/", "http://\x7f/", "/relative"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"no address can hold"):
        _ = Request(URL(url)).wire


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_header_that_is_let_through_is_one_line(name: str, value: str) -> None:
    if header_fault(name, value):
        return
    head = lines(Request(URL("http://shop.example/"), headers=((name, Secret(value)),)))
    assert head[-1] == f"{name}: {value}"
    assert "\n" not in head[-1]
    assert "\r" not in head[-1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "a\r\nX-B: c"),
        ("X-A", "a\nb"),
        ("X-A", "a\0"),
        ("X-A", " a"),
        ("X-A", "\ud800"),
        ("X A", "a"),
        ("", "a"),
        ("X-A:", "a"),
        ("Content-Length", "5"),
        ("transfer-encoding", "chunked"),
    ],
)
def test_a_header_that_could_smuggle_is_refused_without_its_value(name: str, value: str) -> None:
    fault = header_fault(name, value)
    assert fault
    assert value not in fault or len(value) < 3


def test_a_request_does_not_print_its_secrets() -> None:
    request = Request(URL("http://shop.example/"), "POST", (("A", Secret("hunter2")),), b"hunter2")
    _ = request.wire
    assert "hunter2" not in repr(request)
