from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from monitor.probes import KINDS, kind_of_address, load_kind
from monitor.probes.base import Check


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_a_check_that_declares_what_it_does(name: str) -> None:
    kind = load_kind(name)
    assert issubclass(kind, Check)
    assert kind.reasons
    assert all(measure.meaning for measure in kind.measures)
    assert kind.model_fields["kind"].default == name


def test_an_unknown_kind_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'htttp' is not a kind of check; there are http, tcp"):
        load_kind("htttp")


def test_importing_the_list_imports_no_kind() -> None:
    """A kind brings its libraries along: a file without it must not need them."""
    asked = "import sys, monitor.probes; print([name for name in sys.modules if name.startswith('monitor.probes.')])"
    assert subprocess.check_output([sys.executable, "-c", asked], text=True).strip() == "[]"


@pytest.mark.parametrize(
    ("text", "kind", "fields"),
    [
        ("https://shop.example.com/x?y=1", "http", {"url": "https://shop.example.com/x?y=1"}),
        ("HTTP://shop.example.com", "http", {"url": "HTTP://shop.example.com"}),
        ("tcp://db.example.com:5432", "tcp", {"host": "db.example.com", "port": 5432}),
        ("tcp://db.example.com:5432/", "tcp", {"host": "db.example.com", "port": 5432}),
        ("tcp://[2001:db8::1]:5432", "tcp", {"host": "2001:db8::1", "port": 5432}),
        ("tcp://db.example.com", "tcp", {"host": "db.example.com"}),
        ("tcp://db.example.com:x", "tcp", {"host": "db.example.com", "port": "x"}),
        ("tls://shop.example.com", "tls", {"host": "shop.example.com"}),
        ("tls://[2001:db8::1]", "tls", {"host": "2001:db8::1"}),
        ("TLS://Shop.example.com:8443", "tls", {"host": "Shop.example.com", "port": 8443}),
        ("redis://cache", "redis", {"url": "redis://cache"}),
        ("rediss://:hunter2@cache:7000/1", "redis", {"url": "rediss://:hunter2@cache:7000/1"}),
        ("Valkeys://cache", "redis", {"url": "Valkeys://cache"}),
        ("dns://example.com", "dns", {"name": "example.com"}),
        ("postgres://me:x@db/shop?sslmode=require", "postgres", {"dsn": "postgres://me:x@db/shop?sslmode=require"}),
        ("postgresql://db/shop", "postgres", {"dsn": "postgresql://db/shop"}),
        ("dns://example.com?type=MX", "dns", {"name": "example.com", "type": "MX"}),
        (
            "dns://a.example.com?type=CNAME&expect=*.onrender.com",
            "dns",
            {"name": "a.example.com", "type": "CNAME", "expect": "*.onrender.com"},
        ),
        (
            "dns://a.example.com?expect=192.0.2.1&expect=192.0.2.2",
            "dns",
            {"name": "a.example.com", "expect": ["192.0.2.1", "192.0.2.2"]},
        ),
    ],
)
def test_the_kind_follows_from_the_address(text: str, kind: str, fields: dict[str, Any]) -> None:
    assert kind_of_address(text) == (kind, fields)


@pytest.mark.parametrize("text", ["", "shop.example.com", "ftp://x", "://", "https:/x", "a://tcp://b:1"])
def test_other_texts_mean_no_kind(text: str) -> None:
    assert kind_of_address(text) is None


@pytest.mark.parametrize(
    "text",
    ["tcp://h:1/path", "tcp://u:p@h:1", "tls://h?x=1", "tls://h#x", "dns://h/x", "dns://h?typ=A", "dns://h#x"],
)
def test_a_part_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="has more than"):
        kind_of_address(text)


@pytest.mark.parametrize("text", ["tcp://db.example.com", "tcp://db.example.com:x", "tcp://:80", "tls://", "dns://"])
def test_what_is_missing_is_for_the_kind_to_refuse(text: str) -> None:
    meant = kind_of_address(text)
    assert meant
    kind, fields = meant
    with pytest.raises(ValueError, match="validation error"):
        load_kind(kind)(**fields)


def test_an_address_with_a_broken_host_is_refused() -> None:
    with pytest.raises(ValueError, match="IPv6"):
        kind_of_address("tcp://[::1:5432")
