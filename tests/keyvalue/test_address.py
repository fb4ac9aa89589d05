"""How the address of a Redis server is read, and what of it is never shown."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.variables import url_secrets
from monitor.keyvalue import KNOWN, AddressError, parse
from monitor.secrets import Redactor, Secret

RENDER = "redis://red-abc123:6379"
OUTSIDE = "rediss://red-abc123:hunter2@frankfurt-keyvalue.render.com:6379"
HEROKU = "rediss://:hunter2@ec2-1.compute.amazonaws.com:14359?ssl_cert_reqs=none"
CELERY = "rediss://:hunter2@cache.example.com:6379/1?ssl_cert_reqs=CERT_REQUIRED"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (RENDER, "Redis at red-abc123:6379"),
        (OUTSIDE, "Redis at frankfurt-keyvalue.render.com:6379"),
        (HEROKU, "Redis at ec2-1.compute.amazonaws.com:14359"),
        (CELERY, "Redis at cache.example.com:6379/1"),
        ("valkey://cache", "Redis at cache:6379"),
        ("valkeys://cache/0", "Redis at cache:6379"),
        ("redis://[2001:db8::1]:7000/3", "Redis at [2001:db8::1]:7000/3"),
        ("unix:///run/redis.sock?db=2&password=hunter2", "Redis at /run/redis.sock/2"),
        ("unix://me:hunter2@/run/redis.sock", "Redis at /run/redis.sock"),
    ],
)
def test_addresses_are_taken_as_they_are_copied_and_shown_without_their_password(url: str, shown: str) -> None:
    address = parse(url)
    assert address.shown == shown
    assert "hunter2" not in repr(address)


def test_everything_in_an_address_is_read() -> None:
    address = parse("rediss://me%40home:p%2Fw%3F@cache:7000/12?ssl_ca_certs=/ca.pem&ssl_check_hostname=False")
    assert (address.host, address.port, address.database) == ("cache", 7000, 12)
    assert (address.user, address.password) == ("me@home", "p/w?")
    assert address.tls == (True, False, "/ca.pem")


@pytest.mark.parametrize("url", ["redis://cache?username=me&password=p%2Fw&db=12", "redis://me:p%2Fw@cache/12"])
def test_who_we_are_may_stand_in_the_query(url: str) -> None:
    address = parse(url)
    assert (address.user, address.password, address.database) == ("me", "p/w", 12)
    assert address.logs_in


def test_what_stands_before_the_host_counts_more_than_the_query() -> None:
    assert parse("redis://me:first@cache?password=second").password == "first"


@pytest.mark.parametrize("rest", ["", "/", "/0", "?socket_timeout=5&max_connections=10&decode_responses=true"])
def test_nothing_is_said_before_the_first_question_where_nothing_needs_saying(rest: str) -> None:
    assert not parse(f"redis://cache{rest}").logs_in


@pytest.mark.parametrize(
    ("query", "tls"),
    [
        ("", (True, True, "")),
        ("?ssl_cert_reqs=required", (True, True, "")),
        ("?ssl_cert_reqs=optional", (True, True, "")),
        ("?ssl_cert_reqs=none", (False, True, "")),
        ("?ssl_cert_reqs=CERT_NONE", (False, True, "")),
        ("?ssl_check_hostname=no", (True, False, "")),
    ],
)
def test_certificates_are_verified_unless_the_address_says_otherwise(query: str, tls: tuple[bool, bool, str]) -> None:
    assert parse(f"rediss://cache{query}").tls == tls
    assert parse(f"redis://cache{query}").tls is None


def test_the_same_address_has_the_same_key_which_tells_nothing() -> None:
    assert parse(OUTSIDE).key == parse(OUTSIDE).key != parse(HEROKU).key
    assert "hunter2" not in parse(OUTSIDE).key


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("cache:6379", "cannot be read: it is redis://user:password@host:6379/0"),
        ("http://hunter2@cache", "cannot be read"),
        ("redis://me:hunter2@", "names no host"),
        ("redis:///0?password=hunter2", "names no host"),
        ("redis://me:hunter2@cache:x", "cannot be read"),
        ("redis://me:hunter2@cache:70000", "cannot be read"),
        ("redis://me:hunter2@cache:0", "a port that is none"),
        ("redis://me:hunter2@cache/one", "something else than a number for its database"),
        ("redis://me:hunter2@cache/¹", "something else than a number for its database"),
        ("redis://me:hunter2@cache/1?db=x", "something else than a number for its database"),
        ("redis://me:hunter2@[::1", "cannot be read"),
        ("redis://me:hunter2@cache\n", "cannot be read"),
        ("rediss://me:hunter2@cache?ssl_cert_reqs=hunter2", "unknown ssl_cert_reqs"),
        ("redis://me:hunter2@cache?ssl=hunter2", "unknown options; known are client_name, decode_responses"),
        ("unix://cache/run/redis.sock?password=hunter2", "names no socket"),
        ("unix://", "names no socket"),
    ],
)
def test_an_address_that_cannot_be_used_says_why_and_nothing_secret(url: str, why: str) -> None:
    with pytest.raises(AddressError, match=why) as caught:
        parse(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://me:hun#ter2@cache",
        "redis://me:1?ter2@cache",
        "redis://me:1/ter2@cache",
        "redis://:hun?ter2=x@cache/0",
        "redis://hun:ter2?x@cache",
    ],
)
def test_a_password_whose_special_characters_are_not_escaped_is_refused_and_not_told_in_parts(url: str) -> None:
    """Its beginning would else be taken for a host, and shown."""
    with pytest.raises(AddressError) as caught:
        parse(url)
    assert "hun" not in str(caught.value)
    assert "ter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://me:hunter2@cache",
        "redis://:hunter2@cache",
        "redis://hunter2@cache",
        "rediss://cache?password=hunter2",
        "redis://cache/1?db=2&password=hunter2",
        "valkey://me:hunter2@cache",
        "valkeys://hunter2@cache",
        "unix://me:hunter2@/run/redis.sock",
        "unix:///run/redis.sock?password=hunter2",
    ],
)
def test_a_password_is_known_wherever_an_address_can_hide_one(url: str) -> None:
    parse(url)
    redact = Redactor(map(Secret, url_secrets(url)))
    assert "hunter2" not in redact(f"wrong: hunter2, of {url}")


def test_settings_are_no_secrets() -> None:
    assert list(url_secrets("redis://cache?ssl_cert_reqs=none&db=1")) == []


WORDS = st.sampled_from(
    ["redis://", "rediss://", "unix://", "me", ":", "@", "/", "?", "#", "&", "=", "[", "]", "%", "0", "99999", *KNOWN]
)


@given(st.lists(WORDS | st.text(max_size=3), max_size=12).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(AddressError):
        address = parse(text)
        assert address.host
        assert 0 <= address.port <= 65_535
