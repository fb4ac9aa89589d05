from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from monitor.answer import Answer, shown
from monitor.fetch.redirects import is_public, onward, permitted, target
from monitor.fetch.request import Request
from monitor.model import Failure, Reason
from monitor.secrets import Secret

HERE = URL("https://shop.example/a/b?token=hunter2")
TOKEN = (("Authorization", Secret("Bearer hunter2")), ("Content-Type", Secret("text/plain")))


def moved(location: str | None, status: int = 302) -> Answer:
    headers = (("location", location),) if location is not None else ()
    return Answer(HERE, status, headers, b"", truncated=False, took=timedelta())


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/c", "https://shop.example/c"),
        ("c", "https://shop.example/a/c"),
        ("?x=1", "https://shop.example/a/b?x=1"),
        ("//cdn.example/x", "https://cdn.example/x"),
        ("http://shop.example/", "http://shop.example/"),
        ("HTTPS://Shop.Example:443/#top", "https://shop.example/"),
        ("https://user:hunter2@shop.example/", "https://shop.example/"),
        ("/gr\xc3\xb6\xc3\x9fe", "https://shop.example/gr%C3%B6%C3%9Fe"),
        ("/caf\xe9", "https://shop.example/caf%EF%BF%BD"),
        ("https://b\xc3\xbccher.example/", "https://xn--bcher-kva.example/"),
    ],
)
def test_a_location_is_made_absolute_without_user_and_fragment(location: str, leads_to: str) -> None:
    found = target(moved(location))
    assert found is not None
    assert str(found) == leads_to


@pytest.mark.parametrize("status", [200, 201, 300, 304, 305, 404])
def test_other_statuses_are_no_redirects(status: int) -> None:
    assert target(moved("/c", status)) is None


@pytest.mark.parametrize("location", [None, ""])
def test_a_redirect_to_nowhere_is_an_answer_like_any_other(location: str | None) -> None:
    assert target(moved(location)) is None


@pytest.mark.parametrize(
    "location", ["javascript:alert(1)", "file:///etc/passwd", "mailto:a@b.example", "http://", "http://h:99999/"]
)
def test_a_redirect_that_no_probe_can_follow_is_a_failure(location: str) -> None:
    with pytest.raises(Failure) as caught:
        target(moved(location))
    assert caught.value.reason is Reason.HEADER


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_no_location_crashes(location: str) -> None:
    try:
        found = target(moved(location))
    except Failure:
        return
    assert found is None or found.scheme in {"http", "https"}
    if found is not None:
        try:
            wire = Request(found).wire
        except ValueError:
            return
        assert wire.count(b"\r\n") == wire.count(b"\n") == 7


@pytest.mark.parametrize(
    ("method", "status", "becomes"),
    [
        ("GET", 301, "GET"),
        ("HEAD", 303, "HEAD"),
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("POST", 303, "GET"),
        ("PUT", 303, "GET"),
        ("PUT", 301, "PUT"),
        ("POST", 307, "POST"),
        ("DELETE", 308, "DELETE"),
    ],
)
def test_methods_change_as_browsers_change_them(method: str, status: int, becomes: str) -> None:
    asked = Request(HERE, method, TOKEN, b"" if method in {"GET", "HEAD"} else b"body")
    following = onward(asked, HERE / "c", status)
    assert following.method == becomes
    changed = becomes != method
    assert following.body == (b"" if changed else asked.body)
    assert following.headers == (TOKEN[:1] if changed else TOKEN)


@pytest.mark.parametrize("other", ["http://shop.example/", "https://shop.example:8443/", "https://evil.example/"])
def test_another_origin_gets_nothing_that_was_configured(other: str) -> None:
    assert onward(Request(HERE, headers=TOKEN), URL(other), 302).headers == ()
    posted = Request(HERE, "POST", TOKEN, b"hunter2")
    assert b"hunter2" not in onward(posted, URL(other), 302).wire
    with pytest.raises(Failure, match="the body stays with its origin") as caught:
        onward(posted, URL(other), 307)
    assert "hunter2" not in caught.value.detail


PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "::ffff:100.64.0.1",
    "::127.0.0.1",
    "::10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b:1::a00:1",
    "2001:0:7f00:1::",
    "fe80::1%eth0",
    "fec0::1",
    "fd00:ec2::254",
    "100::1",
    "5f00::1",
    "0.1.2.3",
    "127.255.255.254",
    "100.127.255.255",
    "172.31.255.255",
    "192.168.255.255",
    "198.18.0.1",
    "240.0.0.1",
    "127.0.0.1%25",
    "shop.example",
    "",
]
PUBLIC = [
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "172.32.0.1",
    "2606:2800:220:1::1",
    "::ffff:93.184.216.34",
    "64:ff9b::5db8:d822",
    "2002:5db8:d822::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_not_public_in_any_wrapping(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)


@given(st.sampled_from(PUBLIC), st.lists(st.sampled_from(PRIVATE + PUBLIC), min_size=1))
def test_nothing_leads_from_public_to_private(came_from: str, addresses: list[str]) -> None:
    public = [address for address in addresses if address in PUBLIC]
    if public:
        assert permitted(addresses, came_from, "evil.example") == public
    else:
        with pytest.raises(Failure) as caught:
            permitted(addresses, came_from, "evil.example")
        assert caught.value.reason is Reason.STATUS


@pytest.mark.parametrize("came_from", ["", "127.0.0.1", "10.0.0.1"])
def test_from_within_every_address_may_be_spoken_to(came_from: str) -> None:
    assert permitted(PRIVATE, came_from, "shop.example") == PRIVATE


HERE_HTTPS = "https://shop.example/"


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("http://user@shop.example@127.0.0.1/", "127.0.0.1"),
        ("http://shop.example:80@127.0.0.1/", "127.0.0.1"),
        ("http://127.0.0.1#@shop.example/", "127.0.0.1"),
        ("http://127.0.0.1?@shop.example/", "127.0.0.1"),
        ("//127.0.0.1/", "127.0.0.1"),
        ("http://[::ffff:7f00:1]/", str(ip_address("::ffff:7f00:1"))),  # written anew from Python 3.13 on
        ("http://2130706433/", "2130706433"),
        ("http://0177.0.0.1/", "0177.0.0.1"),
        ("http://127.0.0.1%2eshop.example/", "127.0.0.1%2eshop.example"),
    ],
)
def test_a_host_in_disguise_is_the_host_that_is_looked_up_and_asked(location: str, host: str) -> None:
    """User-info, fragments and odd numbers deceive a reader, not us: one parser names the host for all that follows."""
    found = target(moved(location))
    assert found is not None
    assert (found.raw_host, found.user, found.password) == (host, None, None)
    assert f"Host: {found.host_subcomponent}\r\n".encode() in Request(found).wire


@pytest.mark.parametrize("name", ["Host", "host", "Cookie", "X-Api-Key", "Proxy-Authorization", "User-Agent"])
@pytest.mark.parametrize(
    "other",
    [
        "http://shop.example/",
        "https://shop.example:444/",
        "https://shop.example./",
        "https://www.shop.example/",
        "https://shop.example.evil.example/",
        "https://127.0.0.1/",
    ],
)
def test_no_configured_header_of_any_name_leaves_its_origin(name: str, other: str) -> None:
    """A `Host` that was set for the first origin would reach another site behind the second one's proxy."""
    asked = Request(URL(HERE_HTTPS), headers=((name, Secret("hunter2")),))
    following = onward(asked, URL(other), 302)
    assert b"hunter2" not in following.wire
    assert f"Host: {URL(other).host_subcomponent}".encode() in following.wire
    back = onward(following, URL(HERE_HTTPS), 302)
    assert b"hunter2" not in back.wire, "what was left behind does not come back"


def test_the_same_origin_in_other_words_keeps_its_headers() -> None:
    asked = Request(URL(HERE_HTTPS), headers=TOKEN)
    assert onward(asked, URL("https://SHOP.example:443/x"), 302).headers == TOKEN


def test_what_is_shown_of_an_address_holds_no_secrets() -> None:
    assert shown(URL("https://u:p@shop.example:8443/a/b?token=x#f")) == "https://shop.example:8443/a/b"
    assert shown(URL("https://shop.example/%1b%22a%20b")) == 'https://shop.example/�"a b'
    assert shown(URL("https://shop.example")) == "https://shop.example/"
    assert shown(URL("mailto:me@shop.example?x=1")) == "mailto:…"
