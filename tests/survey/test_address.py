"""What is typed, and what a system is called after it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.names import NAMED
from monitor.model import OURS
from monitor.survey.address import name_of, named, readings, unique


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("https://shop.example.com", "https://shop.example.com/"),
        ("shop.example.com/a?b=c#d", "https://shop.example.com/a?b=c"),
        ("shop.example.com:443", "https://shop.example.com/"),
        ("shop.example.com:8443", "http://shop.example.com:8443/"),
        ("localhost:3000/health", "http://localhost:3000/health"),
        ("localhost", "http://localhost/"),
        ("127.0.0.1:8081", "http://127.0.0.1:8081/"),
        ("[::1]:8081", "http://[::1]:8081/"),
        ("http://shop.example.com/a%2Fb", "http://shop.example.com/a%2Fb"),
    ],
)
def test_what_is_typed_is_understood(typed: str, meant: str) -> None:
    assert str(readings(typed)) == meant


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("ftp://shop.example.com", "not an address"),
        ("https://", "not an address"),
        ("https://me:hunter2@shop.example.com", "does not belong in the address"),
        ("https://shop.example.com/?api_key=hunter2", "'api_key'"),
        ("shop.example.com/?access_token=hunter2", "in the environment"),
    ],
)
def test_what_is_no_address_or_holds_a_secret_is_refused(typed: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        readings(typed)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("shop.example.com", "shop"),
        ("www.example.com", "example"),
        ("api.real-staging.ai", "real-staging"),
        ("www.example.co.uk", "example"),
        ("example.com.", "example"),
        ("sentia-backend-prod.onrender.com", "sentia-backend-prod"),
        ("localhost", "localhost"),
        ("127.0.0.1", "site"),
        ("::1", "site"),
        ("api.app", "api"),
        ("monitor.example.com", "site"),
        ("xn--bcher-kva.example", "xn-bcher-kva"),
    ],
)
def test_a_system_is_called_after_what_says_most(host: str, name: str) -> None:
    assert name_of(host) == name


@given(st.text(), st.lists(st.text(), max_size=20))
def test_every_name_is_one_that_a_file_takes_and_none_comes_twice(text: str, others: list[str]) -> None:
    assert NAMED.fullmatch(named(text))
    assert named(text) != OURS
    taken: set[str] = set()
    names = [unique(named(each), taken) for each in [text, *others, text]]
    assert len(set(names)) == len(names)
    assert all(NAMED.fullmatch(name) for name in names)


def test_a_long_name_stays_one_when_it_gets_a_number() -> None:
    taken = {"a" * 63}
    assert unique("a" * 63, taken) == f"{'a' * 61}-2"
